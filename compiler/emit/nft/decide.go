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
// opens have chains of their own, with "_out" after the name. Dimensions after
// the first have chains of their own, with theirs after it.
const (
	chainNewPre = "np_new_pre"
	chainNewOut = "np_new_out"
	chainFirst  = "np_first"
)

// priorityDecide is before the chains that hold and copy: a packet that the
// enforcer is shown has been decided by the kernel as far as it can.
func priorityDecide(s artifact.Settings) int { return priorityHold(s) - 1 }

// prioritySettings is before dimensions that have base chains of their own.
func prioritySettings(s artifact.Settings) int { return priorityDecide(s) - 1 }

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
	space
	decisions []Decision
	boxes     [][]box        // of each decision
	names     map[int]string // of label bits
	sets      setTable
	chains    []artifact.Chain
	shared    map[string]string // chains of branches, by what is in them
	cost      map[string]int    // what the kernel walks through to check a chain
	budget    int               // rules that branches of the chain at hand may still make
	patience  int
	actions   int
	together  map[string]*action // actions joined, by their numbers
	quiet     *quiet
	hushed    uint32 // the quiet mark, if the first packet gives it to some connections
}

// decide makes the chains and their sets; none if nothing is decided.
func decide(in Input, q *quiet) ([]artifact.Set, []artifact.Chain) {
	s := newSpace(in.Settings)
	d := &decider{
		space: s, names: map[int]string{}, sets: newSetTable(s), patience: patience,
		shared: map[string]string{}, cost: map[string]int{}, together: map[string]*action{}, quiet: q,
	}
	for _, l := range in.Labels {
		d.names[l.Bit] = l.Name
	}
	for _, decision := range in.Decisions {
		if boxes := s.boxesOf(decision.Any); len(boxes) > 0 {
			d.decisions, d.boxes = append(d.decisions, decision), append(d.boxes, boxes)
		}
	}
	first := d.untracked()
	lists := d.lists(d.uninspected(in))
	if len(lists) == 0 {
		return d.sets.list(), append(first, d.chains...)
	}
	pre := d.hook(hook{device: artifact.MatchIIFName}, lists)
	out := d.hook(hook{suffix: "_out", device: artifact.MatchOIFName}, lists)
	bases := first
	for i := range pre {
		suffix, priority := pre[i].suffix, priorityDecide(in.Settings)
		if i == 0 && len(pre) > 1 {
			// The settings give connections the quiet mark, and dimensions take it back. Of base
			// chains with the same priority the kernel runs the one that came last first.
			priority = prioritySettings(in.Settings)
		}
		bases = append(bases,
			base(priority, chainNewPre+suffix, "prerouting", artifact.MatchIIFName, "pre"+suffix, pre[i].chain),
			base(priority, chainNewOut+suffix, "output", artifact.MatchOIFName, "out"+suffix, out[i].chain))
	}
	return d.sets.list(), append(bases, d.chains...)
}

// boxesOf are those of a condition.
func (s space) boxesOf(any []ir.Conjunction) []box {
	var out []box
	for _, c := range any {
		out = append(out, s.boxes(c)...)
	}
	return out
}

// hook is where connections are first seen.
type hook struct {
	suffix string             // of the names of its chains
	device artifact.MatchKind // the interface a connection is first seen on
}

// base is the hook: one test for the packets of known connections.
func base(priority int, name, hook string, dev artifact.MatchKind, short, target string) artifact.Chain {
	return artifact.Chain{Name: name, Hook: hook, Type: "filter", Priority: priority, Rules: []artifact.Rule{{
		ID: "new/" + short, Comment: "the first packet of a connection",
		Match: []artifact.Match{
			{Kind: artifact.MatchCTStatus, Name: "confirmed", Not: true},
			{Kind: dev, Name: "lo", Not: true},
		},
		Do: []artifact.Statement{{Kind: artifact.DoJump, Name: target}},
	}}}
}

// list is what one chain decides: the settings that all run, or a dimension in
// which the first outcome that holds is the last.
type list struct {
	name     string // of the dimension; empty for the settings
	outcomes []outcome
	first    []artifact.Rule // before all
	after    []artifact.Rule // after all; of the settings
}

// ordered says that the first outcome that holds ends the chain.
func (l list) ordered() bool { return l.name != "" }

// outcome is what happens when any of some boxes holds.
type outcome struct {
	id     string
	policy int // the first that wants it; -1 for none
	boxes  []box
	do     []artifact.Statement
}

// lists are the chains to make: the settings, if there are any, then the
// dimensions.
func (d *decider) lists(inspect list) []list {
	marks, free := d.marks()
	setters := list{outcomes: append(d.setters(free), inspect.outcomes...), first: inspect.first, after: inspect.after}
	var out []list
	if len(setters.outcomes)+len(setters.first)+len(setters.after) > 0 {
		out = append(out, setters)
	}
	out = append(out, marks...)
	for _, dim := range []struct {
		name  string
		claim func(artifact.Effect) artifact.Claim
	}{
		{"dscp", func(e artifact.Effect) artifact.Claim { return e.DSCP }},
		{"priority", func(e artifact.Effect) artifact.Claim { return e.Priority }},
		{"route", func(e artifact.Effect) artifact.Claim { return e.Route }},
		{"verdict", func(e artifact.Effect) artifact.Claim { return e.Verdict }},
		{"offload", func(e artifact.Effect) artifact.Claim { return e.Offload }},
	} {
		if outcomes := d.claims(dim.name, dim.claim); len(outcomes) > 0 {
			out = append(out, list{name: dim.name, outcomes: outcomes})
		}
	}
	return out
}

// entry is a chain that a base chain jumps to.
type entry struct{ suffix, chain string }

// hook makes the chains of the lists. The first base chain runs the settings
// and goes on with one dimension; each other dimension has a base chain of its
// own, because accept ends a base chain and no more than that.
func (d *decider) hook(h hook, lists []list) []entry {
	accept := []artifact.Statement{{Kind: artifact.DoAccept}}
	var entries []entry
	if !lists[0].ordered() {
		last := accept
		if len(lists) > 1 {
			last = []artifact.Statement{{Kind: artifact.DoGoto, Name: d.chainName(h, lists[1])}}
		}
		name := d.chainName(h, lists[:min(2, len(lists))]...)
		d.chain(h, name, lists[0], last)
		entries = append(entries, entry{chain: name})
		if lists = lists[1:]; len(lists) > 0 {
			d.chain(h, d.chainName(h, lists[0]), lists[0], accept)
			lists = lists[1:]
		}
	}
	for _, l := range lists {
		name := d.chainName(h, l)
		d.chain(h, name, l, accept)
		e := entry{chain: name}
		if len(entries) > 0 {
			e.suffix = "_" + l.name
		}
		entries = append(entries, e)
	}
	return entries
}

// chainName is the name of the chain of the first list; both hooks have one
// chain where no interface is asked for, in it or in what it goes on with.
func (d *decider) chainName(h hook, lists ...list) string {
	name := chainFirst
	if lists[0].ordered() {
		name += "_" + lists[0].name
	}
	for _, l := range lists {
		for _, o := range l.outcomes {
			if slices.ContainsFunc(o.boxes, func(b box) bool { return b.field[fieldDevice] != anything }) {
				return name + h.suffix
			}
		}
	}
	return name
}

// setters are one outcome for each list of labels, together with the mark as
// far as it is free of other policies' claims; their order says nothing.
func (d *decider) setters(free uint32) []outcome {
	var out []outcome
	at := map[string]int{}
	for i, decision := range d.decisions {
		var do []artifact.Statement
		var names []string
		for _, bit := range decision.Effect.Labels {
			do = append(do, d.setLabel(bit))
			names = append(names, "label/"+d.names[bit])
		}
		if m := decision.Effect.Mark; m != nil && m.Mask&free != 0 {
			do = append(do, setMark(only(*m, free)))
			names = append(names, fmt.Sprintf("mark/%#x/%#x", m.Value&free, m.Mask&free))
		}
		do = append(do, d.loudly(decision.Effect.Labels...)...)
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
	return out
}

func setMark(m artifact.Mark) artifact.Statement {
	return artifact.Statement{Kind: artifact.DoSetCTMark, Value: m.Value & m.Mask, Mask: m.Mask}
}

// only is the mark as far as it goes for some bits.
func only(m artifact.Mark, bits uint32) artifact.Mark {
	return artifact.Mark{Value: m.Value & bits, Mask: m.Mask & bits}
}

// marks are a dimension for each group of bits that policies write together and
// not all alike; free are the bits on which all that write them agree. Of two
// policies that write a bit the earlier wins.
func (d *decider) marks() (out []list, free uint32) {
	var masks []uint32
	var zeros, ones uint32
	for _, decision := range d.decisions {
		if m := decision.Effect.Mark; m != nil {
			masks = append(masks, m.Mask)
			zeros |= m.Mask &^ m.Value
			ones |= m.Mask & m.Value
		}
	}
	contested := zeros & ones
	if contested == 0 {
		return nil, ^contested
	}
	for _, bits := range parts(contested, masks) {
		of := func(e artifact.Effect) (string, []artifact.Statement, bool) {
			if e.Mark == nil || e.Mark.Mask&bits == 0 {
				return "", nil, false
			}
			return fmt.Sprintf("mark/%#x/%#x", e.Mark.Value&bits, bits), []artifact.Statement{setMark(only(*e.Mark, bits))}, true
		}
		out = append(out, list{name: fmt.Sprintf("mark%x", bits), outcomes: d.firsts(of)})
	}
	return out, ^contested
}

// parts are the bits, parted so that each mask has all or none of a part.
func parts(bits uint32, masks []uint32) []uint32 {
	list := []uint32{bits}
	for _, m := range masks {
		var next []uint32
		for _, p := range list {
			for _, part := range []uint32{p & m, p &^ m} {
				if part != 0 {
					next = append(next, part)
				}
			}
		}
		list = next
	}
	slices.Sort(list)
	return list
}

// firsts are the outcomes of one dimension in policy order.
func (d *decider) firsts(of func(artifact.Effect) (id string, do []artifact.Statement, ok bool)) []outcome {
	var out []outcome
	for i, decision := range d.decisions {
		id, do, ok := of(decision.Effect)
		if !ok {
			continue
		}
		if len(out) == 0 || out[len(out)-1].id != id {
			out = append(out, outcome{id: id, policy: i, do: do})
		}
		last := &out[len(out)-1]
		last.boxes = append(last.boxes, d.boxes[i]...)
	}
	return out
}

// claims are the outcomes of a dimension of automatic labels; after the last of
// them there is nothing left to keep from being set.
func (d *decider) claims(name string, claimed func(artifact.Effect) artifact.Claim) []outcome {
	out := d.firsts(func(e artifact.Effect) (string, []artifact.Statement, bool) {
		switch c := claimed(e); {
		case c.Kind == artifact.ClaimNone:
			return "", nil, false
		case c.Kind == artifact.ClaimAuto && !c.Late:
			return name + "/" + d.names[c.Bit], append([]artifact.Statement{d.setLabel(c.Bit)}, d.loudly(c.Bit)...), true
		}
		return name + "/own", nil, true // it has the dimension, and the label comes with it or later
	})
	for len(out) > 0 && out[len(out)-1].do == nil {
		out = out[:len(out)-1]
	}
	return out
}

func (d *decider) setLabel(bit int) artifact.Statement {
	return artifact.Statement{Kind: artifact.DoSetCTLabel, Bit: bit, Name: d.names[bit]}
}

// loudly takes the quiet mark off a connection that gets some labels, if it may have
// it and any of them is asked for.
func (d *decider) loudly(bits ...int) []artifact.Statement {
	if d.hushed == 0 || !slices.ContainsFunc(bits, func(bit int) bool { return slices.Contains(d.quiet.loud, bit) }) {
		return nil
	}
	return []artifact.Statement{setMark(artifact.Mark{Mask: d.hushed})}
}
