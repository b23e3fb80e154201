package opt

import (
	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang/diag"
)

// Run applies every pass to a set and returns the new set. The only
// diagnostics that are errors are CodeMixed and CodeTracked.
func Run(in *ir.Set) (*ir.Set, diag.List) {
	set, diags := Fold(Normalise(in))
	set, d := Packets(set)
	diags.Extend(d)
	diags.Extend(mirror(set))
	share(set.Policies)
	remark(set.Policies)
	Split(set.Policies)
	settle(set.Policies)
	diags.Extend(tracked(set.Policies))
	return set, diags
}

// Normalise is the set with negations at the comparisons.
func Normalise(in *ir.Set) *ir.Set {
	return mapped(in, push)
}

// Fold is the set with simpler conditions and without policies that never
// hold. It wants a normalised set.
func Fold(in *ir.Set) (*ir.Set, diag.List) {
	set := mapped(in, fold)
	var diags diag.List
	set.Policies, diags = dead(in.Policies, set.Policies)
	return set, diags
}

// mapped is the set with another condition for each policy's.
func mapped(in *ir.Set, pass func(ir.Expr) ir.Expr) *ir.Set {
	set := *in
	set.Policies = make([]ir.Policy, len(in.Policies))
	for i, p := range in.Policies {
		p.Cond = pass(p.Cond)
		set.Policies[i] = p
	}
	set.Sinks = make([]ir.Sink, len(in.Sinks))
	for i, s := range in.Sinks {
		if s.Cond != nil {
			s.Cond = pass(s.Cond)
		}
		set.Sinks[i] = s
	}
	set.Aggregates = make([]ir.Aggregate, len(in.Aggregates))
	for i, a := range in.Aggregates {
		if a.Cond != nil {
			a.Cond = pass(a.Cond)
		}
		set.Aggregates[i] = a
	}
	return &set
}
