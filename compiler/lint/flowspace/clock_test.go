package flowspace

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
)

// randomSchedule draws hours near the times at which zones set their clocks.
func randomSchedule(t *rapid.T) artifact.Schedule {
	s := artifact.Schedule{Name: "s", Zone: rapid.SampledFrom(zones).Draw(t, "zone")}
	if rapid.Bool().Draw(t, "has days") {
		s.Days = rapid.Uint8Range(1, 127).Draw(t, "days")
	}
	for range rapid.IntRange(0, 2).Draw(t, "stretches") {
		at := rapid.SampledFrom([]int{0, 60, 90, 120, 150, 180, 420, 1080, 1380, 1410, 1439})
		s.Hours = append(s.Hours, artifact.Hours{From: 60 * at.Draw(t, "from"), To: 60 * at.Draw(t, "to")})
	}
	dates := []artifact.Dates{{From: "2026-03-28", To: "2026-04-06"}, {From: "2026-10-24", To: "2026-11-02"}}
	if rapid.IntRange(0, 3).Draw(t, "dated") == 0 {
		s.Dates = dates[:1]
	}
	if rapid.IntRange(0, 3).Draw(t, "excepted") == 0 {
		s.Except = dates[1:]
	}
	return s
}

var zones = []string{"UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Havana", "Asia/Kolkata"}

// TestSchedulesHoldAtAllTimes: whatever a schedule says of an instant, its bounds
// allow it, and so does the theory of a space.
func TestSchedulesHoldAtAllTimes(t *testing.T) {
	weekly := 0
	rapid.Check(t, func(t *rapid.T) {
		s, zone := randomSchedule(t), rapid.SampledFrom(zones).Draw(t, "set's zone")
		location, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		sometimes, always := bounds(s, zone, &clocks{})
		if len(always) > 0 {
			weekly++
		}
		// The days around the changes of the clocks in 2026, here and there.
		from := rapid.SampledFrom([]string{"2026-03-07", "2026-03-28", "2026-04-04", "2026-10-03", "2026-10-24", "2026-10-31", "2026-07-01"}).Draw(t, "day")
		start, _ := time.Parse(time.DateOnly, from)
		for i := range 3 * 24 * 4 {
			now := start.Add(time.Duration(i) * 15 * time.Minute)
			active, err := s.Active(now)
			if err != nil {
				t.Fatal(err)
			}
			second := secondOfWeek(now.In(location))
			if active && !holds(sometimes, second) {
				t.Fatalf("%s is in force at %s, which the bounds exclude", s, now.In(location))
			}
			if !active && holds(always, second) {
				t.Fatalf("%s is not in force at %s, which the bounds exclude", s, now.In(location))
			}
		}
	})
	if weekly == 0 {
		t.Error("no schedule was certain of any time: the test shows nothing")
	}
}

func secondOfWeek(t time.Time) int {
	return (int(t.Weekday())+6)%7*daySeconds + t.Hour()*3600 + t.Minute()*60 + t.Second()
}

func holds(w week, second int) bool {
	for _, s := range w {
		if s.from <= second && second < s.to {
			return true
		}
	}
	return false
}

// TestTimes lists what only the theory of the clock can tell.
func TestTimes(t *testing.T) {
	hours := func(from, to int) []artifact.Hours { return []artifact.Hours{{From: from * 3600, To: to * 3600}} }
	clock := Clock{Zone: "Europe/Berlin", Schedules: []artifact.Schedule{
		{Name: "christmas", Dates: []artifact.Dates{{From: "2026-12-24", To: "2027-01-06"}}, Zone: "Europe/Berlin"},
		{Name: "easter", Dates: []artifact.Dates{{From: "2026-04-03", To: "2026-04-06"}}, Zone: "Europe/Berlin"},
		{Name: "evenings", Hours: hours(18, 23), Zone: "Europe/Berlin"},
		{Name: "late", Hours: hours(18, 23), Zone: "Europe/Berlin"},
		{Name: "morning-here", Hours: hours(6, 8), Zone: "Europe/Berlin"},
		{Name: "morning-there", Hours: hours(6, 8), Zone: "America/New_York"},
		{Name: "nights", Days: 1 << 4, Hours: hours(22, 6), Zone: "Europe/Berlin"},
		{Name: "sundays", Days: 1 << 6, Zone: "Europe/Berlin"},
		{Name: "weekends", Days: 3 << 5, Zone: "Europe/Berlin"},
	}}
	in := func(names ...string) ir.Expr { return compare("schedule", ir.OpEqual, names...) }
	at := func(from, to int) ir.Expr {
		a, _ := fact.Lookup("time_of_day")
		return &ir.Compare{Attr: a, Op: ir.OpRange, Ranges: []ir.Interval{{Low: from * 3600, High: to*3600 - 1}}}
	}
	on := func(list ...string) ir.Expr { return compare("weekday", ir.OpEqual, list...) }
	not := func(e ir.Expr) ir.Expr { return ir.NewNot(diag.Range{}, e) }
	cases := []struct {
		name string
		in   []ir.Expr
		want bool
	}{
		{"evenings in the morning", []ir.Expr{in("evenings"), at(6, 12)}, false},
		{"evenings in the evening", []ir.Expr{in("evenings"), at(12, 20)}, true},
		{"every evening counts", []ir.Expr{not(in("evenings")), at(19, 20)}, false},
		{"the night belongs to the day before", []ir.Expr{in("nights"), on("sat"), at(0, 6)}, true},
		{"and not to its own", []ir.Expr{in("nights"), on("fri"), at(0, 6)}, false},
		{"mornings are elsewhere later", []ir.Expr{in("morning-here"), in("morning-there")}, false},
		{"by five hours or six", []ir.Expr{in("morning-there"), at(11, 12)}, true},
		{"the same under two names", []ir.Expr{in("evenings"), not(in("late"))}, false},
		{"in its whole", []ir.Expr{in("sundays"), not(in("weekends"))}, false},
		{"the other way round", []ir.Expr{in("weekends"), not(in("sundays"))}, true},
		{"on other days", []ir.Expr{in("weekends"), on("mon", "tue")}, false},
		{"dates far apart", []ir.Expr{in("christmas"), in("easter")}, false},
		{"outside of its dates", []ir.Expr{not(in("christmas")), on("thu")}, true},
		{"any of some", []ir.Expr{in("evenings", "weekends"), on("wed"), at(3, 4)}, false},
		{"no day is left", []ir.Expr{not(on("mon", "tue", "wed")), not(on("thu", "fri", "sat", "sun"))}, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			e := ir.NewAnd(diag.Range{}, c.in...)
			s := NewWithClock(small(), clock, e)
			if got := !s.Empty(s.Region(e)); got != c.want {
				t.Fatalf("got %v, want %v", got, c.want)
			}
			if f, ok := s.Witness(s.Region(e)); ok != c.want || ok && Eval(e, f) != Yes {
				t.Errorf("witness: got %+v, %v", f, ok)
			}
		})
	}
}

// TestCounts lists what only the theory of the counters can tell.
func TestCounts(t *testing.T) {
	count := func(name string, low, high int) ir.Expr {
		a, _ := fact.Lookup(name)
		return &ir.Compare{Attr: a, Op: ir.OpRange, Ranges: []ir.Interval{{Low: low, High: high}}}
	}
	const most = 1 << 40
	cases := []struct {
		name string
		in   []ir.Expr
		want bool
	}{
		{"a part is no more than the whole", []ir.Expr{count("total_bytes", 0, 1000), count("src_bytes", 1001, most)}, false},
		{"two parts are the whole", []ir.Expr{count("total_bytes", 0, 1000), count("src_bytes", 600, most), count("dst_bytes", 500, most)}, false},
		{"they fit", []ir.Expr{count("total_bytes", 0, 1000), count("src_bytes", 500, most), count("dst_bytes", 500, most)}, true},
		{"a side has two names", []ir.Expr{count("local_packets", 5, 9), count("src_packets", 0, 4), count("dst_packets", 0, 4)}, false},
		{"of which one is enough", []ir.Expr{count("local_packets", 5, 9), count("src_packets", 0, 4)}, true},
		{"both names of a side in the sum", []ir.Expr{count("total_bytes", 0, 9), count("local_bytes", 5, 9), count("other_bytes", 5, 9)}, false},
		{"rates are rounded", []ir.Expr{count("total_rate", 11, 11), count("src_rate", 5, 5), count("dst_rate", 5, 5)}, true},
		{"but not that much", []ir.Expr{count("total_rate", 20, most), count("src_rate", 5, 5), count("dst_rate", 5, 5)}, false},
		{"nothing is below nothing", []ir.Expr{count("duration", -5, -1)}, false},
		{"marks have 32 bits", []ir.Expr{count("ct_mark", 1<<32, most)}, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			e := ir.NewAnd(diag.Range{}, c.in...)
			s := New(small(), e)
			if got := !s.Empty(s.Region(e)); got != c.want {
				t.Fatalf("got %v, want %v", got, c.want)
			}
			if f, ok := s.Witness(s.Region(e)); ok != c.want || ok && Eval(e, f) != Yes && c.name != "rates are rounded" {
				t.Errorf("witness: got %+v, %v", f, ok)
			}
		})
	}
}
