package resolve

import (
	"fmt"
	"slices"
	"strings"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
)

// recordAggregate is the record that aggregates are told by.
const recordAggregate = "aggregate"

// aggregates are those of all blocks, by name. Sinks that they go to are told
// aggregates from then on. The policies of the set must have been resolved.
func (r *resolver) aggregates(set *ir.Set) []ir.Aggregate {
	var out []ir.Aggregate
	seen := map[string]*lang.Aggregate{}
	for _, a := range r.policy.Aggregates {
		key := strings.ToLower(a.Name)
		if other := seen[key]; other != nil {
			r.diags.Add(diag.New(diag.Duplicate, a.Range, fmt.Sprintf("The aggregate %q is %q at %s in other letters: names of aggregates are compared without regard to case. Rename one of the two.", a.Name, other.Name, other.Range)))
			continue
		}
		seen[key] = a
		before := len(r.diags)
		if one := r.aggregate(a, set); !r.diags[before:].HasErrors() {
			out = append(out, one)
		}
	}
	slices.SortStableFunc(out, func(a, b ir.Aggregate) int { return strings.Compare(a.Aggregate.Name, b.Aggregate.Name) })
	return out
}

func (r *resolver) aggregate(a *lang.Aggregate, set *ir.Set) ir.Aggregate {
	out := ir.Aggregate{Range: a.Range, Aggregate: artifact.Aggregate{
		Name: strings.ToLower(a.Name), By: a.By, Interval: a.Interval, Top: a.Top, Keys: a.Keys, Health: a.Health,
		Policies: r.aggregatePolicies(a), Groups: r.aggregateGroups(a),
	}}
	r.checkNotFlows(a.Module, a.Sinks, "aggregates")
	for _, name := range namedBlocks(r.sinks, a.Module, a.Sinks, r.undefinedSink) {
		i := slices.IndexFunc(set.Sinks, func(s ir.Sink) bool { return s.Sink.Name == name })
		if i < 0 {
			continue // it had a mistake that is told
		}
		out.Aggregate.Sinks = append(out.Aggregate.Sinks, i)
		if s := &set.Sinks[i].Sink; !slices.Contains(s.Records, recordAggregate) {
			s.Records = append(slices.Clone(s.Records), recordAggregate)
		}
	}
	if len(a.When) > 0 {
		out.Aggregate.When = joinCriteria(a.When)
		if out.Cond = r.anyOf(a.When); out.Cond != nil {
			r.checkTold(out.Cond)
		}
	}
	return out
}

// aggregatePolicies are the names of the policies that are told apart, as the set
// knows them.
func (r *resolver) aggregatePolicies(a *lang.Aggregate) []string {
	byName := map[string]*lang.PolicyBlock{}
	var names []string
	for _, b := range r.policy.Policies {
		if byName[b.Name] == nil {
			names = append(names, b.Name)
		}
		byName[b.Name] = b
	}
	var out []string
	for _, t := range a.Policies {
		name, b := inModule(byName, a.Module, t.Value)
		if b == nil {
			r.addUnknown(diag.New(diag.UndefinedPolicy, t.Range, fmt.Sprintf("No policy block is named %q.", t.Value)).WithHint(r.hints.Hint(t.Value, names)))
			continue
		}
		out = append(out, name)
	}
	return out
}

// aggregateGroups are the address groups that are told apart.
func (r *resolver) aggregateGroups(a *lang.Aggregate) []artifact.AggregateGroup {
	var out []artifact.AggregateGroup
	for _, t := range a.Groups {
		name, g := inModule(r.groups, a.Module, t.Value)
		if g == nil {
			r.addUnknown(r.undefinedGroup(t.Value, t.Range))
			continue
		}
		out = append(out, artifact.AggregateGroup{Name: name, Networks: g.prefixes, MACs: g.macs})
	}
	return out
}
