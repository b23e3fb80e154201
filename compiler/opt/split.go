package opt

import (
	"regexp"
	"slices"

	"github.com/netpol/netpol/compiler/ir"
)

// maxConjunctions bounds what the kernel's rules for one policy grow to: n ors
// under an and are 2^n conjunctions. A policy beyond it is left to the enforcer.
const maxConjunctions = 64

// maxElements bounds the conjunctions that a set gives to the kernel. Most become
// elements of maps, at about a microsecond each to load, or rules of ten; what
// comes after is for the enforcer, whose program does not grow slower.
const maxElements = 32768

// Split says of each policy whether the kernel can decide it alone. It wants
// conditions that have been pushed and folded.
func Split(policies []ir.Policy) {
	all := make([][]ir.Conjunction, len(policies))
	fits := make([]bool, len(policies))
	for i := range policies {
		all[i], fits[i] = conjunctions(policies[i].Cond, false)
		// The enforcer puts flows into sets, takes them out, and tells sinks.
		fits[i] = fits[i] && len(policies[i].Adds)+len(policies[i].Notify) == 0
	}
	give := newAllowance(all)
	for i := range policies {
		if fits[i] = fits[i] && give.take(all[i], inTurn(&policies[i])); !fits[i] {
			all[i] = nil
		}
		policies[i].Split = ir.Split{Kernel: fits[i], Any: all[i]}
	}
	late(policies)
}

// allowance is what a set may still give to the kernel.
type allowance struct {
	elements int
	deep     int // conjunctions of several fields
	lists    crossings
	order    turns
}

func newAllowance(all [][]ir.Conjunction) *allowance {
	a := &allowance{elements: maxElements, deep: maxElements, lists: crossings{known: map[string]bool{}, left: maxCrossed}}
	if deep(all) {
		a.deep = maxDeep
	}
	return a
}

// take counts a policy's conjunctions, unless they are too many.
func (a *allowance) take(any []ir.Conjunction, ordered bool) bool {
	mixed := 0
	for _, c := range any {
		if several(c) {
			mixed++
		}
	}
	if len(any) > a.elements || mixed > a.deep || !a.lists.take(any) || ordered && !a.order.take(any) {
		return false
	}
	a.elements -= len(any)
	a.deep -= mixed
	return true
}

// inTurn says that the policy's effects may depend on what comes before it.
func inTurn(p *ir.Policy) bool {
	return p.DSCP != nil || p.Mark != nil || p.Verdict != ir.NoVerdict
}

// maxTurns bounds the stretches of policies in whose order a packet is tested.
// Within one, all ask for a field that one look-up can tell them apart by; each
// costs a new connection a few rules.
const maxTurns = 256

// turns counts the stretches.
type turns struct {
	count  int
	common side // what all of the stretch ask for
}

// side is a set of the fields of a packet.
type side uint8

const (
	sideSrc side = 1 << iota
	sideDst
	sideSport
	sideDport
	sideProto
	sideDevice
)

// take counts a policy's conjunctions, unless they are too many.
func (t *turns) take(any []ir.Conjunction) bool {
	next := *t
	for _, c := range any {
		asked := asks(c)
		if next.common &= asked; next.common == 0 {
			next.common = asked
			next.count++
		}
	}
	if next.count > maxTurns {
		return false
	}
	*t = next
	return true
}

// asks is what the conjunction wants to be one of some values.
func asks(c ir.Conjunction) (out side) {
	for _, l := range c {
		if l.Not {
			continue
		}
		switch l.Test.Attr.Name {
		case "src_ip":
			out |= sideSrc
		case "dst_ip":
			out |= sideDst
		case "local_ip", "other_ip":
			out |= sideSrc | sideDst
		case "src_port":
			out |= sideSport
		case "dst_port":
			out |= sideDport
		case "local_port", "other_port":
			out |= sideSport | sideDport
		case "ip_protocol":
			out |= sideProto
		case "interface":
			out |= sideDevice
		}
	}
	return out
}

// maxProofs bounds how many earlier policies a verdict is held against; beyond
// them it waits without proof that it must.
const maxProofs = 32

// late finds the verdicts that have to wait for an earlier policy's.
func late(policies []ir.Policy) {
	var waits []ir.Expr // conditions that accept, once the enforcer knows
	for i := range policies {
		p := &policies[i]
		switch p.Verdict {
		case ir.Accept:
			if !p.Split.Kernel {
				waits = append(waits, p.Cond)
			}
		case ir.Drop, ir.Reject:
			p.Split.Late = len(waits) > maxProofs ||
				slices.ContainsFunc(waits, func(w ir.Expr) bool { return !exclude(w, p.Cond) })
		case ir.NoVerdict:
		}
	}
}

// exclude says that two conditions cannot both hold; it may say no when the
// answer is yes.
func exclude(a, b ir.Expr) bool {
	c, ok := fold(ir.NewAnd(a.Pos(), a, b)).(*ir.Const)
	return ok && !c.Value
}

// conjunctions writes a condition, or its negation, in disjunctive normal
// form; false means that it asks for something the kernel does not know, or
// that it grows too large.
func conjunctions(e ir.Expr, negate bool) ([]ir.Conjunction, bool) {
	switch e := e.(type) {
	case *ir.Const:
		if e.Value != negate {
			return []ir.Conjunction{{}}, true
		}
		return nil, true
	case *ir.Not:
		return conjunctions(e.X, !negate)
	case *ir.And:
		return combine(e.List, negate, !negate)
	case *ir.Or:
		return combine(e.List, negate, negate)
	case *ir.Compare:
		return []ir.Conjunction{{{Test: e, Not: negate}}}, InKernel(e)
	case *ir.Residual:
	}
	return nil, false
}

// combine joins the parts of an And or Or; multiply is for a conjunction.
func combine(list []ir.Expr, negate, multiply bool) ([]ir.Conjunction, bool) {
	var out []ir.Conjunction
	if multiply {
		out = []ir.Conjunction{{}}
	}
	for _, x := range list {
		part, ok := conjunctions(x, negate)
		if !ok {
			return nil, false
		}
		if multiply {
			out = product(out, part)
		} else {
			out = append(out, part...)
		}
		if len(out) > maxConjunctions {
			return nil, false
		}
	}
	return out, true
}

func product(a, b []ir.Conjunction) []ir.Conjunction {
	var out []ir.Conjunction
	for _, x := range a {
		for _, y := range b {
			c := make(ir.Conjunction, 0, len(x)+len(y))
			out = append(out, append(append(c, x...), y...))
		}
	}
	return out
}

// deviceName is what the name of an interface in a rule may be made of
// (IFNAMSIZ 16, linux/if.h, with the final NUL).
var deviceName = regexp.MustCompile(`^[A-Za-z0-9_.@+-]{1,15}$`)

// InKernel says that a rule on a connection's first packet knows the answer.
// The list is of names and not of fact.Kernel: a VLAN tag is gone by the time
// that a packet reaches the inet hooks.
func InKernel(c *ir.Compare) bool {
	switch c.Attr.Name {
	case "local_ip", "other_ip", "src_ip", "dst_ip":
		return c.Op == ir.OpPrefix
	case "local_port", "other_port", "src_port", "dst_port", "ip_protocol", "ip_version":
		return c.Op == ir.OpRange
	case "interface":
		for _, s := range c.Strings {
			if !deviceName.MatchString(s) {
				return false
			}
		}
		return c.Op == ir.OpEqual
	}
	return false
}
