package lint

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/compiler/lint/flowspace"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
)

func managementLockout() Rule {
	return Rule{
		ID: "NP0551", Slug: "management-lockout", Category: Safety, Severity: diag.Error, Summary: "Way to the router is blocked", Fixed: true,
		Options: []string{"networks", "ports", "router"}, check: checkLockout,
	}
}

// checkLockout asks whether the policies would drop a login to the router: from
// the management networks and the operator's own session where they are known,
// and from everywhere in a private range where nothing is known.
func checkLockout(p *pass) {
	if !slices.ContainsFunc(p.in.Set.Policies, func(x ir.Policy) bool { return blocking(&x) }) {
		return
	}
	ways, ok := p.ways()
	if !ok {
		return
	}
	for _, w := range ways {
		if p.checkWay(w) {
			return
		}
	}
}

// way is one way to manage the router.
type way struct {
	from   []netip.Prefix
	router []netip.Prefix // empty: any address
	ports  []ir.Interval
	what   string // for the message
	// every says that the way is closed only if it is closed from all of from;
	// otherwise one closed source is enough.
	every bool
}

func (p *pass) ways() ([]way, bool) {
	ports, ok1 := p.managementPorts()
	networks, ok2 := p.prefixes("networks")
	router, ok3 := p.prefixes("router")
	if !ok1 || !ok2 || !ok3 {
		return nil, false
	}
	var out []way
	if s := p.in.Session; s.Client.IsValid() && s.Router.IsValid() {
		port := s.Port
		out = append(out, way{
			from: []netip.Prefix{single(s.Client)}, router: []netip.Prefix{single(s.Router)}, ports: []ir.Interval{{Low: port, High: port}},
			what: fmt.Sprintf("your own session from %s to port %d (SSH_CONNECTION)", s.Client, port),
		})
	}
	if len(networks) > 0 {
		return append(out, way{from: networks, router: router, ports: ports, what: "a login from the management networks"}), true
	}
	for _, s := range []string{"192.168.0.0/16", "10.0.0.0/8", "172.16.0.0/12", "fc00::/7"} {
		private := []netip.Prefix{netip.MustParsePrefix(s)}
		out = append(out, way{from: private, router: router, ports: ports, what: "every login from " + s, every: true})
	}
	return out, true
}

func single(a netip.Addr) netip.Prefix {
	a = a.Unmap().WithZone("")
	return netip.PrefixFrom(a, a.BitLen())
}

// managementPorts are the TCP ports that logins go to.
func (p *pass) managementPorts() ([]ir.Interval, bool) {
	var out []ir.Interval
	for _, v := range p.option("ports") {
		n, err := strconv.Atoi(v.Value)
		if err != nil || n < 1 || n > 65535 {
			p.misconfigured(v, "A port is a number from 1 to 65535.")
			return nil, false
		}
		out = append(out, ir.Interval{Low: n, High: n})
	}
	if len(out) == 0 {
		out = []ir.Interval{{Low: 22, High: 22}}
	}
	slices.SortFunc(out, func(a, b ir.Interval) int { return a.Low - b.Low })
	return slices.Compact(out), true
}

func (p *pass) prefixes(option string) ([]netip.Prefix, bool) {
	var out []netip.Prefix
	for _, v := range p.option(option) {
		prefix, fault := lang.ParsePrefix(v.Value)
		if fault.Code != "" {
			p.misconfigured(v, fault.Detail)
			return nil, false
		}
		out = append(out, prefix)
	}
	return out, true
}

// misconfigured reports an option of this rule as a finding of it: a guard that
// cannot work must not be silent.
func (p *pass) misconfigured(v lang.Text, detail string) {
	p.report(Finding{Subject: v.Range, Detail: "The way to the router cannot be checked. " + detail})
}

// login is the flows of one way: a new TCP connection of which nothing is known
// yet but that it is SSH, or not even that.
type login struct {
	space  *flowspace.Space
	flows  flowspace.Region
	closed flowspace.Region // what the policies block
	guilty []*ir.Policy     // blocking policies, in order
	shut   []flowspace.Region
	// failing says that netpold does not answer: only what headers tell is
	// decided, and policies that fail closed block what they could match.
	failing bool
}

// checkWay reports whether a way is closed, and by whom.
func (p *pass) checkWay(w way) bool {
	for _, protocol := range []string{"ssh", ""} {
		l := p.newLogin(w, protocol, false)
		if policy := l.blocker(w); policy != nil {
			b := p.block(policy)
			at := b.Verdict.Range
			if at.IsZero() {
				at = policy.Range
			}
			p.report(Finding{
				Subject: at, Policy: policy.Name,
				Detail: fmt.Sprintf("Policy %q would %s %s. Once it is applied there may be no way back to the router.", policy.Name, policy.Verdict, w.what),
				Hint:   "exempt the management network, as in exempt = \"src_ip in '192.168.1.0/24'\", or give the networks that you come from in the rule's option networks",
			}.shown(l.witness(w)))
			return true
		}
	}
	return false
}

func attribute(name string) fact.Attribute {
	a, _ := fact.Lookup(name)
	return a
}

// newLogin places the policies with a verdict, and the way, in a space of
// their own, so that the addresses of the way cost the other rules nothing.
func (p *pass) newLogin(w way, protocol string, failing bool) *login {
	var conditions []ir.Expr
	for i := range p.in.Set.Policies {
		if x := &p.in.Set.Policies[i]; x.Verdict != ir.NoVerdict && !x.Audit {
			conditions = append(conditions, p.in.Set.Policies[i].Cond)
		}
	}
	fixed := w.fixed(protocol, !failing)
	for _, a := range attributes(conditions...) {
		if e := unknown(a); e != nil && !failing {
			fixed = append(fixed, e)
		}
	}
	l := &login{failing: failing, space: flowspace.NewWithClock(p.in.Set.Catalogue, p.clock(), append(slices.Clone(conditions), fixed...)...)}
	l.space.Grant(leastWork)
	l.flows = flowspace.All()
	for _, e := range fixed {
		l.flows = l.space.And(l.flows, l.space.Region(e))
	}
	if w.from[0].Addr().IsPrivate() {
		l.flows = l.space.And(l.flows, l.space.Opened())
	}
	l.close(p.in.Set.Policies)
	return l
}

// fixed is what is known of a login: its headers and, where it is named, its
// protocol, and that it is of no application.
func (w way) fixed(protocol string, named bool) []ir.Expr {
	list := []ir.Expr{
		&ir.Compare{Attr: attribute("ip_protocol"), Op: ir.OpRange, Ranges: []ir.Interval{{Low: 6, High: 6}}},
		&ir.Compare{Attr: attribute("dst_port"), Op: ir.OpRange, Ranges: w.ports},
		&ir.Compare{Attr: attribute("src_ip"), Op: ir.OpPrefix, Prefixes: w.from},
	}
	if named {
		list = append(list,
			&ir.Compare{Attr: attribute("protocol"), Op: ir.OpEqual, Strings: []string{protocol}},
			&ir.Compare{Attr: attribute("application"), Op: ir.OpEqual, Strings: []string{""}})
	}
	if len(w.router) > 0 {
		list = append(list, &ir.Compare{Attr: attribute("dst_ip"), Op: ir.OpPrefix, Prefixes: w.router})
	}
	return list
}

// unknown says that nothing is known of an attribute that only payload shows;
// nil for the others.
func unknown(a fact.Attribute) ir.Expr {
	if a.Decided == fact.Kernel {
		return nil
	}
	switch a.Type {
	case fact.Text, fact.Hostname, fact.TextList, fact.EvidenceName:
		return &ir.Compare{Attr: a, Op: ir.OpEqual, Strings: []string{""}}
	case fact.TLSVersion:
		return &ir.Compare{Attr: a, Op: ir.OpRange, Ranges: []ir.Interval{{Low: 0, High: 0}}}
	default:
		return nil
	}
}

// close finds what the policies block: of those with a verdict the first that
// matches decides.
func (l *login) close(policies []ir.Policy) {
	s := l.space
	open := l.flows // not decided yet
	for i := range policies {
		policy := &policies[i]
		if policy.Verdict == ir.NoVerdict || policy.Audit {
			continue
		}
		r := s.Region(policy.Cond)
		if l.failing && !headersOnly(policy) {
			if !policy.Closes() {
				continue // nobody is there to decide it
			}
			r = s.OntoAll(s.Possible(r), headerAttributes())
		}
		if blocking(policy) {
			hit := s.Possible(s.And(open, r))
			l.guilty = append(l.guilty, policy)
			l.shut = append(l.shut, hit)
			l.closed = s.Or(l.closed, hit)
		}
		open = s.Diff(open, r)
	}
}

// blocker is the policy that closes the way; nil if it is open. What is not
// known of the login (interface, VLAN, the router's address) counts as free to
// choose: a way is closed only if no choice opens it.
func (l *login) blocker(w way) *ir.Policy {
	s := l.space
	if !s.Fits() || s.Empty(l.closed) {
		return nil
	}
	all := s.Possible(l.flows)
	open := s.Possible(s.Diff(all, l.closed))
	dead := s.Diff(s.Onto(all, "src_ip"), s.Onto(open, "src_ip"))
	if w.every {
		if !s.Empty(open) {
			return nil
		}
	} else if s.Empty(s.And(dead, all)) {
		return nil
	}
	for i, hit := range l.shut {
		if !s.Empty(s.And(hit, dead)) {
			return l.guilty[i]
		}
	}
	return nil
}

// witness is a login that is blocked.
func (l *login) witness(w way) example {
	f, ok := l.space.Witness(l.closed)
	if !ok {
		return example{}
	}
	fixed := w.fixed("", !l.failing)
	names := attributes(fixed...)
	return example{slices.DeleteFunc(values(f, fixed), func(v Value) bool {
		i := slices.IndexFunc(names, func(a fact.Attribute) bool { return a.Name == v.Attribute })
		return i < 0 || strings.Trim(v.Value, "'") == ""
	}), f}
}
