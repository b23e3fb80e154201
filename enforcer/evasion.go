package enforcer

import (
	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/packet"
	"github.com/netpol/netpol/lang/fact"
)

// maxUnmerged is the longest packet whose checksum says something: network cards
// hand longer ones up that they merged, with the checksum of the first.
const maxUnmerged = 1500

// decoy says that w.parsed, a TCP segment, is one that its receiver throws away:
// who sends it wants it to be read here. Its checksum is wrong while those of its
// side are right, which its first segment showed, or it acknowledges what the
// other side never sent (RFC 9293, 3.10.7.4).
func (w *worker) decoy(r *flow.Record, side dissect.Side) bool {
	p := w.parsed
	good := [2]flow.Flags{flow.SumsClient, flow.SumsServer}[side]
	if r.Has(flow.Done) || p.Evasive { // another reading of the fragments may be a good segment
		return false
	}
	if p.TCPFlags&packet.SYN != 0 {
		if p.CheckTCP() == packet.ChecksumGood {
			r.Set(good)
		}
		return false
	}
	if r.Has(good) && p.IPLength <= maxUnmerged && p.CheckTCP() == packet.ChecksumBad {
		return true
	}
	if len(p.Payload) == 0 || p.TCPFlags&packet.ACK == 0 || !r.Has([2]flow.Flags{flow.SynServer, flow.SynClient}[side]) {
		return false
	}
	if !r.Has(flow.Opened) {
		// Nothing was sent but the two openings.
		ahead := int64(int32(p.Ack - r.ISN(side == dissect.Client)))
		return ahead < 0 || ahead > flow.MaxWindow
	}
	other := &w.openings.At(r.State).streams[1-side]
	return !other.Closed() && !other.Plausible(p.Ack)
}

// setAside keeps the bytes of a decoy, for the case that nothing else comes: then
// it was damaged, not sent to deceive, and a damaged opening says more than none.
func (w *worker) setAside(id flow.ID, r *flow.Record, side dissect.Side) {
	p := w.parsed
	if len(p.Payload) == 0 {
		return
	}
	o := w.open(id, r)
	if o.beside == nil {
		o.beside = new(beside)
	}
	if seen := [2]flow.Flags{flow.SynClient, flow.SynServer}[side]; r.Has(seen) {
		o.beside.aside[side].Syn(r.ISN(side == dissect.Server))
	}
	o.beside.aside[side].Add(p.Seq, p.Payload, &w.buffers)
}

// lastBytes is what is known of a side's stream when no more comes.
func (o *opening) lastBytes(side dissect.Side) []byte {
	if b := o.streams[side].Bytes(); len(b) > 0 || o.beside == nil {
		return b
	}
	return o.beside.aside[side].Bytes()
}

// suspect notes signs that the flow's ends read other bytes than netpol.
func (w *worker) suspect(r *flow.Record, o *opening, side dissect.Side) {
	p := w.parsed
	switch s := &o.streams[side]; {
	case p.Evasive, s.Contradicted():
		w.accuse(r, o)
	case side == dissect.Client && p.TCPFlags&packet.URG != 0 && len(p.Payload) > 0:
		// The byte it points at is taken out of the stream, or not, by an option
		// of the receiver's (SO_OOBINLINE).
		w.accuse(r, o)
	}
}

// endless says that a client's TLS hello is longer than what is reassembled, and
// that no name could be read from it: longer than any that is meant well.
func endless(o *opening, f *fact.Facts) bool {
	const handshake, clientHello = 22, 1 // RFC 8446, 5.1 and 4
	s := &o.streams[dissect.Client]
	b := s.Bytes()
	return s.Full() && b[0] == handshake && b[5] == clientHello && f.Hostname == ""
}
