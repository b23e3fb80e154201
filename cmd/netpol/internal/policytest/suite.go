package policytest

import (
	"slices"

	"github.com/netpol/netpol/cmd/netpol/internal/flowfacts"
	"github.com/netpol/netpol/cmd/netpol/internal/outcome"
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
)

// Input is what a Suite is made of.
type Input struct {
	Policy    *lang.Policy
	Bundle    *artifact.Bundle // compiled from Policy
	Catalogue *artifact.Catalogue
	Tests     *lang.TestSet
	// ParseTuple reads a connection as people write it.
	ParseTuple func(string) (flow.Tuple, error)
}

// Suite is a set of tests, checked and ready to run. It is not safe for
// concurrent use.
type Suite struct {
	in        Input
	world     *flowfacts.World
	evaluator *outcome.Evaluator
	asksClock bool // some condition asks for the time
	cases     []*testCase
	captures  map[string]*captured // by path as written
	coverage  *coverage            // nil: not asked for
}

// testCase is a test with its values read.
type testCase struct {
	*lang.Test
	flows [][]moment // written as attributes, each through its life
	want  []wanted   // of each flow of the capture
	tuple *flow.Tuple
	where *outcome.Filter
}

// wanted is an expected value of an attribute.
type wanted struct {
	attribute fact.Attribute
	text      string // as flowfacts.Text writes it
	at        diag.Range
}

// Prepare checks every test of the set. The error is for faults that are no
// mistake of the author.
func Prepare(in Input) (*Suite, diag.List, error) {
	world, err := flowfacts.NewWorld(in.Bundle)
	if err != nil {
		return nil, nil, err
	}
	evaluator, err := outcome.New(in.Bundle, outcome.Lower(in.Policy, in.Catalogue))
	if err != nil {
		return nil, nil, err
	}
	s := &Suite{in: in, world: world, evaluator: evaluator, captures: map[string]*captured{}}
	for id := range in.Bundle.Policies {
		s.asksClock = s.asksClock || slices.ContainsFunc(evaluator.AsksPacket(id), func(l ir.Literal) bool { return l.Test.Attr.From == "clock" })
	}
	var diags diag.List
	for _, t := range in.Tests.Tests {
		c, more, err := s.prepare(t)
		if err != nil {
			return nil, nil, err
		}
		diags.Extend(more)
		s.cases = append(s.cases, c)
	}
	diags.Sort()
	return s, diags, nil
}

// Len is how many tests there are.
func (s *Suite) Len() int { return len(s.cases) }

func (s *Suite) prepare(t *lang.Test) (*testCase, diag.List, error) {
	c := &testCase{Test: t}
	var diags diag.List
	stages := s.stages(t, &diags)
	c.want = stages[0].want
	for _, f := range t.Flows {
		c.flows = append(c.flows, s.life(f, stages, &diags))
	}
	diags = slices.CompactFunc(diags, func(a, b diag.Diagnostic) bool { return a.Subject == b.Subject && a.Detail == b.Detail })
	if t.PCAP.Value != "" {
		s.checkCapture(t.PCAP, &diags)
	}
	if !t.Tuple.Range.IsZero() {
		tuple, err := s.in.ParseTuple(t.Tuple.Value)
		if err != nil {
			diags.Add(mistake(codeTuple, t.Tuple.Range, err.Error()))
		}
		c.tuple = &tuple
	}
	if len(t.Where) > 0 {
		filter, more, err := outcome.NewFilter(s.in.Policy, s.in.Catalogue, t.Where)
		if err != nil {
			return nil, nil, err
		}
		diags.Extend(more)
		c.where = filter
	}
	return c, diags, nil
}

// checkFamilies reports addresses of both families, which no packet has.
func checkFamilies(f *fact.Facts, values []lang.Assignment, diags *diag.List) {
	four, six := false, false
	for _, v := range values {
		a, _ := fact.Lookup(v.Name.Value)
		if a.Type != fact.Address || v.Value.Value == "" {
			continue
		}
		for _, c := range flowfacts.Text(f, a) {
			six = six || c == ':'
			four = four || c == '.'
		}
		if four && six {
			diags.Add(diag.New(diag.WrongConstant, v.Value.Range, "The flow has an IPv4 and an IPv6 address. Every packet has two of one kind."))
			return
		}
	}
}

// wanted reads the expected attributes.
func (s *Suite) wanted(values []lang.Assignment, diags *diag.List) []wanted {
	var out []wanted
	for _, v := range values {
		a, ok := fact.Lookup(v.Name.Value)
		if !ok {
			continue // reported by lang
		}
		var f fact.Facts
		if d := flowfacts.Set(&f, a, v.Value.Value, s.world.Catalogue); d != nil {
			d.Subject = v.Value.Range
			diags.Add(*d)
			continue
		}
		out = append(out, wanted{a, flowfacts.Text(&f, a), v.Value.Range})
	}
	return out
}
