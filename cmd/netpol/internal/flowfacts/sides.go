package flowfacts

import (
	"net/netip"
	"slices"

	"github.com/netpol/netpol/lang/fact"
)

// end is an attribute that both ends of a flow have, under its four names.
type end[T comparable] struct {
	name                   string // "ip"
	src, dst, local, other *T
}

// fill writes the names that were not given from those that were. In a flow
// that comes from outside, the local end is its destination.
func (e end[T]) fill(inward bool, given map[string]bool) {
	local, other := e.src, e.dst
	localName, otherName := "src_"+e.name, "dst_"+e.name
	if inward {
		local, other = other, local
		localName, otherName = otherName, localName
	}
	pair := func(side *T, sideName string, role *T, roleName string) {
		switch {
		case given[roleName] && !given[sideName]:
			*side = *role
		case !given[roleName]:
			*role = *side
		}
	}
	pair(local, localName, e.local, "local_"+e.name)
	pair(other, otherName, e.other, "other_"+e.name)
}

// sides fills local and other from source and destination, or the other way
// round, and what follows from where the ends are.
func (w *World) sides(f *fact.Facts, given map[string]bool) {
	inward := w.inward(f, given)
	end[netip.Addr]{"ip", &f.SrcIP, &f.DstIP, &f.LocalIP, &f.OtherIP}.fill(inward, given)
	end[int]{"port", &f.SrcPort, &f.DstPort, &f.LocalPort, &f.OtherPort}.fill(inward, given)
	end[string]{"mac", &f.SrcMAC, &f.DstMAC, &f.LocalMAC, &f.OtherMAC}.fill(inward, given)
	if !f.SrcIP.IsValid() || !f.DstIP.IsValid() {
		return // half a flow has neither an origin nor a far side
	}
	if !given["ct_reply_src_ip"] {
		f.CTReplySrcIP = f.DstIP
	}
	if !given["ct_reply_dst_ip"] {
		f.CTReplyDstIP = f.SrcIP
	}
	if !given["origin"] {
		f.Origin = w.origin(f, inward)
	}
	if !given["other_type"] {
		f.OtherType = w.otherType(f, inward)
	}
}

// inward says whether the flow was opened from outside, as the enforcer tells
// it, or as what was written says.
func (w *World) inward(f *fact.Facts, given map[string]bool) bool {
	switch {
	case given["origin"]:
		return f.Origin == fact.OriginOther
	case given["src_ip"] && given["other_ip"]:
		return f.SrcIP == f.OtherIP
	case given["dst_ip"] && given["local_ip"]:
		return f.DstIP == f.LocalIP
	}
	return w.IsLocal(f.DstIP) && !w.IsLocal(f.SrcIP)
}

func (w *World) origin(f *fact.Facts, inward bool) string {
	switch {
	case inward:
		return fact.OriginOther
	case w.IsLocal(f.SrcIP) || w.IsLocal(f.DstIP) || f.DstIP.IsMulticast() || w.isBroadcast(f.DstIP):
		return fact.OriginLocal
	}
	return fact.OriginUnknown
}

func (w *World) otherType(f *fact.Facts, inward bool) string {
	switch {
	case inward:
		return fact.OtherRemote
	case w.isBroadcast(f.DstIP):
		return fact.OtherBroadcast
	case f.DstIP.IsMulticast():
		return fact.OtherMulticast
	case w.IsLocal(f.DstIP):
		return fact.OtherLocal
	}
	return fact.OtherRemote
}

// IsLocal says what the enforcer says: a private range (RFC 1918, RFC 4193),
// the link itself, or one of the operator's networks.
func IsLocal(a netip.Addr, networks []netip.Prefix) bool {
	if a.IsPrivate() || a.IsLinkLocalUnicast() || a.IsLoopback() {
		return true
	}
	return slices.ContainsFunc(networks, func(n netip.Prefix) bool { return n.Contains(a) })
}

// IsLocal says whether an address is inside, as this set has it.
func (w *World) IsLocal(a netip.Addr) bool { return IsLocal(a, w.local) }

// isBroadcast says that an address is that of everybody on a link (RFC 919),
// or in one of the operator's networks.
func (w *World) isBroadcast(a netip.Addr) bool {
	if !a.Is4() {
		return false
	}
	if a.As4() == [4]byte{255, 255, 255, 255} {
		return true
	}
	return slices.ContainsFunc(w.local, func(n netip.Prefix) bool {
		return n.Bits() < 31 && n.Contains(a) && !n.Contains(a.Next())
	})
}
