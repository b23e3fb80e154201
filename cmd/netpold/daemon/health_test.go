package daemon

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/control"
	"github.com/netpol/netpol/enforcer/kernel/nftwatch"
)

// What counters tell is logged once however often it happens, with the way out,
// and is over some time after it happened last.
func TestHealthTellsOnce(t *testing.T) {
	var log bytes.Buffer
	h := newHealth(slog.New(slog.NewTextHandler(&log, nil)))
	at := time.Unix(1_000_000, 0)
	steps := []struct {
		name  string
		after time.Duration
		lost  uint64
		want  string
	}{
		{"nothing", 0, 0, ""},
		{"three packets", time.Second, 3, "capture-lost 3"},
		{"two more", time.Minute, 5, "capture-lost 5"},
		{"no more", healthMemory, 5, "capture-lost 5"},
		{"over", time.Second + healthMemory + time.Minute, 5, ""},
		{"another enforcement", time.Hour, 0, ""},
		{"and again", time.Hour + time.Second, 1, "capture-lost 1"},
	}
	for _, s := range steps {
		h.take(map[string]uint64{"capture_lost": s.lost}, at.Add(s.after))
		got := ""
		for _, r := range h.list() {
			got += r.Code + " " + r.Detail[:strings.Index(r.Detail, " ")]
		}
		if got != s.want {
			t.Errorf("%s: got %q, want %q", s.name, got, s.want)
		}
	}
	if n := strings.Count(log.String(), "msg=degraded"); n != 2 || !strings.Contains(log.String(), "inspect_packets") {
		t.Errorf("told %d times, want twice with the way out:\n%s", n, log.String())
	}
}

// What the kernel had counted before netpold began is not netpold's to tell.
func TestHealthLeavesThePastAlone(t *testing.T) {
	h := newHealth(slog.New(slog.DiscardHandler))
	at := time.Unix(1_000_000, 0)
	h.take(map[string]uint64{"conntrack_drop": 70}, at)
	if got := h.list(); len(got) != 0 {
		t.Errorf("got %+v of the time before", got)
	}
	h.take(map[string]uint64{"conntrack_drop": 71, "conntrack_early_drop": 1}, at.Add(time.Second))
	if got := h.list(); len(got) != 1 || got[0].Code != "conntrack-full" || got[0].Count != 72 {
		t.Errorf("got %+v, want that conntrack is full", got)
	}
}

// Who tells of something says when it is over; others' reasons stay.
func TestHealthEndsWhatIsOver(t *testing.T) {
	h := newHealth(slog.New(slog.DiscardHandler))
	h.tell("state", control.Reason{Code: "state", About: "/var/lib/netpol"})
	h.tell("sets", control.Reason{Code: "set-full", About: "a"}, control.Reason{Code: "set-full", About: "b"})
	h.tell("sets", control.Reason{Code: "set-full", About: "b", Count: 7})
	h.tell("watch")
	var got []string
	for _, r := range h.list() {
		got = append(got, r.Code+" "+r.About)
		if r.Since.IsZero() {
			t.Errorf("%s has no beginning", r.Code)
		}
	}
	if diff := cmp.Diff([]string{"state /var/lib/netpol", "set-full b"}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// A sign without a counter would never be told.
func TestSignsAreOfCounters(t *testing.T) {
	s := newSite(t)
	e, stop := s.netpold(slog.New(slog.DiscardHandler))
	defer stop()
	counters := e.counters()
	codes := map[string]bool{}
	for _, sign := range signs() {
		for _, name := range sign.counters {
			if _, ok := counters[name]; !ok {
				t.Errorf("%s: no counter is named %s", sign.code, name)
			}
		}
		if codes[sign.code] || sign.wayOut == "" || !strings.Contains(sign.says(7), "7 ") {
			t.Errorf("%+v: a code of its own, a number and a way out are needed", sign)
		}
		codes[sign.code] = true
	}
}

func TestTargetsAreOneATable(t *testing.T) {
	set := func(family, table, name string) artifact.FlowSet {
		return artifact.FlowSet{Kind: artifact.FlowSetNft, Family: family, Table: table, Name: name}
	}
	got := targets([]artifact.FlowSet{
		set("inet", "netpol_sets", "a"), {Kind: artifact.FlowSetIpset, Name: "i"}, set("ip", "fw", "x"), set("inet", "netpol_sets", "b"),
	})
	want := []nftwatch.Target{
		{Family: "inet", Table: "netpol"},
		{Family: "inet", Table: "netpol_sets", Sets: []string{"a", "b"}},
		{Family: "ip", Table: "fw", Sets: []string{"x"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
