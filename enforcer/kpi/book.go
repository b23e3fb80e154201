package kpi

import (
	"time"

	"github.com/netpol/netpol/enforcer/packet"
	"github.com/netpol/netpol/enforcer/slab"
)

// Ref names a flow's state in a Book; 0 is none.
type Ref uint32

// datagrams marks a Ref of a flow of UDP.
const datagrams = Ref(1 << 31)

// Book keeps the state of flows. The zero value is empty. Not safe for concurrent
// use.
type Book struct {
	tcp  slab.Slab[tcp]
	gaps slab.Slab[gaps] // of directions of TCP
	udp  slab.Slab[udp]
	rtp  slab.Slab[rtp]
}

// Observe takes a packet of a flow in. from is the end that sent it, 0 or 1, the same
// for all packets of the flow; at its time in nanoseconds. The first packet
// makes the state that *ref names from then on; protocols other than TCP and UDP have
// none. It says how long the packet took if it is an answer of DNS, in microseconds as in Report, where 0
// is none.
func (b *Book) Observe(ref *Ref, p *packet.Parsed, from int, at int64) (answered uint32) {
	now := stamp(at / int64(time.Microsecond))
	switch p.Proto {
	case packet.ProtoTCP:
		if *ref == 0 {
			*ref = Ref(b.tcp.Take())
		}
		b.tcp.At(uint32(*ref)).segment(p, from, now, &b.gaps)
	case packet.ProtoUDP:
		if *ref == 0 {
			*ref = Ref(b.udp.Take()) | datagrams
		}
		u := b.udp.At(uint32(*ref &^ datagrams))
		u.packets++
		if len(p.Payload) == 0 {
			return 0
		}
		if isRTP(p.Payload) {
			if u.rtp == 0 {
				u.rtp = b.rtp.Take()
			}
			b.rtp.At(u.rtp).packet(p.Payload, from, now)
			return 0
		}
		return u.datagram(p.Payload, from, now)
	}
	return 0
}

// Packets is how many packets of a flow were seen.
func (b *Book) Packets(ref Ref) uint32 {
	switch {
	case ref == 0:
		return 0
	case ref&datagrams == 0:
		return b.tcp.At(uint32(ref)).packets
	}
	return b.udp.At(uint32(ref &^ datagrams)).packets
}

// warmStates are read at a time.
const warmStates = 32

// Warm reads what Observe will read of flows' states, so that the processor waits for those
// of several packets at once: where they are is found out before. What it gives says
// nothing.
func (b *Book) Warm(refs []Ref) (seen uint32) {
	for ; len(refs) > 0; refs = refs[min(len(refs), warmStates):] {
		var streams [warmStates]*tcp
		n := 0
		for _, ref := range refs[:min(len(refs), warmStates)] {
			switch {
			case ref == 0:
			case ref&datagrams == 0:
				streams[n] = b.tcp.At(uint32(ref))
				n++
			default:
				seen |= b.udp.At(uint32(ref &^ datagrams)).packets
			}
		}
		for _, t := range streams[:n] {
			seen |= t.packets | t.ends[0].next // in two cache lines
		}
	}
	return seen
}

// Report gives a flow's figures, by the end that sent; false where there are none.
func (b *Book) Report(ref Ref, r *Report) bool {
	*r = Report{}
	switch {
	case ref == 0:
		return false
	case ref&datagrams == 0:
		b.tcp.At(uint32(ref)).report(r)
	default:
		u := b.udp.At(uint32(ref &^ datagrams))
		u.report(r)
		if u.rtp != 0 {
			b.rtp.At(u.rtp).report(r)
		}
	}
	return true
}

// Release frees a flow's state.
func (b *Book) Release(ref Ref) {
	switch {
	case ref == 0:
	case ref&datagrams == 0:
		t := b.tcp.At(uint32(ref))
		for i := range t.ends {
			t.ends[i].forget(&b.gaps)
		}
		b.tcp.Release(uint32(ref))
	default:
		i := uint32(ref &^ datagrams)
		if u := b.udp.At(i); u.rtp != 0 {
			b.rtp.Release(u.rtp)
		}
		b.udp.Release(i)
	}
}

// stamp is a time in microseconds modulo 2^32, 71 minutes.
type stamp uint32

// since is how many microseconds lie between two times, rounded up, so that what
// is known is never 0. A time that goes backwards, as in captures that are put
// together, tells nothing: 0.
func (s stamp) since(before stamp) uint32 {
	if d := uint32(s - before); d < 1<<31 {
		return max(d, 1)
	}
	return 0
}

// within says that at most so many microseconds lie between two times.
func (s stamp) within(before stamp, most uint32) bool { return uint32(s-before) <= most }
