package lint

import (
	"fmt"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/compiler/lint/flowspace"
	"github.com/netpol/netpol/lang/diag"
)

func deadAlternative() Rule {
	return Rule{ID: "NP0506", Slug: "dead-alternative", Category: Logic, Severity: diag.Warning, Summary: "Alternative never applies", check: checkDeadAlternative}
}

// checkDeadAlternative reports parts of an or that no flow can meet where they
// stand.
func checkDeadAlternative(p *pass) {
	p.eachPart(func(part partOf) {
		if !part.or || !part.dead {
			return
		}
		p.report(Finding{
			Subject: part.cond.Pos(), Policy: part.policy.Name,
			Detail: fmt.Sprintf("No flow can match this alternative of policy %q: %s.", part.policy.Name, describe(part.cond)),
			Hint:   "remove it, or the condition that excludes it",
		})
	})
}

func needlessCondition() Rule {
	return Rule{ID: "NP0507", Slug: "needless-condition", Category: Logic, Severity: diag.Note, Summary: "Condition changes nothing", check: checkNeedless}
}

// checkNeedless reports conditions that follow from the others, and
// alternatives that others contain.
func checkNeedless(p *pass) {
	p.eachPart(func(part partOf) {
		if !part.needless {
			return
		}
		detail := fmt.Sprintf("Policy %q matches the same flows without this condition: the others imply %s.", part.policy.Name, describe(part.cond))
		if part.or {
			detail = fmt.Sprintf("Policy %q matches the same flows without this alternative: the others contain %s.", part.policy.Name, describe(part.cond))
		}
		p.report(Finding{Subject: part.cond.Pos(), Policy: part.policy.Name, Detail: detail, Hint: "remove it"})
	})
}

// partOf is one part of an and or or, and what it does there.
type partOf struct {
	policy   *ir.Policy
	cond     ir.Expr
	or       bool
	dead     bool // no flow can meet it where it stands
	needless bool // the policy means the same without it
}

// maxParts bounds the parts of one policy that are looked at one by one.
const maxParts = 200

// eachPart visits the parts of every policy's criteria.
func (p *pass) eachPart(visit func(partOf)) {
	a := p.cases()
	for _, c := range a.cases {
		if !c.proven || c.never || c.always {
			continue
		}
		var found []partOf
		w := &partWalk{a: a, policy: c.policy, left: maxParts, visit: func(part partOf) { found = append(found, part) }}
		a.space.Try(questionNodes, func() {
			w.walk(ir.NewAnd(c.policy.Range, c.criteria...), flowspace.All())
			if !a.space.Fits() {
				found = nil
			}
		})
		for _, part := range found {
			visit(part)
		}
	}
}

type partWalk struct {
	a      *analysis
	policy *ir.Policy
	left   int
	visit  func(partOf)
}

// walk looks at the parts of e, of which only the flows in context matter.
func (w *partWalk) walk(e ir.Expr, context flowspace.Region) {
	switch e := e.(type) {
	case *ir.And:
		if w.take(len(e.List)) {
			w.and(e, context)
		}
	case *ir.Or:
		if w.take(len(e.List)) {
			w.or(e, context)
		}
	default:
	}
}

func (w *partWalk) take(n int) bool {
	w.left -= n
	return w.left >= 0
}

func (w *partWalk) and(e *ir.And, context flowspace.Region) {
	s := w.a.space
	kept := e.List
	for i := len(e.List) - 1; i >= 0; i-- { // of two that say the same the first stays
		x := e.List[i]
		others := s.Possible(w.all(kept, i, context))
		needless := s.Within(others, s.Region(x))
		if needless && !s.Empty(others) {
			w.visit(partOf{policy: w.policy, cond: x, needless: true})
			kept = without(kept, i)
			continue
		}
		w.walk(x, others)
	}
}

func (w *partWalk) all(list []ir.Expr, but int, context flowspace.Region) flowspace.Region {
	for i, x := range list {
		if i != but {
			context = w.a.space.And(context, w.a.space.Region(x))
		}
	}
	return context
}

func (w *partWalk) or(e *ir.Or, context flowspace.Region) {
	s := w.a.space
	kept := e.List
	for i := len(e.List) - 1; i >= 0; i-- {
		x := e.List[i]
		here := s.Possible(s.And(context, s.Region(x)))
		others := flowspace.None()
		for j, o := range kept {
			if j != i {
				others = s.Or(others, s.Region(o))
			}
		}
		switch {
		case s.Empty(here):
			w.visit(partOf{policy: w.policy, cond: x, or: true, dead: true})
			kept = without(kept, i)
		case s.Within(here, others):
			w.visit(partOf{policy: w.policy, cond: x, or: true, needless: true})
			kept = without(kept, i)
		default:
			w.walk(x, context)
		}
	}
}

// without is a list without one element.
func without(list []ir.Expr, i int) []ir.Expr {
	out := append([]ir.Expr{}, list[:i]...)
	return append(out, list[i+1:]...)
}
