package flowspace

import (
	"net/netip"
	"slices"
	"sort"

	"github.com/netpol/netpol/compiler/lint/bdd"
)

// addresses cuts the addresses into the stretches between the ends of the
// prefixes that they are compared with. IPv4 comes before IPv6.
type addresses struct {
	starts []netip.Addr // first address of each class, ascending
}

func (a *addresses) add(prefixes []netip.Prefix) {
	for _, p := range prefixes {
		a.starts = append(a.starts, p.Masked().Addr())
		if next := last(p).Next(); next.IsValid() {
			a.starts = append(a.starts, next)
		}
	}
}

func (a *addresses) build() {
	a.starts = append(a.starts, netip.IPv4Unspecified(), netip.IPv6Unspecified())
	slices.SortFunc(a.starts, netip.Addr.Compare)
	a.starts = slices.Compact(a.starts)
}

// last is the last address of a prefix.
func last(p netip.Prefix) netip.Addr {
	b := p.Masked().Addr().AsSlice()
	for bit := p.Bits(); bit < len(b)*8; bit++ {
		b[bit/8] |= 0x80 >> (bit % 8)
	}
	addr, _ := netip.AddrFromSlice(b)
	return addr
}

// classOf is the class that an address is in.
func (a *addresses) classOf(addr netip.Addr) int {
	return sort.Search(len(a.starts), func(i int) bool { return addr.Less(a.starts[i]) }) - 1
}

// in is the classes inside prefixes.
func (a *addresses) in(prefixes []netip.Prefix) []bdd.Interval {
	var out []bdd.Interval
	for _, p := range prefixes {
		out = append(out, bdd.Interval{Low: a.classOf(p.Masked().Addr()), High: a.classOf(last(p))})
	}
	return merge(out)
}

// merge sorts intervals and joins those that meet.
func merge(list []bdd.Interval) []bdd.Interval {
	slices.SortFunc(list, func(a, b bdd.Interval) int { return a.Low - b.Low })
	var out []bdd.Interval
	for _, i := range list {
		if n := len(out); n > 0 && i.Low <= out[n-1].High+1 {
			out[n-1].High = max(out[n-1].High, i.High)
			continue
		}
		out = append(out, i)
	}
	return out
}

// v4 is how many classes are IPv4.
func (a *addresses) v4() int { return a.classOf(netip.IPv6Unspecified()) }

// usualAddresses are tried in turn for a witness: private ones for the local
// side, documentation addresses (RFC 5737, RFC 3849) for the other.
func usualAddresses(local bool) []netip.Addr {
	list := []string{"203.0.113.77", "198.51.100.77", "192.0.2.77", "2001:db8:77::77"}
	private := []string{"192.168.77.10", "10.77.77.10", "172.20.77.10", "fd00:77::10"}
	if local {
		list = append(private, list...)
	} else {
		list = append(list, private...)
	}
	out := make([]netip.Addr, len(list))
	for i, s := range list {
		out[i] = netip.MustParseAddr(s)
	}
	return out
}

// example is an address of a class: a usual one, or the class's second, since
// the first of a network is not a host's.
func (a *addresses) example(class int, local bool) netip.Addr {
	for _, addr := range usualAddresses(local) {
		if a.classOf(addr) == class {
			return addr
		}
	}
	first := a.starts[class]
	if second := first.Next(); second.IsValid() && a.classOf(second) == class {
		return second
	}
	return first
}
