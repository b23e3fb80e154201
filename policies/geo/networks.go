package geo

import (
	"net/netip"
	"slices"
)

// Networks lists the networks of which keep holds, IPv4 first, sorted and
// joined: no two of them could be written as one.
func (db *DB) Networks(keep func(Record) bool) []netip.Prefix {
	w := walker{db: db, keep: keep, known: make(map[uint32]bool)}
	if !db.ipv6 {
		w.walk(0, netip.PrefixFrom(netip.IPv4Unspecified(), 0))
		return join(w.found)
	}
	if db.ipv4Start < db.nodes {
		w.walk(db.ipv4Start, netip.PrefixFrom(netip.IPv4Unspecified(), 0))
	}
	w.walk(0, netip.PrefixFrom(netip.IPv6Unspecified(), 0))
	return join(w.found)
}

// walker goes through a tree.
type walker struct {
	db    *DB
	keep  func(Record) bool
	known map[uint32]bool // of a pointer to data: keep holds
	found []netip.Prefix
	steps int
}

// walk collects what is below a node. The IPv4 part of an IPv6 tree hangs in
// several places (::/96, ::ffff:0:0/96, 2002::/16 and others); it is walked
// once, as IPv4.
func (w *walker) walk(node uint32, at netip.Prefix) {
	db := w.db
	// A tree has each node once; a hostile one that has loops or shares nodes
	// stops at as many steps as an honest one could take.
	if w.steps++; w.steps > 4*int(db.nodes)+4 {
		return
	}
	switch {
	case node == db.nodes:
		return
	case node > db.nodes:
		holds, ok := w.known[node]
		if !ok {
			r, found := db.at(node)
			holds = found && w.keep(r)
			w.known[node] = holds
		}
		if holds {
			w.found = append(w.found, at)
		}
		return
	case at.Bits() == at.Addr().BitLen(), at.Addr().Is6() && at.Bits() > 0 && node == db.ipv4Start:
		return
	}
	for bit := range byte(2) {
		w.walk(db.child(node, bit), half(at, bit))
	}
}

// half is one of the two halves of a prefix.
func half(p netip.Prefix, bit byte) netip.Prefix {
	a := p.Addr()
	if bit == 1 {
		b := a.AsSlice()
		b[p.Bits()/8] |= 0x80 >> (p.Bits() % 8)
		a, _ = netip.AddrFromSlice(b)
	}
	return netip.PrefixFrom(a, p.Bits()+1)
}

// join sorts prefixes that do not overlap and makes one of each two halves.
func join(list []netip.Prefix) []netip.Prefix {
	slices.SortFunc(list, func(a, b netip.Prefix) int { return a.Addr().Compare(b.Addr()) })
	out := list[:0]
	for _, p := range list {
		out = append(out, p)
		for n := len(out); n > 1; n = len(out) {
			a, b := out[n-2], out[n-1]
			if a.Bits() != b.Bits() || a.Bits() == 0 || a.Addr().BitLen() != b.Addr().BitLen() {
				break
			}
			outer := netip.PrefixFrom(a.Addr(), a.Bits()-1).Masked()
			if outer.Addr() != a.Addr() || !outer.Contains(b.Addr()) {
				break
			}
			out = append(out[:n-2], outer)
		}
	}
	return out
}
