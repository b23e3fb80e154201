package outcome

import (
	"slices"

	"github.com/netpol/netpol/compiler"
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
)

// Filter is a criterion of its own that is asked of flows.
type Filter struct{ evaluator *Evaluator }

// NewFilter compiles criteria, any of which may hold, in the surroundings of a
// policy set: its groups and its applications. The diagnostics are about the
// criteria alone; the filter is nil if one is an error.
func NewFilter(p *lang.Policy, cat *artifact.Catalogue, list []lang.Criteria) (*Filter, diag.List, error) {
	alone := *p
	alone.Exempt, alone.Lock = nil, &lang.Lock{}
	alone.Policies = []*lang.PolicyBlock{{
		Name: "filter", Enabled: true, Criteria: list, Labels: []lang.Text{{Value: "filter"}}, Range: list[0].Range,
	}}
	b, diags := compiler.Compile(&alone, compiler.Options{Catalogue: cat})
	diags = slices.DeleteFunc(diags, func(d diag.Diagnostic) bool {
		return d.Severity != diag.Error && d.Subject.Filename != list[0].Range.Filename
	})
	if b == nil {
		return nil, diags, nil
	}
	e, err := New(b, Lower(&alone, cat))
	if err != nil {
		return nil, diags, err
	}
	return &Filter{e}, diags, nil
}

// Holds reports whether the flow passes.
func (f *Filter) Holds(facts *fact.Facts) bool {
	return slices.ContainsFunc(f.evaluator.machine.Eval(facts).Policies, func(id int) bool { return f.evaluator.OnPacket(id, facts) })
}

// Evaluator is the filter as a bundle of one policy; it has none when the
// criterion holds for no flow at all.
func (f *Filter) Evaluator() *Evaluator { return f.evaluator }
