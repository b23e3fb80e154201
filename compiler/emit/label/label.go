package label

import (
	"maps"
	"slices"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang/diag"
)

// Bits is how many labels a connection can carry: 16 bytes of the conntrack
// label extension (linux/netfilter/xt_connlabel.h, XT_CONNLABEL_MAXBIT 127).
const Bits = 128

// Seen is the label of a set that has no other. No flow carries it; a rule that
// sets a label, any label, makes the kernel give new connections room for them.
const Seen = artifact.SeenLabel

// Labels of flows whose packets wait for the enforcer, and of those that nobody
// may pass who is not judged.
const (
	Hold       = artifact.HoldLabel
	HoldClosed = artifact.HoldClosedLabel
)

// AutoPrefix begins the names of the labels that netpol makes itself.
const AutoPrefix = "np-"

// Input is what labels are allocated from.
type Input struct {
	Policies []ir.Policy
	Analysed string         // artifact.Settings.AnalysedLabel
	Pins     []Pin          // of the lock file
	Bits     map[int]string // bits of other owners, with their label names
	Names    map[string]int // the same the other way round
	Router   Router
}

// Router is what the router's connections say of labels: bits outlive both the
// rules and the lines of a lock. The zero value knows nothing.
type Router struct {
	Applied []artifact.Label // of the policies that are in force
	Held    map[int]int      // bit -> live connections that carry it
}

// Pin is one line of the lock: this label has this bit.
type Pin struct {
	Name  string
	Bit   int
	Range diag.Range // of the line in the lock file; zero for a new pin
}

// Table is the outcome.
type Table struct {
	Labels  []artifact.Label  // in use, by bit
	Init    artifact.Label    // one of Labels, for the rule that makes room for labels
	Effects []artifact.Effect // one a policy
	Kernel  []KernelEffect    // in policy order, each label once per dimension
	Failing []Possible        // where a policy that could match fails closed
	Holding []Possible        // where packets wait for a policy that could match
	// Shed is the label of flows that the enforcer had no room for; without a
	// name where no policy asks for it.
	Shed artifact.Label
	Outs []Out
	// Sticky are label and mark bits that rules set as well: the enforcer never
	// takes them back.
	Sticky     []int // sorted
	StickyMark uint32
}

// KernelEffect is something the kernel does to connections that carry Label,
// on behalf of a policy. A nil DSCP or NoVerdict asks nothing.
type KernelEffect struct {
	Policy   int            // index into Input.Policies
	Label    artifact.Label // without a name: to all
	DSCP     *ir.DSCP
	Verdict  ir.Verdict
	Priority *ir.Priority
	Route    *ir.Route
	Offload  bool
	// Own says that the policy has rules of its own, on this label: for what it
	// asks of packets besides, and for what it counts. Sets and Mark are what the
	// first packet that meets all of it writes.
	Own  bool
	Sets []artifact.Label
	Mark *artifact.Mark
	Over artifact.Label // of flows that met the policy's quota used up
	Fail bool           // only while the enforcer cannot tell
	// Holds says that packets wait for the enforcer.
	Holds bool
}

// Out is a label of flows by the interface that they leave by: one of Names, or
// with Invert any other.
type Out struct {
	Label  artifact.Label
	Names  []string // sorted
	Invert bool
}

// Possible is a label of flows that a policy could match, as far as headers tell.
type Possible struct {
	Policy int
	Bit    int
}

// Allocate gives out the bits. On errors the table is partial.
func Allocate(in Input) (*Table, diag.List) {
	carriers, gates := claim(in.Policies), gates(in.Policies)
	a, diags := newAllocation(in)
	diags.Extend(a.allocate(needed(in, carriers, gates)))
	t := &Table{}
	if diags.HasErrors() {
		return t, diags
	}
	for _, name := range slices.Sorted(maps.Keys(a.used)) {
		t.Labels = append(t.Labels, a.label(name))
	}
	slices.SortFunc(t.Labels, func(x, y artifact.Label) int { return x.Bit - y.Bit })
	t.Init = t.Labels[0]
	for i := range in.Policies {
		p, g := &in.Policies[i], gates[i]
		if g.own {
			t.Effects = append(t.Effects, a.gateEffect(p, g))
			t.Kernel = append(t.Kernel, a.ruled(i, p, g))
			t.stick(t.Kernel[len(t.Kernel)-1])
		} else {
			t.Effects = append(t.Effects, a.effect(p, carriers[i]))
			t.Kernel = append(t.Kernel, a.kernel(i, p, carriers[i])...)
		}
		if g.fails {
			t.Kernel = append(t.Kernel, a.failing(i, p, g))
			if g.fail != "" {
				t.Failing = append(t.Failing, Possible{i, a.bits[g.fail]})
			}
		}
		if g.waits != "" {
			t.Holding = append(t.Holding, Possible{i, a.bits[g.waits]})
		}
	}
	for _, l := range append(t.Failing, t.Holding...) {
		t.Sticky = append(t.Sticky, l.Bit) // a flow that is named and not yet done may still be another's
	}
	if a.used[artifact.ShedLabel] {
		t.Shed = a.label(artifact.ShedLabel)
	}
	t.Outs = a.outs(in.Policies)
	for _, o := range t.Outs {
		t.Sticky = append(t.Sticky, o.Label.Bit) // the first packet said it
	}
	slices.Sort(t.Sticky)
	t.Sticky = slices.Compact(t.Sticky)
	return t, diags
}

// stick notes what rules write for a policy.
func (t *Table) stick(e KernelEffect) {
	for _, l := range e.Sets {
		t.Sticky = append(t.Sticky, l.Bit)
	}
	if e.Over.Name != "" {
		t.Sticky = append(t.Sticky, e.Over.Bit)
	}
	if e.Mark != nil {
		t.StickyMark |= e.Mark.Mask
	}
}

// need is a label that must have a bit, and the policy that wants it first.
type need struct {
	name string
	at   diag.Range
	from string // ir.Policy.From of that policy
}

// needed lists the labels in the order that they are given bits: the authors'
// labels by policy, then netpol's own, then those that the netpol block asks for. There is at least one.
func needed(in Input, carriers []carrier, gates []gate) []need {
	policies := in.Policies
	var list []need
	seen := map[string]bool{}
	add := func(name string, at diag.Range, from string) {
		if name != "" && !seen[name] {
			seen[name] = true
			list = append(list, need{name, at, from})
		}
	}
	authored := func(from bool) {
		for i := range policies {
			if policies[i].Audit || (policies[i].From != "") != from {
				continue
			}
			for _, name := range policies[i].Labels {
				add(name, policies[i].Range, policies[i].From)
			}
		}
	}
	add(in.Analysed, diag.Range{}, "")
	authored(false)
	for i := range policies {
		for dim := range dimensions {
			add(carriers[i][dim].name, policies[i].Range, "")
		}
		add(gates[i].holds, policies[i].Range, "")
		add(gates[i].over, policies[i].Range, "")
		add(gates[i].fail, policies[i].Range, "")
		if gates[i].fails && policies[i].OnOverload == ir.FailClosed {
			add(artifact.ShedLabel, policies[i].Range, "")
		}
		add(gates[i].waits, policies[i].Range, "")
		for _, l := range policies[i].Packet {
			if l.Test.Attr.Name == interfaceOut {
				add(outName(l.Test), policies[i].Range, "")
			}
		}
	}
	authored(true)
	if len(list) == 0 {
		list = []need{{name: Seen}}
	}
	return list
}

// effect is what the enforcer writes for a policy.
func (a *allocation) effect(p *ir.Policy, c carrier) artifact.Effect {
	e := artifact.Effect{Mark: p.Mark, NoTrack: p.NoTrack}
	for _, name := range p.Labels {
		e.Labels = append(e.Labels, a.bits[name])
	}
	slices.Sort(e.Labels)
	e.DSCP, e.Verdict, e.Priority = a.claim(c[dscp]), a.claim(c[verdict]), a.claim(c[priority])
	e.Route, e.Offload = a.claim(c[route]), a.claim(c[offload])
	e.Verdict.Late = p.Split.Late
	return e
}

func (a *allocation) claim(by carriedBy) artifact.Claim {
	switch {
	case by.name == "":
		return artifact.Claim{}
	case by.auto:
		return artifact.Claim{Kind: artifact.ClaimAuto, Bit: a.bits[by.name]}
	}
	return artifact.Claim{Kind: artifact.ClaimOwn}
}

// kernel is what the kernel does for a policy: one effect a label, so several if
// its dimensions are carried by different labels.
func (a *allocation) kernel(i int, p *ir.Policy, c carrier) []KernelEffect {
	var out []KernelEffect
	at := map[string]int{}
	for dim, by := range c {
		if by.name == "" {
			continue
		}
		j, ok := at[by.name]
		if !ok {
			j = len(out)
			at[by.name] = j
			out = append(out, KernelEffect{Policy: i, Label: a.label(by.name)})
		}
		switch dim {
		case dscp:
			out[j].DSCP = p.DSCP
		case verdict:
			out[j].Verdict = p.Verdict
		case priority:
			out[j].Priority = p.Priority
		case route:
			out[j].Route = p.Route
		case offload:
			out[j].Offload = p.Offload
		}
	}
	return out
}
