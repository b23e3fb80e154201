package lint_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/netpol/netpol/compiler"
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/compiler/lint"
	"github.com/netpol/netpol/enforcer/program"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/fact"
)

// world is a small catalogue, so that random policies meet.
func world() *artifact.Catalogue {
	return &artifact.Catalogue{
		Categories: []artifact.Category{{Tag: "calls"}, {Tag: "films"}, {Tag: "web"}},
		Protocols:  []artifact.Protocol{{Tag: "quic", Category: "web"}, {Tag: "tls", Category: "web"}},
		Applications: []artifact.Application{
			{Tag: "netflix", Category: "films"}, {Tag: "webex", Category: "calls", Brand: "netflix"}, {Tag: "zoom", Category: "calls"},
		},
	}
}

// randomCondition draws criteria over a few values.
func randomCondition(t *rapid.T, depth int) string {
	pick := func(name string, list ...string) string { return rapid.SampledFrom(list).Draw(t, name) }
	if depth > 0 && rapid.IntRange(0, 2).Draw(t, "joined") > 0 {
		a, b := randomCondition(t, depth-1), randomCondition(t, depth-1)
		return pick("form", "("+a+" and "+b+")", "("+a+" and "+b+")", "("+a+" or "+b+")", "not ("+a+")")
	}
	return pick("atom",
		"app == 'zoom'", "brand == 'netflix'", "app in ['zoom', 'webex']", "category == 'calls'", "category == 'web'", "protocol == 'tls'", "by == 'port'",
		"detection_guessed", "domain(hostname, 'example.org')", "hostname == 'www.example.org'", "hostname contains 'www'", "hostname matches '^w+[.]'",
		"dst_port in 1..500", "dst_port == 443", "dst_port > 400", "src_ip in '10.0.0.0/8'", "local_ip in '10.0.0.0/9'", "dst_ip in '2001:db8::/32'",
		"ip_version == 4", "tls_version < '1.2'", "alpn == 'h2'", "interface == 'lan0'",
	)
}

func randomSet(t *rapid.T) string {
	var b strings.Builder
	for i := range rapid.IntRange(2, 5).Draw(t, "policies") {
		effect := rapid.SampledFrom([]string{`dscp = "cs5"`, `dscp = "cs1"`, `verdict = "drop"`, `verdict = "accept"`, `mark = "0x1/0x3"`}).Draw(t, "effect")
		fmt.Fprintf(&b, "policy \"p%d\" {\n  criteria = \"%s\"\n  %s\n}\n", i, randomCondition(t, 2), effect)
	}
	return b.String()
}

// randomFlow draws a flow that the enforcer could come up with.
func randomFlow(t *rapid.T, cat *artifact.Catalogue) *fact.Facts {
	f := &fact.Facts{IPProtocol: 6, IPVersion: 4}
	if i := rapid.IntRange(-1, 2).Draw(t, "app"); i >= 0 {
		f.Application, f.Brand, f.ApplicationCategory = cat.Applications[i].Tag, cat.Applications[i].BrandTag(), cat.Applications[i].Category
		f.By = rapid.SampledFrom([]string{fact.BySNI, fact.ByPort}).Draw(t, "by")
	}
	if i := rapid.IntRange(-1, 1).Draw(t, "protocol"); i >= 0 {
		f.Protocol, f.ProtocolCategory = cat.Protocols[i].Tag, cat.Protocols[i].Category
	}
	if f.Category = f.ApplicationCategory; f.Category == "" {
		f.Category = f.ProtocolCategory
	}
	f.Guessed = f.By == fact.ByPort || rapid.Bool().Draw(t, "guessed")
	f.Hostname = rapid.SampledFrom([]string{"", "www.example.org", "example.org", "www.example.net", "w.example.org", "other"}).Draw(t, "host")
	f.SrcPort, f.DstPort = 40000, rapid.SampledFrom([]int{1, 80, 443, 450, 501, 8443}).Draw(t, "port")
	pool := []string{"10.1.1.1", "10.200.1.1", "192.0.2.1"}
	if rapid.Bool().Draw(t, "v6") {
		pool, f.IPVersion = []string{"2001:db8::1", "2001:db9::1"}, 6
	}
	f.SrcIP = netip.MustParseAddr(rapid.SampledFrom(pool).Draw(t, "src"))
	f.DstIP = netip.MustParseAddr(rapid.SampledFrom(pool).Draw(t, "dst"))
	f.LocalIP, f.OtherIP, f.LocalPort, f.OtherPort = f.SrcIP, f.DstIP, f.SrcPort, f.DstPort
	if rapid.Bool().Draw(t, "inbound") {
		f.LocalIP, f.OtherIP, f.LocalPort, f.OtherPort = f.DstIP, f.SrcIP, f.DstPort, f.SrcPort
	}
	f.TLSVersion = rapid.SampledFrom([]int{0, 0x0301, 0x0303}).Draw(t, "tls")
	f.ALPN = rapid.SampledFrom([]string{"", "h2", "h2,http/1.1"}).Draw(t, "alpn")
	f.Interface = rapid.SampledFrom([]string{"lan0", "wan0"}).Draw(t, "interface")
	return f
}

// runner is the production program of a policy set.
type runner struct {
	machine *program.Machine
	names   []string
}

func newRunner(t *rapid.T, p *lang.Policy, cat *artifact.Catalogue) *runner {
	b, diags := compiler.Compile(p, compiler.Options{Catalogue: cat})
	if diags.HasErrors() {
		t.Fatal(diags)
	}
	loaded, err := program.Load(b)
	if err != nil {
		t.Fatal(err)
	}
	r := &runner{machine: loaded.NewMachine()}
	for _, p := range b.Policies {
		r.names = append(r.names, p.Name)
	}
	return r
}

// matches lists the policies that hold for a flow, by name.
func (r *runner) matches(f *fact.Facts) []string {
	var out []string
	for _, id := range r.machine.Eval(f).Policies {
		out = append(out, r.names[id])
	}
	return out
}

// TestFindingsAreTrue confirms what the rules prove with the production program:
// every witness matches the policies it is a witness for, and no random flow
// contradicts a proof.
func TestFindingsAreTrue(t *testing.T) {
	cat := world()
	counts := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		in := smallInput(t, randomSet(t), cat)
		result, diags := lint.Run(in)
		if len(diags) > 0 || len(result.Unproven) > 0 {
			t.Fatal(diags, result.Unproven)
		}
		r := newRunner(t, in.Policy, cat)
		for _, f := range result.Findings {
			counts[f.Rule.Slug]++
			checkWitness(t, r, f)
		}
		for range 20 {
			flow := randomFlow(t, cat)
			matched := r.matches(flow)
			for _, f := range result.Findings {
				checkProof(t, f, matched, flow)
			}
		}
	})
	for _, slug := range []string{"never-true", "shadowed-policy", "conflicting-policies"} {
		if counts[slug] == 0 && !testing.Short() {
			t.Errorf("no %s among the random policies: the test shows nothing", slug)
		}
	}
}

// relatedPolicies are the other policies that a finding speaks of, by the line
// that they begin on.
func relatedPolicies(f lint.Finding) []string {
	var out []string
	for _, r := range f.Related {
		out = append(out, fmt.Sprintf("p%d", (r.Range.Start.Line-1)/4))
	}
	return out
}

func checkWitness(t *rapid.T, r *runner, f lint.Finding) {
	if f.Flow == nil || f.Rule.Slug == "management-lockout" || f.Rule.Slug == "always-true" {
		return
	}
	matched := r.matches(f.Flow)
	if !slices.Contains(matched, f.Policy) {
		t.Fatalf("%s: the witness %v does not match %s: %+v", f.Rule.Slug, f.Witness, f.Policy, f.Flow)
	}
	switch f.Rule.Slug {
	case "conflicting-policies", "duplicate-policy":
		if other := relatedPolicies(f)[0]; !slices.Contains(matched, other) {
			t.Fatalf("%s: the witness %v does not match %s: %+v", f.Rule.Slug, f.Witness, other, f.Flow)
		}
	}
}

func checkProof(t *rapid.T, f lint.Finding, matched []string, flow *fact.Facts) {
	hit := slices.Contains(matched, f.Policy)
	switch f.Rule.Slug {
	case "never-true":
		if hit {
			t.Fatalf("%s matches %+v", f.Policy, flow)
		}
	case "always-true":
		if !hit {
			t.Fatalf("%s does not match %+v", f.Policy, flow)
		}
	case "shadowed-policy":
		if hit && !slices.ContainsFunc(relatedPolicies(f), func(p string) bool { return slices.Contains(matched, p) }) {
			t.Fatalf("%s is not shadowed by %v: %+v", f.Policy, relatedPolicies(f), flow)
		}
	case "duplicate-policy":
		if hit != slices.Contains(matched, relatedPolicies(f)[0]) {
			t.Fatalf("%s is no duplicate of %v: %+v", f.Policy, relatedPolicies(f), flow)
		}
	}
}
