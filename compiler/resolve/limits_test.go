package resolve

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
)

// hang is how long a hostile input may take on a busy machine before the tests
// call it endless: without the bounds these take minutes, with them a second.
const hang = time.Minute

func codes(list diag.List) []string {
	var out []string
	for _, d := range list {
		if d.Severity == diag.Error {
			out = append(out, d.Code)
		}
	}
	return out
}

// Criteria come from files that a stranger may have written: whatever they
// hold, the answer is a diagnostic, and soon.
func TestHostileCriteriaGiveOneDiagnosticQuickly(t *testing.T) {
	const size = 60 << 10
	fill := func(s string) string { return strings.Repeat(s, size/len(s)) }
	tests := []struct{ name, in, want string }{
		{"parentheses", fill("("), diag.TooDeep},
		{"brackets", fill("["), diag.TooDeep},
		{"not", fill("!") + "true", diag.TooDeep},
		{"words of not", fill("not ") + "true", diag.TooDeep},
		{"minus", "src_port == " + fill("-") + "1", diag.TooDeep},
		{"choices", fill("true?true:") + "true", diag.TooDeep},
		{"conditions that double", "(detection_guessed" + strings.Repeat(" == detection_complete", 40) + ")", diag.TooComplex},
		{"powers", "src_port == 1" + fill("**1"), diag.UnsupportedExpression},
		{"too long", strings.Repeat("x", lang.MaxCriteriaBytes), diag.TooLarge},
		{"closing", fill(")"), diag.CriteriaSyntax},
		{"sum", "src_port == 1" + strings.Repeat("+1", 20000) + "+dst_port", diag.TooComplex},
		{"sum in a list", "(src_port" + strings.Repeat("+dst_port", 200) + ") in [" + strings.Repeat("1, ", 8000) + "2]", diag.TooComplex},
		{"member chain", "hostname" + fill(".a"), diag.UnsupportedExpression},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Now()
			got := codes(resolveOne(t, tt.in))
			if len(got) == 0 || got[0] != tt.want {
				t.Errorf("codes: got %.80q, want first %q", got, tt.want)
			}
			if took := time.Since(start); took > hang {
				t.Errorf("took %v", took)
			}
		})
	}
}

// What is written once and used often can ask for more than fits a machine.
func TestRepetitionsAreBounded(t *testing.T) {
	lines := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(strings.ReplaceAll(format, "%d", strconv.Itoa(i)))
		}
		return b.String()
	}
	const policy = "policy \"p%d\" {\n  mark = 1\n  criteria = \""
	tests := []struct{ name, in, want string }{
		{"groups in groups", "address_group \"a\" {\n members = [" + lines(9999, "\"2001:db8::%d\",") + "]\n}\n" +
			lines(1000, "address_group \"g%d\" {\n members = [\"@a\", \"10.0.0.1\"]\n}\n"), diag.TooComplex},
		{"a large group in many policies", "address_group \"a\" {\n members = [" + lines(9999, "\"2001:db8::%d\",") + "]\n}\n" +
			lines(4000, policy+"local_ip in '@a' && dst_port == %d\"\n}\n"), ""},
		{"a large group beside others in many policies", "address_group \"a\" {\n members = [" + lines(9999, "\"2001:db8::%d\",") + "]\n}\n" +
			lines(4000, policy+"local_ip in ['@a', '10.0.0.1'] && dst_port == %d\"\n}\n"), diag.TooComplex},
		{"large regular expressions", lines(9000, policy+"hostname matches '(a|b%d){1000}'\"\n}\n"), diag.TooComplex},
		{"many mistakes", lines(9000, policy+"app == 'zoo%d'\"\n}\n"), diag.UnknownApplication},
		{"as large as may be", lines(18, policy+strings.Repeat("src_port == 1 || ", 3000)+"src_port == %d\"\n}\n"), ""},
		{"a large text used often", "locals {\n  c = \"" + strings.Repeat("src_port == 1 || ", 3000) + "src_port == 2\"\n}\n" + lines(60, "policy \"p%d\" {\n mark = 1\n criteria = local.c\n}\n"), diag.TooComplex},
		{"choices in choices", lines(2000, policy+strings.Repeat("src_port == %d ? (", 10)+"app == 'zoom'"+strings.Repeat(") : dst_port == 1", 10)+"\"\n}\n"), diag.TooComplex},
		{"large conditions that halt", lines(140, "policy \"p%d\" {\n halt = true\n criteria = \""+strings.Repeat("hostname contains 'h%d' || ", 100)+"hostname == 'a%d'\"\n}\n"), diag.TooComplex},
		{"many applications", lines(9000, "application \"a%d\" {\n category = \"web\"\n domains = [\"d%d.org\"]\n}\n"), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Now()
			p, diags := lang.Parse(map[string][]byte{"a.netpol.hcl": []byte(tt.in)}, lang.Options{})
			_, more := Resolve(p, catalogue())
			diags.Extend(more)
			if got := append(codes(diags), "")[0]; got != tt.want {
				t.Errorf("codes: got first %q, want %q", got, tt.want)
			}
			if took := time.Since(start); took > hang {
				t.Errorf("took %v", took)
			}
		})
	}
}

func TestLongCriteriaAreNotDeep(t *testing.T) {
	tests := []struct{ name, in string }{
		{"or", strings.Repeat("src_port == 1 or ", 3500) + "src_port == 2"},
		{"list", "src_port in [" + strings.Repeat("1234, ", 10000) + "5]"},
		{"sum", "src_port == 1" + strings.Repeat("+1", 1000) + "+dst_port"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := resolveOne(t, tt.in); len(got) > 0 {
				t.Errorf("diagnostics: got %.300s, want none", got.Error())
			}
		})
	}
}

// FuzzCriteria checks that every text resolves to a condition or to an error
// that points into the file, and never to both or neither.
func FuzzCriteria(f *testing.F) {
	for _, s := range []string{
		"app == 'zoom';", "app in ['zoom', 'teams'] and not (src_port in 1..5)", "a ? b : c", "domain(hostname, 'zoom.us')",
		"local_ip == '@g' or tls_version < '1.2'", "len(hostname) + 1 == src_port % 2", "'h2' in alpn", "hostname matches `\\.`",
		"(((", "!!!", "[1,2", "é == 'ü'", "1 < src_port < 5", "app not in ['zoom']", "a;b", "{a: 1}", "#", "true == (app == '')",
	} {
		f.Add(s)
	}
	cat := catalogue()
	f.Fuzz(func(t *testing.T, text string) {
		p := &lang.Policy{Lock: &lang.Lock{}, Policies: []*lang.PolicyBlock{{
			Name: "p", Enabled: true,
			Criteria: []lang.Criteria{{Text: text, Range: diag.Range{Filename: "f", End: diag.Pos{Byte: 1}}}},
		}}}
		set, diags := Resolve(p, cat)
		if got, want := len(set.Policies) == 1, !diags.HasErrors(); got != want {
			t.Errorf("%q: resolved %v, without errors %v: %v", text, got, want, diags)
		}
		for _, d := range diags {
			if d.Subject.Filename != "f" {
				t.Errorf("%q: diagnostic without a place: %v", text, d)
			}
		}
		if len(set.Policies) == 1 && set.Dump() == "" {
			t.Errorf("%q: no dump", text)
		}
	})
}
