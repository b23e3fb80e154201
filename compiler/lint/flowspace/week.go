package flowspace

import (
	"cmp"
	"slices"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
)

const (
	daySeconds  = artifact.SecondsPerDay
	weekSeconds = 7 * daySeconds
)

// week is a set of seconds of the week, Monday's midnight being 0, by what the
// clocks on the wall show: sorted stretches that neither overlap nor touch.
type week []stretch

// stretch is from..to, to not included.
type stretch struct{ from, to int }

// newWeek makes a set of stretches that may overlap and go on past the end of
// the week.
func newWeek(list []stretch) week {
	var flat []stretch
	for _, s := range list {
		if s.to-s.from >= weekSeconds {
			return week{{0, weekSeconds}}
		}
		shift := ((s.from%weekSeconds)+weekSeconds)%weekSeconds - s.from
		s.from, s.to = s.from+shift, s.to+shift
		if s.to > weekSeconds {
			flat = append(flat, stretch{0, s.to - weekSeconds})
			s.to = weekSeconds
		}
		if s.from < s.to {
			flat = append(flat, s)
		}
	}
	slices.SortFunc(flat, func(a, b stretch) int { return cmp.Compare(a.from, b.from) })
	var out week
	for _, s := range flat {
		if n := len(out); n > 0 && s.from <= out[n-1].to {
			out[n-1].to = max(out[n-1].to, s.to)
			continue
		}
		out = append(out, s)
	}
	return out
}

func (w week) or(o week) week { return newWeek(slices.Concat(w, o)) }

func (w week) not() week {
	var out week
	at := 0
	for _, s := range w {
		if s.from > at {
			out = append(out, stretch{at, s.from})
		}
		at = s.to
	}
	if at < weekSeconds {
		out = append(out, stretch{at, weekSeconds})
	}
	return out
}

func (w week) and(o week) week { return w.not().or(o.not()).not() }

// later is the set as clocks show it that are ahead by some seconds.
func (w week) later(seconds int) week {
	var list []stretch
	for _, s := range w {
		list = append(list, stretch{s.from + seconds, s.to + seconds})
	}
	return newWeek(list)
}

// everyDay is the week in which every day has some stretches.
func everyDay(list []stretch) week {
	var out []stretch
	for day := range 7 {
		for _, s := range list {
			out = append(out, stretch{day*daySeconds + s.from, day*daySeconds + s.to})
		}
	}
	return newWeek(out)
}

// bounds is when a schedule may be in force, and when it is on every day of the
// calendar, by the clocks of another zone. In between it depends on the date:
// on the dates of the schedule, and where clocks are set back, because an hour
// that comes twice belongs to a stretch that begins in it from its first time
// on, and to one that ends in it until its second.
func bounds(s artifact.Schedule, zone string, clocks *clocks) (sometimes, always week) {
	var list, unsure []stretch
	hours := s.Hours
	if len(hours) == 0 {
		hours = []artifact.Hours{{From: 0, To: daySeconds}}
	}
	twice := clocks.twice(s.Zone)
	for _, h := range hours {
		to := h.To
		if to <= h.From {
			to += daySeconds
		}
		for day := range 7 {
			if s.Days == 0 || s.Days&(1<<day) != 0 {
				list = append(list, stretch{day*daySeconds + h.From, day*daySeconds + to})
			}
		}
		for _, end := range []int{h.From, to, to - daySeconds, h.From + daySeconds} {
			for _, t := range twice {
				if t.from <= end && end <= t.to {
					unsure = append(unsure, t)
				}
			}
		}
	}
	sometimes = newWeek(list).or(everyDay(unsure))
	if len(s.Dates) == 0 && len(s.Except) == 0 {
		always = newWeek(list).and(everyDay(unsure).not())
	}
	var some, all week
	for i, ahead := range clocks.ahead(s.Zone, zone) {
		some = some.or(sometimes.later(ahead))
		if all = all.and(always.later(ahead)); i == 0 {
			all = always.later(ahead)
		}
	}
	return some, all
}

// clocks knows when zones set their clocks, from 2020 to 2060: the rules that
// the time zone database has for the years to come.
type clocks struct {
	zones map[string]*zoneClock
}

type zoneClock struct {
	location *time.Location
	changes  []time.Time
}

func (c *clocks) zone(name string) *zoneClock {
	if z := c.zones[name]; z != nil {
		return z
	}
	location, err := time.LoadLocation(name)
	if err != nil {
		location = time.UTC // lang has refused the name
	}
	z := &zoneClock{location: location}
	last := time.Date(2060, 1, 1, 0, 0, 0, 0, time.UTC)
	for t := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC); ; {
		_, end := t.In(location).ZoneBounds()
		if end.IsZero() || end.After(last) {
			break
		}
		if !end.After(t) { // past the end of the written-out changes ZoneBounds can stand still
			t = t.Add(24 * time.Hour)
			if t.After(last) {
				break
			}
			continue
		}
		z.changes = append(z.changes, end)
		t = end
	}
	if c.zones == nil {
		c.zones = map[string]*zoneClock{}
	}
	c.zones[name] = z
	return z
}

func (z *zoneClock) offset(t time.Time) int {
	_, offset := t.In(z.location).Zone()
	return offset
}

// twice lists the seconds of the day that clocks of a zone show twice on some
// day; those past midnight count on.
func (c *clocks) twice(name string) []stretch {
	z := c.zone(name)
	var out []stretch
	for _, t := range z.changes {
		before, after := z.offset(t.Add(-time.Second)), z.offset(t)
		if after >= before {
			continue
		}
		from := (int(t.Unix()%daySeconds) + after + 2*daySeconds) % daySeconds
		out = append(out, stretch{from, from + before - after})
	}
	slices.SortFunc(out, func(a, b stretch) int { return cmp.Or(a.from-b.from, a.to-b.to) })
	return slices.Compact(out)
}

// ahead lists by how many seconds the clocks of one zone can be ahead of
// another's.
func (c *clocks) ahead(of, zone string) []int {
	if of == zone {
		return []int{0}
	}
	a, b := c.zone(of), c.zone(zone)
	instants := append([]time.Time{time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)}, a.changes...)
	var out []int
	for _, t := range append(instants, b.changes...) {
		out = append(out, b.offset(t)-a.offset(t))
	}
	slices.Sort(out)
	return slices.Compact(out)
}
