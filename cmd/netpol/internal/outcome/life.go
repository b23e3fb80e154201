package outcome

import (
	"cmp"
	"math/bits"
	"net/netip"
	"slices"
	"time"

	"github.com/netpol/netpol/cmd/netpol/internal/flowfacts"
	"github.com/netpol/netpol/cmd/netpol/internal/packetsim"
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang/fact"
)

// Netpold is how the enforcer does.
type Netpold uint8

// States of the enforcer.
const (
	Up         Netpold = iota // it answers, and writes what it decides
	Down                      // it does not run
	Undecided                 // it answers, and knows too little of this flow
	Overloaded                // it answers, and has given this flow up for lack of room
)

// Moment is a packet of a flow that is looked at, and what there was before it.
type Moment struct {
	Facts   *fact.Facts // bytes and packets so far among them, see flowfacts.Traffic
	Time    time.Time   // when it is sent, and what came since the last moment
	Netpold Netpold
}

// Life is a flow as the kernel sees it, moment by moment. It goes on even when
// its packets are stopped, as flows do that are tried again.
type Life struct {
	e    *Evaluator
	conn packetsim.Connection
	// decide says which labels and mark the enforcer writes.
	decide func(*fact.Facts) written
}

// written is what the enforcer writes on a connection.
type written struct {
	labels, labelMask [16]byte
	mark, markMask    uint32
}

// Begin starts a flow.
func (e *Evaluator) Begin() *Life {
	return &Life{e: e, decide: func(f *fact.Facts) written {
		v := e.machine.Eval(f)
		return written{v.Labels, v.LabelMask, v.Mark, v.MarkMask}
	}}
}

// Next goes on to a moment. Between two moments packets are sent from both
// sides as evenly as their counts say, all at the later moment's time; with the
// first moment the flow begins, with a packet that the enforcer has not judged.
func (l *Life) Next(m Moment) (Outcome, error) {
	f := *m.Facts
	flowfacts.Traffic(&f)
	if err := l.e.Clock.Read(&f, m.Time); err != nil {
		return Outcome{}, err
	}
	l.e.table.Alive = m.Netpold != Down
	p := packetOf(&f, m.Time)
	to := counts{
		packets: [2]uint64{uint64(f.SrcPackets), uint64(f.DstPackets)},
		bytes:   [2]uint64{uint64(f.SrcBytes), uint64(f.DstBytes)},
	}
	begun := l.conn.Packets[packetsim.Original] > 0
	if !begun {
		l.conn.Mark = uint32(f.CTMark)
		first := to.first()
		if first.packets == to.packets {
			return l.first(&f, m, p, to)
		}
		if _, err := l.send(p, first, packetsim.Original); err != nil {
			return Outcome{}, err
		}
	}
	switch m.Netpold {
	case Up:
		l.write(&f)
	case Overloaded:
		l.shed()
	case Down, Undecided:
	}
	if err := l.pass(p, to); err != nil {
		return Outcome{}, err
	}
	return l.look(&f, m, p, to)
}

// protoTCP is the protocol whose first packet has nothing in it to be named by.
const protoTCP = 6

// first is the flow's very first packet. Where it waits for the enforcer, that
// knows of it what is known of the flow, and writes it before the packet goes on.
func (l *Life) first(f *fact.Facts, m Moment, p packetsim.Packet, to counts) (Outcome, error) {
	if m.Netpold == Up && f.IPProtocol != protoTCP {
		l.e.table.Judge = func(*packetsim.Connection) { l.write(f) }
		defer func() { l.e.table.Judge = nil }()
	}
	return l.look(f, m, p, to)
}

// write is the enforcer's part, masked as in the kernel. The done mark goes
// with it once nothing more is to come.
func (l *Life) write(f *fact.Facts) {
	w := l.decide(f)
	for i := range w.labels {
		l.conn.Labels[i] = l.conn.Labels[i]&^w.labelMask[i] | w.labels[i]
	}
	l.conn.Mark = l.conn.Mark&^(w.markMask|l.e.Bundle.Settings.QuietMark) | w.mark
	if f.Complete {
		l.done()
	}
}

// done are the marks of a connection of which the enforcer needs no more packets.
func (l *Life) done() {
	l.conn.Mark |= l.e.Bundle.Settings.OwnMark()
	for _, bit := range l.e.Bundle.Ruleset.Loud {
		if l.conn.Labels[bit/8]&(1<<(bit%8)) != 0 {
			l.conn.Mark &^= l.e.Bundle.Settings.QuietMark
		}
	}
}

// shed is the enforcer's part of a flow that it gives up.
func (l *Life) shed() {
	for _, label := range l.e.Bundle.Labels {
		if label.Name == artifact.ShedLabel {
			l.conn.Labels[label.Bit/8] |= 1 << (label.Bit % 8)
		}
	}
	l.done()
}

// counts are a connection's counters, by direction.
type counts struct{ packets, bytes [2]uint64 }

// first are the counters at the first packet.
func (c counts) first() counts {
	size := c.bytes[packetsim.Original] / max(c.packets[packetsim.Original], 1)
	return counts{packets: [2]uint64{1, 0}, bytes: [2]uint64{size, 0}}
}

// of is a counter that rules may ask for.
func (c counts) of(k packetsim.Limit) uint64 {
	list := c.packets
	if k.Bytes {
		list = c.bytes
	}
	switch k.Of {
	case packetsim.Original.String():
		return list[packetsim.Original]
	case packetsim.Reply.String():
		return list[packetsim.Reply]
	}
	return list[0] + list[1]
}

// send sends a packet after which the counters stand so.
func (l *Life) send(p packetsim.Packet, after counts, d packetsim.Direction) (packetsim.Result, error) {
	l.conn.Packets, l.conn.Bytes = after.packets, after.bytes
	l.conn.Packets[d]--
	if p.Direction = d; d == packetsim.Reply {
		p.Src, p.Dst, p.SrcPort, p.DstPort, p.In, p.Out = p.Dst, p.Src, p.DstPort, p.SrcPort, p.Out, p.In
	}
	r, err := l.e.table.Send(&l.conn, &p)
	l.conn.Confirmed = true
	return r, err
}

// pass sends the packets on which some counter reaches what a rule asks for,
// and their neighbours; all others are treated as one of these.
func (l *Life) pass(p packetsim.Packet, to counts) error {
	from := counts{l.conn.Packets, l.conn.Bytes}
	stops := []counts{from, to}
	for _, limit := range l.e.table.Limits() {
		low, high := from.of(limit), to.of(limit)
		for _, v := range []uint64{limit.Value - 1, limit.Value, limit.Value + 1} {
			if low < v && v < high {
				stops = append(stops, between(from, to, v-low, high-low))
			}
		}
	}
	slices.SortFunc(stops, func(a, b counts) int {
		return cmp.Or(slices.Compare(a.bytes[:], b.bytes[:]), slices.Compare(a.packets[:], b.packets[:]))
	})
	for _, at := range slices.CompactFunc(stops, func(a, b counts) bool { return a == b }) {
		for _, d := range []packetsim.Direction{packetsim.Original, packetsim.Reply} {
			if at.packets[d] == 0 || at == from {
				continue
			}
			if _, err := l.send(p, at, d); err != nil {
				return err
			}
		}
	}
	return nil
}

// between is the counters part/whole of the way.
func between(from, to counts, part, whole uint64) counts {
	at := func(a, b [2]uint64) (out [2]uint64) {
		for i := range a {
			if b[i] < a[i] {
				out[i] = a[i]
				continue
			}
			high, low := bits.Mul64(b[i]-a[i], part)
			share, _ := bits.Div64(high, low, whole)
			out[i] = a[i] + share
		}
		return out
	}
	return counts{at(from.packets, to.packets), at(from.bytes, to.bytes)}
}

// look is what becomes of the packet at hand, one of the opener's.
func (l *Life) look(f *fact.Facts, m Moment, p packetsim.Packet, at counts) (Outcome, error) {
	r, err := l.send(p, at, packetsim.Original)
	if err != nil {
		return Outcome{}, err
	}
	if r.Verdict != packetsim.Pass { // tell how it would have been marked
		if r.DSCP, err = l.e.table.Marking(&l.conn, &p); err != nil {
			return Outcome{}, err
		}
	}
	return l.e.outcome(f, m, &l.conn, &r), nil
}

// packetOf is a packet of the flow, from the side that opened it.
func packetOf(f *fact.Facts, at time.Time) packetsim.Packet {
	p := packetsim.Packet{
		DSCP:     uint8(f.IPDSCP),
		Protocol: uint8(f.IPProtocol), Src: f.SrcIP, Dst: f.DstIP, SrcPort: uint16(f.SrcPort), DstPort: uint16(f.DstPort),
		In: f.Interface, Out: f.InterfaceOut, Time: at,
	}
	unspecified := netip.IPv4Unspecified() // a flow that names no address
	if f.IPVersion == 6 || p.Src.Is6() || p.Dst.Is6() {
		unspecified = netip.IPv6Unspecified()
	}
	if !p.Src.IsValid() {
		p.Src = unspecified
	}
	if !p.Dst.IsValid() {
		p.Dst = unspecified
	}
	return p
}

// labelBit reports whether a label is set.
func labelBit(labels *[16]byte, l artifact.Label) bool {
	return labels[l.Bit/8]&(1<<(l.Bit%8)) != 0
}
