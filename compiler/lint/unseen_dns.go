package lint

import (
	"fmt"
	"slices"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/compiler/lint/flowspace"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
)

func unseenDNS() Rule {
	return Rule{ID: "NP0527", Slug: "unseen-dns", Category: Logic, Severity: diag.Warning, Summary: "DNS answers are not seen", check: checkUnseenDNS}
}

// checkUnseenDNS reports policies that keep answers of DNS from netpold, where
// others ask for what those tell of later connections.
func checkUnseenDNS(p *pass) {
	takes := func(x *ir.Policy) bool { return x.NoTrack || x.Offload && !x.Audit }
	if !slices.ContainsFunc(p.in.Set.Policies, func(x ir.Policy) bool { return takes(&x) }) {
		return
	}
	reader, asks, more := p.readersOfDNS()
	if reader == nil {
		return
	}
	question := []ir.Expr{
		&ir.Compare{Attr: attribute("ip_protocol"), Op: ir.OpRange, Ranges: []ir.Interval{{Low: 17, High: 17}}},
		&ir.Compare{Attr: attribute("dst_port"), Op: ir.OpRange, Ranges: []ir.Interval{{Low: 53, High: 53}}},
	}
	for i := range p.in.Set.Policies {
		by := &p.in.Set.Policies[i]
		if !takes(by) {
			continue
		}
		e, meets := p.meets(by.Cond, question)
		if !meets {
			continue
		}
		how := "lets DNS answers pass without conntrack"
		if !by.NoTrack {
			how = "has DNS answers bypass the rules once a connection to the resolver is decided"
		}
		p.report(Finding{
			Subject: by.Range, Policy: by.Name,
			Related: []Related{{reader.Range, "asks for " + asks}},
			Detail: fmt.Sprintf("Policy %q %s, so netpold does not see them. Policy %q asks for %s%s, and a connection that shows no name itself has one by the answer before it alone.",
				by.Name, how, reader.Name, asks, more),
			Hint: fmt.Sprintf("exempt DNS in %q: exempt = \"dst_port == 53\"", by.Name),
		}.shown(e))
	}
}

// readersOfDNS is the first policy that asks for what DNS answers tell, for what
// it asks, and how many there are.
func (p *pass) readersOfDNS() (first *ir.Policy, asks, more string) {
	told := []string{"dns_hostname", "application", "brand", "category", "application_category"}
	n := 0
	for i := range p.in.Set.Policies {
		x := &p.in.Set.Policies[i]
		at := slices.IndexFunc(attributes(x.Cond), func(a fact.Attribute) bool { return slices.Contains(told, a.Name) })
		if at < 0 {
			continue
		}
		if n++; first == nil {
			first, asks = x, attributes(x.Cond)[at].Name
		}
	}
	if n > 1 {
		return first, asks, fmt.Sprintf(" (the first of %d policies that ask for the like)", n)
	}
	return first, asks, ""
}

// meets says that some flow meets a condition and all of others, in a space of
// their own, and shows one.
func (p *pass) meets(cond ir.Expr, others []ir.Expr) (e example, ok bool) {
	all := append(slices.Clone(others), cond)
	a := &analysis{space: flowspace.NewWithClock(p.in.Set.Catalogue, p.clock(), all...)}
	a.space.Grant(leastWork)
	fits := a.space.Try(questionNodes, func() {
		r := flowspace.All()
		for _, x := range all {
			r = a.space.And(r, a.space.Region(x))
		}
		r = a.space.Possible(r)
		if ok = !a.space.Empty(r); ok {
			e = a.witness(r, all...)
		}
	})
	return e, fits && ok
}
