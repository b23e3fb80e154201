package prog_test

import (
	"net/netip"
	"testing"

	"github.com/expr-lang/expr"
	"pgregory.net/rapid"

	"github.com/netpol/netpol/compiler"
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/program"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/fact"
)

// criteriaAtoms mean the same in criteria and in plain expr, as long as the
// facts are known and in lower case.
var criteriaAtoms = []string{
	"application == 'zoom'", "application != 'zoom'", "'teams' == application", "application in ['zoom', 'teams']", "application not in ['teams']",
	"application startsWith 'zo'", "application contains 'eam'", "application matches '^t.*s$'",
	"src_port == 80", "src_port != 443", "80 < src_port", "src_port >= 443", "src_port <= 80", "src_port in 80..443", "src_port not in 1..80",
	"dst_port in [80, 8801]", "not (dst_port in [80, 443])", "79 < dst_port < 444", "dst_port == 0x50",
	"hostname == 'zoom.us'", "hostname contains 'zoom'", "hostname startsWith 'us0'", "hostname endsWith '.us'", "hostname matches '^us[0-9]+'", "hostname != ''",
	"detection_guessed", "!detection_guessed", "detection_complete == true", "detection_guessed != detection_complete",
	"len(hostname) > 7", "len(hostname) in [0, 7]", "src_port == dst_port", "src_port + 1 == dst_port", "abs(src_port - dst_port) < 10", "src_port % 3 == 1",
	"src_port / 2 > 39", "-src_port + dst_port * 2 >= 80", "hostname == dns_hostname", "hostname + '.x' == 'zoom.us.x'", "lower(hostname) == 'zoom.us'",
	"hostname contains dns_hostname", "dns_hostname startsWith 'zoom'",
}

// criteria draws an expression of both languages.
func criteria(t *rapid.T, depth int) string {
	if depth == 0 || rapid.IntRange(0, 3).Draw(t, "leaf") == 0 {
		return rapid.SampledFrom(criteriaAtoms).Draw(t, "atom")
	}
	a, b := criteria(t, depth-1), criteria(t, depth-1)
	switch rapid.IntRange(0, 8).Draw(t, "form") {
	case 0, 1:
		return a + " and " + b
	case 2, 3:
		return a + " || " + b
	case 4:
		return "not (" + a + ")"
	case 5:
		return "(" + a + ") && (" + b + ")"
	case 6:
		return "((" + a + ") ? (" + b + ") : " + criteria(t, depth-1) + ")"
	case 7:
		return "(" + a + ") != (" + b + ")"
	}
	return "(" + a + " or " + b + ")"
}

func knownFacts(t *rapid.T) *fact.Facts {
	host := rapid.SampledFrom([]string{"", "zoom.us", "us02web.zoom.us", "example.org"})
	port := rapid.SampledFrom([]int{1, 79, 80, 81, 443, 444, 8801, 65535})
	return &fact.Facts{
		Application: rapid.SampledFrom([]string{"", "zoom", "teams"}).Draw(t, "application"),
		Hostname:    host.Draw(t, "hostname"),
		DNSHostname: host.Draw(t, "dns_hostname"),
		SrcPort:     port.Draw(t, "src_port"),
		DstPort:     port.Draw(t, "dst_port"),
		SrcIP:       netip.MustParseAddr("10.0.0.1"),
		Guessed:     rapid.Bool().Draw(t, "guessed"),
		Complete:    rapid.Bool().Draw(t, "complete"),
	}
}

// TestCriteriaMeanWhatExprSays holds the whole way, from the text of a policy
// file through the bundle's bytes to the enforcer's verdict, against expr's own
// reading of the same text.
func TestCriteriaMeanWhatExprSays(t *testing.T) {
	catalogue := &artifact.Catalogue{
		Categories:   []artifact.Category{{Tag: "voip"}},
		Applications: []artifact.Application{{Tag: "teams", Category: "voip"}, {Tag: "zoom", Category: "voip"}},
	}
	rapid.Check(t, func(t *rapid.T) {
		text := criteria(t, 3)
		plain, err := expr.Compile(text, expr.Env(fact.Facts{}), expr.AsBool())
		if err != nil {
			t.Fatalf("expr does not compile %s: %v", text, err)
		}
		m := machine(t, text, catalogue)
		for range 10 {
			f := knownFacts(t)
			out, err := expr.Run(plain, *f)
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			if got := m != nil && len(m.Eval(f).Policies) > 0; got != out.(bool) {
				t.Fatalf("%s\nis %t, want %t, for %+v", text, got, out, f)
			}
		}
	})
}

// machine compiles one policy; nil for one that can never match, which the
// compiler leaves out.
func machine(t *rapid.T, text string, catalogue *artifact.Catalogue) *program.Machine {
	src := "policy \"p\" {\n  mark = 1\n  criteria = <<E\n" + text + "\nE\n}\n"
	p, diags := lang.Parse(map[string][]byte{"a.netpol.hcl": []byte(src)}, lang.Options{})
	b, more := compiler.Compile(p, compiler.Options{Catalogue: catalogue})
	if diags.Extend(more); diags.HasErrors() {
		t.Fatalf("%s: %v", text, diags)
	}
	if len(b.Policies) == 0 {
		return nil
	}
	data, err := artifact.Encode(b)
	if err != nil {
		t.Fatal(err)
	}
	if b, err = artifact.Decode(data); err != nil {
		t.Fatal(err)
	}
	loaded, err := program.Load(b)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return loaded.NewMachine()
}
