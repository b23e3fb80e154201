package lang

import (
	"strings"
	"testing"

	"github.com/netpol/netpol/lang/diag"
)

// criteriaOf parses one policy and returns its only criterion.
func criteriaOf(t *testing.T, src string) (*Criteria, []byte) {
	t.Helper()
	files := map[string][]byte{"a.netpol.hcl": []byte(src)}
	p, diags := Parse(files, Options{})
	if diags.HasErrors() || len(p.Policies) != 1 || len(p.Policies[0].Criteria) != 1 {
		t.Fatalf("parse: %v", diags)
	}
	return &p.Policies[0].Criteria[0], p.Source("a.netpol.hcl")
}

// The bytes of the file that a stretch of criteria maps to must be the bytes
// that the author wrote for it.
func TestRangeOfPointsIntoTheCriteria(t *testing.T) {
	tests := []struct {
		name, in string
		find     string // in the decoded text
		want     string // in the file
		at       string
	}{
		{"plain", `"app == 'zom'"`, "'zom'", "'zom'", "a.netpol.hcl:2:22"},
		{"first", `"app == 'zom'"`, "app", "app", "a.netpol.hcl:2:15"},
		{"after escaped quotes", `"app == \"a\" or app == \"zom\""`, `"zom"`, `\"zom\"`, "a.netpol.hcl:2:38"},
		{"after a unicode escape", `"app == '\u00e9' or app == 'zom'"`, "'zom'", "'zom'", "a.netpol.hcl:2:41"},
		{"escape itself", `"app == '\u00e9'"`, "é", `\u00e9`, "a.netpol.hcl:2:23"},
		{"long escape", `"app == '\U0001F600' or 'zom'"`, "'zom'", "'zom'", "a.netpol.hcl:2:38"},
		{"after wide letters", `"app == 'é' or app == 'zom'"`, "'zom'", "'zom'", "a.netpol.hcl:2:36"},
		{"backslash", `"hostname matches 'a\\.b' or 'zom'"`, "'zom'", "'zom'", "a.netpol.hcl:2:43"},
		{"tab escape", `"app\t== 'zom'"`, "'zom'", "'zom'", "a.netpol.hcl:2:23"},
		{"escaped template", `"hostname == '$${x}' or 'zom'"`, "'zom'", "'zom'", "a.netpol.hcl:2:38"},
		{"list", "[\n  \"true\"]", "true", "true", "a.netpol.hcl:3:4"},
		{"parentheses", `("app == 'zom'")`, "'zom'", "'zom'", "a.netpol.hcl:2:23"},
		{"heredoc", "<<EOT\napp == 'a'\n  or app == 'zom'\nEOT", "'zom'", "'zom'", "a.netpol.hcl:4:13"},
		{"indented heredoc", "<<-EOT\n    app == 'a'\n      or app == 'zom'\n  EOT", "'zom'", "'zom'", "a.netpol.hcl:4:17"},
		{"indented heredoc, first line", "<<-EOT\n    app == 'zom'\n  EOT", "'zom'", "'zom'", "a.netpol.hcl:3:12"},
		{"tabbed heredoc", "<<-EOT\n\t\tapp == 'a'\n\n\t\tor app == 'zom'\n\tEOT", "'zom'", "'zom'", "a.netpol.hcl:5:13"},
		{"backslash in a heredoc", "<<EOT\n'\\n' 'zom'\nEOT", "'zom'", "'zom'", "a.netpol.hcl:3:6"},
		{"across heredoc lines", "<<-EOT\n    a\n    b\n  EOT", "a\nb", "a\n    b", "a.netpol.hcl:3:5"},
		{"reference", `local.x`, "'zom'", "'zom'", "a.netpol.hcl:6:15"},
		{"reference to a reference in a list", `[local.y]`, "'zom'", "'zom'", "a.netpol.hcl:6:15"},
		{"reference to a computed value", `local.z`, "'zom'", "local.z", "a.netpol.hcl:2:14"},
		{"conditional", `true ? "app == 'zom'" : "b"`, "'zom'", `true ? "app == 'zom'" : "b"`, "a.netpol.hcl:2:14"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, src := criteriaOf(t, "policy \"p\" {\n  criteria = "+tt.in+"\n  label = \"a\"\n}\nlocals {\n  x = \"app == 'zom'\"\n  y = local.x\n  z = \"${local.x}\"\n}\n")
			i := strings.Index(c.Text, tt.find)
			if i < 0 {
				t.Fatalf("text: got %q, want %q in it", c.Text, tt.find)
			}
			r := c.RangeOf(i, i+len(tt.find))
			if got := string(src[r.Start.Byte:r.End.Byte]); got != tt.want {
				t.Errorf("source: got %q, want %q", got, tt.want)
			}
			if got := r.String(); got != tt.at {
				t.Errorf("range: got %s, want %s", got, tt.at)
			}
			checkColumns(t, src, r)
		})
	}
}

// checkColumns checks that line and column say the same as the byte offset.
func checkColumns(t *testing.T, src []byte, r diag.Range) {
	t.Helper()
	for _, p := range []diag.Pos{r.Start, r.End} {
		before := string(src[:p.Byte])
		line := strings.Count(before, "\n") + 1
		column := strings.Count(before[strings.LastIndex(before, "\n")+1:], "") // one more than its characters
		if p.Line != line || p.Column != column {
			t.Errorf("position of byte %d: got %d:%d, want %d:%d", p.Byte, p.Line, p.Column, line, column)
		}
	}
}

func TestRangeOfClampsItsArguments(t *testing.T) {
	c, src := criteriaOf(t, "policy \"p\" {\n  criteria = \"app\"\n  label = \"a\"\n}\n")
	r := c.RangeOf(-5, 99)
	if got := string(src[r.Start.Byte:r.End.Byte]); got != "app" {
		t.Errorf("source: got %q, want app", got)
	}
}
