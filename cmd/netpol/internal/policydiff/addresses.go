package policydiff

import (
	"crypto/sha256"
	"net/netip"
	"slices"

	"github.com/netpol/netpol/cmd/netpol/internal/flowfacts"
	"github.com/netpol/netpol/compiler/artifact"
)

// addresses cuts both address spaces at the ends of every block that says
// something of an address, and takes an address of each kind of piece. The
// first is a public IPv4 address outside of every block; if there is none,
// plain is false.
func (v *vocabulary) addresses(names []string) (out []netip.Addr, plain bool) {
	tests := v.of(names...)
	nets := networksOf(tests)
	sides := v.reads(derivedBy["src_ip"]...)
	cuts := []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}
	for _, n := range slices.Concat(nets, v.local, specialRanges) {
		cuts = append(cuts, n.Masked().Addr())
		last := lastOf(n)
		if next := last.Next(); next.IsValid() {
			cuts = append(cuts, next)
		}
		if slices.Contains(v.local, n) {
			cuts = append(cuts, last) // the broadcast address of a network that is known
		}
	}
	slices.SortFunc(cuts, netip.Addr.Compare)
	cuts = slices.Compact(cuts)
	seen := map[[sha256.Size]byte]bool{}
	ranks := map[netip.Addr]int{}
	for i, c := range cuts {
		end := netip.Addr{}
		if i+1 < len(cuts) {
			end = cuts[i+1]
		}
		a := readable(c, end)
		if key := v.addressClass(a, tests, sides); !seen[key] {
			seen[key] = true
			ranks[a] = v.addressRank(a, nets)
			out = append(out, a)
		}
	}
	slices.SortStableFunc(out, func(a, b netip.Addr) int { return ranks[a] - ranks[b] })
	return out, ranks[out[0]] == 0
}

func networksOf(tests []*artifact.Test) []netip.Prefix {
	var out []netip.Prefix
	for _, t := range tests {
		out = append(out, t.Networks...)
	}
	return out
}

// addressClass is equal for addresses that nothing tells apart: no test and,
// where sides matter, not what makes them. It is a digest, because ten thousand
// policies have as many tests and more pieces.
func (v *vocabulary) addressClass(a netip.Addr, tests []*artifact.Test, sides bool) [sha256.Size]byte {
	b := make([]byte, 0, len(tests)+4)
	add := func(on bool) {
		if on {
			b = append(b, '1')
		} else {
			b = append(b, '0')
		}
	}
	for _, t := range tests {
		add(slices.ContainsFunc(t.Networks, func(n netip.Prefix) bool { return n.Contains(a) }))
	}
	add(a.Is4())
	if sides {
		add(v.isLocal(a))
		add(a.IsMulticast())
		add(v.isBroadcast(a))
	}
	return sha256.Sum256(b)
}

// isLocal and isBroadcast take the local networks of both sets together; sets
// in which those differ are searched, and prove nothing.
func (v *vocabulary) isLocal(a netip.Addr) bool {
	return flowfacts.IsLocal(a, v.local)
}

func (v *vocabulary) isBroadcast(a netip.Addr) bool {
	return a == netip.AddrFrom4([4]byte{255, 255, 255, 255}) ||
		slices.ContainsFunc(v.local, func(n netip.Prefix) bool { return lastOf(n) == a })
}

// addressRank is low for what a reader takes for a plain address.
func (v *vocabulary) addressRank(a netip.Addr, nets []netip.Prefix) int {
	n := 0
	if slices.ContainsFunc(nets, func(n netip.Prefix) bool { return n.Contains(a) }) {
		n += 8
	}
	if a.IsMulticast() || v.isBroadcast(a) {
		n += 4
	}
	if a.Is6() {
		n += 2
	}
	if v.isLocal(a) {
		n++
	}
	return n
}

// readable is an address from low up to, but without, end that people take for
// a host's; an invalid end has no effect.
func readable(low, end netip.Addr) netip.Addr {
	inside := func(a netip.Addr) bool {
		return a.IsValid() && a.BitLen() == low.BitLen() && !a.Less(low) && (!end.IsValid() || a.Less(end))
	}
	for _, a := range hosts {
		if inside(a) {
			return a
		}
	}
	if next := low.Next(); inside(next) {
		return next
	}
	return low
}

// hosts are addresses of the documentation and of home networks (RFC 5737,
// 3849, 1918, 4193).
var hosts = []netip.Addr{
	netip.MustParseAddr("203.0.113.1"), netip.MustParseAddr("198.51.100.1"), netip.MustParseAddr("192.168.1.10"),
	netip.MustParseAddr("10.0.0.10"), netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("fd00::10"),
}

// specialRanges are what every router takes for local, multicast and broadcast
// (RFC 1112, 4291, 919).
var specialRanges = append(artifact.Settings{}.Inside(),
	netip.MustParsePrefix("224.0.0.0/4"), netip.MustParsePrefix("ff00::/8"), netip.MustParsePrefix("255.255.255.255/32"))

// lastOf is the highest address of a block.
func lastOf(p netip.Prefix) netip.Addr {
	b := p.Masked().Addr().AsSlice()
	for i := p.Bits(); i < len(b)*8; i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}
