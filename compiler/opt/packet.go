package opt

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
)

// CodeMixed is the error for a condition that would need too many rules.
const CodeMixed = "NP0312"

// maxParts bounds the parts of one policy: each takes a label of the 128 that a
// connection has room for.
const maxParts = 8

// Packets takes out of each condition what is asked of each packet: bytes and
// packets so far, the mark, the time. What is left is decided once for a flow
// and carried by a label, on which rules ask the rest.
//
// A policy becomes as many as it has alternatives that ask different things of
// packets; they have one name and stand together, so that the order of
// policies says the same as before. It wants a folded set.
func Packets(in *ir.Set) (*ir.Set, diag.List) {
	set := *in
	set.Policies = make([]ir.Policy, 0, len(in.Policies))
	var diags diag.List
	sides := sides{inside: in.Settings.Inside()}
	for _, p := range in.Policies {
		if !asksPackets(p.Cond) {
			p.ID = len(set.Policies)
			set.Policies = append(set.Policies, p)
			continue
		}
		list, ok := parts(sides.expand(p.Cond))
		if !ok {
			diags.Add(tooMixed(p))
			continue
		}
		if len(list) == 0 {
			diags.Add(diag.New(diag.ConstantCondition, p.Range, fmt.Sprintf("Policy %q can never apply: what it asks of a packet cannot all hold. It is left out.", p.Name)))
			continue
		}
		for i, part := range list {
			p.ID, p.Part = len(set.Policies), i
			p.Cond, p.Packet = part.flow, part.packet
			set.Policies = append(set.Policies, p)
		}
	}
	return &set, diags
}

func tooMixed(p ir.Policy) diag.Diagnostic {
	return diag.Diagnostic{
		Severity: diag.Error, Code: CodeMixed, Summary: "Condition is too mixed", Subject: p.Range,
		Detail: fmt.Sprintf("What policy %q asks of packets (bytes, packets, marks, times) and of connections has more than %d alternatives, "+
			"and each of them takes a conntrack label. Write what is asked of packets once, joined to the rest by \"and\", or make several policies of it.", p.Name, maxParts),
	}
}

// asksPackets says that a condition holds comparisons that rules make on each
// packet.
func asksPackets(e ir.Expr) bool {
	found := false
	ir.Walk(e, func(e ir.Expr) {
		if c, ok := e.(*ir.Compare); ok && c.Attr.Decided == fact.Packet {
			found = true
		}
	})
	return found
}

// part holds when a flow's condition does and all that is asked of the packet.
type part struct {
	flow   ir.Expr
	packet ir.Conjunction
}

// parts are the alternatives of a normalised condition: those that ask the same
// of packets are one, those that ask what no packet can be are left out.
func parts(e ir.Expr) ([]part, bool) {
	if !asksPackets(e) {
		return []part{{flow: e}}, true
	}
	yes := &ir.Const{Value: true, Range: e.Pos()}
	var out []part
	switch e := e.(type) {
	case *ir.Compare:
		return []part{{yes, ir.Conjunction{{Test: e}}}}, true
	case *ir.Not:
		if c, ok := e.X.(*ir.Compare); ok {
			return []part{{yes, ir.Conjunction{{Test: c, Not: true}}}}, true
		}
		return nil, false // not normalised
	case *ir.And:
		out = []part{{flow: yes}}
		for _, x := range e.List {
			list, ok := parts(x)
			if !ok {
				return nil, false
			}
			if out = gathered(both(out, list)); len(out) > maxParts {
				return nil, false
			}
		}
	case *ir.Or:
		for _, x := range e.List {
			list, ok := parts(x)
			if !ok {
				return nil, false
			}
			if out = gathered(append(out, list...)); len(out) > maxParts {
				return nil, false
			}
		}
	case *ir.Const, *ir.Residual: // ask nothing of packets
	}
	return out, true
}

func both(a, b []part) []part {
	var out []part
	for _, x := range a {
		for _, y := range b {
			packet, ok := joined(x.packet, y.packet)
			flow := fold(ir.NewAnd(x.flow.Pos(), x.flow, y.flow))
			if c, isConst := flow.(*ir.Const); ok && (!isConst || c.Value) {
				out = append(out, part{flow, packet})
			}
		}
	}
	return out
}

// joined is what both ask of a packet, simplified; false if no packet is both.
func joined(a, b ir.Conjunction) (ir.Conjunction, bool) {
	var list []signed
	for _, c := range []ir.Conjunction{a, b} {
		for _, l := range c {
			list = append(list, signed{l.Test, l.Not})
		}
	}
	list, ok := conjunction(list)
	var out ir.Conjunction
	for _, s := range list {
		if c, isCompare := s.x.(*ir.Compare); isCompare {
			out = append(out, ir.Literal{Test: c, Not: s.negate})
		}
	}
	return out, ok
}

// gathered joins the parts that ask the same of packets.
func gathered(list []part) []part {
	var out []part
	at := map[string]int{}
	for _, p := range list {
		key := p.packet.String()
		i, ok := at[key]
		if !ok {
			at[key] = len(out)
			out = append(out, p)
			continue
		}
		out[i].flow = fold(ir.NewOr(p.flow.Pos(), out[i].flow, p.flow))
	}
	return out
}

// sides writes what is asked of the local or the other side as what is asked of
// the opener or the opened one: the kernel counts by those.
type sides struct {
	inside []netip.Prefix
}

// expand replaces the comparisons of one side's counters.
func (s sides) expand(e ir.Expr) ir.Expr {
	switch e := e.(type) {
	case *ir.And:
		return ir.NewAnd(e.Range, s.expandAll(e.List)...)
	case *ir.Or:
		return ir.NewOr(e.Range, s.expandAll(e.List)...)
	case *ir.Not:
		if c, ok := e.X.(*ir.Compare); ok {
			return s.either(c, true)
		}
	case *ir.Compare:
		return s.either(e, false)
	case *ir.Const, *ir.Residual:
	}
	return e
}

func (s sides) expandAll(list []ir.Expr) []ir.Expr {
	out := make([]ir.Expr, len(list))
	for i, e := range list {
		out[i] = s.expand(e)
	}
	return out
}

// either is the comparison once for flows opened from outside to the inside,
// of which the opened side is the local one, and once for all others.
func (s sides) either(c *ir.Compare, not bool) ir.Expr {
	of := func(name string) ir.Expr {
		side := *c
		side.Attr, _ = fact.Lookup(name)
		if not {
			return ir.NewNot(c.Range, &side)
		}
		return &side
	}
	kind, local := strings.CutPrefix(c.Attr.Name, "local_")
	if !local {
		var other bool
		if kind, other = strings.CutPrefix(c.Attr.Name, "other_"); !other || c.Attr.Decided != fact.Packet {
			return of(c.Attr.Name)
		}
	}
	if c.Attr.Decided != fact.Packet {
		return of(c.Attr.Name)
	}
	opener, opened := of("src_"+kind), of("dst_"+kind)
	if !local {
		opener, opened = opened, opener
	}
	within := func(name string) ir.Expr {
		a, _ := fact.Lookup(name)
		return &ir.Compare{Attr: a, Op: ir.OpPrefix, Prefixes: outermost(slices.Clone(s.inside)), Range: c.Range, Text: c.Text}
	}
	outer, inner := within("src_ip"), within("dst_ip")
	return ir.NewOr(c.Range,
		ir.NewAnd(c.Range, ir.NewNot(c.Range, outer), inner, opened),
		ir.NewAnd(c.Range, ir.NewOr(c.Range, outer, ir.NewNot(c.Range, inner)), opener))
}
