package enforcer

import (
	"math"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/enforcer/dissect/announce"
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/packet"
	"github.com/netpol/netpol/enforcer/program"
	"github.com/netpol/netpol/enforcer/telemetry/record"
	"github.com/netpol/netpol/lang/fact"
)

func (w *worker) setPolicy(p *policy) {
	w.policy = p
	w.machine, w.early = p.program.NewMachine(), nil
	if p.early != nil {
		w.early = p.early.NewMachine()
	}
	w.waiting = newWaiting(p)
	w.attend(p)
	w.ticks = w.ticking()
}

// reload goes on with another bundle. Flows that are known are decided anew by
// resweep, in steps.
func (w *worker) reload(p *policy) {
	w.unbill()
	w.setPolicy(p)
	w.keeper.use(p.bundle)
	w.heart.hurry()
	if w.crew != nil {
		w.crew.policies[w.lane].Store(p)
	}
	if w.lane == 0 {
		w.stats.Reloads++
	}
	w.sweeping, w.sweep, w.adopted = true, 0, false
}

// resweep decides some flows anew.
func (w *worker) resweep() {
	w.sweep = w.table.Slice(w.sweep, sweepSlice, func(_ flow.ID, r *flow.Record) {
		if r.Has(flow.Opened) {
			w.judge(r, w.openings.At(r.State))
			w.recalled = nil
			return
		}
		w.load(r, &w.facts)
		if !r.Has(flow.Adopted) {
			w.policy.classifier.Classify(&w.facts, w.mayGuess(r), w.names, w.clock.now)
			w.keep(r, &w.facts)
		}
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
	machine, blind := w.early, w.policy.unplacedEarly
	switch {
	case r.Has(flow.Adopted):
		machine, blind = w.machine, w.policy.unnamed
	case named(f) || r.Has(flow.Done):
		machine, blind = w.machine, w.policy.unplaced
	case machine == nil:
		w.nothing = program.Verdict{}
		return &w.nothing
	}
	v := machine.Eval(f)
	if w.config.Live && (w.traitsOf(r).iface == 0 || r.Has(flow.Adopted)) {
		machine.Narrow(v, blind)
		w.inherited(v, r)
	}
	if r.Has(flow.Done) {
		add(v, &w.policy.analysed)
	}
	if r.Has(flow.Done | flow.Shed) {
		add(v, &w.policy.shed)
	}
	return v
}

// add sets a label in a verdict.
func add(v *program.Verdict, label *[16]byte) {
	for i, b := range label {
		v.Labels[i] |= b
		v.LabelMask[i] |= b
	}
}

// inherited adds to a verdict what it leaves as it is, so that records say what
// the kernel has.
func (w *worker) inherited(v *program.Verdict, r *flow.Record) {
	t := w.traitsOf(r)
	for i, own := range w.policy.ownLabels {
		v.Labels[i] |= t.labels[i] & own &^ v.LabelMask[i]
	}
	v.Mark |= t.mark & w.policy.ownMark &^ v.MarkMask
}

func named(f *fact.Facts) bool { return f.Protocol != "" || f.Application != "" }

// complete ends the analysis of a flow that is not Done: what is still open is
// taken as it is, the final name found and the verdict written with the mark
// that closes the kernel's gate.
func (w *worker) complete(r *flow.Record) {
	if r.Has(flow.Done) {
		return
	}
	f, result := &w.facts, dissect.NoMatch
	if r.Has(flow.Opened) {
		o := w.openings.At(r.State)
		result = o.result
		w.recall(r)
		w.lastLook(r, o, f)
		f.Evasive = f.Evasive || endless(o, f)
		foretold(f, o.announced())
		if f.Protocol == "" && o.before != 0 {
			w.store.at(o.before).Unpack(f) // what was known before inspection began again
			w.fillTuple(f, r)
		}
		w.shut(r)
	} else {
		w.load(r, f)
	}
	r.Decide(w.clock.now)
	w.stats.Completed++
	w.policy.classifier.Classify(f, w.mayGuess(r), w.names, w.clock.now)
	f.Complete = true
	if announce.Reads(f.Protocol) {
		r.Set(flow.Announces)
	}
	if w.shedding(r, f, result) {
		w.shed(r)
	}
	w.keep(r, f)
	w.measure(r, f, w.decide(r, f))
}

// lastLook tells a TCP flow's undecided dissectors that nothing more comes.
func (w *worker) lastLook(r *flow.Record, o *opening, f *fact.Facts) {
	if r.Key.Proto != packet.ProtoTCP || o.candidates.Empty() || o.result == dissect.Match {
		return
	}
	w.setWindow(r)
	w.window.Stream = [2][]byte{o.lastBytes(0), o.lastBytes(1)}
	w.window.Closed = [2]bool{true, true}
	o.result = w.scheduler.Run(&o.candidates, &w.window, f)
	w.learn(f)
}

// decide runs the program on f and writes the verdict if it says anything new. The
// policies that match are valid until the program is run again.
func (w *worker) decide(r *flow.Record, f *fact.Facts) (policies []int) {
	return w.decideOn(r, f, false)
}

// decideOn is decide; listed says that the record has the labels that the kernel
// has on the flow now.
func (w *worker) decideOn(r *flow.Record, f *fact.Facts, listed bool) (policies []int) {
	t := *w.traitsOf(r)
	first, renamed := w.noteName(r, &t, f)
	v := w.eval(r, f)
	for i, sticky := range w.policy.sticky {
		v.Labels[i] |= t.labels[i] & sticky
	}
	changed := v.Labels != t.labels || v.Mark != t.mark
	quiet := w.quiet(r, v, listed)
	w.audit(r, f, v)
	w.settlePlaces(r, f, v.Policies)
	if w.config.Labels != nil && (changed || r.Has(flow.Done) && !r.Has(flow.Told) || quiet != r.Has(flow.Quiet)) {
		w.write(r, v, quiet)
	}
	t.labels, t.mark = v.Labels, v.Mark
	w.setTraits(r, &t)
	switch {
	case first:
		w.tellFlow(record.KindFlow, r, f, v.Policies)
	case r.Has(flow.Named) && (changed || renamed):
		w.tellFlow(record.KindFlowUpdate, r, f, v.Policies)
	}
	w.notify(r, f, v.Policies)
	return v.Policies
}

// noteName keeps account of the flow's name, in the traits that it will have too; first says that it has one since
// now, and renamed that it has had another until now.
func (w *worker) noteName(r *flow.Record, t *traits, f *fact.Facts) (first, renamed bool) {
	if named(f) {
		name := nameHash(f)
		switch {
		case !r.Has(flow.Named):
			r.Set(flow.Named)
			r.NamedAt, t.name, first = uint16(min(r.Packets, math.MaxUint16)), name, true
		case t.name != name && !r.Has(flow.Renamed):
			r.Set(flow.Renamed)
			renamed = true
		}
	}
	f.DetectionPackets, f.Updated = int(r.NamedAt), r.Has(flow.Renamed)
	return first, renamed
}

// nameHash is FNV-1a of the flow's name: its application, or its protocol where
// none is known.
func nameHash(f *fact.Facts) uint32 {
	name := f.Application
	if name == "" {
		name = f.Protocol
	}
	h := uint32(2166136261)
	for i := range len(name) {
		h = (h ^ uint32(name[i])) * 16777619
	}
	return h
}

// quiet says that the kernel may let the flow's packets by without asking for its
// labels: it is decided, and has none that a rule asks for. Labels of which this
// process can say nothing the kernel may have set; then they must be listed.
func (w *worker) quiet(r *flow.Record, v *program.Verdict, listed bool) bool {
	if w.policy.quietMark == 0 || !r.Has(flow.Done) || r.Has(flow.Untracked) {
		return false
	}
	for i, loud := range w.policy.loud {
		if v.Labels[i]&loud != 0 || loud&^v.LabelMask[i] != 0 && !listed {
			return false
		}
	}
	return true
}

// write gives the verdict to the sink. Bits that were set under an earlier
// bundle and are not the present one's are cleared with it. The done mark is taken back
// from a flow that is not Done, and the quiet mark if the flow is not to have it: what was
// written before may wait to be tried again, and rules may have set the latter.
func (w *worker) write(r *flow.Record, v *program.Verdict, quiet bool) {
	if r.Has(flow.Untracked) {
		return
	}
	t := w.traitsOf(r)
	u := flow.Update{
		Tuple:  r.Tuple(),
		Labels: v.Labels, LabelMask: v.LabelMask,
		Mark: v.Mark, MarkMask: v.MarkMask | w.policy.doneMark | t.mark&^w.policy.ownMark,
	}
	for i, b := range t.labels {
		u.LabelMask[i] |= b &^ w.policy.ownLabels[i]
	}
	if r.Has(flow.Done) {
		u.Mark |= w.policy.doneMark
		r.Tell(w.sentAt())
	}
	r.Clear(flow.Quiet | flow.Retold)
	u.MarkMask |= w.policy.quietMark
	if quiet {
		u.Mark |= w.policy.quietMark
		r.Set(flow.Quiet)
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

// sentAt is the time at which a verdict reaches the kernel: later than that of
// the packet at hand, when packets had to wait.
func (w *worker) sentAt() int64 {
	if !w.config.Live {
		return w.clock.now
	}
	return max(w.clock.now, w.clock.steady())
}

// keep stores the facts of a flow whose opening state is gone.
func (w *worker) keep(r *flow.Record, f *fact.Facts) {
	old := r.State
	r.State = w.store.keep(f, old)
	w.store.release(old)
}

// load gives what is known of a flow.
func (w *worker) load(r *flow.Record, f *fact.Facts) {
	if f == &w.facts {
		w.recalled = nil
	}
	w.store.at(w.factsOf(r)).Unpack(f)
	w.fillTuple(f, r)
}

// factsOf is the store's index of what is known of a flow.
func (w *worker) factsOf(r *flow.Record) uint32 {
	if r.Has(flow.Opened) {
		return w.openings.At(r.State).facts
	}
	return r.State
}
