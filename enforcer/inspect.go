package enforcer

import (
	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/enforcer/dissect/icmp"
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/packet"
	"github.com/netpol/netpol/lang/fact"
)

// settled says that the flow is decided and that a packet of it changes nothing.
func settled(r *flow.Record, p *packet.Parsed) bool {
	return r.Flags&(flow.Done|flow.Watched|flow.Announces) == flow.Done &&
		(p.Proto != packet.ProtoTCP || p.TCPFlags&(packet.SYN|packet.FIN|packet.RST) == 0)
}

// deliver takes w.parsed, a packet of flow r, to the flow's dissectors.
func (w *worker) deliver(id flow.ID, r *flow.Record, fromClient bool) {
	p := w.parsed
	if settled(r, p) {
		return
	}
	side := dissect.Server
	if fromClient {
		side = dissect.Client
	}
	switch p.Proto {
	case packet.ProtoTCP:
		w.tcp(id, r, side)
	case packet.ProtoUDP:
		if len(p.Payload) > 0 {
			w.udp(id, r, side)
		}
	default:
		// No dissector reads these: the header says all there is to say, but of pings
		// that are none.
		if !r.Has(flow.Done) {
			r.Inspected++
			if icmp.Tunnel(p.Proto, p.ICMPType, p.Payload) {
				w.load(r, &w.facts)
				w.facts.Protocol = icmp.Tag
				w.keep(r, &w.facts)
			}
			w.settle(id, r)
		}
	}
	w.hear(r, side)
	w.gateClosed(id, r)
	w.recalled = nil
}

// gateClosed ends the inspection of a live flow when the kernel will show us
// no more of it.
func (w *worker) gateClosed(id flow.ID, r *flow.Record) {
	if !w.config.Live || r.Has(flow.Done) || r.Seen() < w.policy.budget {
		return
	}
	if r.Seen() >= w.policy.gate || !w.unfinished(r) {
		w.settle(id, r)
	}
}

// openingBytes is how much of a TCP connection is read before its name, at
// most, when it comes in many small segments: a hello with a post-quantum key
// share and an encrypted client hello in it is some 4 KiB.
const openingBytes = 8 << 10

// unfinished says that a flow announces others, or that a TCP flow's dissectors wait
// for bytes that small segments have not brought yet. A hello cut into pieces of 100 bytes takes more
// packets than the budget has, and acknowledgements use it up as well: without
// this, cutting it up would be a way around every policy.
func (w *worker) unfinished(r *flow.Record) bool {
	if !r.Has(flow.Opened) {
		return false
	}
	o := w.openings.At(r.State)
	if w.listensOn(r, o) {
		return true
	}
	if r.Key.Proto != packet.ProtoTCP {
		return false
	}
	n := len(o.streams[0].Bytes()) + len(o.streams[1].Bytes())
	return n > 0 && n < openingBytes && !o.candidates.Empty() && !w.owned(r, o)
}

func (w *worker) tcp(id flow.ID, r *flow.Record, side dissect.Side) {
	p := w.parsed
	if p.TCPFlags&packet.SYN != 0 {
		side = w.syn(r, side)
	}
	if w.decoy(r, side) {
		w.stats.Decoys++
		w.setAside(id, r, side)
		return
	}
	before := r.Ended()
	if !r.Has(flow.Done) && (len(p.Payload) > 0 || r.Has(flow.Opened)) {
		w.segment(id, r, side)
	}
	if p.TCPFlags&packet.FIN != 0 {
		r.Set([2]flow.Flags{flow.FinClient, flow.FinServer}[side])
	}
	if p.TCPFlags&packet.RST != 0 && (!r.Has(flow.Opened) || w.openings.At(r.State).streams[side].Resets(p.Seq)) {
		r.Set(flow.Reset)
	}
	if r.Ended() && !before {
		if r.Inspected > 0 || r.Has(flow.Opened) { // by decoys alone
			w.complete(r)
		}
		w.leave(r)
		w.table.Move(id, flow.Closed, w.clock.now)
	}
}

// syn notes where a direction's bytes begin, and which side opened the flow
// when that was only a guess so far. It returns the side that sent it.
func (w *worker) syn(r *flow.Record, side dissect.Side) dissect.Side {
	p := w.parsed
	seen := [2]flow.Flags{flow.SynClient, flow.SynServer}
	if opens := p.TCPFlags&packet.ACK == 0; r.Has(flow.Guessed) && r.Inspected == 0 {
		if opens != (side == dissect.Client) {
			w.forgetEndpoint(r)
			r.Flags ^= flow.ClientIsB
			side = 1 - side
		}
		r.Clear(flow.Guessed)
	}
	if r.Inspected == 0 && !r.Has(seen[side]) || r.Inspected == 0 && !r.Has(flow.SynClient|flow.SynServer) {
		r.SetISN(side == dissect.Server, p.Seq)
	}
	if side == dissect.Server && p.TCPFlags&packet.ACK != 0 && r.Has(flow.SynClient) && r.Inspected == 0 {
		r.SetISN(false, p.Ack-1) // of two openings, the one that was answered
	}
	return side
}

// segment adds a TCP payload to its stream and inspects what that gives.
func (w *worker) segment(id flow.ID, r *flow.Record, side dissect.Side) {
	p := w.parsed
	o := w.open(id, r)
	s := &o.streams[side]
	seq := p.Seq
	if p.TCPFlags&packet.SYN != 0 {
		seq++ // SYN takes a sequence number (RFC 9293, 3.4)
	}
	if p.TCPFlags&packet.ACK != 0 {
		o.streams[1-side].Assume(p.Ack)
	}
	closed, refused := s.Closed(), w.buffers.Refused()
	grew := s.Add(seq, p.Payload, &w.buffers)
	w.crowdOut(r, refused)
	w.suspect(r, o, side)
	if p.TCPFlags&packet.FIN != 0 {
		s.Fin(seq + uint32(p.PayloadLength))
	}
	if len(p.Payload) > 0 {
		r.Inspected++
	}
	if grew || s.Closed() && !closed {
		w.setWindow(r)
		w.window.Stream = [2][]byte{o.streams[0].Bytes(), o.streams[1].Bytes()}
		w.window.Closed = [2]bool{o.streams[0].Closed(), o.streams[1].Closed()}
		w.inspect(id, r, o)
		return
	}
	w.spent(id, r)
}

func (w *worker) udp(id flow.ID, r *flow.Record, side dissect.Side) {
	p := w.parsed
	newest := dissect.Datagram{From: side, Payload: p.Payload}
	if r.Has(flow.Done) {
		if r.Has(flow.Watched) {
			w.watch(r, newest)
		}
		return
	}
	o := w.open(id, r)
	r.Inspected++
	if p.Evasive {
		w.accuse(r, o)
	}
	n := o.datagrams.Len()
	for i := range n {
		fromServer, payload := o.datagrams.At(i)
		w.recent[i] = dissect.Datagram{Payload: payload}
		if fromServer {
			w.recent[i].From = dissect.Server
		}
	}
	w.recent[n] = newest
	w.setWindow(r)
	w.window.Datagrams, w.window.Shown = w.recent[:n+1], n
	w.inspect(id, r, o)
	if r.Has(flow.Opened) {
		refused := w.buffers.Refused()
		o.datagrams.Keep(side == dissect.Server, p.Payload, &w.buffers)
		w.crowdOut(r, refused)
	}
}

// watch shows a decided flow's newest datagram to its dissector, for the names
// that it binds.
func (w *worker) watch(r *flow.Record, newest dissect.Datagram) {
	w.setWindow(r)
	w.recent[0] = newest
	w.window.Datagrams = w.recent[:1]
	w.load(r, &w.facts)
	c := w.scheduler.Resume(r.Dissector())
	w.scheduler.Run(&c, &w.window, &w.facts)
	w.learn(&w.facts)
}

// setWindow empties the window for a flow.
func (w *worker) setWindow(r *flow.Record) {
	src, dst := r.Key.Ends(r.Has(flow.ClientIsB))
	w.window = dissect.Window{SrcPort: src.Port(), DstPort: dst.Port(), Want: w.policy.wants, Signatures: w.policy.classifier, Time: w.clock.wall(w.clock.now), Names: w.window.Names[:0], Peers: w.window.Peers[:0]}
}

// inspect runs the dissectors over w.window and acts on what they find.
func (w *worker) inspect(id flow.ID, r *flow.Record, o *opening) {
	w.stats.Inspected++
	f := w.recall(r)
	_, again := o.candidates.Chosen()
	o.result = w.scheduler.Run(&o.candidates, &w.window, f)
	if len(w.window.Names) > 0 {
		w.learn(f)
		if chosen, ok := o.candidates.Chosen(); ok && r.Key.Proto == packet.ProtoUDP {
			r.Watch(chosen)
		}
	}
	for _, peer := range w.window.Peers {
		w.policy.classifier.LearnPeer(f, peer, w.names, w.clock.now)
	}
	switch o.result {
	case dissect.Match, dissect.NoMatch:
		if w.listensOn(r, o) {
			w.retain(r, o)
			if o.result == dissect.Match {
				w.judge(r, o)
			}
			w.spent(id, r)
			return
		}
		w.settle(id, r)
		return
	case dissect.Partial, dissect.NeedMore:
	}
	// A dissector that asks for more has set no facts: only what goes on after
	// Partial, and what the packet's header said, can have changed them.
	changed := o.moves(r) || w.moved
	if again && w.retain(r, o) || changed || r.Inspected == 1 || o.result == dissect.Partial && !again {
		w.judge(r, o)
	}
	w.spent(id, r)
}

// spent ends an inspection that has used its budget: at once, or after as many
// packets again as small segments may take.
func (w *worker) spent(id flow.ID, r *flow.Record) {
	n := int(r.Inspected)
	if n >= w.policy.budget && (n >= smallSegments*w.policy.budget || !w.unfinished(r)) {
		w.settle(id, r)
	}
}

// smallSegments is how many times the budget's packets an unfinished opening
// may take.
const smallSegments = 4

// learn remembers the name bindings of the window.
func (w *worker) learn(f *fact.Facts) {
	for _, b := range w.window.Names {
		w.names.Learn(f.SrcIP, b, w.clock.now)
	}
}

// settle completes a flow that stays in the table.
func (w *worker) settle(id flow.ID, r *flow.Record) {
	w.complete(r)
	w.table.Move(id, w.class(r), w.clock.now)
}

// class is the list a flow stands in once it is decided.
func (w *worker) class(r *flow.Record) flow.Class {
	switch {
	case r.Ended():
		return flow.Closed
	case r.Key.Proto == packet.ProtoTCP:
		return flow.Established
	}
	return flow.Datagram
}
