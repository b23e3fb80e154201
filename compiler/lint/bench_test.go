package lint_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/netpol/netpol/lang"
)

// manyPolicies writes a set as large networks have them: applications,
// categories, domains, ports and addresses, alone and together, with all kinds
// of effects. The same n gives the same text.
func manyPolicies(tb testing.TB, n int) string {
	tb.Helper()
	cat, err := catalogue()
	if err != nil {
		tb.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	app := func() string { return cat.Applications[r.IntN(len(cat.Applications))].Tag }
	network := func() string { return fmt.Sprintf("10.%d.%d.0/%d", r.IntN(256), r.IntN(16)*16, 20+r.IntN(5)) }
	criteria := []func() string{
		func() string { return fmt.Sprintf("app in ['%s', '%s', '%s']", app(), app(), app()) },
		func() string { return fmt.Sprintf("app == '%s' and local_ip in '%s'", app(), network()) },
		func() string {
			return fmt.Sprintf("category == '%s' and src_ip in '%s'", cat.Categories[r.IntN(len(cat.Categories))].Tag, network())
		},
		func() string {
			return fmt.Sprintf("domain(hostname, 'd%d.example.org', 'e%d.example.net')", r.IntN(900), r.IntN(900))
		},
		func() string {
			low := r.IntN(60000) + 1
			return fmt.Sprintf("ip_protocol == 'tcp' and dst_port in %d..%d and dst_ip in '%s'", low, low+r.IntN(500), network())
		},
		func() string {
			return fmt.Sprintf("(protocol == 'tls' and dst_port == %d) or hostname endsWith '.h%d.example.com'", r.IntN(65000)+1, r.IntN(400))
		},
		func() string {
			return fmt.Sprintf("hostname matches '^cdn%d[0-9]+[.]' and not (app == '%s')", r.IntN(300), app())
		},
	}
	effects := []string{`dscp = "cs5"`, `dscp = "af21"`, `dscp = "cs1"`, `verdict = "reject"`, `mark = "0x10/0xf0"`}
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "policy \"p%d\" {\n  criteria = \"%s\"\n  %s\n}\n\n", i, criteria[r.IntN(len(criteria))](), effects[r.IntN(len(effects))])
	}
	return b.String()
}

// BenchmarkLint1000 lints 1,000 policies, parsing left out.
func BenchmarkLint1000(b *testing.B) {
	in := input(b, map[string][]byte{"many" + lang.PolicySuffix: []byte(manyPolicies(b, 1000))})
	b.ReportAllocs()
	for b.Loop() {
		result := run(b, in)
		b.ReportMetric(float64(len(result.Findings)), "findings")
		if len(result.Unproven) > 0 {
			b.Fatalf("%d policies were too complex", len(result.Unproven))
		}
	}
}

// TestThousandPoliciesTakeSeconds bounds what BenchmarkLint1000 measures
// (0.5 s on two processors, 2026-11) far from what pairing policies would
// take: it guards against a hang, not against a slow machine.
func TestThousandPoliciesTakeSeconds(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	in := input(t, map[string][]byte{"many" + lang.PolicySuffix: []byte(manyPolicies(t, 1000))})
	start := time.Now()
	result := run(t, in)
	if took := time.Since(start); took > 2*time.Minute {
		t.Errorf("took %s, want far less", took)
	}
	if len(result.Unproven) > 0 {
		t.Errorf("%d policies were too complex", len(result.Unproven))
	}
	byRule := map[string]int{}
	for _, f := range result.Findings {
		byRule[f.Rule.Slug]++
	}
	for _, slug := range []string{"shadowed-policy", "conflicting-policies"} {
		if byRule[slug] == 0 {
			t.Errorf("no finding of %s in random policies", slug)
		}
	}
}
