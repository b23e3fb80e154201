package fact

import (
	"reflect"
	"testing"
)

// The value changes with every change of the table; the point of the test is
// that nobody changes the ABI without noticing.
func TestABIIsPinned(t *testing.T) {
	const want = "bd3cdec0ae94b39772f40b6542b938583c8e7c78469306bb24bd053e238ce755"
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
	for _, p := range Pairs {
		if other, ok := seen[p.Name]; ok {
			t.Errorf("%q names both a pair and %s", p.Name, other)
		}
		first, second, ok := LookupPair(p.Name)
		if !ok || first.Name != p.Of[0] || second.Name != p.Of[1] || first.Type != second.Type {
			t.Errorf("LookupPair(%q): got %s %v and %s %v", p.Name, first.Name, first.Type, second.Name, second.Type)
		}
	}
	if _, ok := Lookup("App"); ok {
		t.Error("Lookup is not case-sensitive")
	}
}
