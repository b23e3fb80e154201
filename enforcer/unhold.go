package enforcer

import (
	"slices"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/program"
	"github.com/netpol/netpol/lang/fact"
)

// waiting says how long packets of a flow are to wait: while a policy that holds
// could still match it. What is known of a flow grows in steps, and what is known in
// one stays as it is.
type waiting struct {
	machine *program.Machine
	labels  [16]byte // of flows whose packets wait
	// By what is known: headers alone, a server's name that the flow has shown, and
	// the application that this name gave.
	headers, shown, called *program.Foresight
}

// newWaiting is nil where no policy holds.
func newWaiting(p *policy) *waiting {
	w := &waiting{labels: bitOf(p.labels, artifact.HoldLabel)}
	for i, b := range bitOf(p.labels, artifact.HoldClosedLabel) {
		w.labels[i] |= b
	}
	holds := func(id int) bool { return p.bundle.Policies[id].Hold }
	foresee := func(known ...string) *program.Foresight {
		return p.program.Foresee(holds, func(a fact.Attribute) bool { return !a.FromHeaders() && !slices.Contains(known, a.Name) })
	}
	if w.headers = foresee(); w.headers == nil || w.labels == [16]byte{} {
		return nil
	}
	// A DNS answer that comes now is no answer to the question that led here.
	shown := []string{"hostname", "dns_hostname", "alpn", "ja4", "tls_ech", "http_method"}
	w.shown = foresee(shown...)
	w.called = foresee(append(shown, "application", "brand", "category", "application_category", "by", "protocol", "protocol_category")...)
	w.machine = p.program.NewMachine()
	return w
}

// view is what may be asked of a flow.
func (w *waiting) view(f *fact.Facts) *program.Foresight {
	// A hello or request that has been read whole: a server's certificate, or a name
	// before STARTTLS, may be followed by another.
	if f.Hostname == "" || f.JA4 == "" && f.HTTPMethod == "" {
		return w.headers
	}
	if f.Application != "" && (f.By == fact.BySNI || f.By == fact.ByHTTP) {
		return w.called
	}
	return w.shown
}

// unhold takes the flow of the packet at hand off those whose packets wait, if no
// policy that holds can match it any more. Its next packets are copied, as those of
// other flows are.
func (w *worker) unhold(r *flow.Record) {
	h := w.waiting
	if h == nil || r.Has(flow.Done) || r.Has(flow.Unheld) || r.Has(flow.Adopted) || w.traitsOf(r).iface == 0 {
		return
	}
	w.load(r, &w.facts)
	if h.machine.Possible(&w.facts, h.view(&w.facts)) {
		return
	}
	r.Set(flow.Unheld)
	t := *w.traitsOf(r)
	for i, b := range h.labels {
		t.labels[i] &^= b
	}
	w.setTraits(r, &t)
	w.stats.HeldReleased++
	w.stats.Writes++
	w.unsent++
	if err := w.config.Labels.Write(flow.Update{Tuple: r.Tuple(), LabelMask: h.labels}); err != nil {
		w.sinkFailed(err)
	}
}
