package policytest

import (
	"path/filepath"

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
	terms    []map[string]int // by policy: text -> index in its Terms
}

// newCoverage starts at zero. The terms are those of any explanation.
func newCoverage(b *artifact.Bundle, any []program.Explanation) *coverage {
	c := &coverage{policies: make([]PolicyCoverage, len(b.Policies)), terms: make([]map[string]int, len(b.Policies))}
	for i, p := range b.Policies {
		c.policies[i] = PolicyCoverage{Name: p.Name, File: p.File, Line: p.Line, Terms: []Term{}}
		c.terms[i] = map[string]int{}
	}
	for _, e := range any {
		for _, t := range e.Terms {
			c.term(e.Policy, t.Text)
		}
	}
	return c
}

// count adds one flow.
func (c *coverage) count(explained []program.Explanation) {
	for _, e := range explained {
		p := &c.policies[e.Policy]
		if e.Matched {
			p.Matched++
		} else {
			p.Missed++
		}
		for _, t := range e.Terms {
			if term := c.term(e.Policy, t.Text); t.Holds {
				term.True++
			} else {
				term.False++
			}
		}
	}
}

// term finds a policy's term by its text.
func (c *coverage) term(policy int, text string) *Term {
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
