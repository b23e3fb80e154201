package dissecttest

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/lang/fact"
)

// Case is one flow and what a dissector must make of the whole of it.
type Case struct {
	Name   string
	In     Flow
	Result dissect.Result
	Want   fact.Facts
	Names  []dissect.NameBinding
}

// Run tests d on the cases and on other protocols' flows.
func Run(t *testing.T, d dissect.Dissector, cases []Case) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			testGolden(t, d, c)
			testCuts(t, d, c)
		})
	}
	t.Run("foreign", func(t *testing.T) { testForeign(t, d) })
}

func testGolden(t *testing.T, d dissect.Dissector, c Case) {
	t.Helper()
	var f fact.Facts
	in := c.In.clone()
	w := in.Whole()
	if got := d.Dissect(w, &f); got != c.Result {
		t.Errorf("result: got %s, want %s", ResultName(got), ResultName(c.Result))
	}
	if diff := cmp.Diff(c.Want, f, cmpopts.EquateComparable(fact.Facts{})); diff != "" {
		t.Errorf("facts (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(c.Names, w.Names, cmpopts.EquateComparable(dissect.NameBinding{}), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(c.In.Packets, in.Packets); diff != "" {
		t.Errorf("the dissector changed its input (-was +is):\n%s", diff)
	}
}

// testCuts shows d each beginning of the flow in turn.
func testCuts(t *testing.T, d dissect.Dissector, c Case) {
	t.Helper()
	p := progress{last: dissect.NeedMore}
	for cut := 1; cut <= c.In.Cuts(); cut++ {
		w := c.In.Window(cut)
		if err := p.step(d, w); err != nil {
			t.Fatalf("cut %d of %d: %v", cut, c.In.Cuts(), err)
		}
	}
	if p.last != c.Result {
		t.Errorf("result after all cuts: got %s, want %s", ResultName(p.last), ResultName(c.Result))
	}
	if diff := cmp.Diff(c.Want, p.facts, cmpopts.EquateComparable(fact.Facts{})); diff != "" {
		t.Errorf("facts after all cuts (-want +got):\n%s", diff)
	}
}

// progress is a flow's way through one dissector.
type progress struct {
	last  dissect.Result
	facts fact.Facts
}

// step dissects w and checks the result against the one before.
func (p *progress) step(d dissect.Dissector, w *dissect.Window) error {
	was := p.last
	w.Shown = max(len(w.Datagrams)-1, 0)
	p.last = d.Dissect(w, &p.facts)
	if !mayFollow(was, p.last) {
		return fmt.Errorf("%s turned to %s", ResultName(was), ResultName(p.last))
	}
	switch p.last {
	case dissect.NoMatch, dissect.NeedMore:
		if p.facts != (fact.Facts{}) || len(w.Names) > 0 {
			return fmt.Errorf("facts set on %s, names %v", p, w.Names)
		}
	case dissect.Partial, dissect.Match:
		if p.facts.Protocol == "" {
			return fmt.Errorf("%s without a protocol", ResultName(p.last))
		}
	}
	return nil
}

// mayFollow is the order of results that package dissect promises.
func mayFollow(was, is dissect.Result) bool {
	switch was {
	case dissect.NeedMore:
		return true
	case dissect.Partial:
		return is == dissect.Partial || is == dissect.Match
	case dissect.Match, dissect.NoMatch:
		return is == was
	}
	return false
}

// testForeign shows d flows of other protocols, whole and cut short.
func testForeign(t *testing.T, d dissect.Dissector) {
	t.Helper()
	spec := d.Spec()
	for _, foreign := range foreignFlows() {
		if foreign.is(spec.Name) || foreign.flow.UDP && !spec.UDP || !foreign.flow.UDP && !spec.TCP {
			continue
		}
		w := foreign.flow.Whole()
		var f fact.Facts
		got := d.Dissect(w, &f)
		if got == dissect.Partial || got == dissect.Match || f != (fact.Facts{}) {
			t.Errorf("%s: got %s with facts %+v, want NoMatch", foreign.name, ResultName(got), f)
			continue
		}
		if n := testing.AllocsPerRun(20, func() { d.Dissect(w, &f) }); n != 0 {
			t.Errorf("%s: %v allocations on %s, want 0", foreign.name, n, ResultName(got))
		}
	}
}

// ResultName is a result in words.
func ResultName(r dissect.Result) string {
	switch r {
	case dissect.NoMatch:
		return "NoMatch"
	case dissect.NeedMore:
		return "NeedMore"
	case dissect.Partial:
		return "Partial"
	case dissect.Match:
		return "Match"
	}
	return fmt.Sprintf("Result(%d)", r)
}
