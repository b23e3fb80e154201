package resolve

import (
	"slices"
	"strings"

	"github.com/expr-lang/expr/conf"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
	"github.com/netpol/netpol/lang/suggest"
)

// Resolve resolves a policy set against a catalogue, which it does not change.
// The set is never nil; a policy with a mistake in it is left out.
func Resolve(p *lang.Policy, cat *artifact.Catalogue) (*ir.Set, diag.List) {
	r := &resolver{policy: p, config: conf.CreateNew()}
	r.config.MaxNodes = 0 // bounded by lang.MaxCriteriaBytes
	r.catalogue = r.overlay(cat)
	r.names = newNames(r.catalogue)
	r.groups = r.flattenGroups()
	r.apps = r.flattenAppGroups()
	r.schedules = r.indexSchedules()
	r.sets = r.indexSets()
	r.sinks = r.indexSinks()
	set := &ir.Set{
		Settings: settings(p.Settings), RouteMark: p.Settings.RouteMark, Catalogue: r.catalogue,
		FlowSets: r.flowSets(), Inputs: r.inputs(), Sinks: r.resolveSinks(),
	}
	exempt := r.decidedAnyOf(p.Exempt)
	var halts halts
	for _, b := range p.Policies {
		before := len(r.diags)
		out := r.resolvePolicy(b)
		own := out.Cond
		if !b.Enabled {
			r.diags = append(r.diags[:before], withoutNever(r.diags[before:], own)...)
		}
		if b.Enabled && own != nil {
			out.Cond = r.leaveAlone(out, exempt, &halts)
		}
		// A policy that changes nothing keeps no later one off its flows.
		if b.Halt && b.Enabled && !b.Audit && own != nil {
			halts.add(out, own)
		}
		if b.Enabled && !r.diags[before:].HasErrors() && out.Cond != nil && !r.saidNever(out.Cond, before) {
			out.ID = len(set.Policies)
			set.Policies = append(set.Policies, out)
		}
	}
	set.Aggregates = r.aggregates(set)
	r.nameLabels(set, exempt)
	r.checkHoldMark(set.Policies)
	set.Settings.QuietMark = r.quietMark(set)
	set.Schedules = r.usedSchedules(set)
	r.diags.Sort()
	r.diags.Compact()
	return set, r.diags
}

// saidNever reports a condition that is false, and known to the author to be so
// by a warning since before: a second one would say the same.
func (r *resolver) saidNever(e ir.Expr, before int) bool {
	c, ok := e.(*ir.Const)
	return ok && !c.Value && slices.ContainsFunc(r.diags[before:], func(d diag.Diagnostic) bool {
		return d.Code == diag.ConstantCondition
	})
}

// withoutNever is the diagnostics of a policy that is switched off, without the
// advice to switch it off because its condition is false.
func withoutNever(list diag.List, e ir.Expr) diag.List {
	if c, ok := e.(*ir.Const); !ok || c.Value {
		return list
	}
	return slices.DeleteFunc(list, func(d diag.Diagnostic) bool { return d.Code == diag.ConstantCondition })
}

// resolver holds what all policies of one set share.
type resolver struct {
	policy    *lang.Policy
	catalogue *artifact.Catalogue
	names     names
	groups    map[string]*group
	apps      map[string]*appGroup
	schedules map[string]*lang.Schedule // by scheduleKey
	sets      map[string]*lang.FlowSet  // by name in lower case
	sinks     map[string]*lang.Sink     // by name in lower case

	tables map[uint32]bool // routing tables that policies name

	geo geoFiles

	groupNames    []string // sorted; nil until a suggestion needs them
	scheduleNames []string // in order; nil until a suggestion needs them

	diags  diag.List
	config *conf.Config // of expr's parser, which only reads it; dear to make
	hints  suggest.Budget
	budget budget
}

// addUnknown reports a name that nothing defines. Where blocks could not be read
// one of them may define it, so then only what looks like a slip is reported.
func (r *resolver) addUnknown(d diag.Diagnostic) {
	if d.Hint != "" || !r.policy.Incomplete {
		r.diags.Add(d)
	}
}

func settings(s lang.Settings) artifact.Settings {
	inspect := artifact.InspectNeeded
	if s.Inspect == lang.InspectAll {
		inspect = artifact.InspectAll
	}
	return artifact.Settings{
		Inspect:       inspect,
		HoldQueue:     s.HoldQueue,
		HoldPackets:   s.HoldPackets,
		HoldMark:      holdMark(s.HoldMark),
		LocalNetworks: s.LocalNetworks,
		LogGroup:      s.LogGroup,
		LogGroups:     logGroups(s.LogGroups),
		InspectPacket: s.InspectPackets,
		DoneMark:      s.DoneMark,
		QuietMark:     s.QuietMark,
		Priority:      s.Priority,

		CapturePriority: s.CapturePriority,
		DSCPPriority:    s.DSCPPriority,
		AnalysedLabel:   s.AnalysedLabel.Value,
		Timezone:        s.Timezone,

		TableOwner:      s.TableOwner,
		OffloadDevices:  s.OffloadDevices,
		OffloadHardware: s.OffloadHardware,
	}
}

// resolvePolicy resolves one block by itself. Cond is nil when its criteria are
// missing.
func (r *resolver) resolvePolicy(b *lang.PolicyBlock) ir.Policy {
	out := ir.Policy{
		Name:        b.Name,
		Description: b.Description,
		Range:       b.Range,
		Criteria:    joinCriteria(b.Criteria),
	}
	r.effects(&out, b)
	out.Adds, out.Notify = namedBlocks(r.sets, b.Module, b.Adds, r.undefinedSet), namedBlocks(r.sinks, b.Module, b.Notify, r.undefinedSink)
	r.checkNotFlows(b.Module, b.Notify, "a policy's matches")
	cond := r.decidedAnyOf(b.Criteria)
	own := r.decidedAnyOf(b.Exempt)
	on, okInterfaces := r.onInterfaces(b)
	when, okSchedules := r.onSchedules(b)
	if cond == nil || !okInterfaces || !okSchedules {
		return out
	}
	out.Cond = cond
	for _, e := range []ir.Expr{when, on} {
		if e != nil {
			out.Cond = ir.NewAnd(b.Range, e, out.Cond)
		}
	}
	if own != nil {
		out.Cond = ir.NewAnd(b.Range, out.Cond, ir.NewNot(own.Pos(), own))
	}
	return out
}

// onInterfaces is the condition that a policy's interface argument stands for;
// nil without one.
func (r *resolver) onInterfaces(b *lang.PolicyBlock) (ir.Expr, bool) {
	if len(b.Interfaces) == 0 {
		return nil, true
	}
	attr, _ := fact.Lookup("interface")
	e := &ir.Compare{Attr: attr, Op: ir.OpEqual, Range: b.Interfaces[0].Range}
	ok := true
	for _, t := range b.Interfaces {
		if t.Value == "" || badInterface(t.Value) {
			r.diags.Add(diag.New(diag.InvalidInterface, t.Range, interfaceRule))
			ok = false
		}
		e.Strings = append(e.Strings, t.Value)
	}
	slices.Sort(e.Strings)
	e.Strings = slices.Compact(e.Strings)
	e.Text = "interface in ['" + strings.Join(e.Strings, "', '") + "']"
	return e, ok
}

// anyOf resolves a list of criteria to one condition; nil when none is left.
func (r *resolver) anyOf(list []lang.Criteria) ir.Expr {
	var parts []ir.Expr
	for i := range list {
		if e := r.resolveCriteria(&list[i]); e != nil {
			parts = append(parts, e)
		}
	}
	if len(parts) == 0 {
		return nil
	}
	return ir.NewOr(parts[0].Pos(), parts...)
}

// joinCriteria is the criteria as people are shown them, on one line.
func joinCriteria(list []lang.Criteria) string {
	parts := make([]string, len(list))
	for i := range list {
		parts[i] = trimCriteria(list[i].Text)
		if len(list) > 1 {
			parts[i] = "(" + parts[i] + ")"
		}
	}
	return strings.Join(parts, " or ")
}

// trimCriteria takes the spaces around a criterion and its trailing semicolons.
func trimCriteria(s string) string { return strings.TrimRight(strings.TrimSpace(s), "; \t\r\n") }

// logGroups leaves out of bundles what is said of one group.
func logGroups(n int) int {
	if n == 1 {
		return 0
	}
	return n
}
