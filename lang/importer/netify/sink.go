package netify

import (
	"github.com/netpol/netpol/lang/importer"
)

// sink is a sink block to be: where one of Netify's sinks writes stands in the
// configuration of its plugin, which an import does not see.
type sink struct {
	name    string // of the block
	netify  string
	written bool
}

// sinkTarget converts a target of type sink. Channels of one sink become one
// block: each record says by itself which policy it is of.
func (r *run) sinkTarget(t *target, p properties) {
	name, ok := r.is(p.get("sink"), text, "sink")
	if name == nil {
		if ok {
			r.report(importer.MissingKey, t.from, t.to, "A target of type sink needs a sink.")
		}
		t.broken = true
		return
	}
	if channel, _ := r.is(p.get("channel"), text, "channel"); channel != nil {
		r.report(importer.NotNeeded, channel.from, channel.to, "netpol has no channels: each record of a match names its policy.")
	}
	if t.sink = r.sinks[name.text]; t.sink == nil {
		t.sink = &sink{name: r.sinkNames.Group(name.text), netify: name.text}
		r.sinks[name.text] = t.sink
	}
}

// writeSinks writes the blocks of an action's sinks that are not there yet.
func (r *run) writeSinks(w *importer.Writer, a *action) {
	for _, t := range a.targets {
		s := t.sink
		if s == nil || !t.enabled || s.written {
			continue
		}
		s.written = true
		path := "/var/log/netpol/" + s.name + ".jsonl"
		r.report(importer.Assumed, t.from, t.to, "Where the sink %s writes stands in Netify's configuration of its plugin. The block writes to %s; make it what it is to be.", importer.OneLine(s.netify, 80), path)
		w.Add(importer.Block{
			Comment: []string{"Netify's sink " + importer.OneLine(s.netify, 80) + "; where it writes was not to be seen."},
			Type:    "sink", Label: s.name,
			Arguments: []importer.Argument{{Name: "type", Value: importer.Quote("file")}, {Name: "path", Value: importer.Quote(path)}},
		})
	}
}

// notifies are the sinks that an action's policy tells of its matches.
func (a *action) notifies() []string {
	var out []string
	seen := map[*sink]bool{}
	for _, t := range a.targets {
		if t.sink != nil && t.enabled && !t.broken && !seen[t.sink] {
			seen[t.sink] = true
			out = append(out, t.sink.name)
		}
	}
	return out
}

// dropSink leaves a sink out of an action for the reason that dropSets has.
func (r *run) dropSink(a *action, i int) (lost string) {
	name := importer.OneLine(a.targets[i].name, 80)
	r.report(importer.NoEffect, a.from, a.to, "%s: sinks are notified by netpold, and the action asks for what only the kernel's rules know of each packet: bytes, packets, marks, times or the interface out. Notify them from a policy that asks for the rest alone.", name)
	without := *a.targets[i]
	without.sink = nil
	a.targets[i] = &without
	return name + ": the action asks for what changes from packet to packet"
}
