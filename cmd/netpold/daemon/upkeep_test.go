package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/nftset"
)

// kernelLog writes down what upkeep does to sets.
type kernelLog struct {
	lines chan string
	err   error
}

func (k *kernelLog) verb(verb string) func(family, table string, sets []artifact.Set) error {
	return func(family, table string, sets []artifact.Set) error {
		for _, s := range sets {
			k.lines <- fmt.Sprintf("%s %s %s %s %d", verb, family, table, s.Name, len(s.Elements))
		}
		return k.err
	}
}

func upkeepOf(sets ...artifact.Set) (*upkeep, *kernelLog) {
	k := &kernelLog{lines: make(chan string, 100)}
	u := newUpkeep(slog.New(slog.DiscardHandler), &nftset.Owner{})
	u.renew, u.replace = k.verb("renew"), k.verb("replace")
	u.use(&artifact.Bundle{Ruleset: artifact.Ruleset{Family: "inet", Table: "netpol", Sets: sets}})
	return u, k
}

func aliveSet() artifact.Set {
	return artifact.Set{Name: "np_alive", Type: artifact.SetFamily, Heartbeat: artifact.HeartbeatLife}
}

func evenings() artifact.Set {
	return artifact.Set{Name: "np_evenings", Type: artifact.SetTime, Schedules: []artifact.Schedule{{
		Name: "evenings", Hours: []artifact.Hours{{From: 18 * 3600, To: 22 * 3600}}, Zone: "Europe/Berlin",
	}}}
}

func TestBeatRenewsTheHeartbeatAlone(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   []artifact.Set
		want []string
	}{
		{"nobody waits for it", []artifact.Set{evenings(), {Name: "np_x", Type: artifact.SetAddr4}}, nil},
		{"a policy is closed", []artifact.Set{evenings(), aliveSet()}, []string{"renew inet netpol np_alive 2"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			u, k := upkeepOf(tt.in...)
			if err := u.Beat(); err != nil {
				t.Fatal(err)
			}
			close(k.lines)
			var got []string
			for line := range k.lines {
				got = append(got, line)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
	u, k := upkeepOf(aliveSet())
	if k.err = errors.New("gone"); !errors.Is(u.Beat(), k.err) {
		t.Error("the kernel's refusal is lost")
	}
}

func TestWindowsReachAYearAhead(t *testing.T) {
	u, k := upkeepOf(evenings(), aliveSet())
	if err := u.topUp(time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)); err != nil {
		t.Fatal(err)
	}
	if got := <-k.lines; got != "replace inet netpol np_evenings 366" {
		t.Errorf("got %q, want an evening for each day of the year ahead", got)
	}
	bad := evenings()
	bad.Schedules[0].Zone = "Nowhere/Land"
	u, _ = upkeepOf(bad)
	if err := u.topUp(time.Now()); err == nil || !strings.Contains(err.Error(), "Nowhere/Land") {
		t.Errorf("got %v, want the zone named", err)
	}
}

// TestRunTopsUpAtOnceAndAfterReload needs no clock: both are due at once.
func TestRunTopsUpAtOnceAndAfterReload(t *testing.T) {
	u, k := upkeepOf(evenings())
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); u.run(ctx) }()
	next := func() string {
		select {
		case line := <-k.lines:
			return line
		case <-time.After(patience):
			return "nothing"
		}
	}
	if got := next(); !strings.HasPrefix(got, "replace inet netpol np_evenings ") {
		t.Errorf("at the start: got %q", got)
	}
	other := evenings()
	other.Name = "np_other"
	u.use(&artifact.Bundle{Ruleset: artifact.Ruleset{Family: "inet", Table: "netpol", Sets: []artifact.Set{other}}})
	if got := next(); !strings.HasPrefix(got, "replace inet netpol np_other ") {
		t.Errorf("after a reload: got %q", got)
	}
	cancel()
	<-done
}

func TestClockWatch(t *testing.T) {
	for _, tt := range []struct {
		name         string
		steady, wall time.Duration
		want         bool
	}{
		{"a minute later", time.Minute, time.Minute, false},
		{"a day later", 24 * time.Hour, 24 * time.Hour, true},
		{"slewed", time.Hour, time.Hour + 2*time.Second, false},
		{"set forward", time.Minute, time.Hour, true},
		{"set back", time.Minute, -time.Hour, true},
		{"slept", time.Second, 9 * time.Hour, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var w clockWatch
			if !w.due(time.Now()) {
				t.Error("not due at first")
			}
			if got := w.dueAfter(tt.steady, tt.wall); got != tt.want {
				t.Errorf("due: %v, want %v", got, tt.want)
			}
		})
	}
	now := time.Now()
	w := clockWatch{}
	w.done(now)
	if w.due(now.Add(time.Minute)) || !w.due(now.Add(25*time.Hour)) {
		t.Error("due after a minute, or not after a day")
	}
}
