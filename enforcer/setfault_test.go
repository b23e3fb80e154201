package enforcer

import (
	"bytes"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
)

// smallSet takes so many elements and no more.
type smallSet struct {
	room int
	has  map[artifact.Member]bool
}

func (s *smallSet) Lives(*artifact.FlowSet) time.Duration { return time.Minute }
func (s *smallSet) Flush(*artifact.FlowSet) error         { return nil }

func (s *smallSet) Write(changes []artifact.MemberChange) (faults []artifact.MemberFault) {
	for _, c := range changes {
		switch {
		case c.Op == artifact.MemberTake:
			delete(s.has, c.Member)
		case s.has[c.Member] || len(s.has) < s.room:
			s.has[c.Member] = true
		default:
			faults = append(faults, artifact.MemberFault{Set: c.Set, Kind: artifact.FaultFull, Err: errors.New("full"), Count: 1})
		}
	}
	return faults
}

// A full set is told once, however often its elements are renewed, until there
// was room for all; a set that was emptied gets everything again.
func TestFullSetIsToldOnce(t *testing.T) {
	var log bytes.Buffer
	sink := &smallSet{room: 4, has: make(map[artifact.Member]bool)}
	k := &keeper{
		sink: sink, log: slog.New(slog.NewTextHandler(&log, nil)), wake: make(chan struct{}, 1),
		book: newBook(sink.Lives), faults: make(map[string]SetFault), held: make(map[string]int), used: make(map[string]artifact.FlowSet),
	}
	set := &artifact.FlowSet{Kind: artifact.FlowSetIpset, Name: "games"}
	at := func(i byte) place {
		return place{set: "games", member: artifact.Member{Local: netip.AddrFrom4([4]byte{10, 0, 0, i})}}
	}
	now := time.Unix(1_000_000, 0)
	for i := range byte(5) {
		k.offer(arrival{place: at(i), set: set})
	}
	for range 600 { // ten minutes of ticks
		k.work(now)
		now = now.Add(time.Second)
	}
	told := k.told()
	if len(told) != 1 || told[0].Set != "ipset games" || told[0].Kind != artifact.FaultFull || told[0].Count < 10 {
		t.Errorf("got %+v, want that the set is full, many times", told)
	}
	if n := strings.Count(log.String(), "set did not take flows"); n != 1 {
		t.Errorf("logged %d times, want once:\n%s", n, log.String())
	}
	if held := k.holds(); len(held) != 0 {
		t.Errorf("holds %v, want nothing known of a set with faults", held)
	}

	k.offer(arrival{place: at(0), leaves: true})
	for range 120 {
		k.work(now)
		now = now.Add(time.Second)
	}
	if told := k.told(); len(told) != 0 || len(sink.has) != 4 || k.holds()["ipset games"] != 4 {
		t.Errorf("with room for all: got %+v and %d elements, holds %v", told, len(sink.has), k.holds())
	}

	clear(sink.has)
	k.renew([]string{"ipset games"})
	k.work(now)
	if len(sink.has) != 4 {
		t.Errorf("%d elements after the set was emptied, want 4", len(sink.has))
	}
}
