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

// CodeTracked is the error for a policy with notrack that no single packet can
// decide.
const CodeTracked = "NP0313"

// mirror makes the conditions of policies with notrack hold of a packet in
// either direction: a rule before conntrack sees one packet, and knows neither
// which side opened the connection nor whether there is one. It wants a folded
// set.
func mirror(set *ir.Set) diag.List {
	var diags diag.List
	m := mirrored{inside: outermost(slices.Clone(set.Settings.Inside()))}
	for i := range set.Policies {
		p := &set.Policies[i]
		if !p.NoTrack {
			continue
		}
		if asked := beyondHeaders(p); len(asked) > 0 {
			diags.Add(notStateless(p, fmt.Sprintf("it asks for %s, which no packet tells by itself", strings.Join(asked, ", "))))
			continue
		}
		p.Cond = fold(push(ir.NewOr(p.Cond.Pos(), p.Cond, m.of(p.Cond))))
	}
	return diags
}

// tracked reports the policies with notrack that rules cannot decide because
// their conditions grow too large. It wants a split set.
func tracked(policies []ir.Policy) diag.List {
	var diags diag.List
	for i := range policies {
		if p := &policies[i]; p.NoTrack && !p.Split.Kernel && len(beyondHeaders(p)) == 0 {
			diags.Add(notStateless(p, fmt.Sprintf("its condition has more than %d alternatives, or the set too many rules for the kernel already", maxConjunctions)))
		}
	}
	return diags
}

func notStateless(p *ir.Policy, why string) diag.Diagnostic {
	return diag.Diagnostic{
		Severity: diag.Error, Code: CodeTracked, Summary: "Policy cannot do without conntrack", Subject: p.Range,
		Detail: fmt.Sprintf("Policy %q has notrack = true, so a rule before conntrack decides each of its packets alone: %s. "+
			"Ask for addresses, ports and protocol only; exemptions of the set and policies with halt before it are a part of its condition.", p.Name, why),
	}
}

// beyondHeaders names what a policy asks for that is not in every packet of a
// connection. The interface is not: replies come in by another one.
func beyondHeaders(p *ir.Policy) []string {
	var out []string
	ask := func(c *ir.Compare) {
		if c.Attr.Name == "interface" || !InKernel(c) {
			out = append(out, c.Attr.Name)
		}
	}
	for _, l := range p.Packet {
		ask(l.Test)
	}
	ir.Walk(p.Cond, func(e ir.Expr) {
		switch e := e.(type) {
		case *ir.Compare:
			ask(e)
		case *ir.Residual:
			for _, a := range e.Reads {
				out = append(out, a.Name)
			}
		case *ir.And, *ir.Or, *ir.Not, *ir.Const:
		}
	})
	slices.Sort(out)
	return slices.Compact(out)
}

// mirrored writes what holds of a connection as what holds of its replies.
type mirrored struct {
	inside []netip.Prefix // sorted, none within another
}

func (m mirrored) of(e ir.Expr) ir.Expr {
	switch e := e.(type) {
	case *ir.And:
		return ir.NewAnd(e.Range, m.all(e.List)...)
	case *ir.Or:
		return ir.NewOr(e.Range, m.all(e.List)...)
	case *ir.Not:
		return ir.NewNot(e.Range, m.of(e.X))
	case *ir.Compare:
		return m.compare(e)
	case *ir.Const, *ir.Residual:
	}
	return e
}

func (m mirrored) all(list []ir.Expr) []ir.Expr {
	out := make([]ir.Expr, len(list))
	for i, e := range list {
		out[i] = m.of(e)
	}
	return out
}

// compare swaps the ends. Of a packet whose ends are on different sides the
// local one is the same in both directions; else it is the opener's, which in a
// reply is the destination.
func (m mirrored) compare(c *ir.Compare) ir.Expr {
	of := func(name string) ir.Expr {
		end := *c
		end.Attr, _ = fact.Lookup(name)
		return &end
	}
	side, kind, _ := strings.Cut(c.Attr.Name, "_")
	switch side {
	case "src":
		return of("dst_" + kind)
	case "dst":
		return of("src_" + kind)
	case "local", "other":
	default:
		return c // the protocol and the version are the same both ways
	}
	outward, other := of("src_"+kind), of("dst_"+kind)
	if side == "other" {
		outward, other = other, outward
	}
	within := func(name string) ir.Expr {
		a, _ := fact.Lookup(name)
		return &ir.Compare{Attr: a, Op: ir.OpPrefix, Prefixes: m.inside, Range: c.Range, Text: c.Text}
	}
	src, dst := within("src_ip"), within("dst_ip")
	return ir.NewOr(c.Range,
		ir.NewAnd(c.Range, src, ir.NewNot(c.Range, dst), outward),
		ir.NewAnd(c.Range, ir.NewOr(c.Range, ir.NewNot(c.Range, src), dst), other))
}
