package lint

import (
	"fmt"
	"time"

	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
)

func deadSchedule() Rule {
	return Rule{ID: "NP0521", Slug: "dead-schedule", Category: Logic, Severity: diag.Warning, Summary: "Schedule is never in force", check: checkDeadSchedule}
}

// maxDays bounds the days that are looked at for all schedules together: some
// four years of each of ten. Past it schedules count as in force.
const maxDays = 16_384

// checkDeadSchedule reports schedules without a day to come: their dates are
// past, or fall on none of their days, or are excepted.
func checkDeadSchedule(p *pass) {
	left := maxDays
	for _, s := range p.in.Policy.Schedules {
		if len(s.Dates) == 0 {
			continue
		}
		past, ever := true, false
		for _, d := range s.Dates {
			from := d.From
			if !p.in.Now.IsZero() {
				// The zones of the world are less than two days apart, and a
				// stretch may have begun the day before.
				from = max(from, p.in.Now.AddDate(0, 0, -2).Format(time.DateOnly))
			}
			past = past && from > d.To
			ever = ever || anyDay(s, from, d.To, &left)
		}
		switch {
		case ever:
		case past:
			p.report(Finding{Subject: s.Range, Detail: fmt.Sprintf("The dates of schedule %q are past, so it is never in force again. The last is %s.", s.Name, lastDate(s)), Hint: "remove it, or write the dates to come"})
		default:
			p.report(Finding{Subject: s.Range, Detail: fmt.Sprintf("Schedule %q is never in force: none of its dates to come falls on one of its days and is not excepted.", s.Name), Hint: "correct dates, days or except"})
		}
	}
}

// anyDay says that a schedule is in force on some day of from..to, dates as
// 2006-01-02, or that it takes too many to know.
func anyDay(s *lang.Schedule, from, to string, left *int) bool {
	day, err1 := time.Parse(time.DateOnly, from)
	last, err2 := time.Parse(time.DateOnly, to)
	if err1 != nil || err2 != nil {
		return true
	}
	for ; !day.After(last); day = day.AddDate(0, 0, 1) {
		if *left--; *left < 0 {
			return true
		}
		if onDay(s, day) {
			return true
		}
	}
	return false
}

func onDay(s *lang.Schedule, day time.Time) bool {
	weekday := (int(day.Weekday()) + 6) % 7 // Monday is 0
	if s.Days != 0 && s.Days&(1<<weekday) == 0 {
		return false
	}
	date := day.Format(time.DateOnly)
	for _, e := range s.Except {
		if e.From <= date && date <= e.To {
			return false
		}
	}
	return true
}

func lastDate(s *lang.Schedule) string {
	last := ""
	for _, d := range s.Dates {
		last = max(last, d.To)
	}
	return last
}
