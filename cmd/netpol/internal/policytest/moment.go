package policytest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/netpol/netpol/cmd/netpol/internal/flowfacts"
	"github.com/netpol/netpol/cmd/netpol/internal/outcome"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
	"github.com/netpol/netpol/lang/suggest"
)

// moment is a point in a written flow's life at which something is expected.
type moment struct {
	outcome.Moment
	expect *lang.Expectation // nil for nothing
	want   []wanted
}

// stage is what a test writes of one moment, for all of its flows.
type stage struct {
	values  []lang.Assignment
	time    lang.Text
	netpold lang.Text
	expect  *lang.Expectation
	want    []wanted
}

// stages are those of a test: its own, then its steps.
func (s *Suite) stages(t *lang.Test, diags *diag.List) []stage {
	list := []stage{{netpold: t.Netpold, expect: t.Expect}}
	for _, step := range t.Steps {
		list = append(list, stage{values: step.Flow.Values, time: step.Flow.Time, netpold: step.Netpold, expect: step.Expect})
	}
	for i := range list {
		if e := list[i].expect; e != nil {
			list[i].want = s.wanted(e.Facts, diags)
			s.checkNames(e, diags)
		}
	}
	return list
}

// life reads a flow block and goes through the stages with it.
func (s *Suite) life(f *lang.TestFlow, stages []stage, diags *diag.List) []moment {
	values := map[string]lang.Assignment{} // by attribute
	var out []moment
	var began, now time.Time
	for i, st := range stages {
		at := st.time
		if i == 0 {
			st.values, at = f.Values, f.Time
		}
		again := map[string]bool{} // written before, and now
		for _, v := range st.values {
			if a, ok := fact.Lookup(v.Name.Value); ok {
				_, again[a.Name] = values[a.Name]
				values[a.Name] = v
			}
		}
		facts, given := s.facts(values, diags)
		var ok bool
		if now, ok = s.time(at, facts, given, st.values, now, diags); !ok {
			return nil // the rest would be told against a wrong time
		}
		if i == 0 {
			began = now
		}
		if !given["duration"] {
			facts.Duration = int(now.Sub(began) / time.Second)
		}
		m := moment{Moment: outcome.Moment{Facts: facts, Time: now, Netpold: netpold(st.netpold, out)}, expect: st.expect, want: st.want}
		if len(out) > 0 {
			checkGrowth(out[len(out)-1].Facts, facts, st.values, again, diags)
		}
		out = append(out, m)
	}
	return out
}

// netpold is how netpold does: as written, or as it did.
func netpold(t lang.Text, before []moment) outcome.Netpold {
	switch t.Value {
	case lang.NetpoldDown:
		return outcome.Down
	case lang.NetpoldUndecided:
		return outcome.Undecided
	case lang.NetpoldOverloaded:
		return outcome.Overloaded
	case "":
		if n := len(before); n > 0 {
			return before[n-1].Netpold
		}
	}
	return outcome.Up
}

// facts reads attributes and fills in what follows from them.
func (s *Suite) facts(values map[string]lang.Assignment, diags *diag.List) (*fact.Facts, map[string]bool) {
	out := new(fact.Facts)
	given := map[string]bool{}
	ordered := slices.SortedFunc(maps.Values(values), func(a, b lang.Assignment) int { return a.Name.Range.Start.Byte - b.Name.Range.Start.Byte })
	counts := false
	for _, v := range ordered {
		a, _ := fact.Lookup(v.Name.Value)
		given[a.Name] = true
		counts = counts || a.From == "conntrack"
		d := flowfacts.Set(out, a, v.Value.Value, s.world.Catalogue)
		if d == nil && a.Type == fact.ScheduleName {
			d = s.checkSchedules(v.Value.Value)
		}
		if d != nil {
			d.Subject = v.Value.Range
			diags.Add(*d)
		}
	}
	checkFamilies(out, ordered, diags)
	s.world.Complete(out, given)
	if counts {
		if text := flowfacts.Conflict(out); text != "" {
			diags.Add(diag.New(diag.WrongConstant, counterAt(ordered), text))
		}
		flowfacts.Traffic(out)
	}
	return out, given
}

// counterAt is where the last counter is written.
func counterAt(list []lang.Assignment) diag.Range {
	var at diag.Range
	for _, v := range list {
		if a, _ := fact.Lookup(v.Name.Value); a.From == "conntrack" {
			at = v.Value.Range
		}
	}
	return at
}

// checkGrowth reports counters that are less than they were written before.
func checkGrowth(before, after *fact.Facts, values []lang.Assignment, again map[string]bool, diags *diag.List) {
	for _, v := range values {
		a, ok := fact.Lookup(v.Name.Value)
		if !ok || !again[a.Name] || a.Unit != "bytes" && a.Unit != "packets" {
			continue
		}
		if was := flowfacts.Number(before, a); was > flowfacts.Number(after, a) {
			diags.Add(diag.New(diag.NumberOutOfRange, v.Value.Range, fmt.Sprintf("%s is less than before, %d: a flow's counters grow.", a.Name, was)))
		}
	}
}

// time is when a moment is: as written, or the first time that what is written
// of the clock holds, or as it was.
func (s *Suite) time(at lang.Text, f *fact.Facts, given map[string]bool, values []lang.Assignment, before time.Time, diags *diag.List) (time.Time, bool) {
	clock := s.evaluator.Clock
	now := before
	if before.IsZero() {
		now = clock.Default()
	}
	var where diag.Range
	for _, v := range values {
		if a, ok := fact.Lookup(v.Name.Value); ok && a.From == "clock" {
			where = v.Value.Range
		}
	}
	bad := func(r diag.Range, text string) (time.Time, bool) {
		diags.Add(diag.New(diag.WrongConstant, r, text))
		return now, false
	}
	switch {
	case at.Value != "":
		t, err := clock.Parse(at.Value)
		if err != nil {
			return bad(at.Range, upper(err.Error())+".")
		}
		if now = t; t.Before(before) {
			return bad(at.Range, fmt.Sprintf("The step is earlier than what comes before it, at %s.", before.Format(time.RFC3339)))
		}
		if !where.IsZero() {
			return bad(where, "The time is written already: time of day, weekday and schedules follow from it.")
		}
	case !where.IsZero():
		t, ok, err := clock.Find(now, f, given)
		if err != nil || !ok {
			return bad(where, "There is no such time in the next four years.")
		}
		now = t
	}
	if s.asksClock || at.Value != "" || !where.IsZero() {
		if err := clock.Read(f, now); err != nil {
			return bad(where, upper(err.Error())+".")
		}
	}
	return now, true
}

func upper(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// checkSchedules reports names that the set does not have.
func (s *Suite) checkSchedules(text string) *diag.Diagnostic {
	var known []string
	for _, x := range s.evaluator.Clock.Schedules() {
		known = append(known, x.Name)
	}
	for name := range strings.SplitSeq(text, ",") {
		if name != "" && !slices.Contains(known, name) {
			d := diag.New(diag.WrongConstant, diag.Range{}, fmt.Sprintf("No condition asks for a schedule named %q.", name)).WithHint(suggest.Hint(name, known))
			return &d
		}
	}
	return nil
}
