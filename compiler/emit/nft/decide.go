package nft

import (
	"fmt"
	"slices"
	"strings"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/compiler/ir"
)

// Names of the chains that decide policies by a connection's first packet.
// Where a policy asks for the interface, connections that the router itself
// opens have chains of their own, with "_out" after the name.
const (
	chainNewPre = "np_new_pre"
	chainNewOut = "np_new_out"
	chainFirst  = "np_first"
)

// priorityDecide is before the capture chains: a packet that the enforcer is
// shown has been decided by the kernel as far as it can.
const priorityDecide = priorityMangle - 1

// Decision is a policy that the kernel decides by itself. Decisions are in
// policy order.
type Decision struct {
	Policy artifact.Policy
	Any    []ir.Conjunction
	Effect artifact.Effect
}

// decider makes the chains that do for a connection's first packet what the
// enforcer's program would: set the labels and marks of every policy that
// holds, and of the automatic labels the first claimed in each dimension.
//
// Only the packet that makes a conntrack entry passes them. The enforcer
// writes into confirmed entries alone, so what it writes always comes after,
// and replaces labels of a later policy by those of an earlier one.
type decider struct {
	decisions []Decision
	boxes     [][]box        // of each decision
	names     map[int]string // of label bits
	sets      setTable
	chains    []artifact.Chain
}

// decide makes the chains and their sets; none if nothing is decided.
func decide(in Input) ([]artifact.Set, []artifact.Chain) {
	s := newSpace(in.Settings)
	d := &decider{names: map[int]string{}, sets: newSetTable(s)}
	for _, l := range in.Labels {
		d.names[l.Bit] = l.Name
	}
	device := false
	for _, decision := range in.Decisions {
		var boxes []box
		for _, c := range decision.Any {
			boxes = append(boxes, s.boxes(c)...)
		}
		if len(boxes) == 0 {
			continue
		}
		d.decisions, d.boxes = append(d.decisions, decision), append(d.boxes, boxes)
		device = device || slices.ContainsFunc(boxes, func(b box) bool { return b.field[fieldDevice] != nil })
	}
	pre := d.first(hook{name: chainFirst, device: artifact.MatchIIFName})
	out := pre
	if device {
		out = d.first(hook{name: chainFirst + "_out", device: artifact.MatchOIFName})
	}
	if pre == "" {
		return nil, nil
	}
	return d.sets.list(), append([]artifact.Chain{
		base(chainNewPre, "prerouting", artifact.MatchIIFName, "pre", pre),
		base(chainNewOut, "output", artifact.MatchOIFName, "out", out),
	}, d.chains...)
}

// hook is where the chains of one family are reached from.
type hook struct {
	name   string             // the first chain's
	device artifact.MatchKind // the interface a connection is first seen on
}

// base is the hook: one test for the packets of known connections.
func base(name, hook string, dev artifact.MatchKind, short, target string) artifact.Chain {
	return artifact.Chain{Name: name, Hook: hook, Type: "filter", Priority: priorityDecide, Rules: []artifact.Rule{{
		ID: "new/" + short, Comment: "the first packet of a connection",
		Match: []artifact.Match{
			{Kind: artifact.MatchCTStatus, Name: "confirmed", Not: true},
			{Kind: dev, Name: "lo", Not: true},
		},
		Do: []artifact.Statement{{Kind: artifact.DoJump, Name: target}},
	}}}
}

// first makes the chains of a hook and names the first; empty if there is
// nothing to do. Labels and marks come first and always run through; a claim
// in a dimension ends its chain and goes on with the next.
func (d *decider) first(h hook) string {
	stop := []artifact.Statement{{Kind: artifact.DoAccept}}
	entry := ""
	for _, dim := range []struct {
		name  string
		claim func(artifact.Effect) artifact.Claim
	}{
		{"verdict", func(e artifact.Effect) artifact.Claim { return e.Verdict }},
		{"dscp", func(e artifact.Effect) artifact.Claim { return e.DSCP }},
	} {
		if list := d.claims(dim.name, dim.claim, stop); len(list) > 0 {
			entry = h.name + "_" + dim.name
			d.chain(h, entry, list, stop)
			stop = []artifact.Statement{{Kind: artifact.DoGoto, Name: entry}}
		}
	}
	if list := d.setters(); len(list) > 0 {
		d.chain(h, h.name, list, stop)
		entry = h.name
	}
	return entry
}

// outcome is what happens when any of some boxes holds.
type outcome struct {
	id     string
	policy int // the first that wants it
	boxes  []box
	do     []artifact.Statement
}

// setters are one outcome for each list of labels, together with the mark
// where marks cannot collide; their order says nothing.
func (d *decider) setters() []outcome {
	separate := d.marksCollide()
	var out []outcome
	at := map[string]int{}
	for i, decision := range d.decisions {
		var do []artifact.Statement
		var names []string
		for _, bit := range decision.Effect.Labels {
			do = append(do, d.setLabel(bit))
			names = append(names, "label/"+d.names[bit])
		}
		if m := decision.Effect.Mark; m != nil && !separate {
			do = append(do, setMark(*m))
			names = append(names, fmt.Sprintf("mark/%#x/%#x", m.Value, m.Mask))
		}
		if len(do) == 0 {
			continue
		}
		key := strings.Join(names, "/")
		j, ok := at[key]
		if !ok {
			j = len(out)
			at[key] = j
			out = append(out, outcome{id: key, policy: i, do: do})
		}
		out[j].boxes = append(out[j].boxes, d.boxes[i]...)
	}
	if separate {
		out = append(out, d.marks()...)
	}
	return out
}

// marksCollide says that two policies want a bit of the mark otherwise.
func (d *decider) marksCollide() bool {
	var zeros, ones uint32
	for _, decision := range d.decisions {
		if m := decision.Effect.Mark; m != nil {
			zeros |= m.Mask &^ m.Value
			ones |= m.Mask & m.Value
		}
	}
	return zeros&ones != 0
}

func setMark(m artifact.Mark) artifact.Statement {
	return artifact.Statement{Kind: artifact.DoSetCTMark, Value: m.Value & m.Mask, Mask: m.Mask}
}

// marks run from the last policy to the first, so that of two policies that
// write a bit the earlier has the last word.
func (d *decider) marks() []outcome {
	var out []outcome
	var before artifact.Mark
	for i := len(d.decisions) - 1; i >= 0; i-- {
		m := d.decisions[i].Effect.Mark
		if m == nil {
			continue
		}
		if len(out) == 0 || *m != before {
			before = *m
			out = append(out, outcome{
				id: fmt.Sprintf("mark/%#x/%#x", m.Value, m.Mask),
				do: []artifact.Statement{setMark(*m)},
			})
		}
		last := &out[len(out)-1]
		last.policy = i
		last.boxes = append(last.boxes, d.boxes[i]...)
	}
	return out
}

// claims are the outcomes of one dimension in policy order; after the last
// automatic label there is nothing left to keep from being set.
func (d *decider) claims(name string, of func(artifact.Effect) artifact.Claim, stop []artifact.Statement) []outcome {
	var out []outcome
	var before artifact.Claim
	needed := 0
	for i, decision := range d.decisions {
		claim := of(decision.Effect)
		if claim.Late { // it has the dimension, and the label comes later
			claim = artifact.Claim{Kind: artifact.ClaimOwn}
		}
		if claim.Kind == artifact.ClaimNone {
			continue
		}
		if len(out) == 0 || claim != before {
			before = claim
			o := outcome{id: name + "/own", policy: i, do: stop}
			if claim.Kind == artifact.ClaimAuto {
				o.id = name + "/" + d.names[claim.Bit]
				o.do = append([]artifact.Statement{d.setLabel(claim.Bit)}, stop...)
			}
			out = append(out, o)
		}
		if claim.Kind == artifact.ClaimAuto {
			needed = len(out)
		}
		last := &out[len(out)-1]
		last.boxes = append(last.boxes, d.boxes[i]...)
	}
	return slices.Clip(out[:needed])
}

func (d *decider) setLabel(bit int) artifact.Statement {
	return artifact.Statement{Kind: artifact.DoSetCTLabel, Bit: bit, Name: d.names[bit]}
}
