package kpi

import (
	"github.com/netpol/netpol/enforcer/packet"
	"github.com/netpol/netpol/enforcer/slab"
)

// tcp is the state of a connection: 128 bytes, two cache lines, each of which a packet among a million
// flows waits for.
type tcp struct {
	ends     [2]end
	packets  uint32
	flags    flags
	opener   uint8 // the end that sent SYN; valid iff opened
	isn      [2]uint32
	synAt    stamp // valid iff synSeen
	synAckAt stamp // valid iff answered
	askedAt  stamp // valid iff asked
	askedSeq uint32
	times    [times]uint32
}

// times that are measured, 0 until they are.
const (
	rttServer = iota
	rttClient
	appResponse
	tlsHandshake
	times
)

type flags uint16

const (
	opened      flags = 1 << iota // the connection was seen to begin
	synSeen                       // with its first packet
	synAgain                      // which came more than once
	answered                      // SYN/ACK was seen
	answerAgain                   // more than once
	acked                         // and its ACK
	asked                         // the client has sent bytes
	hello                         // the first of which are a ClientHello
	serverSpoke                   // the server has sent bytes
	responded                     // it has answered the first ones
	shakenHands                   // TLS is done
)

func (t *tcp) has(f flags) bool { return t.flags&f == f }
func (t *tcp) set(f flags)      { t.flags |= f }

// end is what one side has sent.
type end struct {
	next   uint32 // the highest sequence number seen, and one; valid iff known
	ack    uint32 // the highest acknowledgement; valid iff acks
	topAt  stamp  // when next grew last
	dupAt  stamp  // when ack was repeated last
	gaps   uint32 // of the Book's gaps, 0 for none: few connections have any
	window uint16 // of its last segment; valid iff acks
	dups   uint8  // how often ack was repeated
	state  uint8  // known, acks

	retransmitted, late, zeroWindows, resets uint32
}

// Of end.state.
const (
	known = 1 << iota // it has sent sequence numbers
	acks              // and acknowledged some
)

func (e *end) has(state uint8) bool { return e.state&state != 0 }

// span is sequence numbers from one on until before another; empty where they are equal.
type span struct{ from, to uint32 }

// maxHoles bounds the gaps of a direction that are remembered. What fills an older
// one counts as sent again.
const maxHoles = 4

// gaps are what a direction lacks.
type gaps [maxHoles]span

// Bounds, in microseconds, that tshark 4.0 goes by (packet-tcp.c): a segment that fills a gap is
// late if it comes within the first round-trip time after what overtook it, or
// 3 ms where that is not known; one that answers two repeated acknowledgements
// within 20 ms was sent again (RFC 5681, 3.2).
const (
	overtaken = 3000
	fast      = 20000
)

// maxJump bounds how far a segment may lie ahead: a window has at most 2^30 bytes (RFC
// 7323, 2.2).
const maxJump = 1 << 30

func after(a, b uint32) bool { return int32(a-b) > 0 }

// segment takes a segment in.
func (t *tcp) segment(p *packet.Parsed, from int, now stamp, all *slab.Slab[gaps]) {
	t.packets++
	e, o := &t.ends[from], &t.ends[1-from]
	if p.TCPFlags&packet.RST != 0 {
		e.resets++
		return
	}
	if p.TCPFlags&packet.SYN != 0 {
		t.syn(p, from, now, all)
	} else if p.Window == 0 && p.TCPFlags&packet.FIN == 0 {
		e.zeroWindows++
	}
	t.measure(p, from, now)
	length := uint32(p.PayloadLength)
	if p.TCPFlags&(packet.SYN|packet.FIN) != 0 {
		length++ // each takes a sequence number (RFC 9293, 3.4)
	}
	if length > 0 {
		t.order(e, o, p, length, now, all)
	}
	if p.TCPFlags&packet.ACK != 0 {
		e.acknowledge(p, length, now)
	}
}

// order puts a segment that takes sequence numbers among those of its direction.
func (t *tcp) order(e, o *end, p *packet.Parsed, length uint32, now stamp, all *slab.Slab[gaps]) {
	until := p.Seq + length
	if !e.has(known) {
		e.next, e.topAt, e.state = until, now, e.state|known
		return
	}
	ahead := int32(p.Seq - e.next)
	switch {
	case ahead == 0:
		if length == 1 && o.has(acks) && o.window == 0 {
			return // a window probe, which nobody takes in
		}
		e.next, e.topAt = until, now
	case ahead > maxJump:
	case ahead > 0:
		e.skip(span{e.next, p.Seq}, all)
		e.next, e.topAt = until, now
	case ahead == -1 && length == 1 && p.TCPFlags&(packet.SYN|packet.FIN) == 0:
		// A keep-alive (RFC 9293, 3.8.4).
	default:
		t.behind(e, o, span{p.Seq, until}, now, all)
	}
}

// behind counts a segment that begins below what was seen.
func (t *tcp) behind(e, o *end, s span, now stamp, all *slab.Slab[gaps]) {
	filled := e.gaps != 0 && all.At(e.gaps).fill(s)
	bound := t.times[rttServer] + t.times[rttClient]
	if t.times[rttServer] == 0 || t.times[rttClient] == 0 {
		bound = overtaken
	}
	again := o.has(acks) && o.dups >= 2 && o.ack == s.from && now.within(o.dupAt, fast)
	if filled && !again && now.within(e.topAt, bound) {
		e.late++
	} else {
		e.retransmitted++
	}
	if after(s.to, e.next) {
		e.next, e.topAt = s.to, now
	}
}

// acknowledge notes what a segment acknowledges.
func (e *end) acknowledge(p *packet.Parsed, length uint32, now stamp) {
	switch {
	case !e.has(acks) || after(p.Ack, e.ack):
		e.ack, e.dups, e.state = p.Ack, 0, e.state|acks
	case p.Ack == e.ack && length == 0 && p.Window == e.window && p.Window != 0 && p.Seq == e.next:
		e.dups, e.dupAt = min(e.dups+1, 3), now
	}
	e.window = p.Window
}

// skip notes a gap.
func (e *end) skip(s span, all *slab.Slab[gaps]) {
	if e.gaps == 0 {
		e.gaps = all.Take()
	}
	all.At(e.gaps).add(s)
}

// forget begins to look at a direction anew; what was counted stays.
func (e *end) forget(all *slab.Slab[gaps]) {
	if e.gaps != 0 {
		all.Release(e.gaps)
	}
	e.gaps, e.dups, e.state = 0, 0, 0
}

// add notes a gap, in the place of the oldest if there are too many.
func (g *gaps) add(s span) {
	for i := range g {
		if g[i].from == g[i].to {
			g[i] = s
			return
		}
	}
	copy(g[:], g[1:])
	g[maxHoles-1] = s
}

// fill takes what has come out of the gaps; false if it was in none.
func (g *gaps) fill(s span) (filled bool) {
	for i := range g {
		h := &g[i]
		if h.from == h.to || !after(s.to, h.from) || !after(h.to, s.from) {
			continue
		}
		filled = true
		before, behind := after(s.from, h.from), after(h.to, s.to)
		switch {
		case before && behind:
			rest := span{s.to, h.to}
			h.to = s.from
			g.add(rest)
			return true
		case before:
			h.to = s.from
		case behind:
			h.from = s.to
		default:
			*h = span{}
		}
	}
	return filled
}

func (t *tcp) report(r *Report) {
	r.Packets, r.HasTCP = uint64(t.packets), true
	r.RTTServer, r.RTTClient = t.times[rttServer], t.times[rttClient]
	r.AppResponse, r.TLSHandshake = t.times[appResponse], t.times[tlsHandshake]
	for i := range t.ends {
		e := &t.ends[i]
		r.TCP.Retransmissions[i], r.TCP.OutOfOrder[i] = e.retransmitted, e.late
		r.TCP.ZeroWindows[i], r.TCP.Resets[i] = e.zeroWindows, e.resets
	}
}
