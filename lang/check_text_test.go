package lang

import (
	"strings"
	"testing"

	"github.com/netpol/netpol/lang/diag"
)

func TestWhatIsNoTextIsOneDiagnostic(t *testing.T) {
	tests := []struct{ name, in, at, want string }{
		{"NUL", "policy \"p\" {\n  criteria = \"app\x00\"\n}\n", "a.netpol.hcl:2:18", "U+0000"},
		{"only NUL", strings.Repeat("\x00", 1000), "a.netpol.hcl:1:1", "U+0000"},
		{"escape", "# \x1b[2J\n", "a.netpol.hcl:1:3", "U+001B"},
		{"not UTF-8", "locals {\n  a = \"\u00fc\xff\"\n}\n", "a.netpol.hcl:2:9", "not UTF-8"},
		{"UTF-16", "p\x00o\x00", "a.netpol.hcl:1:2", "U+0000"},
		{"reordered text", "# \u202e drop\n", "a.netpol.hcl:1:3", "U+202E"},
		{"isolated text", "# \u2066 drop\n", "a.netpol.hcl:1:3", "U+2066"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, diags := Parse(map[string][]byte{"a.netpol.hcl": []byte(tt.in)}, Options{})
			if len(diags) != 1 || diags[0].Code != diag.BadSyntax {
				t.Fatalf("got %v, want one %s", diags, diag.BadSyntax)
			}
			if got := diags[0].Subject.String(); got != tt.at || !strings.Contains(diags[0].Detail, tt.want) {
				t.Errorf("got %s: %s, want %s: ...%s", got, diags[0].Detail, tt.at, tt.want)
			}
		})
	}
	for _, text := range []string{"\ufeffnetpol {}\n", "netpol {}\r\n", "# \u65e5\u672c \U0001f468\u200d\U0001f469\n"} {
		if _, diags := Parse(map[string][]byte{"a.netpol.hcl": []byte(text)}, Options{}); len(diags) > 0 {
			t.Errorf("Parse(%q) = %v, want no diagnostics", text, diags)
		}
	}
}
