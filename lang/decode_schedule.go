package lang

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
	"github.com/netpol/netpol/lang/suggest"
)

// Bounds of schedules. A year of a schedule is written out as stretches of time
// in the kernel, one for each of its hours on each of its days.
const (
	maxHours     = 48   // in one schedule
	maxDates     = 400  // of one argument
	maxSchedules = 1024 // stretches of hours a day, of all schedules together
)

const minutesOfDay = 24 * 60

// dateLayout is how a date is written (ISO 8601).
const dateLayout = "2006-01-02"

func (d *decoder) decodeSchedule(b *hclsyntax.Block) {
	s := &Schedule{Name: d.qualify(b.Labels[0]), Module: d.module, Range: headerRange(b)}
	if !d.checkGroupName(b, "a schedule") {
		return
	}
	s.Description = d.text(b, "description", `"School nights"`).Value
	s.Days = d.days(b)
	s.Hours = d.hours(b)
	s.Dates = d.dates(b, "dates", `"2026-12-24..2027-01-06"`)
	s.Except = d.dates(b, "except", `"2026-12-24"`)
	s.Zone = d.zone(b)
	if !d.define("schedule "+b.Labels[0], fmt.Sprintf("schedule %q", b.Labels[0]), s.Range) {
		return
	}
	before := d.stretches
	d.stretches += max(1, len(s.Hours))
	if before <= maxSchedules && d.stretches > maxSchedules {
		d.diags.Add(diag.New(diag.TooLarge, s.Range, fmt.Sprintf("The schedules of a set have at most %d stretches of hours together. Use one schedule in several policies.", maxSchedules)))
	}
	d.out.Schedules = append(d.out.Schedules, s)
}

// times reads an argument of one string or a list of them, at most so many.
func (d *decoder) times(b *hclsyntax.Block, name, example string, most int) []Text {
	list := d.someOf(b, name, example)
	if len(list) > most {
		d.diags.Add(diag.New(diag.TooLarge, toRange(b.Body.Attributes[name].Expr.Range()), fmt.Sprintf("%s may hold %d entries. Join neighbours into one, or write a second schedule.", name, most)))
		return nil
	}
	return list
}

// fullDays are the days of the week in full, Monday first.
var fullDays = []string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}

// Days reads a day of the week, in full or by its first three letters, or
// weekdays, or weekend, whatever the case: bit 0 is Monday. It is 0 for
// anything else.
func Days(s string) uint8 {
	word := strings.ToLower(strings.TrimSpace(s))
	switch word {
	case "weekdays":
		return 0b0011111
	case "weekend":
		return 0b1100000
	}
	if i := slices.Index(fact.Weekdays(), word); i >= 0 {
		return 1 << i
	}
	if i := slices.Index(fullDays, word); i >= 0 {
		return 1 << i
	}
	return 0
}

// DayWords lists what Days knows, for messages.
func DayWords() []string { return append(fact.Weekdays(), "weekdays", "weekend") }

// days reads the days argument.
func (d *decoder) days(b *hclsyntax.Block) uint8 {
	var out uint8
	for _, t := range d.times(b, "days", `"mon"`, maxDates) {
		set := Days(t.Value)
		if from, to, ok := strings.Cut(t.Value, "-"); ok {
			set = daysBetween(Days(from), Days(to))
		}
		if set == 0 {
			word := strings.ToLower(t.Value)
			hint := suggest.Hint(word, append(DayWords(), fullDays...))
			if word == "daily" || word == "everyday" || word == "all" {
				hint = "leave days out for every day"
			}
			d.diags.Add(diag.New(diag.InvalidSchedule, t.Range, fmt.Sprintf("%q is not a day. The days are %s; \"mon-fri\" is all from Monday to Friday.", t.Value, strings.Join(DayWords(), ", "))).WithHint(hint))
		}
		out |= set
	}
	return out
}

// daysBetween is the days from one to another, perhaps over the end of the week;
// none unless both are single days.
func daysBetween(from, to uint8) uint8 {
	single := func(day uint8) bool { return day != 0 && day&(day-1) == 0 }
	if !single(from) || !single(to) {
		return 0
	}
	out := from
	for day := from; day != to; {
		if day <<= 1; day == 1<<7 {
			day = 1
		}
		out |= day
	}
	return out
}

// hourRange is "18:00-23:30".
var hourRange = regexp.MustCompile(`^\s*([0-9]{1,2}:[0-9]{2})\s*-\s*([0-9]{1,2}:[0-9]{2})\s*$`)

// hours reads the hours argument.
func (d *decoder) hours(b *hclsyntax.Block) []Hours {
	var out []Hours
	for _, t := range d.times(b, "hours", `"18:00-23:30"`, maxHours) {
		h, why, hint := readHours(t.Value)
		if why != "" {
			d.diags.Add(diag.New(diag.InvalidSchedule, t.Range, fmt.Sprintf("%q is not a stretch of hours: %s.", t.Value, why)).WithHint(hint))
			continue
		}
		h.Range = t.Range
		out = append(out, h)
	}
	return out
}

// plainHours are hours without minutes.
var plainHours = regexp.MustCompile(`^([0-9]{1,2}) *- *([0-9]{1,2})$`)

// hoursHint writes hours without minutes out.
func hoursHint(s string) string {
	m := plainHours.FindStringSubmatch(s)
	if m == nil {
		return ""
	}
	two := func(hour string) string { return strings.Repeat("0", 2-len(hour)) + hour }
	return fmt.Sprintf("write \"%s:00-%s:00\"", two(m[1]), two(m[2]))
}

// readHours reads a stretch of hours, or says what is wrong with it.
func readHours(s string) (h Hours, why, hint string) {
	m := hourRange.FindStringSubmatch(s)
	if m == nil {
		return h, `it is written "18:00-23:30", in hours from 00:00 to 24:00; "22:00-06:00" passes midnight`, hoursHint(s)
	}
	from, ok1 := minutes(m[1])
	to, ok2 := minutes(m[2])
	switch {
	case !ok1 || !ok2:
		return h, "hours go from 00:00 to 24:00, and minutes to 59", ""
	case from == minutesOfDay:
		return h, "24:00 is the end of a day", fmt.Sprintf(`write "00:00-%s"`, m[2])
	case from == to:
		return h, "it ends where it begins", `leave hours out for the whole day, or write "00:00-24:00"`
	case to == 0:
		to = minutesOfDay
	}
	return Hours{From: from, To: to}, "", ""
}

// minutes reads "18:00" as minutes since midnight; 24:00 is the end of the day.
func minutes(s string) (int, bool) {
	hour, minute, _ := strings.Cut(s, ":")
	h, err1 := strconv.Atoi(hour)
	m, err2 := strconv.Atoi(minute)
	n := 60*h + m
	return n, err1 == nil && err2 == nil && m < 60 && n <= minutesOfDay
}

// dates reads dates or except.
func (d *decoder) dates(b *hclsyntax.Block, name, example string) []Dates {
	var out []Dates
	for _, t := range d.times(b, name, example, maxDates) {
		from, to, isRange := strings.Cut(t.Value, "..")
		if !isRange {
			to = from
		}
		from, to = strings.TrimSpace(from), strings.TrimSpace(to)
		first, err1 := time.Parse(dateLayout, from)
		last, err2 := time.Parse(dateLayout, to)
		switch {
		case err1 != nil || err2 != nil || first.Year() < 1970:
			d.diags.Add(diag.New(diag.InvalidSchedule, t.Range, fmt.Sprintf("%q is not a date of the calendar. A date is written 2026-05-01 (year, month, day), several days in a row 2026-12-24..2027-01-06.", t.Value)))
		case last.Before(first):
			d.diags.Add(diag.New(diag.InvalidSchedule, t.Range, fmt.Sprintf("%q ends before it begins, so no day is meant.", t.Value)).
				WithHint(fmt.Sprintf("write \"%s..%s\"", to, from)))
		default:
			out = append(out, Dates{From: from, To: to, Range: t.Range})
		}
	}
	return out
}
