package resolve

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang"
)

// FuzzInserts checks that a value in criteria is compared with as it is, and
// changes nothing else about the expression, whatever stands in it.
func FuzzInserts(f *testing.F) {
	for _, s := range []string{
		"zoom", "' or true or '", `\' or true or \'`, "\"", "`", "a\nb", "\x00", "\u2028", "é", "${x}", "%{if true}", "*/ //", "]", ", 'x'",
		"\\", "\\u0027", "\x7f\x1b", "rx", "@", "\ufffd", strings.Repeat("'", 100),
	} {
		f.Add(s)
	}
	src := []byte("variable \"v\" {\n  type = string\n}\npolicy \"p\" {\n  criteria = \"detection_guessed and http_user_agent == ${var.v} and alpn in ['x', ${var.v}]\"\n  label = \"a\"\n}\n")
	cat := catalogue()
	f.Fuzz(func(t *testing.T, value string) {
		p, diags := lang.Parse(map[string][]byte{"a.netpol.hcl": src}, lang.Options{Vars: map[string]string{"v": value}})
		if diags.HasErrors() {
			return // such as a value that is too long
		}
		set, diags := Resolve(p, cat)
		if diags.HasErrors() {
			if strings.HasPrefix(value, "rx:") {
				return
			}
			t.Fatalf("value %q: %v", value, diags)
		}
		and, ok := set.Policies[0].Cond.(*ir.And)
		if !ok || len(and.List) != 3 {
			t.Fatalf("value %q: got %s, want three conditions", value, ir.Dump(set.Policies[0].Cond))
		}
		// HCL normalises what it reads, so the two need only agree with each other.
		one, list := and.List[1].(*ir.Compare).Strings, and.List[2].(*ir.Compare).Strings
		if len(one) != 1 || !strings.EqualFold(value, one[0]) && isPlain(value) {
			t.Errorf("value %q: compared with %q", value, one)
		}
		if diff := cmp.Diff(one, withoutX(list)); one[0] != "x" && diff != "" {
			t.Errorf("value %q: the list holds something else:\n%s", value, diff)
		}
	})
}

func withoutX(list []string) []string {
	var out []string
	for _, s := range list {
		if s != "x" {
			out = append(out, s)
		}
	}
	return out
}

// isPlain reports text that neither normalisation nor case folding changes in
// other ways than EqualFold knows.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
