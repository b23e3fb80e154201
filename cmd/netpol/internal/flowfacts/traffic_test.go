package flowfacts

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang/fact"
)

func TestTraffic(t *testing.T) {
	inside, outside := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("192.0.2.1")
	cases := []struct {
		name     string
		in       fact.Facts
		bytes    [5]int // total, src, dst, local, other
		packets  [5]int
		conflict string
	}{
		{"a young flow", fact.Facts{}, [5]int{120, 120, 0, 120, 0}, [5]int{2, 2, 0, 2, 0}, ""},
		{"a total", fact.Facts{TotalBytes: 3001}, [5]int{3001, 1501, 1500, 1501, 1500}, [5]int{3, 2, 1, 2, 1}, ""},
		{"one side and the total", fact.Facts{TotalBytes: 100, DstBytes: 30}, [5]int{100, 70, 30, 70, 30}, [5]int{2, 1, 1, 1, 1}, ""},
		{"packets alone", fact.Facts{TotalPackets: 1}, [5]int{1500, 1500, 0, 1500, 0}, [5]int{1, 1, 0, 1, 0}, ""},
		{
			"opened from outside",
			fact.Facts{LocalBytes: 9, OtherBytes: 7, LocalIP: inside, DstIP: inside, SrcIP: outside, OtherIP: outside},
			[5]int{16, 7, 9, 9, 7},
			[5]int{2, 1, 1, 1, 1},
			"",
		},
		{"sides that do not add up", fact.Facts{TotalBytes: 10, SrcBytes: 5, DstBytes: 6}, [5]int{11, 5, 6, 5, 6}, [5]int{2, 1, 1, 1, 1}, "total_bytes is 10, but the two sides make 11."},
		{"a side that is more", fact.Facts{TotalPackets: 3, LocalPackets: 4}, [5]int{6000, 6000, 0, 6000, 0}, [5]int{4, 4, 0, 4, 0}, "total_packets is 3, but one side alone has 4."},
		{"two names", fact.Facts{SrcRate: 3, LocalRate: 4}, [5]int{120, 120, 0, 120, 0}, [5]int{2, 2, 0, 2, 0}, "The rate of one side has two values, under its two names."},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := Conflict(&c.in); got != c.conflict {
				t.Errorf("conflict: got %q, want %q", got, c.conflict)
			}
			f := c.in
			Traffic(&f)
			got := [2][5]int{
				{f.TotalBytes, f.SrcBytes, f.DstBytes, f.LocalBytes, f.OtherBytes},
				{f.TotalPackets, f.SrcPackets, f.DstPackets, f.LocalPackets, f.OtherPackets},
			}
			if diff := cmp.Diff([2][5]int{c.bytes, c.packets}, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			again := f
			if Traffic(&again); again != f {
				t.Errorf("a second time it is %+v", again)
			}
		})
	}
}

func TestClock(t *testing.T) {
	clock, err := NewClock(artifact.Settings{Timezone: "Europe/Berlin"}, []artifact.Schedule{
		{Name: "night", Hours: []artifact.Hours{{From: 22 * 3600, To: 6 * 3600}}, Zone: "Europe/Berlin"},
		{Name: "leap", Dates: []artifact.Dates{{From: "2028-02-29", To: "2028-02-29"}}, Zone: "Europe/Berlin"},
	})
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		name, in string // attributes to find
		want     string // the time; empty for none
		reads    string // schedules in force then
	}{
		{"weekday", "weekday=wed", "2026-01-14T12:00:00+01:00", ""},
		{"time of day", "time_of_day=23:15", "2026-01-12T23:15:00+01:00", "night"},
		{"earlier than the start", "time_of_day=08:00", "2026-01-13T08:00:00+01:00", ""},
		{"schedule", "schedule=night", "2026-01-12T22:00:00+01:00", "night"},
		{"no schedule", "schedule= time_of_day=03:00", "", ""},
		{"a day in four years", "schedule=leap", "2028-02-29T12:00:00+01:00", "leap"},
		{"both", "schedule=leap,night weekday=tue", "2028-02-29T00:00:00+01:00", "night,leap"},
		{"never", "schedule=leap weekday=mon", "", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			want, given := new(fact.Facts), map[string]bool{}
			for word := range strings.FieldsSeq(c.in) {
				name, value, _ := strings.Cut(word, "=")
				a, _ := fact.Lookup(name)
				given[a.Name] = true
				if d := Set(want, a, value, nil); d != nil {
					t.Fatal(d)
				}
			}
			at, ok, err := clock.Find(clock.Default(), want, given)
			if err != nil || ok != (c.want != "") {
				t.Fatalf("got %v, %v, %v", at, ok, err)
			}
			var f fact.Facts
			if err := clock.Read(&f, at); err != nil {
				t.Fatal(err)
			}
			if got := at.In(clock.Zone()).Format(time.RFC3339); ok && (got != c.want || f.Schedules != c.reads) {
				t.Errorf("got %s with %q, want %s with %q", got, f.Schedules, c.want, c.reads)
			}
		})
	}
}

func TestUnits(t *testing.T) {
	for in, want := range map[string]int{
		"total_bytes=20MB": 20e6, "src_bytes=1.5KiB": 1536, "total_rate=10Mbit/s": 1.25e6, "duration=5m": 300, "dst_rate=2 MB/s": 2e6, "total_packets=7": 7,
	} {
		name, value, _ := strings.Cut(in, "=")
		a, _ := fact.Lookup(name)
		var f fact.Facts
		if d := Set(&f, a, value, nil); d != nil || Number(&f, a) != want {
			t.Errorf("%s: got %d, %v; want %d", in, Number(&f, a), d, want)
		}
	}
	for _, in := range []string{"total_bytes=20 parsecs", "total_packets=2MB", "duration=2MB", "total_bytes=999999999TB", "total_bytes=-1"} {
		name, value, _ := strings.Cut(in, "=")
		a, _ := fact.Lookup(name)
		if d := Set(new(fact.Facts), a, value, nil); d == nil {
			t.Errorf("%s: no fault", in)
		}
	}
}
