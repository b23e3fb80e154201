package enforcer

import "github.com/netpol/netpol/enforcer/packet"

// Traffic is packets that an engine has read of an interface, by what they are.
type Traffic struct {
	Raw, Ethernet, VLAN, IP, TCP, UDP, ICMP, IGMP uint64
	Fragmented                                    uint64 // fragments of datagrams
	Discarded                                     uint64 // that could not be read
	TCPResets                                     uint64
	IPBytes, WireBytes                            uint64 // from the IP header on; whole
	LargestBytes                                  uint64 // of them
}

func (t *Traffic) add(o *Traffic) {
	t.Raw, t.Ethernet, t.VLAN, t.IP = t.Raw+o.Raw, t.Ethernet+o.Ethernet, t.VLAN+o.VLAN, t.IP+o.IP
	t.TCP, t.UDP, t.ICMP, t.IGMP = t.TCP+o.TCP, t.UDP+o.UDP, t.ICMP+o.ICMP, t.IGMP+o.IGMP
	t.Fragmented, t.Discarded, t.TCPResets = t.Fragmented+o.Fragmented, t.Discarded+o.Discarded, t.TCPResets+o.TCPResets
	t.IPBytes, t.WireBytes, t.LargestBytes = t.IPBytes+o.IPBytes, t.WireBytes+o.WireBytes, max(t.LargestBytes, o.LargestBytes)
}

// traffic counts a worker's packets by interface.
type traffic struct {
	of   map[string]*Traffic
	name string // of the last packet's
	last *Traffic
}

const protoIGMP = 2 // IANA protocol-numbers

// count takes a packet in.
func (t *traffic) count(raw *packet.Raw, p *packet.Parsed) {
	if t.last == nil || t.name != raw.Interface {
		t.turn(raw.Interface)
	}
	c := t.last
	c.Raw++
	c.WireBytes += uint64(raw.Length)
	c.LargestBytes = max(c.LargestBytes, uint64(raw.Length))
	if raw.LinkType == packet.LinkEthernet {
		c.Ethernet++
	}
	if p.VLAN != 0 {
		c.VLAN++
	}
	if p.Drop != packet.DropNone {
		c.Discarded++
	}
	if p.IPVersion == 0 {
		return
	}
	c.IP++
	c.IPBytes += uint64(p.IPLength)
	if p.Fragment != packet.NotFragment {
		c.Fragmented++
	}
	switch p.Proto {
	case packet.ProtoTCP:
		c.TCP++
		if p.TCPFlags&packet.RST != 0 {
			c.TCPResets++
		}
	case packet.ProtoUDP:
		c.UDP++
	case packet.ProtoICMP, packet.ProtoICMPv6:
		c.ICMP++
	case protoIGMP:
		c.IGMP++
	}
}

// turn goes over to an interface. Past maxInterfaces new ones are one without a name.
func (t *traffic) turn(name string) {
	key := name
	if t.of == nil {
		t.of = make(map[string]*Traffic)
	}
	if t.of[key] == nil && len(t.of) >= maxInterfaces {
		key = ""
	}
	if t.of[key] == nil {
		t.of[key] = new(Traffic)
	}
	t.name, t.last = name, t.of[key]
}

// Traffic is what was read of each interface while a sink was told of interfaces; "" are packets
// of which the interface is not known. Safe for concurrent use.
func (e *Engine) Traffic() map[string]Traffic {
	out := map[string]Traffic{}
	for lane := range e.asks {
		e.ask(lane, func(w *worker) {
			for name, t := range w.traffic.of {
				sum := out[name]
				sum.add(t)
				out[name] = sum
			}
		})
	}
	return out
}
