package enforcer

import (
	"net"
	"net/netip"

	"github.com/netpol/netpol/enforcer/classify"
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/packet"
	"github.com/netpol/netpol/lang/fact"
)

// maxMACs bounds how many hardware addresses are remembered: a network has
// thousands, and a sender of forged ones must not cost more. Past it new
// addresses are not known.
const maxMACs = 16384

// macTable holds the text of each hardware address once, so that a flow costs
// two bytes for one and its facts none.
type macTable struct {
	texts []string // by traits.mac; 0 is empty
	index map[[6]byte]uint16
	// Those that were asked for lately, as those of a router and of its hosts are again
	// and again: by some bits of the address.
	recent [256]struct {
		mac   [6]byte
		index uint16
	}
}

func newMACTable() macTable {
	return macTable{texts: make([]string, 1), index: make(map[[6]byte]uint16)}
}

// of gives the index of an address; 0 for none, for groups and when the table
// is full.
func (t *macTable) of(mac [6]byte) uint16 {
	if mac == [6]byte{} || mac[0]&1 != 0 { // a group address (IEEE 802, 8.2.2) is nobody's
		return 0
	}
	recent := &t.recent[mac[5]^mac[4]<<3^mac[3]<<6]
	if recent.mac == mac {
		return recent.index
	}
	i, ok := t.index[mac]
	if !ok && len(t.texts) <= maxMACs {
		i = uint16(len(t.texts))
		t.texts = append(t.texts, net.HardwareAddr(mac[:]).String())
		t.index[mac] = i
	}
	if i != 0 {
		recent.mac, recent.index = mac, i
	}
	return i
}

// noteEnds remembers the hardware addresses that w.parsed shows of its flow's
// ends, the first of each; changed says that there was one.
func (w *worker) noteEnds(r *flow.Record, fromClient bool) (changed bool) {
	if known := w.traitsOf(r).mac; known[0] != 0 && known[1] != 0 {
		return false
	}
	t := *w.traitsOf(r)
	if changed = w.showEnds(&t, r, fromClient); changed {
		w.setTraits(r, &t)
	}
	return changed
}

// showEnds is noteEnds for traits that the flow will have.
func (w *worker) showEnds(t *traits, r *flow.Record, fromClient bool) (changed bool) {
	p := w.parsed
	ends := [2][6]byte{p.SrcMAC, p.DstMAC} // of the key
	if fromClient == r.Has(flow.ClientIsB) {
		ends = [2][6]byte{p.DstMAC, p.SrcMAC}
	}
	for end, mac := range ends {
		if t.mac[end] == 0 {
			t.mac[end] = w.macs.of(mac)
			changed = changed || t.mac[end] != 0
		}
	}
	return changed
}

// fillTuple sets the attributes that the record has and others have not.
func (w *worker) fillTuple(f *fact.Facts, r *flow.Record) {
	w.fillHeaders(f, r)
	w.fillCounters(f, r)
	if w.policy.audience.kpis {
		w.fillMeasured(f, r)
	}
}

// fillHeaders sets the attributes that come from the packet headers, each of them.
func (w *worker) fillHeaders(f *fact.Facts, r *flow.Record) {
	clientIsB, t := r.Has(flow.ClientIsB), w.traitsOf(r)
	src, dst := r.Key.Ends(clientIsB)
	f.SrcIP, f.DstIP = src.Addr(), dst.Addr()
	f.SrcPort, f.DstPort = int(src.Port()), int(dst.Port())
	f.SrcMAC, f.DstMAC = w.macs.texts[t.mac[0]], w.macs.texts[t.mac[1]]
	if clientIsB {
		f.SrcMAC, f.DstMAC = f.DstMAC, f.SrcMAC
	}
	f.IPProtocol, f.IPVersion, f.VLANID = int(r.Key.Proto), int(r.Key.IPVersion), int(r.Key.VLAN)
	f.IPDSCP, f.IPNAT = int(t.dscp), r.Has(flow.Translated)
	f.Interface = w.interfaces[t.iface]
	f.DetectionPackets, f.Updated = int(r.NamedAt), r.Has(flow.Renamed)
	if r.Key.Proto == packet.ProtoICMP || r.Key.Proto == packet.ProtoICMPv6 {
		f.SrcPort, f.DstPort = 0, 0 // the key has the identifier there
	}
	f.CTReplySrcIP, f.CTReplyDstIP, f.TunnelType = f.DstIP, f.SrcIP, classify.Tunnel(f.Protocol)
	w.fillSides(f)
	w.fillForwarded(f, r)
}

// fillSides says which end is the local one, and what the other is.
func (w *worker) fillSides(f *fact.Facts) {
	f.LocalIP, f.LocalPort, f.LocalMAC = f.SrcIP, f.SrcPort, f.SrcMAC
	f.OtherIP, f.OtherPort, f.OtherMAC = f.DstIP, f.DstPort, f.DstMAC
	srcLocal, dstLocal := w.policy.isLocal(f.SrcIP), w.policy.isLocal(f.DstIP)
	f.Origin, f.OtherType = fact.OriginLocal, fact.OtherRemote
	switch {
	case dstLocal && !srcLocal:
		f.LocalIP, f.LocalPort, f.LocalMAC = f.DstIP, f.DstPort, f.DstMAC
		f.OtherIP, f.OtherPort, f.OtherMAC = f.SrcIP, f.SrcPort, f.SrcMAC
		f.Origin = fact.OriginOther
	case w.policy.isBroadcast(f.DstIP):
		f.OtherType = fact.OtherBroadcast
	case f.DstIP.IsMulticast():
		f.OtherType = fact.OtherMulticast
	case dstLocal:
		f.OtherType = fact.OtherLocal
	case !srcLocal:
		f.Origin = fact.OriginUnknown
	}
}

// isBroadcast says that an address is that of everybody on a link (RFC 919),
// or in one of the operator's networks: of other networks the width is not
// known.
func (p *policy) isBroadcast(a netip.Addr) bool {
	if !a.Is4() {
		return false
	}
	b := a.As4()
	if b == [4]byte{255, 255, 255, 255} {
		return true
	}
	for _, n := range p.local {
		if n.Bits() < 31 && n.Contains(a) && !n.Contains(a.Next()) {
			return true
		}
	}
	return false
}
