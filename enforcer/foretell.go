package enforcer

import (
	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/enforcer/dissect/announce"
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/packet"
	"github.com/netpol/netpol/lang/fact"
)

// judge finds the name of a flow that is inspected, as far as it is known, and
// decides. What another flow has announced of it is not retained: dissectors
// go by what they see, and if they see something else that counts.
func (w *worker) judge(r *flow.Record, o *opening) {
	f := w.recall(r)
	announced := f.Protocol == "" && o.announced() != ""
	if announced {
		w.retain(r, o)
		foretold(f, o.announced())
	}
	w.policy.classifier.Classify(f, false, w.names, w.clock.now)
	if announced {
		w.foretelling = true
		w.decide(r, f)
		w.foretelling, w.recalled = false, nil
		w.recall(r)
		return
	}
	w.retain(r, o)
	w.decide(r, f)
}

// foretold names a flow that shows nothing by what was announced.
func foretold(f *fact.Facts, protocol string) {
	if f.Protocol == "" && protocol != "" {
		f.Protocol, f.By, f.Application = protocol, fact.ByCorrelation, ""
	}
}

// hear reads what the packet at hand, of flow r, announces.
func (w *worker) hear(r *flow.Record, side dissect.Side) {
	if len(w.parsed.Payload) == 0 {
		return
	}
	f := &w.facts
	switch {
	case r.Has(flow.Opened):
		if !announce.Reads(w.protocol(r, w.openings.At(r.State))) {
			return
		}
		f = w.recall(r)
	case r.Has(flow.Announces):
		w.load(r, f)
	default:
		return
	}
	if !announce.Reads(f.Protocol) {
		return
	}
	p := announce.Packet{
		Protocol: f.Protocol, UDP: r.Key.Proto == packet.ProtoUDP, From: side,
		Client: f.SrcIP, Server: f.DstIP, ClientPort: uint16(f.SrcPort), Payload: w.parsed.Payload,
	}
	if r.Key.Proto == packet.ProtoTCP {
		p.Payload = w.splits.join(r.Key, side, w.parsed.Seq, p.Payload)
		w.splits.keep(r.Key, side, w.parsed.Seq+uint32(len(w.parsed.Payload)), announce.Rest(p.Protocol, p.Payload))
	}
	w.announced = announce.Append(w.announced[:0], &p)
	for _, a := range w.announced {
		w.names.Announce(a, w.clock.now)
	}
}

// listensOn says that a live flow is read on although its name is known: it
// announces others behind its opening, and once the kernel has the verdict it shows
// no more. What the kernel shows at most ends it. Packets that wait for a verdict do
// not wait for this.
func (w *worker) listensOn(r *flow.Record, o *opening) bool {
	waits := w.waiting != nil && !r.Has(flow.Unheld)
	return w.config.Live && !waits && r.Seen() < w.policy.gate && announce.Lasting(w.protocol(r, o))
}
