package main

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
)

// plainFlow is a connection of the tests, as its opener knows it.
type plainFlow struct {
	src, dst netip.AddrPort
	proto    string // udp, tcp
	in       string // the router's interface that its first packet comes in by
	asked    string // the name that a question to DNS is about
	hello    string // the name that a TLS client asks for
	tos      uint8  // of the opener's packets
}

func (f *plainFlow) String() string {
	return fmt.Sprintf("%s %v > %v in %s, asks %q, hello %q, tos %#x", f.proto, f.src, f.dst, f.in, f.asked, f.hello, f.tos)
}

// local and other are the ends, of which one is of the lab's client, with a private address.
func (f *plainFlow) local() netip.AddrPort {
	if f.src.Addr().IsPrivate() {
		return f.src
	}
	return f.dst
}

func (f *plainFlow) other() netip.AddrPort {
	if f.src.Addr().IsPrivate() {
		return f.dst
	}
	return f.src
}

// condition is a criterion and its plain meaning.
type condition struct {
	text  string
	holds func(*plainFlow) bool
}

// plainPolicy is a policy and its plain meaning.
type plainPolicy struct {
	name           string
	when, exempt   condition
	order          int
	halt, audit    bool
	labels         []string
	mark, mask     uint32
	dscp           int // -1: none
	unset          bool
	verdict, class string
	schedule       string // always, never
	forEach        bool
}

// plainSet is a policy set; the exemption is that of all policies.
type plainSet struct {
	policies []plainPolicy
	all      bool // netpold is shown all connections
}

// effect is what becomes of the packets of a connection that is decided.
type effect struct {
	labels  []string
	mark    uint32
	dscp    uint8
	stopped bool
	class   string
	matched []string
}

// of is the plain meaning of the set: in order, policies that match apply, the first
// with a dscp, a verdict or a priority decides it, and the first with a bit of the mark
// that bit.
func (s *plainSet) of(f *plainFlow, tos uint8) effect {
	e := effect{dscp: tos >> 2}
	list := slices.Clone(s.policies)
	slices.SortStableFunc(list, func(a, b plainPolicy) int { return a.order - b.order })
	var dscp, verdict bool
	var taken uint32
	for i := range list {
		p := &list[i]
		if !p.when.holds(f) || p.exempt.holds != nil && p.exempt.holds(f) || p.schedule == "never" {
			continue
		}
		e.matched = append(e.matched, p.name)
		if p.audit {
			continue
		}
		e.labels = append(e.labels, p.labels...)
		e.mark |= p.mark & p.mask &^ taken
		taken |= p.mask
		if p.dscp >= 0 && !dscp {
			if dscp = true; !p.unset || tos>>2 == 0 {
				e.dscp = uint8(p.dscp)
			}
		}
		if p.verdict != "" && !verdict {
			verdict, e.stopped = true, p.verdict != "accept"
		}
		if p.class != "" && e.class == "" {
			e.class = p.class
		}
		if p.halt {
			break
		}
	}
	slices.Sort(e.labels)
	e.labels = slices.Compact(e.labels)
	return e
}

// text is the set as a policy file.
func (s *plainSet) text() string {
	var b strings.Builder
	b.WriteString("netpol {\n  exempt = \"dst_port == 65000 || src_port == 65000\"\n  inspect_packets = 4\n")
	if s.all {
		b.WriteString("  inspect = \"all\"\n")
	}
	b.WriteString("}\n")
	b.WriteString("schedule \"always\" {\n  hours = \"00:00-24:00\"\n}\nschedule \"never\" {\n  dates = \"2100-01-01\"\n}\n")
	b.WriteString("address_group \"inside\" {\n  members = [\"192.168.77.0/24\", \"fd77::/64\"]\n}\n")
	for i := range s.policies {
		p := &s.policies[i]
		name, criteria := p.name, p.when.text
		if p.forEach {
			name = strings.TrimSuffix(name, "(x)")
		}
		fmt.Fprintf(&b, "policy %q {\n  criteria = %q\n", name, criteria)
		if p.forEach {
			b.WriteString("  for_each = [\"x\"]\n")
		}
		if p.exempt.holds != nil {
			fmt.Fprintf(&b, "  exempt = %q\n", p.exempt.text)
		}
		if p.order != 0 {
			fmt.Fprintf(&b, "  order = %d\n", p.order)
		}
		if p.halt {
			b.WriteString("  halt = true\n")
		}
		if p.audit {
			b.WriteString("  audit = true\n")
		}
		if len(p.labels) > 0 {
			fmt.Fprintf(&b, "  labels = [\"%s\"]\n", strings.Join(p.labels, "\", \""))
		}
		if p.mask != 0 {
			fmt.Fprintf(&b, "  mark = \"%#x/%#x\"\n", p.mark, p.mask)
		}
		if p.dscp >= 0 {
			fmt.Fprintf(&b, "  dscp = %d\n", p.dscp)
			if p.unset {
				b.WriteString("  dscp_if_unset = true\n")
			}
		}
		if p.verdict != "" {
			fmt.Fprintf(&b, "  verdict = %q\n", p.verdict)
		}
		if p.class != "" {
			fmt.Fprintf(&b, "  priority = %q\n", p.class)
		}
		if p.schedule != "" {
			fmt.Fprintf(&b, "  schedule = %q\n", p.schedule)
		}
		b.WriteString("}\n")
	}
	return b.String()
}

// randomSet draws a set; it says the same in the words of the language and plainly.
func randomSet(rng *rand.Rand) plainSet {
	s := plainSet{all: rng.IntN(2) == 0}
	for i := range 1 + rng.IntN(9) {
		p := plainPolicy{name: fmt.Sprint("p", i), when: randomCondition(rng, 2), dscp: -1}
		one := func(n int) bool { return rng.IntN(n) == 0 }
		for _, l := range []string{"a", "b", "c"} {
			if one(4) {
				p.labels = append(p.labels, l)
			}
		}
		if one(3) {
			p.mask = 1 + rng.Uint32N(255)
			p.mark = rng.Uint32() & p.mask
		}
		if one(2) {
			p.dscp, p.unset = rng.IntN(64), one(5)
		}
		if one(3) {
			p.verdict = []string{"accept", "accept", "drop", "reject"}[rng.IntN(4)]
		}
		if one(4) {
			p.class = []string{"1:10", "1:20"}[rng.IntN(2)]
		}
		p.halt, p.audit = one(8), one(10)
		if one(4) {
			p.order = rng.IntN(5) - 2
		}
		if one(5) {
			p.exempt = randomCondition(rng, 1)
		}
		if one(6) {
			p.schedule = []string{"always", "never"}[rng.IntN(2)]
		}
		if p.forEach = one(6); p.forEach {
			p.name += "(x)"
		}
		if len(p.labels) == 0 && p.mask == 0 && p.dscp < 0 && p.verdict == "" && p.class == "" && !p.halt && !p.audit {
			p.labels = []string{"a"}
		}
		s.policies = append(s.policies, p)
	}
	return s
}

func randomCondition(rng *rand.Rand, depth int) condition {
	if depth > 0 && rng.IntN(2) == 0 {
		x, y := randomCondition(rng, depth-1), randomCondition(rng, depth-1)
		switch rng.IntN(3) {
		case 0:
			return condition{"(" + x.text + ") && (" + y.text + ")", func(f *plainFlow) bool { return x.holds(f) && y.holds(f) }}
		case 1:
			return condition{"(" + x.text + ") || (" + y.text + ")", func(f *plainFlow) bool { return x.holds(f) || y.holds(f) }}
		}
		return condition{"not (" + x.text + ")", func(f *plainFlow) bool { return !x.holds(f) }}
	}
	return randomAtom(rng)
}

func randomAtom(rng *rand.Rand) condition {
	port := func(a netip.AddrPort) int { return int(a.Port()) }
	within := func(text string, end func(*plainFlow) netip.AddrPort) func(*plainFlow) bool {
		block := netip.MustParsePrefix(text)
		return func(f *plainFlow) bool { return block.Contains(end(f).Addr()) }
	}
	low := 7000 + rng.IntN(4)
	name := []string{"zoom.us", "netflix.com", "example.org"}[rng.IntN(3)]
	block := []string{"192.168.77.0/24", "192.168.77.2/32", "198.51.100.0/25", "fd77::/64", "2001:db8::/32", "198.51.100.128/25"}[rng.IntN(6)]
	list := []condition{
		{"ip_protocol == 'udp'", func(f *plainFlow) bool { return f.proto == "udp" }},
		{"ip_protocol != 'tcp'", func(f *plainFlow) bool { return f.proto != "tcp" }},
		{"ip_version == 6", func(f *plainFlow) bool { return f.src.Addr().Is6() }},
		{"interface == 'lan0'", func(f *plainFlow) bool { return f.in == "lan0" }},
		{"origin == 'origin_local'", func(f *plainFlow) bool { return f.src.Addr().IsPrivate() }},
		{"local_ip in '@inside'", func(*plainFlow) bool { return true }},
		{fmt.Sprintf("dst_port == %d", low), func(f *plainFlow) bool { return port(f.dst) == low }},
		{fmt.Sprintf("dst_port in %d..%d", low, low+1), func(f *plainFlow) bool { return port(f.dst) >= low && port(f.dst) <= low+1 }},
		{fmt.Sprintf("dst_port not in [53, %d..%d]", low, low+2), func(f *plainFlow) bool { return port(f.dst) != 53 && (port(f.dst) < low || port(f.dst) > low+2) }},
		{fmt.Sprintf("other_port == %d", low), func(f *plainFlow) bool { return port(f.other()) == low }},
		{fmt.Sprintf("port == %d", low), func(f *plainFlow) bool { return port(f.src) == low || port(f.dst) == low }},
		{fmt.Sprintf("port != %d", low), func(f *plainFlow) bool { return port(f.src) != low && port(f.dst) != low }},
		{"src_port % 2 == 0", func(f *plainFlow) bool { return port(f.src)%2 == 0 }},
		{"src_ip in '" + block + "'", within(block, func(f *plainFlow) netip.AddrPort { return f.src })},
		{"dst_ip in '" + block + "'", within(block, func(f *plainFlow) netip.AddrPort { return f.dst })},
		{"local_ip in '" + block + "'", within(block, (*plainFlow).local)},
		{"other_ip in '" + block + "'", within(block, (*plainFlow).other)},
		{"protocol == 'dns'", func(f *plainFlow) bool { return f.asked != "" }},
		{"protocol in ['tls', 'bittorrent']", func(f *plainFlow) bool { return f.hello != "" }},
		{"domain(dns_hostname, '" + name + "')", func(f *plainFlow) bool { return f.asked == name }},
		{"domain(hostname, '" + name + "') && protocol == 'tls'", func(f *plainFlow) bool { return f.hello == name }},
		{"app == 'zoom' && protocol == 'tls'", func(f *plainFlow) bool { return f.hello == "zoom.us" }},
		{"protocol == 'tls' && category == 'voip-conferencing'", func(f *plainFlow) bool { return f.hello == "zoom.us" }},
		{"schedule == 'always'", func(*plainFlow) bool { return true }},
		{"schedule == 'never'", func(*plainFlow) bool { return false }},
	}
	return list[rng.IntN(len(list))]
}
