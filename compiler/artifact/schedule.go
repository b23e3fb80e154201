package artifact

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Schedule says when it is in force: on one of its days, within one of its
// hours, all by the clocks of its zone. What is not set does not restrict it.
type Schedule struct {
	Name string `json:"name"`
	// Days has bit 0 for Monday to bit 6 for Sunday; 0 is every day.
	Days   uint8   `json:"days,omitempty"`
	Hours  []Hours `json:"hours,omitempty"`
	Dates  []Dates `json:"dates,omitempty"`
	Except []Dates `json:"except,omitempty"`
	Zone   string  `json:"zone,omitempty"` // of the IANA time zone database; empty is UTC
}

// String is the schedule in words: "evenings: mon tue, 18:00-23:00, Europe/Berlin".
func (s Schedule) String() string {
	var parts []string
	var days []string
	for i, name := range Weekdays() {
		if s.Days&(1<<i) != 0 {
			days = append(days, name)
		}
	}
	if len(days) > 0 {
		parts = append(parts, strings.Join(days, " "))
	}
	for _, h := range s.Hours {
		parts = append(parts, clockText(h.From)+"-"+clockText(h.To))
	}
	for _, d := range s.Dates {
		parts = append(parts, d.From+".."+d.To)
	}
	for _, d := range s.Except {
		parts = append(parts, "except "+d.From+".."+d.To)
	}
	if len(parts) == 0 {
		parts = []string{"always"}
	}
	zone := s.Zone
	if zone == "" {
		zone = "UTC"
	}
	return s.Name + ": " + strings.Join(append(parts, zone), ", ")
}

// Weekdays are the days as schedules and criteria write them, Monday first.
func Weekdays() []string { return []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"} }

func clockText(seconds int) string {
	text := fmt.Sprintf("%02d:%02d", seconds/3600, seconds/60%60)
	if rest := seconds % 60; rest != 0 {
		text += fmt.Sprintf(":%02d", rest)
	}
	return text
}

// Hours is a stretch of a day, From..To in seconds since midnight with To not
// included, at most SecondsPerDay. One that ends at or before its start goes on
// past midnight, and belongs to the day that it starts on.
type Hours struct {
	From int `json:"from"`
	To   int `json:"to"`
}

// SecondsPerDay is what clocks show in a day, also on one that has more or fewer.
const SecondsPerDay = 24 * 60 * 60

// Dates is a stretch of days, both included, each as "2006-01-02".
type Dates struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// Window is a stretch of time in which a schedule is in force; To is not part
// of it.
type Window struct{ From, To time.Time }

// Active says whether the schedule is in force; an error is a zone that this
// host does not know.
func (s Schedule) Active(t time.Time) (bool, error) {
	list, err := s.Windows(t, t.Add(time.Nanosecond))
	return len(list) > 0, err
}

// Windows are the stretches of from..to in which the schedule is in force,
// sorted, and neither overlapping nor touching. Where clocks are set forward, a
// time that does not exist means the instant of the change; where they are set
// back, a time that comes twice means the first of the two for a start, and
// the last for an end.
func (s Schedule) Windows(from, to time.Time) ([]Window, error) {
	zone, err := time.LoadLocation(s.Zone)
	if err != nil {
		return nil, fmt.Errorf("time zone of schedule %q: %w", s.Name, err)
	}
	hours := s.Hours
	if len(hours) == 0 {
		hours = []Hours{{0, SecondsPerDay}}
	}
	var out []Window
	// One day earlier: what began before midnight may still be in force.
	year, month, day := from.In(zone).Date()
	for offset := -1; ; offset++ {
		date := time.Date(year, month, day+offset, 12, 0, 0, 0, zone) // noon exists in every zone
		midnight := clock(date, 0, false)
		if !midnight.Before(to) {
			break
		}
		if !s.onDate(date) {
			continue
		}
		for _, h := range hours {
			w := Window{clock(date, h.From, false), clock(date, h.To, true)}
			if h.To <= h.From {
				w.To = clock(date.AddDate(0, 0, 1), h.To, true)
			}
			if w.From, w.To = latest(w.From, from), earliest(w.To, to); w.From.Before(w.To) {
				out = append(out, w)
			}
		}
	}
	return joined(out), nil
}

// clock is when the clocks show the given seconds of a date.
func clock(date time.Time, seconds int, end bool) time.Time {
	y, m, d := date.Date()
	t := time.Date(y, m, d, 0, 0, seconds, 0, date.Location())
	// Of two instants time.Date gives one, and it does not say which.
	for _, shift := range []time.Duration{-time.Hour, time.Hour, -30 * time.Minute, 30 * time.Minute} {
		other := t.Add(shift)
		if sameClock(t, other) && other.After(t) == end {
			return other
		}
	}
	if shown := wall(t); shown != wall(time.Date(y, m, d, 0, 0, seconds, 0, time.UTC)) {
		return change(t) // the clocks never show it
	}
	return t
}

func wall(t time.Time) string { return t.Format(time.DateTime) }

func sameClock(a, b time.Time) bool { return wall(a) == wall(b) }

// change is the instant near t at which the clocks are set.
func change(t time.Time) time.Time {
	before, after := t.Add(-3*time.Hour), t.Add(3*time.Hour)
	if start, end := t.ZoneBounds(); !start.IsZero() && start.After(before) {
		return start
	} else if !end.IsZero() && end.Before(after) {
		return end
	}
	return t
}

func (s Schedule) onDate(date time.Time) bool {
	weekday := (int(date.Weekday()) + 6) % 7 // Monday is 0
	if s.Days != 0 && s.Days&(1<<weekday) == 0 {
		return false
	}
	text := date.Format(time.DateOnly)
	within := func(d Dates) bool { return d.From <= text && text <= d.To }
	return (len(s.Dates) == 0 || slices.ContainsFunc(s.Dates, within)) && !slices.ContainsFunc(s.Except, within)
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func joined(list []Window) []Window {
	slices.SortFunc(list, func(a, b Window) int { return a.From.Compare(b.From) })
	var out []Window
	for _, w := range list {
		if n := len(out); n > 0 && !w.From.After(out[n-1].To) {
			out[n-1].To = latest(out[n-1].To, w.To)
			continue
		}
		out = append(out, w)
	}
	return out
}

// Horizon is how far ahead the elements of a set of SetTime reach.
const Horizon = 366 * 24 * time.Hour

// At is the set with the elements that it needs at a time and for the Horizon
// after it: the windows of its schedules. Other sets stay as they are.
func (s Set) At(now time.Time) (Set, error) {
	if s.Type != SetTime {
		return s, nil
	}
	var list []Window
	for _, schedule := range s.Schedules {
		windows, err := schedule.Windows(now, now.Add(Horizon))
		if err != nil {
			return s, err
		}
		list = append(list, windows...)
	}
	s.Elements = nil
	for _, w := range joined(list) {
		s.Elements = append(s.Elements, Element{Low: nanoseconds(w.From), High: nanoseconds(w.To.Add(-1))})
	}
	return s, nil
}

func nanoseconds(t time.Time) []byte {
	return binary.BigEndian.AppendUint64(nil, uint64(t.UnixNano()))
}

// Clip is what of the elements of a set of times lies in from..to.
func Clip(list []Element, from, to time.Time) []Element {
	first, last := nanoseconds(from), nanoseconds(to.Add(-1))
	var out []Element
	for _, e := range list {
		if bytes.Compare(e.Low, first) < 0 {
			e.Low = first
		}
		if bytes.Compare(e.High, last) > 0 {
			e.High = last
		}
		if bytes.Compare(e.Low, e.High) <= 0 {
			out = append(out, e)
		}
	}
	return out
}
