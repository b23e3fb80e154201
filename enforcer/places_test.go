package enforcer

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/lang/fact"
)

// shelves is a kernel's sets in a test.
type shelves struct {
	mu     sync.Mutex
	in     map[string]bool
	log    []string
	faults []artifact.MemberFault
}

func (s *shelves) Write(list []artifact.MemberChange) []artifact.MemberFault {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range list {
		at := c.Set.Name + ": " + c.Member.String()
		switch c.Op {
		case artifact.MemberPut:
			s.in[at] = true
		case artifact.MemberTake:
			delete(s.in, at)
		case artifact.MemberKeep:
		}
	}
	return s.faults
}

func (s *shelves) Lives(f *artifact.FlowSet) time.Duration { return f.Timeout }

func (s *shelves) Flush(f *artifact.FlowSet) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, "flush "+f.Name)
	return nil
}

// has says that the sets hold exactly that, one a line, sorted.
func (s *shelves) has(lines ...string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	var got []string
	for at := range s.in {
		got = append(got, at)
	}
	slices.Sort(got)
	return slices.Equal(got, lines)
}

// reached are the states that a script waited for and that came.
type reached []string

// when is ok that notes that it held.
func (r *reached) when(what string, ok func() bool) func() bool {
	return func() bool {
		if !ok() {
			return false
		}
		*r = append(*r, what)
		return true
	}
}

// all says that so many states came: a script goes on without one after a minute.
func (r *reached) all(t *testing.T, n int) {
	t.Helper()
	if len(*r) != n {
		t.Errorf("only these came: %q, want %d", *r, n)
	}
}

// adding is a bundle whose policies add to all of the sets.
func adding(t *testing.T, sets []artifact.FlowSet, policies ...policyOf) *artifact.Bundle {
	t.Helper()
	b := bundle(t, policies...)
	b.FlowSets = sets
	for i := range b.Program.Effects {
		for n := range sets {
			b.Program.Effects[i].Adds = append(b.Program.Effects[i].Adds, n)
		}
	}
	return b
}

func twoSets() []artifact.FlowSet {
	return []artifact.FlowSet{
		{Kind: artifact.FlowSetNft, Name: "pairs", Version: 4, Fields: []artifact.FlowField{artifact.FieldLocalAddr, artifact.FieldOtherPort, artifact.FieldOtherAddr}, Timeout: time.Hour},
		{Kind: artifact.FlowSetNft, Name: "six", Version: 6, Fields: []artifact.FlowField{artifact.FieldLocalAddr}, Timeout: time.Hour},
	}
}

const pair = "pairs: local 192.168.1.2, other 198.51.100.1, other port 443"

func playAdding(t *testing.T, s *script, b *artifact.Bundle, k *tracker, to *shelves, at **Engine) {
	t.Helper()
	k.wishes, k.seen = make(chan string, 1000), map[string]bool{}
	to.in = map[string]bool{}
	e, err := New(Config{Source: s, Labels: &journal{}, Dissectors: dissectors(), Bundle: b, Live: true, clock: s.clock, Tracker: k, Elements: to})
	if err != nil {
		t.Fatal(err)
	}
	*at = e
	if err := e.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// A named flow comes into the sets of its policy, stays while conntrack has it,
// and leaves them with the policy, or with the flow.
func TestFlowComesAndGoes(t *testing.T) {
	c := liveConn("192.168.1.2:40000", "198.51.100.1:443")
	alive := flow.Connection{Orig: c.tuple(), Reply: reversed(c.tuple()), Mark: doneMark}
	k := &tracker{}
	to := &shelves{}
	var e *Engine
	zoom := adding(t, twoSets(), zoomPolicy())
	none := adding(t, twoSets(), policyOf{name: "skype", all: []artifact.Test{textTest("application", "skype")}})
	reload := func(b *artifact.Bundle) func() {
		return func() {
			if err := e.Reload(b); err != nil {
				t.Error(err)
			}
		}
	}
	var r reached
	s := aligned().call(c, "us04.zoom.us").until(r.when("named", func() bool { return to.has(pair) }))
	s.do(k.lists(alive)).do(reload(none)).until(r.when("of no policy", func() bool { return to.has() }))
	s.do(reload(zoom)).until(r.when("of a policy again", func() bool { return to.has(pair) }))
	for n := range 4 { // silent for longer than the table waits, and alive
		s.wait(25 * time.Minute).idle().until(r.when("a reading", func() bool { return e.Stats().Readings > uint64(n) }))
	}
	s.until(r.when("alive", func() bool { return to.has(pair) })).do(k.lists())
	for range 3 { // a list may be under way
		s.wait(10 * time.Second).idle().idle()
	}
	s.until(r.when("gone", func() bool { return to.has() }))
	playAdding(t, s, zoom, k, to, &e)
	r.all(t, 9)
	if n := e.Stats().ElementErrors; n != 0 {
		t.Errorf("%d errors", n)
	}
}

// A policy that asks for headers alone puts its flow there at once; one that is
// over leaves.
func TestEndOfConnectionTakesOut(t *testing.T) {
	c := liveConn("192.168.1.2:40000", "198.51.100.1:443")
	to := &shelves{}
	var e *Engine
	b := adding(t, twoSets(), policyOf{name: "web", all: []artifact.Test{portTest(443)}})
	var r reached
	s := newScript().tcp(c, client, "S", 0, "").until(r.when("begun", func() bool { return to.has(pair) }))
	s.tcp(c, server, "SA", 0, "").tcp(c, client, "R", 1, "").until(r.when("over", func() bool { return to.has() }))
	playAdding(t, s, b, &tracker{}, to, &e)
	r.all(t, 2)
}

func TestSetsThatRefuse(t *testing.T) {
	c := liveConn("192.168.1.2:40000", "198.51.100.1:443")
	sets := twoSets()
	sets[0].FlushOnCreate, sets[1].FlushOnDestroy = true, true
	to := &shelves{faults: []artifact.MemberFault{{Set: &sets[0], Kind: artifact.FaultFull, Count: 3, Err: fmt.Errorf("full")}}}
	var e *Engine
	b := adding(t, sets, zoomPolicy())
	var r reached
	s := newScript().call(c, "us04.zoom.us").until(r.when("refused", func() bool { return e.Stats().ElementErrors == 3 }))
	playAdding(t, s, b, &tracker{}, to, &e)
	r.all(t, 1)
	if diff := cmp.Diff([]string{"flush pairs", "flush six"}, to.log); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestAddsOutsideOfTheBundle(t *testing.T) {
	b := adding(t, twoSets(), zoomPolicy())
	b.Program.Effects[0].Adds = []int{2}
	if _, err := New(Config{Source: newScript(), Dissectors: dissectors(), Bundle: b}); err == nil || !strings.Contains(err.Error(), "set 2 of 2") {
		t.Errorf("got %v, want a refusal", err)
	}
}

func TestMemberOf(t *testing.T) {
	f := &fact.Facts{LocalMAC: "02:00:00:00:00:07", OtherPort: 443, IPProtocol: 6, Interface: "lan0"}
	set := func(fields ...artifact.FlowField) *artifact.FlowSet { return &artifact.FlowSet{Fields: fields} }
	for _, tt := range []struct {
		set  *artifact.FlowSet
		want string
	}{
		{set(artifact.FieldLocalMAC, artifact.FieldOtherPort), "local mac 020000000007, other port 443"},
		{set(artifact.FieldProto, artifact.FieldInterface), "proto 6, interface lan0"},
		{set(artifact.FieldMark), "mark 0x10"},
		{set(artifact.FieldOtherMAC), "no"},
		{set(artifact.FieldLocalPort, artifact.FieldProto), "no"}, // ICMP has no ports
		{set(artifact.FieldLocalAddr), "no"},
		{set("odd"), "no"},
	} {
		got := "no"
		if m, ok := memberOf(tt.set, 0x10, f); ok {
			got = m.String()
		}
		if got != tt.want {
			t.Errorf("%v: got %q, want %q", tt.set.Fields, got, tt.want)
		}
	}
}
