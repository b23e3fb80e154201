package lint_test

import (
	"testing"
	"time"

	"github.com/netpol/netpol/lang"
)

func policySet(tb testing.TB, text string) map[string][]byte {
	tb.Helper()
	return map[string][]byte{"many" + lang.PolicySuffix: []byte(text)}
}

// BenchmarkLint lints sets of policies, parsing left out.
func BenchmarkLint(b *testing.B) {
	for _, set := range []struct{ name, text string }{
		{"random-1000", manyPolicies(b, 1000)},
		{"random-10000", manyPolicies(b, 10_000)},
		{"customers-10000", customerPolicies(10_000)},
		{"servers-10000", serverPolicies(10_000)},
	} {
		b.Run(set.name, func(b *testing.B) {
			in := input(b, policySet(b, set.text))
			b.ReportAllocs()
			for b.Loop() {
				result := run(b, in)
				b.ReportMetric(float64(len(result.Findings)), "findings")
				b.ReportMetric(float64(result.Pairs), "skipped-pairs")
			}
		})
	}
}

// TestThousandPoliciesTakeSeconds guards against a hang in what BenchmarkLint
// measures, not against a slow machine.
func TestThousandPoliciesTakeSeconds(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	in := input(t, policySet(t, manyPolicies(t, 1000)))
	start := time.Now()
	result := run(t, in)
	if took := time.Since(start); took > 2*time.Minute {
		t.Errorf("took %s, want far less", took)
	}
	if len(result.Unproven) > 0 || result.Pairs > 0 {
		t.Errorf("%d policies were too complex, %d pairs too many", len(result.Unproven), result.Pairs)
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

// TestTenThousandPoliciesAreProven: sets of that size, as people have them, leave
// nothing unsaid.
func TestTenThousandPoliciesAreProven(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	for name, text := range map[string]string{"customers": customerPolicies(10_000), "servers": serverPolicies(10_000)} {
		t.Run(name, func(t *testing.T) {
			result := run(t, input(t, policySet(t, text)))
			if len(result.Unproven) > 0 || result.Pairs > 0 {
				t.Errorf("%d policies were too complex, %d pairs too many", len(result.Unproven), result.Pairs)
			}
		})
	}
}
