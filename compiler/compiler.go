package compiler

import (
	"slices"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/compiler/emit/label"
	"github.com/netpol/netpol/compiler/emit/nft"
	"github.com/netpol/netpol/compiler/emit/outside"
	"github.com/netpol/netpol/compiler/emit/prog"
	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/compiler/opt"
	"github.com/netpol/netpol/compiler/resolve"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
)

// Options are what a compile depends on besides the policy directory.
type Options struct {
	// Catalogue is the standard catalogue; nil means an empty one.
	Catalogue *artifact.Catalogue
	// ReservedBits and ReservedNames are the lines of connlabel.conf that are
	// not netpol's, by bit and by name.
	ReservedBits  map[int]string
	ReservedNames map[string]int
	// Router is what the router that the bundle is for says of label bits; the
	// zero value is of none.
	Router Router
}

// Router is what a router's connections say of label bits.
type Router = label.Router

// Compile compiles a policy set. The bundle is nil iff the diagnostics hold an
// error; every stage that can still say something has been run then.
func Compile(p *lang.Policy, opts Options) (*artifact.Bundle, diag.List) {
	set, diags := lower(p, opts)
	labels, d := label.Allocate(label.Input{
		Policies: set.Policies,
		Analysed: set.Settings.AnalysedLabel,
		Pins:     pins(p.Lock),
		Bits:     opts.ReservedBits,
		Names:    opts.ReservedNames,
		Router:   opts.Router,
	})
	diags.Extend(d)
	program, d := prog.Emit(set.Policies, labels.Effects)
	diags.Extend(d)
	diags.Extend(outside.Emit(set, program.Effects))
	sinks, conditions, d := sinksOf(set)
	diags.Extend(d)
	diags.Sort()
	if diags.HasErrors() {
		return nil, diags
	}
	program.Sticky, program.StickyMark = labels.Sticky, labels.StickyMark
	if len(labels.Holding) == 0 {
		set.Settings.HoldQueue, set.Settings.HoldPackets, set.Settings.HoldMark = 0, 0, 0
	}
	policies, routes := describe(set.Policies), routesOf(set)
	watching := outside.Watching(set)
	rules := table(set, labels, policies, routes, watching)
	if len(rules.Loud) == 0 {
		set.Settings.QuietMark = 0
	}
	return &artifact.Bundle{
		Format:    artifact.FormatVersion,
		ABI:       fact.ABI(),
		Settings:  set.Settings,
		Labels:    labels.Labels,
		Policies:  policies,
		Program:   program,
		Ruleset:   rules,
		Catalogue: *set.Catalogue,
		FlowSets:  set.FlowSets,
		Inputs:    set.Inputs,
		Routes:    routes,
		Sinks:     sinks, SinkProgram: conditions, Aggregates: aggregatesOf(set.Aggregates),
	}, diags
}

// table is the nftables table of the set.
func table(set *ir.Set, labels *label.Table, policies []artifact.Policy, routes []artifact.Route, watching []ir.Policy) artifact.Ruleset {
	interest, narrow := opt.Interest(slices.Concat(set.Policies, watching))
	return nft.Emit(nft.Input{
		Settings:  set.Settings,
		Schedules: set.Schedules,
		Outs:      outs(labels.Outs),
		Effects:   kernelEffects(labels, set.Policies, policies, routes),
		Decisions: slices.Concat(decisions(set.Policies, labels.Effects, policies), failing(set.Policies, labels.Failing, policies), holding(set.Policies, labels.Holding, policies)),
		Labels:    labels.Labels,
		NoCapture: !artifact.NeedEnforcer(policies, nil) && len(watching) == 0 && set.Settings.Inspect != artifact.InspectAll,
		Narrow:    narrow && set.Settings.Inspect != artifact.InspectAll,
		Interest:  interest,
		InitLabel: labels.Init,
		Sticky:    labels.Sticky,
		Hold:      holds(labels),
	})
}

// sinksOf are the sinks, and a program of the conditions of sinks and aggregates if
// one has any.
func sinksOf(set *ir.Set) ([]artifact.Sink, artifact.Program, diag.List) {
	out := make([]artifact.Sink, len(set.Sinks))
	for i, s := range set.Sinks {
		out[i] = s.Sink
	}
	if !outside.Conditional(set) {
		return out, artifact.Program{}, nil
	}
	conditions := outside.Policies(set)
	program, diags := prog.Emit(conditions, make([]artifact.Effect, len(conditions)))
	return out, program, diags
}

func aggregatesOf(list []ir.Aggregate) []artifact.Aggregate {
	var out []artifact.Aggregate
	for _, a := range list {
		out = append(out, a.Aggregate)
	}
	return out
}

// lower is the front half of Compile: from blocks to optimised conditions.
func lower(p *lang.Policy, opts Options) (*ir.Set, diag.List) {
	catalogue := opts.Catalogue
	if catalogue == nil {
		catalogue = &artifact.Catalogue{}
	}
	set, diags := resolve.Resolve(p, catalogue)
	set, d := opt.Run(set)
	diags.Extend(d)
	return set, diags
}

// describe is what people are shown of each policy.
func describe(policies []ir.Policy) []artifact.Policy {
	out := make([]artifact.Policy, len(policies))
	for i, p := range policies {
		out[i] = artifact.Policy{
			Name:        p.Name,
			Description: p.Description,
			File:        p.Range.Filename,
			Line:        p.Range.Start.Line,
			Criteria:    p.Criteria,
			Labels:      p.Labels,
			Mark:        p.Mark,
			Verdict:     p.Verdict.String(),
			Also:        p.Extras(),
			When:        p.Packet.Words(),
			Part:        p.Part,
			Audit:       p.Audit,
			From:        p.From,
			Hold:        p.Split.Holds,
		}
		if p.OnFail == ir.FailClosed {
			out[i].OnFail = p.OnFail.String()
		}
		if p.OnOverload == ir.FailClosed {
			out[i].OnOverload = p.OnOverload.String()
		}
		if p.DSCP != nil {
			out[i].DSCP = p.DSCP.Name
		}
		if p.Split.Kernel {
			out[i].Decided = artifact.DecidedKernel
		}
	}
	return out
}

// kernelEffects is the labels' effects as emit/nft reads them.
func kernelEffects(labels *label.Table, set []ir.Policy, policies []artifact.Policy, routes []artifact.Route) []nft.Effect {
	out := make([]nft.Effect, len(labels.Kernel))
	for i, e := range labels.Kernel {
		p := &set[e.Policy]
		out[i] = nft.Effect{
			Policy: policies[e.Policy], Label: e.Label, Verdict: e.Verdict.String(),
			Own: e.Own, Sets: e.Sets, Mark: e.Mark, Over: e.Over, Fail: e.Fail, Offload: e.Offload, Holds: e.Holds,
		}
		if e.DSCP != nil {
			out[i].DSCP, out[i].IfUnset = &e.DSCP.Value, e.DSCP.IfUnset
		}
		if e.Verdict == ir.Reject {
			out[i].RejectWith = p.RejectWith
		}
		if e.Fail {
			out[i].OnFail, out[i].OnOverload, out[i].Shed = p.OnFail, p.OnOverload, labels.Shed
		}
		if e.Priority != nil {
			out[i].Priority = &e.Priority.Value
		}
		if e.Route != nil {
			out[i].Route = routeTo(routes, e.Route.Table)
		}
		if e.Own {
			out[i].Packet, out[i].Audit = p.Packet, p.Audit
		}
		if e.Own && !e.Fail {
			out[i].Log, out[i].Count, out[i].Quota, out[i].Rate = p.Log, p.Count, p.Quota, p.Rate
		}
	}
	return out
}

// decisions are the policies that the kernel decides alone.
func decisions(policies []ir.Policy, effects []artifact.Effect, described []artifact.Policy) []nft.Decision {
	var out []nft.Decision
	for i, p := range policies {
		if p.Split.Kernel {
			out = append(out, nft.Decision{Policy: described[i], Any: p.Split.Any, Effect: effects[i]})
		}
	}
	return out
}

// failing are the labels of flows that fail with the enforcer, set on the first
// packet by what headers tell.
func failing(policies []ir.Policy, list []label.Possible, described []artifact.Policy) []nft.Decision {
	var out []nft.Decision
	for _, f := range list {
		out = append(out, nft.Decision{
			Policy: described[f.Policy], Any: policies[f.Policy].Split.Fail, Effect: artifact.Effect{Labels: []int{f.Bit}},
		})
	}
	return out
}

// holding are the labels of flows whose packets wait, set on the first packet.
func holding(policies []ir.Policy, list []label.Possible, described []artifact.Policy) []nft.Decision {
	var out []nft.Decision
	for _, h := range list {
		out = append(out, nft.Decision{
			Policy: described[h.Policy], Any: policies[h.Policy].Split.Held, Effect: artifact.Effect{Labels: []int{h.Bit}},
		})
	}
	return out
}

// holds is what rules must know to hold packets.
func holds(labels *label.Table) nft.Hold {
	var out nft.Hold
	for _, l := range labels.Labels {
		switch l.Name {
		case label.Hold:
			out.Open = l
		case label.HoldClosed:
			out.Closed = l
		}
	}
	for _, e := range labels.Effects {
		if e.Mark != nil {
			out.Mark |= e.Mark.Mask
		}
	}
	return out
}

func outs(list []label.Out) []nft.Out {
	out := make([]nft.Out, len(list))
	for i, o := range list {
		out[i] = nft.Out(o)
	}
	return out
}

// routesOf are the routing tables of the policies, sorted, with a mark each.
func routesOf(set *ir.Set) []artifact.Route {
	var tables []uint32
	for _, p := range set.Policies {
		if p.Route != nil && !p.Audit {
			tables = append(tables, p.Route.Table)
		}
	}
	slices.Sort(tables)
	var out []artifact.Route
	for i, table := range slices.Compact(tables) {
		out = append(out, artifact.Route{Table: table, Mark: artifact.RouteMark(set.RouteMark, i), Mask: set.RouteMark})
	}
	return out
}

func routeTo(routes []artifact.Route, table uint32) *artifact.Route {
	for i := range routes {
		if routes[i].Table == table {
			return &routes[i]
		}
	}
	return nil
}
