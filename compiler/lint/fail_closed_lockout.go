package lint

import (
	"fmt"
	"slices"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
)

func failClosedLockout() Rule {
	return Rule{
		ID: "NP0552", Slug: "fail-closed-lockout", Category: Safety, Severity: diag.Error, Summary: "Way to the router is closed without netpold", Fixed: true,
		Options: []string{"networks", "ports", "router"}, check: checkFailClosed,
	}
}

// checkFailClosed asks what checkLockout asks for the time when netpold does not
// answer, or is overloaded: policies with on_fail or on_overload = "closed" then block all that they could match
// by the headers, and nothing is known of a login but those.
func checkFailClosed(p *pass) {
	closed := func(x ir.Policy) bool { return blocking(&x) && x.Closes() && !headersOnly(&x) }
	if !slices.ContainsFunc(p.in.Set.Policies, closed) {
		return
	}
	ways, ok := p.ways()
	if !ok {
		return
	}
	for _, w := range ways {
		l := p.newLogin(w, "", true)
		policy := l.blocker(w)
		if policy == nil {
			continue
		}
		block, at, when := p.block(policy), policy.Range, "While netpold does not answer"
		switch {
		case policy.OnFail == ir.FailOpen:
			at, when = block.OnOverload.Range, "While netpold is overloaded"
		case !block.OnFail.Range.IsZero():
			at = block.OnFail.Range
		}
		p.report(Finding{
			Subject: at, Policy: policy.Name,
			Detail: fmt.Sprintf("%s, policy %q would %s %s: its application is not known then, and the policy fails closed for all that it could be.", when, policy.Name, policy.Verdict, w.what),
			Hint:   "exempt the management network by address or port, as in exempt = \"ip_protocol == 'tcp' && dst_port == 22\", or leave on_fail and on_overload open",
		}.shown(l.witness(w)))
		return
	}
}

// headersOnly says that the kernel decides a policy by itself.
func headersOnly(p *ir.Policy) bool {
	return !slices.ContainsFunc(attributes(p.Cond), func(a fact.Attribute) bool { return a.Decided != fact.Kernel && a.Decided != fact.Packet })
}

// headerAttributes are those that are known without netpold.
func headerAttributes() []string {
	var out []string
	for _, a := range fact.Attributes {
		if a.Decided == fact.Kernel || a.Decided == fact.Packet {
			out = append(out, a.Name)
		}
	}
	return out
}
