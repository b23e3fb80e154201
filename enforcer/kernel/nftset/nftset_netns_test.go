//go:build linux

package nftset

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
	"github.com/netpol/netpol/enforcer/kernel/nft"
)

func alive() artifact.Set {
	return artifact.Set{
		Name: "np_alive", Type: artifact.SetFamily, Heartbeat: artifact.HeartbeatLife, Elements: artifact.HeartbeatElements(),
	}
}

func stretch(from, to time.Time) artifact.Element {
	ns := func(t time.Time) []byte { return binary.BigEndian.AppendUint64(nil, uint64(t.UnixNano())) }
	return artifact.Element{Low: ns(from), High: ns(to.Add(-1))}
}

// withSets loads a table that has the given sets and nothing else.
func withSets(t *testing.T, sets ...artifact.Set) *kerneltest.NS {
	t.Helper()
	ns := kerneltest.NewNS(t)
	rs := &artifact.Ruleset{Family: "inet", Table: "netpol"}
	for _, s := range sets {
		s.Elements = nil
		rs.Sets = append(rs.Sets, s)
	}
	if err := nft.Apply(rs); err != nil {
		t.Fatal(err)
	}
	return ns
}

// expiry gives how long the elements of np_alive have to live.
func expiry(t *testing.T, ns *kerneltest.NS) []time.Duration {
	t.Helper()
	out := ns.Run("nft", "list", "set", "inet", "netpol", "np_alive")
	var left []time.Duration
	for _, m := range regexp.MustCompile(`expires (?:(\d+)s)?(?:(\d+)ms)?`).FindAllStringSubmatch(out, -1) {
		s, _ := strconv.Atoi(m[1])
		ms, _ := strconv.Atoi(m[2])
		left = append(left, time.Duration(s)*time.Second+time.Duration(ms)*time.Millisecond)
	}
	return left
}

func TestRenewGivesLifeAgain(t *testing.T) {
	ns := withSets(t, alive())
	if left := expiry(t, ns); len(left) != 0 {
		t.Fatalf("elements before the first beat: %v", left)
	}
	if err := Renew("inet", "netpol", []artifact.Set{alive()}); err != nil {
		t.Fatal(err)
	}
	// The elements age until there is something to see.
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		left := expiry(t, ns)
		if len(left) != 2 {
			t.Fatalf("after the first beat: %v, want ipv4 and ipv6", left)
		}
		if left[0] < artifact.HeartbeatLife-time.Second && left[1] < artifact.HeartbeatLife-time.Second {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the elements do not age: %v", left)
		}
	}
	if err := Renew("inet", "netpol", []artifact.Set{alive()}); err != nil {
		t.Fatal(err)
	}
	aged := artifact.HeartbeatLife - time.Second
	if left := expiry(t, ns); len(left) != 2 || left[0] < aged && left[1] < aged {
		t.Errorf("after the second beat: %v, want them young again", left)
	}
}

func TestReplaceElements(t *testing.T) {
	day := time.Date(2026, 3, 28, 0, 0, 0, 0, time.UTC)
	evenings := artifact.Set{Name: "np_evenings", Type: artifact.SetTime}
	hosts := artifact.Set{Name: "np_hosts", Type: artifact.SetAddr4}
	withSets(t, evenings, hosts)
	for n := range 1000 { // more than one message holds
		from := day.Add(time.Duration(n) * 24 * time.Hour)
		evenings.Elements = append(evenings.Elements, stretch(from.Add(18*time.Hour), from.Add(22*time.Hour)))
	}
	one := netip.MustParseAddr("192.0.2.1").AsSlice()
	hosts.Elements = []artifact.Element{{Low: one, High: one}}
	check := func(want ...artifact.Set) {
		t.Helper()
		if err := Replace("inet", "netpol", want); err != nil {
			t.Fatal(err)
		}
		s, err := nft.Read("inet", "netpol", nil)
		if err != nil {
			t.Fatal(err)
		}
		got := make(map[string]string)
		for _, set := range s.Sets {
			got[set.Name] = set.Elements
		}
		for _, set := range want {
			if diff := cmp.Diff(set.Text(), got[set.Name]); diff != "" {
				t.Errorf("%s: -want +got:\n%s", set.Name, diff)
			}
		}
	}
	check(evenings, hosts)
	// The next day: what has passed goes, what overlaps comes.
	evenings.Elements = append(evenings.Elements[1:], stretch(day.AddDate(5, 0, 0), day.AddDate(5, 0, 1)))
	evenings.Elements[0] = stretch(day.Add(41*time.Hour), day.Add(47*time.Hour))
	check(evenings)
	check(artifact.Set{Name: evenings.Name, Type: evenings.Type}, artifact.Set{Name: hosts.Name, Type: hosts.Type})
}

func TestElementsOfNothing(t *testing.T) {
	kerneltest.NewNS(t)
	for name, err := range map[string]error{"renew": Renew("inet", "netpol", []artifact.Set{alive()}), "replace": Replace("inet", "netpol", []artifact.Set{alive()})} {
		if !errors.Is(err, ErrNoSet) {
			t.Errorf("%s without a table: %v, want %v", name, err, ErrNoSet)
		}
	}
	for _, s := range []artifact.Set{
		{Name: "np_alive", Type: artifact.SetFamily, Map: true},
		{Name: "np_x", Type: "odd"},
		{Name: "np_x", Type: artifact.SetTime, Elements: []artifact.Element{{Low: []byte{1}, High: []byte{1}}}},
	} {
		if err := Replace("inet", "netpol", []artifact.Set{s}); err == nil || errors.Is(err, ErrNoSet) {
			t.Errorf("%v: got %v, want a refusal", s, err)
		}
	}
}

// A beat changes the ruleset's generation, but nothing that a plan shows.
func TestBeatIsNoDrift(t *testing.T) {
	withSets(t, alive())
	before, err := nft.Read("inet", "netpol", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := Renew("inet", "netpol", []artifact.Set{alive()}); err != nil {
		t.Fatal(err)
	}
	after, err := nft.Read("inet", "netpol", nil)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before.Lines(), after.Lines()); diff != "" {
		t.Errorf("a beat is drift:\n%s", diff)
	}
}
