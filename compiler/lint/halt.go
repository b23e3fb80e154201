package lint

import (
	"github.com/netpol/netpol/compiler/ir"
)

// haltOf is the policy with halt that made a condition a part of later ones:
// resolve adds its condition, negated, to each. Nil for conditions that are a
// policy's own. The parts are the very same in both, which is how it is known.
func (p *pass) haltOf(e ir.Expr) *ir.Policy {
	if p.halting == nil {
		p.halting = map[ir.Expr]*ir.Policy{}
		for i := range p.in.Set.Policies {
			policy := &p.in.Set.Policies[i]
			if b := p.block(policy); !b.Halt || b.Audit {
				continue
			}
			if first := firstPart(policy.Cond); p.halting[first] == nil {
				p.halting[first] = policy
			}
		}
	}
	if len(p.halting) == 0 {
		return nil
	}
	return p.halting[firstPart(ir.NewNot(e.Pos(), e))]
}

// firstPart is the first part of a condition.
func firstPart(e ir.Expr) ir.Expr {
	first := conjuncts(e)[0]
	if not, ok := first.(*ir.Not); ok {
		return not.X // negating it again gives this
	}
	return first
}
