package policytest

import (
	"context"
	"time"

	"github.com/netpol/netpol/lang/fact"
)

// benchTime is how long one test's flows are evaluated over and over: long
// enough for a steady figure, short enough for a hundred tests.
const benchTime = 50 * time.Millisecond

// benchBatch is how many evaluations pass between two looks at the clock.
const benchBatch = 1000

// bench measures one evaluation of the program on a test's flows; 0 for a test
// without any.
func (s *Suite) bench(ctx context.Context, c *testCase) time.Duration {
	var flows []*fact.Facts
	for _, moments := range c.flows {
		for _, m := range moments {
			flows = append(flows, m.Facts)
		}
	}
	if c.PCAP.Value != "" {
		seen, err := s.capture(ctx, c.PCAP.Value)
		if err != nil {
			return 0
		}
		for i := range seen {
			if c.selects(seen[i].Facts) {
				flows = append(flows, seen[i].Facts)
			}
		}
	}
	if len(flows) == 0 {
		return 0
	}
	return perEvaluation(flows, func(f *fact.Facts) { s.evaluator.Machine().Eval(f) })
}

func perEvaluation(flows []*fact.Facts, eval func(*fact.Facts)) time.Duration {
	started := time.Now()
	for n := 0; ; {
		for range benchBatch {
			eval(flows[n%len(flows)])
			n++
		}
		if spent := time.Since(started); spent >= benchTime {
			return spent / time.Duration(n)
		}
	}
}
