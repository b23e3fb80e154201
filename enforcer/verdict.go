package enforcer

import (
	"math"
	"time"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/packet"
	"github.com/netpol/netpol/enforcer/program"
	"github.com/netpol/netpol/enforcer/telemetry"
	"github.com/netpol/netpol/lang/fact"
)

func (w *worker) setPolicy(p *policy) {
	w.policy = p
	w.machine, w.early = p.program.NewMachine(), nil
	if p.early != nil {
		w.early = p.early.NewMachine()
	}
}

// reload goes on with another bundle. Flows that are known are decided anew by
// resweep, in steps.
func (w *worker) reload(p *policy) {
	w.setPolicy(p)
	w.stats.Reloads++
	w.sweeping, w.sweep = true, 0
}

// resweep decides some flows anew.
func (w *worker) resweep() {
	w.sweep = w.table.Slice(w.sweep, sweepSlice, func(_ flow.ID, r *flow.Record) {
		if r.Work != 0 {
			o := w.openings[r.Work]
			w.fillTuple(&o.facts, r)
			w.policy.classifier.Classify(&o.facts, false, w.names, w.now)
			w.decide(r, &o.facts)
			return
		}
		w.load(r, &w.facts)
		w.policy.classifier.Classify(&w.facts, w.mayGuess(r), w.names, w.now)
		w.keep(r, &w.facts)
		w.decide(r, &w.facts)
	})
	w.sweeping = w.sweep != 0
}

// mayGuess says that the flow's port may name it: analysis is over, and the
// flow has carried something.
func (w *worker) mayGuess(r *flow.Record) bool { return r.Has(flow.Done) && r.Inspected > 0 }

// decideAtOnce runs the program on a new flow: what asks for addresses and
// ports alone holds from the first packet on.
func (w *worker) decideAtOnce(r *flow.Record) {
	if w.early == nil {
		return
	}
	w.load(r, &w.facts)
	w.decide(r, &w.facts)
}

// eval runs the program on a flow, or the part of it that needs no name while
// the flow has none. The verdict is valid until the next eval.
func (w *worker) eval(r *flow.Record, f *fact.Facts) *program.Verdict {
	switch {
	case named(f) || r.Has(flow.Done):
		return w.machine.Eval(f)
	case w.early != nil:
		return w.early.Eval(f)
	}
	return &w.nothing
}

func named(f *fact.Facts) bool { return f.Protocol != "" || f.Application != "" }

// complete ends the analysis of a flow that is not Done: what is still open is
// taken as it is, the final name found and the verdict written with the mark
// that closes the kernel's gate.
func (w *worker) complete(r *flow.Record) {
	if r.Has(flow.Done) {
		return
	}
	f := &w.facts
	if r.Work != 0 {
		o := w.openings[r.Work]
		w.lastLook(r, o)
		*f = o.facts
		w.fillTuple(f, r)
		w.shut(r)
		if f.Protocol == "" && r.Facts != 0 {
			w.load(r, f) // what was known before inspection began again
		}
	} else {
		w.load(r, f)
	}
	r.Set(flow.Done)
	r.DoneAt = w.now
	w.stats.Completed++
	w.policy.classifier.Classify(f, w.mayGuess(r), w.names, w.now)
	f.Complete = true
	w.keep(r, f)
	w.decide(r, f)
}

// lastLook tells a TCP flow's undecided dissectors that nothing more comes.
func (w *worker) lastLook(r *flow.Record, o *opening) {
	if r.Key.Proto != packet.ProtoTCP || o.candidates.Empty() || o.result == dissect.Match {
		return
	}
	w.setWindow(r)
	w.window.Stream = [2][]byte{o.streams[0].Bytes(), o.streams[1].Bytes()}
	w.window.Closed = [2]bool{true, true}
	o.result = w.scheduler.Run(&o.candidates, &w.window, &o.facts)
	w.learn(&o.facts)
}

// decide runs the program on f and writes the verdict if it says anything new.
func (w *worker) decide(r *flow.Record, f *fact.Facts) {
	first := named(f) && !r.Has(flow.Named)
	if first {
		r.Set(flow.Named)
		r.NamedAt = uint16(min(r.Packets, math.MaxUint16))
	}
	f.DetectionPackets = int(r.NamedAt)
	v := w.eval(r, f)
	changed := v.Labels != r.Labels || v.Mark != r.Mark
	if w.config.Labels != nil && (changed || r.Has(flow.Done) && !r.Has(flow.Told)) {
		w.write(r, v)
	}
	r.Labels, r.Mark = v.Labels, v.Mark
	if w.config.Updates && w.config.Recorder != nil && (first || changed) {
		event := telemetry.Updated
		if first {
			event = telemetry.Named
		}
		w.report(r, event)
	}
}

// write gives the verdict to the sink. Bits that were set under an earlier
// bundle and are not the present one's are cleared with it.
func (w *worker) write(r *flow.Record, v *program.Verdict) {
	if r.Has(flow.Untracked) {
		return
	}
	u := flow.Update{
		Tuple:  r.Tuple(),
		Labels: v.Labels, LabelMask: v.LabelMask,
		Mark: v.Mark, MarkMask: v.MarkMask | r.Mark,
	}
	for i, b := range r.Labels {
		u.LabelMask[i] |= b
	}
	if r.Has(flow.Done) {
		u.MarkMask |= w.policy.doneMark
		u.Mark |= w.policy.doneMark
		r.Set(flow.Told)
		r.ToldAt = w.clock()
	}
	w.stats.Writes++
	w.unsent++
	if err := w.config.Labels.Write(u); err != nil {
		w.sinkFailed(err)
	}
	if w.unsent >= batch {
		w.flush()
	}
}

// clock is the time at which a verdict reaches the kernel: later than that of
// the packet at hand, when packets had to wait.
func (w *worker) clock() int64 {
	if !w.config.Live {
		return w.now
	}
	return max(w.now, time.Now().UnixNano())
}

// keep stores the facts of a flow whose opening state is gone.
func (w *worker) keep(r *flow.Record, f *fact.Facts) {
	old := r.Facts
	r.Facts = w.store.keep(f)
	w.store.release(old)
}

// load gives what is known of a flow.
func (w *worker) load(r *flow.Record, f *fact.Facts) {
	if r.Work != 0 {
		*f = w.openings[r.Work].facts
		return
	}
	*f = *w.store.get(r.Facts)
	w.fillTuple(f, r)
}
