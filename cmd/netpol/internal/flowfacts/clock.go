package flowfacts

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang/fact"
)

// Clock is what a policy set makes of an instant.
type Clock struct {
	zone      *time.Location
	schedules []artifact.Schedule
}

// NewClock takes the set's time zone and its schedules.
func NewClock(s artifact.Settings, schedules []artifact.Schedule) (*Clock, error) {
	zone, err := time.LoadLocation(s.Timezone)
	if err != nil {
		return nil, fmt.Errorf("load time zone: %w", err)
	}
	return &Clock{zone, schedules}, nil
}

// Zone is the set's time zone.
func (c *Clock) Zone() *time.Location { return c.zone }

// Schedules are those of the set.
func (c *Clock) Schedules() []artifact.Schedule { return c.schedules }

// Read fills in what a flow's packet at that instant meets: time of day,
// weekday and the schedules in force.
func (c *Clock) Read(f *fact.Facts, at time.Time) error {
	t := at.In(c.zone)
	f.TimeOfDay = t.Hour()*3600 + t.Minute()*60 + t.Second()
	f.Weekday = fact.Weekdays()[(int(t.Weekday())+6)%7]
	var on []string
	for _, s := range c.schedules {
		active, err := s.Active(at)
		if err != nil {
			return err
		}
		if active {
			on = append(on, s.Name)
		}
	}
	f.Schedules = strings.Join(on, ",")
	return nil
}

// firstDay is a Monday without a holiday that most calendars know of.
const firstDay = "2026-01-12"

// Default is the time of a flow that says none: noon of a Monday.
func (c *Clock) Default() time.Time {
	day, _ := time.ParseInLocation(time.DateOnly, firstDay, c.zone)
	return day.Add(12 * time.Hour)
}

// Forms of a time; those without a zone are meant in the set's.
var timeForms = []string{"2006-01-02 15:04", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02T15:04:05"}

// Parse reads a time.
func (c *Clock) Parse(text string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	for _, form := range timeForms {
		if t, err := time.ParseInLocation(form, text, c.zone); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf(`a time is written "2026-01-05T18:30:00+01:00", or "2026-01-05 18:30" in the set's time zone (%s)`, c.zone)
}

// searchDays is how far Find looks: four years have every combination of dates
// and weekdays that schedules of the usual kind ask for.
const searchDays = 4 * 366

// Find is the first time from an instant on that reads so: what is given of
// time_of_day, weekday and schedule, the last being in force, whatever others
// are. It returns false if there is none.
func (c *Clock) Find(start time.Time, want *fact.Facts, given map[string]bool) (time.Time, bool, error) {
	names := strings.Split(want.Schedules, ",")
	fits := func(t time.Time) (bool, error) {
		var f fact.Facts
		if err := c.Read(&f, t); err != nil {
			return false, err
		}
		on := strings.Split(f.Schedules, ",")
		missing := func(name string) bool { return name != "" && !slices.Contains(on, name) }
		return (!given["time_of_day"] || f.TimeOfDay == want.TimeOfDay) && (!given["weekday"] || f.Weekday == want.Weekday) &&
			(!given["schedule"] || !slices.ContainsFunc(names, missing) && (want.Schedules != "") == (f.Schedules != "")), nil
	}
	for day := range searchDays {
		candidates, err := c.candidates(start.In(c.zone).AddDate(0, 0, day), want, given)
		if err != nil {
			return time.Time{}, false, err
		}
		for _, t := range candidates {
			if t.Before(start) {
				continue
			}
			if ok, err := fits(t); ok || err != nil {
				return t, ok, err
			}
		}
	}
	return time.Time{}, false, nil
}

// candidates are the times of a day at which something may begin to hold.
func (c *Clock) candidates(day time.Time, want *fact.Facts, given map[string]bool) ([]time.Time, error) {
	y, m, d := day.Date()
	midnight := time.Date(y, m, d, 0, 0, 0, 0, c.zone)
	if given["time_of_day"] {
		return []time.Time{time.Date(y, m, d, 0, 0, want.TimeOfDay, 0, c.zone)}, nil
	}
	out, next := []time.Time{day, midnight}, midnight.AddDate(0, 0, 1)
	for _, s := range c.schedules {
		windows, err := s.Windows(midnight, next)
		if err != nil {
			return nil, err
		}
		for _, w := range windows {
			if out = append(out, w.From); w.To.Before(next) {
				out = append(out, w.To)
			}
		}
	}
	return out, nil
}
