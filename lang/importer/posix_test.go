package importer

import (
	"errors"
	"regexp"
	"testing"
)

func TestToRE2(t *testing.T) {
	tests := []struct {
		name, in, want string
		notes          int
		noRE2          bool // it cannot be said
	}{
		{name: "plain", in: "^cdn[0-9]+-a.b$", want: "^cdn[0-9]+-a.b$"},
		{name: "groups", in: "(a|b)*c{2,3}", want: "(a|b)*c{2,3}"},
		{name: "escaped", in: `\.\[\(`, want: `\.\[\(`},
		{name: "lazy in Perl", in: "a+?", want: "(?:a+)?"},
		{name: "three repetitions", in: "(ab)+?*", want: "(?:(?:(ab)+)?)*"},
		{name: "repeated bound", in: "a{2}{3}", want: "(?:a{2}){3}"},
		{name: "bracket first", in: "[]a]b", want: `[\]a]b`},
		{name: "negated bracket first", in: "[^]a]", want: `[^\]a]`},
		{name: "backslash in brackets", in: `[\.]`, want: `[\\.]`, notes: 1},
		{name: "backslash ends brackets", in: `[a\]b`, want: `[a\\]b`, notes: 1},
		{name: "class", in: "[[:alpha:]_]+", want: "[[:alpha:]_]+"},
		{name: "Perl class", in: `\d`, want: `\d`, notes: 1},
		{name: "word edge", in: `\<a\>`, want: `\ba\b`, notes: 2},
		{name: "back reference", in: `(a)\1`, noRE2: true},
		{name: "collating element", in: "[[.a.]]", noRE2: true},
		{name: "Perl group", in: "(?:a)", noRE2: true},
		{name: "nothing to repeat", in: "*a", noRE2: true},
		{name: "after an anchor", in: "^*a", noRE2: true},
		{name: "brace", in: "a{b", noRE2: true},
		{name: "too many", in: "a{1001}", noRE2: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, notes, err := ToRE2(tt.in)
			if errors.Is(err, ErrNoRE2) != tt.noRE2 || !tt.noRE2 && err != nil {
				t.Fatalf("got error %v", err)
			}
			if got != tt.want || len(notes) != tt.notes {
				t.Errorf("got %q with notes %q, want %q with %d", got, notes, tt.want, tt.notes)
			}
		})
	}
}

func TestToRE2Refuses(t *testing.T) {
	for _, in := range []string{"(a", "a)", "[a", "[[:alpha", `a\`} {
		if _, _, err := ToRE2(in); err == nil || errors.Is(err, ErrNoRE2) {
			t.Errorf("%q: got error %v", in, err)
		}
	}
}

// FuzzToRE2: what is rewritten compiles, also where case is ignored.
func FuzzToRE2(f *testing.F) {
	for _, seed := range []string{"^cdn[0-9]+", "a+?b{2}", `[]\a-z[:digit:]]`, `(a|b)\.`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		out, _, err := ToRE2(in)
		if err != nil {
			return
		}
		for _, p := range []string{out, "(?i)" + out} {
			if _, err := regexp.Compile(p); err != nil {
				t.Fatalf("%q became %q: %v", in, p, err)
			}
		}
	})
}
