package dissect

import (
	"strings"
	"testing"

	"github.com/netpol/netpol/lang/fact"
)

// scripted answers with one result a call and logs its name.
type scripted struct {
	spec   Spec
	script []Result
	log    *[]string
	calls  *int
}

func (d scripted) Spec() Spec { return d.spec }

func (d scripted) Dissect(_ *Window, f *fact.Facts) Result {
	if d.log != nil {
		*d.log = append(*d.log, d.spec.Name)
	}
	r := d.script[min(*d.calls, len(d.script)-1)]
	*d.calls++
	if r >= Partial {
		f.Protocol = d.spec.Name
	}
	if r > Match {
		f.Hostname = "half.set.example"
		panic("index out of range")
	}
	return r
}

// blowUp in a script makes the dissector panic. It is no Result of its own.
const blowUp = 99

func TestSchedulerRun(t *testing.T) {
	make1 := func(name string, ports []uint16, script ...Result) scripted {
		return scripted{spec: Spec{Name: name, TCP: true, UDP: name != "a", Ports: ports}, script: script, calls: new(int)}
	}
	tests := []struct {
		name     string
		in       []scripted
		tcp      bool
		port     uint16
		runs     int
		asked    string
		result   Result
		protocol string
		empty    bool
	}{
		{"order of the list", []scripted{make1("a", nil, NoMatch), make1("b", nil, NoMatch)}, true, 1, 1, "a b", NoMatch, "", true},
		{"hinted first", []scripted{make1("a", nil, NoMatch), make1("b", []uint16{53}, NoMatch)}, true, 53, 1, "b a", NoMatch, "", true},
		{"transport", []scripted{make1("a", nil, Match), make1("b", nil, Match)}, false, 1, 1, "b", Match, "b", true},
		{"no match is not asked again", []scripted{make1("a", nil, NoMatch), make1("b", nil, NeedMore, Match)}, true, 1, 2, "a b b", Match, "b", true},
		{"match beats an earlier need more", []scripted{make1("a", nil, NeedMore), make1("b", nil, Match)}, true, 1, 1, "a b", Match, "b", true},
		{"partial keeps the flow", []scripted{make1("a", nil, Partial), make1("b", nil, Match)}, true, 1, 3, "a a a", Partial, "a", false},
		{"need more", []scripted{make1("a", nil, NeedMore), make1("b", nil, NoMatch)}, true, 1, 2, "a b a", NeedMore, "", false},
		{"panic costs the name", []scripted{make1("a", nil, blowUp), make1("b", nil, Match)}, true, 1, 2, "a", NoMatch, "", true},
		{"panic after partial takes it back", []scripted{make1("a", nil, Partial, blowUp)}, true, 1, 2, "a a", NoMatch, "", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var log []string
			var list []Dissector
			for _, d := range tt.in {
				d.log = &log
				list = append(list, d)
			}
			s, err := NewScheduler(list, Fuse{})
			if err != nil {
				t.Fatal(err)
			}
			c := s.Start(tt.tcp, 40000, tt.port)
			var f fact.Facts
			var result Result
			for range tt.runs {
				result = s.Run(&c, &Window{}, &f)
			}
			if got := strings.Join(log, " "); got != tt.asked {
				t.Errorf("asked %q, want %q", got, tt.asked)
			}
			if result != tt.result || f.Protocol != tt.protocol || c.Empty() != tt.empty {
				t.Errorf("got %v %q empty %v, want %v %q %v", result, f.Protocol, c.Empty(), tt.result, tt.protocol, tt.empty)
			}
			if f.Hostname != "" {
				t.Errorf("a half-set fact survived: %q", f.Hostname)
			}
		})
	}
}

func TestSchedulerResume(t *testing.T) {
	first := scripted{spec: Spec{Name: "first", UDP: true}, script: []Result{Match}, calls: new(int)}
	second := scripted{spec: Spec{Name: "second", UDP: true}, script: []Result{Partial}, calls: new(int)}
	s, err := NewScheduler([]Dissector{first, second}, Fuse{})
	if err != nil {
		t.Fatal(err)
	}
	c := s.Resume(1)
	if got := s.Run(&c, &Window{}, new(fact.Facts)); got != Partial || *first.calls != 0 || *second.calls != 1 {
		t.Errorf("got %v after %d and %d calls, want Partial from the second alone", got, *first.calls, *second.calls)
	}
}

func TestSchedulerTooMany(t *testing.T) {
	list := make([]Dissector, MaxDissectors+1)
	if _, err := NewScheduler(list, Fuse{}); err == nil {
		t.Error("got no error for more dissectors than the set holds")
	}
}

func TestSchedulerNoAllocs(t *testing.T) {
	var list []Dissector
	for range 20 {
		list = append(list, scripted{spec: Spec{Name: "x", UDP: true, Ports: []uint16{53}}, script: []Result{NeedMore}, calls: new(int)})
	}
	s, err := NewScheduler(list, Fuse{})
	if err != nil {
		t.Fatal(err)
	}
	w, f := &Window{}, &fact.Facts{}
	if n := testing.AllocsPerRun(100, func() {
		c := s.Start(false, 1000, 53)
		s.Run(&c, w, f)
	}); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}
