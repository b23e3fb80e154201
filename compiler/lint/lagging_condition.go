package lint

import (
	"fmt"
	"strings"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang/diag"
)

func laggingCondition() Rule {
	return Rule{ID: "NP0545", Slug: "lagging-condition", Category: Evidence, Severity: diag.Warning, Summary: "Condition is over before it is noticed", check: checkLagging}
}

// readingSeconds is how often the enforcer reads the kernel's counters, as the
// attribute table says of the rates.
const readingSeconds = 5

// checkLagging reports conditions on the duration of a flow that can be over
// before the enforcer reads the counters for the first time: a flow shorter than
// that is seldom seen with any duration but 0.
func checkLagging(p *pass) {
	for i := range p.in.Set.Policies {
		policy := &p.in.Set.Policies[i]
		var late *ir.Compare
		positive(p.newCase(policy).criteria, func(c *ir.Compare) {
			if late == nil && c.Attr.Name == "duration" && c.Op == ir.OpRange && fleeting(c.Ranges) {
				late = c
			}
		})
		if late == nil {
			continue
		}
		p.report(Finding{
			Subject: late.Range, Policy: policy.Name,
			Detail: fmt.Sprintf("Policy %q asks for %s, but the duration is read every %d seconds, so it may never be seen to hold.", policy.Name, strings.TrimSpace(describe(late)), readingSeconds),
			Hint:   "ask for a longer duration, or for total_packets or total_bytes, which the kernel knows with every packet",
		})
	}
}

// fleeting says that values lie above 0 and below the first reading.
func fleeting(ranges []ir.Interval) bool {
	if len(ranges) == 0 {
		return false
	}
	for _, r := range ranges {
		if r.Low < 1 || r.High >= readingSeconds {
			return false
		}
	}
	return true
}
