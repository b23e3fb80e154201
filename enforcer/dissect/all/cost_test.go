package all

import (
	"slices"
	"testing"
	"time"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/enforcer/dissect/dissecttest"
)

// maxCost is far more than any input may cost, so that no busy machine and no race
// detector makes the test fail. BenchmarkWorst has the figures: under 1 ms.
const maxCost = 30 * time.Millisecond

// TestCostIsBounded: no input of 64 KiB keeps a dissector busy.
func TestCostIsBounded(t *testing.T) {
	inputs := dissecttest.CostlyInputs()
	for _, d := range Dissectors() {
		for _, in := range inputs {
			if !reads(d, in) || dissecttest.Cost(d, in.In, 1) <= maxCost {
				continue
			}
			if cost := dissecttest.Cost(d, in.In, 20); cost > maxCost {
				t.Errorf("%s: %s for %s on port %d", d.Spec().Name, cost, in.Name, in.In.DstPort)
			}
		}
	}
}

// TestCostSearch looks for dearer inputs, where fuzztest.Environment asks for it.
func TestCostSearch(t *testing.T) {
	inputs := dissecttest.CostlyInputs()
	for _, d := range Dissectors() {
		own := slices.DeleteFunc(slices.Clone(inputs), func(in dissecttest.Costly) bool { return !reads(d, in) })
		cost, worst := dissecttest.SearchCost(t, d, own)
		if cost > maxCost {
			t.Errorf("%s: %s for %+v", d.Spec().Name, cost, worst)
		}
		t.Logf("%s: %s at most", d.Spec().Name, cost)
	}
}

// reads says that the input is of the dissector's transport.
func reads(d dissect.Dissector, in dissecttest.Costly) bool {
	spec := d.Spec()
	return in.In.UDP && spec.UDP || !in.In.UDP && spec.TCP
}

// BenchmarkWorst measures each dissector on the dearest of the inputs, and says
// which that is.
func BenchmarkWorst(b *testing.B) {
	inputs := dissecttest.CostlyInputs()
	for _, d := range Dissectors() {
		var worst dissecttest.Costly
		var most time.Duration
		for _, in := range inputs {
			if !reads(d, in) {
				continue
			}
			if cost := dissecttest.Cost(d, in.In, 5); cost > most {
				most, worst = cost, in
			}
		}
		b.Run(d.Spec().Name, func(b *testing.B) {
			b.Logf("%s, port %d", worst.Name, worst.In.DstPort)
			best := time.Hour
			for b.Loop() {
				best = min(best, dissecttest.Cost(d, worst.In, 1))
			}
			b.ReportMetric(float64(best.Nanoseconds())/1000, "µs/64KiB")
		})
	}
}
