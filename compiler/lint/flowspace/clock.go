package flowspace

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/compiler/lint/bdd"
	"github.com/netpol/netpol/lang/fact"
)

// Clock is what a policy set says of the time.
type Clock struct {
	Zone      string // of time_of_day and weekday; empty is UTC
	Schedules []artifact.Schedule
}

// timetable is the schedules that conditions name.
type timetable struct {
	clock   Clock
	clocks  clocks
	entries []*timed          // in the order of their first mention
	byName  map[string]*timed // several names where schedules say the same
}

// timed is one schedule: a variable that is true while it is in force, between
// what it is at least and at most.
type timed struct {
	names             []string
	schedule          artifact.Schedule
	level             int
	sometimes, always week
}

// collectSchedule notes a schedule that a condition names. Schedules that differ
// in nothing but their names are one.
func (s *Space) collectSchedule(name string) {
	table := &s.timetable
	if table.byName[name] != nil {
		return
	}
	i := slices.IndexFunc(table.clock.Schedules, func(x artifact.Schedule) bool { return x.Name == name })
	if i < 0 {
		table.add(&timed{level: s.flag("schedule has " + name), sometimes: week{{0, weekSeconds}}}, name)
		return
	}
	schedule := table.clock.Schedules[i]
	schedule.Name = ""
	key := fmt.Sprint(schedule)
	for _, e := range table.entries {
		if fmt.Sprint(e.schedule) == key {
			table.add(e, name)
			return
		}
	}
	e := &timed{schedule: schedule, level: s.flag("schedule has " + name)}
	e.sometimes, e.always = bounds(schedule, table.clock.Zone, &table.clocks)
	table.add(e, name)
	s.collectTimes()
	times := s.numbers["time_of_day"]
	for _, w := range []week{e.sometimes, e.always} {
		for _, x := range w {
			times.starts = append(times.starts, x.from%daySeconds, x.to%daySeconds)
		}
	}
}

func (t *timetable) add(e *timed, name string) {
	if len(e.names) == 0 {
		t.entries = append(t.entries, e)
	}
	e.names = append(e.names, name)
	if t.byName == nil {
		t.byName = map[string]*timed{}
	}
	t.byName[name] = e
}

// collectTimes makes the columns of the clock.
func (s *Space) collectTimes() {
	if s.columns["weekday"] == nil {
		s.columns["weekday"] = &column{}
	}
	if a, _ := fact.Lookup("time_of_day"); s.numbers[a.Name] == nil {
		s.numbers[a.Name] = newNumbers(a)
		s.columns[a.Name] = &column{}
	}
}

// onWeekdays is the flows, or packets, of some days of the week.
func (s *Space) onWeekdays(days []string) Region {
	var classes []int
	for i, name := range fact.Weekdays() {
		if slices.Contains(days, name) {
			classes = append(classes, i)
		}
	}
	return Region{s.within(s.columns["weekday"], intervals(classes)), groupClock}
}

// scheduled is the packets that pass while one of some schedules is in force.
func (s *Space) scheduled(c *ir.Compare) Region {
	r := bdd.False
	for _, name := range c.Strings {
		if e := s.timetable.byName[name]; e != nil {
			r = s.b.Or(r, s.b.Var(e.level))
		}
	}
	return Region{r, groupClock}
}

// weekly is the packets of a set of times of the week.
func (s *Space) weekly(w week) bdd.Node {
	r := bdd.False
	for day := range 7 {
		var times []ir.Interval
		for _, x := range w.and(week{{day * daySeconds, (day + 1) * daySeconds}}) {
			times = append(times, ir.Interval{Low: x.from - day*daySeconds, High: x.to - day*daySeconds - 1})
		}
		on := s.within(s.columns["weekday"], []bdd.Interval{{Low: day, High: day}})
		r = s.b.Or(r, s.b.And(on, s.within(s.columns["time_of_day"], s.numbers["time_of_day"].in(times))))
	}
	return r
}

// maxDated bounds the schedules with dates that are held against each other.
const maxDated = 64

// times: a schedule is in force within its hours, and two whose dates have
// nothing in common never are at once.
func (s *Space) times() bdd.Node {
	r := bdd.True
	var dated []*timed
	for _, e := range s.timetable.entries {
		if s.columns["weekday"] == nil {
			continue
		}
		in := s.b.Var(e.level)
		r = s.b.And(r, s.b.And(s.implies(in, s.weekly(e.sometimes)), s.implies(s.weekly(e.always), in)))
		if len(e.schedule.Dates) > 0 && len(dated) < maxDated {
			dated = append(dated, e)
		}
	}
	for i, a := range dated {
		for _, b := range dated[:i] {
			if !a.meets(b) {
				r = s.b.And(r, s.b.Not(s.b.And(s.b.Var(a.level), s.b.Var(b.level))))
			}
		}
	}
	return r
}

// meets says that the dates of two schedules leave a day on which both may be
// in force, counting the days beside them: a stretch may go on past midnight,
// and zones may be a day apart.
func (e *timed) meets(o *timed) bool {
	for _, x := range e.schedule.Dates {
		for _, y := range o.schedule.Dates {
			from, to := max(x.From, y.From), min(x.To, y.To)
			if days(from)-days(to) <= 2 {
				return true
			}
		}
	}
	return false
}

// days counts the days of a date since 1970.
func days(date string) int {
	t, err := time.Parse(time.DateOnly, date)
	if err != nil {
		return 0 // lang has refused the date
	}
	return int(t.Unix() / daySeconds)
}

// times fills the clock in: weekday, and the schedules in force. The time of
// day is filled in with the other numbers.
func (w *witness) times() {
	if i, ok := w.class("weekday"); ok {
		w.facts.Weekday = fact.Weekdays()[i]
	}
	var names []string
	for _, e := range w.s.timetable.entries {
		if w.values[e.level] {
			names = append(names, e.names...)
		}
	}
	slices.Sort(names)
	w.facts.Schedules = strings.Join(names, ",")
}
