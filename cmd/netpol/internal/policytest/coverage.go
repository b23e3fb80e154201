package policytest

import (
	"path/filepath"
	"slices"

	"github.com/netpol/netpol/cmd/netpol/internal/outcome"
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/program"
)

// PolicyCoverage says how far the tests reach one policy.
type PolicyCoverage struct {
	Name    string `json:"name"`
	File    string `json:"file"`
	Line    int    `json:"line"`
	Matched int    `json:"matched"` // flows
	Missed  int    `json:"missed"`
	Terms   []Term `json:"terms"`
}

// Term is one comparison of a policy and how it came out, over all flows.
type Term struct {
	Text  string `json:"text"`
	True  int    `json:"true"`
	False int    `json:"false"`
}

// Covered reports whether the tests have seen the policy both ways: matching,
// and each term true and false. A policy without terms matches always.
func (p *PolicyCoverage) Covered() bool {
	for _, t := range p.Terms {
		if t.True == 0 || t.False == 0 {
			return false
		}
	}
	return p.Matched > 0
}

// coverage counts as tests run.
type coverage struct {
	policies []PolicyCoverage
	terms    []map[string]int // text -> index in the policy's Terms
	// of is, by policy id, its place in policies: parts of one policy share it, and
	// those that nobody wrote have -1.
	of []int
}

// newCoverage starts at zero. The terms are those of any explanation.
func newCoverage(b *artifact.Bundle, any []program.Explanation) *coverage {
	c := &coverage{of: make([]int, len(b.Policies))}
	at := map[string]int{}
	for i, p := range b.Policies {
		if c.of[i] = -1; p.From != "" {
			continue
		}
		n, ok := at[p.Name]
		if !ok {
			n = len(c.policies)
			at[p.Name] = n
			c.policies = append(c.policies, PolicyCoverage{Name: p.Name, File: p.File, Line: p.Line, Terms: []Term{}})
			c.terms = append(c.terms, map[string]int{})
		}
		c.of[i] = n
	}
	for _, e := range any {
		for _, t := range e.Terms {
			c.term(e.Policy, t.Text)
		}
	}
	return c
}

// count adds one flow, of which something is expected.
func (c *coverage) count(explained []program.Explanation, out *outcome.Outcome) {
	for i := range c.policies {
		if p := &c.policies[i]; slices.Contains(out.Policies, p.Name) {
			p.Matched++
		} else {
			p.Missed++
		}
	}
	for _, e := range explained {
		for _, t := range e.Terms {
			term := c.term(e.Policy, t.Text)
			switch {
			case term == nil:
			case t.Holds:
				term.True++
			default:
				term.False++
			}
		}
	}
}

// term finds a policy's term by its text; nil for policies that are not counted.
func (c *coverage) term(policy int, text string) *Term {
	if policy = c.of[policy]; policy < 0 {
		return nil
	}
	p := &c.policies[policy]
	i, ok := c.terms[policy][text]
	if !ok {
		i = len(p.Terms)
		c.terms[policy][text] = i
		p.Terms = append(p.Terms, Term{Text: text})
	}
	return &p.Terms[i]
}

// report is the counts, with paths from the working directory.
func (c *coverage) report(dir string) []PolicyCoverage {
	for i := range c.policies {
		c.policies[i].File = filepath.Join(dir, c.policies[i].File)
	}
	return c.policies
}
