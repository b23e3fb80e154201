package fact

import (
	"reflect"
	"testing"
)

// The value changes with every change of the table; the point of the test is
// that nobody changes the ABI without noticing.
func TestABIIsPinned(t *testing.T) {
	const want = "2fe3b8bcd5b6405c56d27f9c3632368a0c5b8f33a57bfcf2179da759128ad85b"
	if got := ABI(); got != want {
		t.Errorf("ABI: got %s, want %s; bundles made before this change will be refused", got, want)
	}
}

func TestFactsFollowTheTable(t *testing.T) {
	typ := reflect.TypeFor[Facts]()
	if typ.NumField() != len(Attributes) {
		t.Fatalf("Facts has %d fields, the table %d rows: run go generate", typ.NumField(), len(Attributes))
	}
	for i, a := range Attributes {
		if f := typ.Field(i); f.Name != a.Field || f.Tag.Get("expr") != a.Name {
			t.Errorf("field %d: got %s `%s`, want %s %s", i, f.Name, f.Tag, a.Field, a.Name)
		}
	}
}

func TestNamesAndAliasesAreUnique(t *testing.T) {
	seen := map[string]string{}
	for _, a := range Attributes {
		for _, name := range append([]string{a.Name}, a.Aliases...) {
			if other, ok := seen[name]; ok {
				t.Errorf("%q names both %s and %s", name, other, a.Name)
			}
			seen[name] = a.Name
			if got, ok := Lookup(name); !ok || got.Name != a.Name {
				t.Errorf("Lookup(%q): got %q, want %q", name, got.Name, a.Name)
			}
		}
	}
	if _, ok := Lookup("App"); ok {
		t.Error("Lookup is not case-sensitive")
	}
}
