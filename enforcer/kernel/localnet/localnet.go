package localnet

import (
	"net/netip"
	"slices"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
)

// Config says whose networks are told of.
type Config struct {
	// Roles are artifact.RoleLAN or RoleWAN, by the names of interfaces, which may
	// come and go.
	Roles map[string]string
	// Socket makes a netlink socket of NETLINK_ROUTE in the network namespace that is
	// meant; nil makes it in the caller's.
	Socket func() (fd int, err error)
	// Rest is how long a change waits for others to come with it, default one
	// second: a routing daemon makes thousands.
	Rest time.Duration
}

// Most networks are told of, the widest first: who is asked of each address walks
// over them.
const Most = 256

// Widest networks that a route may lead to; what is wider is a default route, or
// half of one (0.0.0.0/1, 2000::/3).
const (
	widest4 = 8
	widest6 = 16
)

// state is what the kernel has, as far as it matters.
type state struct {
	names     map[int]string // of interfaces
	addresses []entry
	routes    []entry
}

// entry is an address of an interface with the network that it is in, or a network
// that a route leads to by the interface.
type entry struct {
	index int
	net   netip.Prefix
}

// networks are those that the roles make local: of a LAN's interface what is reached
// by it, of a WAN's its own addresses alone.
func (s *state) networks(roles map[string]string) []netip.Prefix {
	var out []netip.Prefix
	for _, e := range s.addresses {
		a := e.net.Addr()
		if a.IsLinkLocalUnicast() || a.IsLoopback() || a.IsMulticast() {
			continue
		}
		switch roles[s.names[e.index]] {
		case artifact.RoleLAN:
			out = append(out, e.net.Masked())
		case artifact.RoleWAN:
			out = append(out, netip.PrefixFrom(a, a.BitLen()))
		}
	}
	for _, e := range s.routes {
		if roles[s.names[e.index]] == artifact.RoleLAN && !tooWide(e.net) && !e.net.Addr().IsLinkLocalUnicast() && !e.net.Addr().IsMulticast() {
			out = append(out, e.net)
		}
	}
	return outermost(out)
}

func tooWide(p netip.Prefix) bool {
	if p.Addr().Is4() {
		return p.Bits() < widest4
	}
	return p.Bits() < widest6
}

// outermost leaves out what lies in another, and is sorted.
func outermost(list []netip.Prefix) []netip.Prefix {
	slices.SortFunc(list, func(a, b netip.Prefix) int {
		if a.Bits() != b.Bits() {
			return a.Bits() - b.Bits()
		}
		return a.Addr().Compare(b.Addr())
	})
	var out []netip.Prefix
	for _, p := range list {
		if len(out) < Most && !slices.ContainsFunc(out, func(o netip.Prefix) bool { return o.Contains(p.Addr()) }) {
			out = append(out, p)
		}
	}
	return out
}
