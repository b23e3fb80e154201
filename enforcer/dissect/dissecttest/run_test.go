package dissecttest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/lang/fact"
)

// liar answers with a fixed list of results and sets a fact each time.
type liar struct {
	results []dissect.Result
	calls   int
}

func (*liar) Spec() dissect.Spec { return dissect.Spec{Name: "liar", TCP: true} }

func (l *liar) Dissect(_ *dissect.Window, f *fact.Facts) dissect.Result {
	r := l.results[l.calls]
	l.calls++
	if r >= dissect.Partial {
		f.Protocol = "liar"
	}
	return r
}

func TestStepCatchesWrongOrder(t *testing.T) {
	tests := []struct {
		name    string
		results []dissect.Result
		ok      bool
	}{
		{"all in order", []dissect.Result{dissect.NeedMore, dissect.Partial, dissect.Match}, true},
		{"given up", []dissect.Result{dissect.NeedMore, dissect.NoMatch, dissect.NoMatch}, true},
		{"taken back", []dissect.Result{dissect.Partial, dissect.NoMatch}, false},
		{"match weakened", []dissect.Result{dissect.Match, dissect.Partial}, false},
		{"in doubt again", []dissect.Result{dissect.Partial, dissect.NeedMore}, false},
		{"given up too early", []dissect.Result{dissect.NoMatch, dissect.Match}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := &liar{results: tt.results}
			p := progress{last: dissect.NeedMore}
			var err error
			for range tt.results {
				if err = p.step(d, TCP(80).Whole()); err != nil {
					break
				}
			}
			if (err == nil) != tt.ok {
				t.Errorf("got error %v, want ok %v", err, tt.ok)
			}
		})
	}
}

func TestStepCatchesFactsWithoutMatch(t *testing.T) {
	p := progress{last: dissect.NeedMore, facts: fact.Facts{Hostname: "leaked"}}
	if err := p.step(&liar{results: []dissect.Result{dissect.NoMatch}}, TCP(80).Whole()); err == nil {
		t.Error("facts on NoMatch were not noticed")
	}
}

func TestWindowGrows(t *testing.T) {
	fl := TCP(80, Client("ab"), Server("cd"), Client("e")).Close()
	var got []string
	for cut := range fl.Cuts() + 1 {
		w := fl.Window(cut)
		got = append(got, string(w.Stream[dissect.Client])+"|"+string(w.Stream[dissect.Server]))
		if want := cut == fl.Cuts(); w.Closed[0] != want || w.Closed[1] != want {
			t.Errorf("cut %d: closed %v, want %v", cut, w.Closed, want)
		}
	}
	if diff := cmp.Diff([]string{"|", "a|", "ab|", "ab|c", "ab|cd", "abe|cd"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestFuzzInputRoundTrip(t *testing.T) {
	fl := TCP(443, Client("hello"), Server(""), Server("x")).Close()
	if diff := cmp.Diff(fl, decode(encode(fl), 443, false)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
