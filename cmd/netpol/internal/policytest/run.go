package policytest

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/netpol/netpol/cmd/netpol/internal/flowfacts"
	"github.com/netpol/netpol/cmd/netpol/internal/outcome"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
)

// Options say what to run.
type Options struct {
	Run      *regexp.Regexp // only tests whose name it matches; nil for all
	Coverage bool           // count which policies and terms the tests reach
	Bench    bool           // measure evaluations
}

// Report is what came out.
type Report struct {
	Results  []Result         `json:"tests"`
	Passed   int              `json:"passed"`
	Failed   int              `json:"failed"`
	Coverage []PolicyCoverage `json:"coverage,omitempty"`
}

// Result is one test.
type Result struct {
	Name     string        `json:"name"`
	File     string        `json:"file"` // the path from the working directory
	Line     int           `json:"line"`
	Passed   bool          `json:"passed"`
	Flows    int           `json:"flows"` // that were looked at
	Failures []Failure     `json:"failures,omitempty"`
	Elapsed  time.Duration `json:"elapsed_ns"`
	// PerEvaluation is the time of one run of the program on the test's flows;
	// 0 if it was not measured.
	PerEvaluation time.Duration `json:"evaluation_ns,omitempty"`
}

// Failure is one flow that did not become what was expected, or a test that
// could not be run.
type Failure struct {
	Flow       string     `json:"flow,omitempty"`
	Error      string     `json:"error,omitempty"`
	Mismatches []Mismatch `json:"mismatches,omitempty"`
	Why        []string   `json:"why,omitempty"` // terms that kept expected policies from matching
}

// Mismatch is a value that differs.
type Mismatch struct {
	What string `json:"what"`
	Got  string `json:"got"`
	Want string `json:"want"`
	File string `json:"file"`
	Line int    `json:"line"`
}

// Run runs the tests in order. It stops early only when ctx ends.
func (s *Suite) Run(ctx context.Context, opts Options) *Report {
	if opts.Coverage {
		s.coverage = newCoverage(s.in.Bundle, s.evaluator.Explain(&fact.Facts{}))
	}
	r := &Report{Results: []Result{}}
	for _, c := range s.cases {
		if opts.Run != nil && !opts.Run.MatchString(c.Name) || ctx.Err() != nil {
			continue
		}
		started := time.Now()
		result := s.run(ctx, c)
		result.Elapsed = time.Since(started)
		if opts.Bench {
			result.PerEvaluation = s.bench(ctx, c)
		}
		if result.Passed = len(result.Failures) == 0; result.Passed {
			r.Passed++
		} else {
			r.Failed++
		}
		r.Results = append(r.Results, result)
	}
	if s.coverage != nil {
		r.Coverage = s.coverage.report(s.in.Tests.Dir)
	}
	return r
}

func (s *Suite) run(ctx context.Context, c *testCase) Result {
	r := Result{Name: c.Name, File: s.path(c.Range), Line: c.Range.Start.Line}
	fail := func(f Failure) { r.Failures = append(r.Failures, f) }
	if c.PCAP.Value == "" {
		for _, moments := range c.flows {
			r.Flows++
			if err := s.live(&r, moments); err != nil {
				fail(Failure{Error: err.Error()})
			}
		}
		return r
	}
	flows, err := s.capture(ctx, c.PCAP.Value)
	if err != nil {
		fail(Failure{Error: err.Error()})
		return r
	}
	for i := range flows {
		if !c.selects(flows[i].Facts) {
			continue
		}
		r.Flows++
		s.judge(&r, &moment{Moment: outcome.Moment{Facts: flows[i].Facts}, expect: c.Expect, want: c.want}, &flows[i].Outcome)
	}
	switch {
	case c.Count != nil && r.Flows != *c.Count:
		fail(Failure{Mismatches: []Mismatch{s.mismatch("flows of the capture", strconv.Itoa(r.Flows), strconv.Itoa(*c.Count), c.Range)}})
	case c.Count == nil && r.Flows == 0:
		fail(Failure{Error: fmt.Sprintf("no flow of the capture is meant: it has %d, none of which fits", len(flows))})
	}
	return r
}

// live goes through a written flow's life.
func (s *Suite) live(r *Result, moments []moment) error {
	life := s.evaluator.Begin()
	for i := range moments {
		out, err := life.Next(moments[i].Moment)
		if err != nil {
			return err
		}
		s.judge(r, &moments[i], &out)
	}
	return nil
}

// selects says whether a flow of a capture is among those that are meant.
func (c *testCase) selects(f *fact.Facts) bool {
	return (c.tuple == nil || isTuple(f, c.tuple)) && (c.where == nil || c.where.Holds(f))
}

// judge compares what became of a flow with what was expected.
func (s *Suite) judge(r *Result, c *moment, out *outcome.Outcome) {
	f := c.Facts
	if s.coverage != nil {
		s.coverage.count(s.evaluator.Explain(f), out)
	}
	if c.expect == nil {
		return
	}
	var m []Mismatch
	for _, w := range c.want {
		if got := flowfacts.Text(f, w.attribute); got != w.text {
			m = append(m, s.mismatch(w.attribute.Name, orUnknown(got), orUnknown(w.text), w.at))
		}
	}
	m = append(m, s.compare(c.expect, out)...)
	if len(m) == 0 {
		return
	}
	slices.SortStableFunc(m, func(a, b Mismatch) int { return a.Line - b.Line })
	r.Failures = append(r.Failures, Failure{
		Flow: flowfacts.String(flowfacts.Known(f)), Mismatches: m, Why: s.why(c.expect, f, out),
	})
}

// compare compares effects.
func (s *Suite) compare(e *lang.Expectation, out *outcome.Outcome) []Mismatch {
	var m []Mismatch
	check := func(what, got, want string, at diag.Range) {
		if got != want {
			m = append(m, s.mismatch(what, got, want, at))
		}
	}
	if e.Policies != nil {
		check("policies", list(out.Policies), listOf(e.Policies), e.Policies.Range)
	}
	if e.Audited != nil {
		check("audited", list(out.Audited), listOf(e.Audited), e.Audited.Range)
	}
	if e.Labels != nil {
		check("labels", list(out.Labels), listOf(e.Labels), e.Labels.Range)
	}
	if e.DSCP != nil {
		check("dscp", orNone(out.DSCP), outcome.DSCPName(e.DSCP.Value), e.DSCP.Range)
	} else if e.NoDSCP {
		check("dscp", orNone(out.DSCP), "none", e.Range)
	}
	if !e.Verdict.Range.IsZero() {
		check("verdict", orNone(out.Verdict), e.Verdict.Value, e.Verdict.Range)
	}
	if !e.Priority.Range.IsZero() {
		check("priority", orNone(out.Priority), e.Priority.Value, e.Priority.Range)
	}
	if !e.Route.Range.IsZero() {
		check("route", tableOrNone(out.Route), e.Route.Value, e.Route.Range)
	}
	if e.Mark != nil && out.Mark&e.Mark.Mask != e.Mark.Value {
		m = append(m, s.mismatch("mark", fmt.Sprintf("%#x/%#x", out.Mark&e.Mark.Mask, e.Mark.Mask), fmt.Sprintf("%#x/%#x", e.Mark.Value, e.Mark.Mask), e.Mark.Range))
	}
	return m
}

// why names, for each expected policy that does not match, the terms that it
// failed on.
func (s *Suite) why(e *lang.Expectation, f *fact.Facts, out *outcome.Outcome) []string {
	if e.Policies == nil {
		return nil
	}
	var lines []string
	explained := s.evaluator.Explain(f)
	for _, item := range e.Policies.Items {
		if slices.Contains(out.Policies, item.Value) {
			continue
		}
		for _, x := range explained {
			if s.in.Bundle.Policies[x.Policy].Name != item.Value {
				continue
			}
			for _, t := range x.Terms {
				if !t.Holds {
					lines = append(lines, fmt.Sprintf("%s: %s does not hold, it is %s", item.Value, t.Text, orUnknown(t.Value)))
				}
			}
		}
	}
	return lines
}

// tableOrNone is the number of a routing table.
func tableOrNone(table uint32) string {
	if table == 0 {
		return "none"
	}
	return strconv.FormatUint(uint64(table), 10)
}

func (s *Suite) mismatch(what, got, want string, at diag.Range) Mismatch {
	return Mismatch{What: what, Got: got, Want: want, File: s.path(at), Line: at.Start.Line}
}

// path is the file of a range as seen from the working directory.
func (s *Suite) path(at diag.Range) string { return filepath.Join(s.in.Tests.Dir, at.Filename) }

func orUnknown(s string) string {
	if s == "" {
		return "not known"
	}
	return s
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// list is names sorted, because their order is not asked for.
func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(slices.Sorted(slices.Values(names)), ", ")
}

func listOf(l *lang.TextList) string {
	names := make([]string, len(l.Items))
	for i, t := range l.Items {
		names[i] = t.Value
	}
	slices.Sort(names)
	return list(slices.Compact(names))
}
