package resolve

import (
	"fmt"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
)

// decidedAnyOf resolves a policy's criteria, which decide a connection by its first packets, before it
// can have fared any way.
func (r *resolver) decidedAnyOf(list []lang.Criteria) ir.Expr {
	e := r.anyOf(list)
	if e == nil {
		return nil
	}
	eachAsked(e, func(a fact.Attribute, at diag.Range) {
		if a.Decided == fact.Measured {
			r.diags.Add(diag.New(diag.NotDecided, at, fmt.Sprintf(
				"A policy is decided by a connection's first packets, and %s is measured afterwards: it can be asked for in when of a sink or of an aggregate, and by netpol flows. A policy can ask for rates and duration, such as total_rate.", a.Name)))
		}
	})
	return e
}
