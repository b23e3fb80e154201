package netify

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/importer"
	"github.com/netpol/netpol/lang/suggest"
)

// Bounds of schedules (lang/decode_schedule.go).
const (
	maxStretches = 1024
	maxHours     = 48
)

// schedule is a schedule block in the making.
type schedule struct {
	name    string
	days    uint8 // bit 0 is Monday; 0 for every day
	hours   []string
	written bool
}

// window is one entry of time_of_day.
type window struct {
	days    uint8
	hours   string // "18:00-23:30"; empty for the whole day
	outside bool   // of the window the action holds
}

// readZone reads the time zone of all windows.
func (r *run) readZone(top *value) {
	v, ok := r.is(top.get("timezone"), text, "timezone")
	switch {
	case !ok:
		r.badZone = true
	case v == nil || v.text == "" || strings.EqualFold(v.text, "local"):
	case !lang.IsZone(v.text):
		r.badZone = true
		r.report(importer.BadValue, v.from, v.to, "There is no time zone %q. Zones have the names of the IANA database, such as Europe/Berlin.", importer.OneLine(v.text, 80))
	default:
		r.zone = v.text
	}
}

// actionTime converts time_of_day: a policy's schedules, and exemptions for the
// windows outside of which an action holds.
func (r *run) actionTime(a *action, v *value) {
	v, ok := r.is(v, array, "time_of_day")
	if !ok {
		a.disable("time_of_day has the wrong type")
	}
	if v == nil || len(v.list) == 0 {
		return
	}
	if r.badZone {
		a.disable("its time zone could not be converted")
	}
	r.assumeTimes(v)
	var within, outside []window
	for _, e := range v.list {
		w, ok := r.window(e)
		switch {
		case !ok:
			a.disable("its time of day could not be converted")
		case w.outside:
			outside = append(outside, w)
		default:
			within = append(within, w)
		}
	}
	a.schedules = r.schedulesOf(a, within)
	if a.except = r.schedulesOf(a, outside); len(a.except) > 0 {
		names := make([]string, len(a.except))
		for i, s := range a.except {
			names[i] = importer.QuoteText(s.name)
		}
		in := "schedule == " + names[0]
		if len(names) > 1 {
			in = "schedule in [" + strings.Join(names, ", ") + "]"
		}
		a.exempt = append(a.exempt, in)
	}
}

// assumeTimes tells once what the documentation leaves open.
func (r *run) assumeTimes(v *value) {
	if r.told["time_of_day"] {
		return
	}
	r.told["time_of_day"] = true
	r.report(importer.Assumed, v.from, v.to, "The documentation leaves open how windows of time combine. Taken as: the action holds within any inclusive window and outside of all exclusive ones; "+
		"a window past midnight belongs to the day it begins on; time_end is not part of a window, and 23:59 is the end of the day.")
	if r.zone == "" && !r.badZone {
		r.add(importer.New(importer.Assumed, r.src.Range(v.from, v.to), "The file has no timezone, and Netify then goes by the clock of its host. Without one netpol's schedules are in UTC.").
			WithHint(`write timezone = "Europe/Berlin" into the netpol block`))
	}
}

// window reads one entry of time_of_day.
func (r *run) window(v *value) (window, bool) {
	var w window
	if v = r.want(v, object, "A window of time_of_day"); v == nil {
		return w, false
	}
	r.checkKeys(v, "a window of time_of_day", "day", "policy", "time_end", "time_start")
	days, ok1 := r.windowDays(v)
	hours, ok2 := r.windowHours(v)
	policy, ok3 := r.is(v.get("policy"), text, "policy")
	switch {
	case policy == nil:
	case policy.text == "exclusive":
		w.outside = true
	case policy.text != "inclusive":
		words := []string{"exclusive", "inclusive"}
		r.add(importer.New(importer.BadValue, r.src.Range(policy.from, policy.to), "The policy of a window is inclusive or exclusive.").
			WithHint(suggest.Hint(policy.text, words)))
		ok3 = false
	}
	w.days, w.hours = days, hours
	return w, ok1 && ok2 && ok3
}

// windowDays reads the days of a window; without any it is every day.
func (r *run) windowDays(v *value) (days uint8, ok bool) {
	list := []*value{v.get("day")}
	if one := v.get("day"); one == nil || one.kind != text {
		if list, ok = r.strings(one, "day"); !ok {
			return 0, false
		}
	}
	for _, d := range list {
		set := lang.Days(d.text)
		if set == 0 {
			r.report(importer.BadValue, d.from, d.to, "%q is not a day; the days are mon, tue, wed, thu, fri, sat and sun.", importer.OneLine(d.text, 80))
			return 0, false
		}
		days |= set
	}
	if days == 0 {
		r.report(importer.Assumed, v.from, v.to, "The window names no day; taken as every day.")
	}
	return days, true
}

// windowHours reads the times of a window as the language writes them.
func (r *run) windowHours(v *value) (string, bool) {
	from, ok1 := r.clock(v, "time_start", "00:00")
	to, ok2 := r.clock(v, "time_end", "24:00")
	switch {
	case !ok1 || !ok2:
		return "", false
	case to == "23:59":
		to = "24:00"
	case from == "24:00":
		from = "00:00"
	}
	switch {
	case from == "00:00" && to == "24:00":
		return "", true
	case from == to:
		r.report(importer.BadValue, v.from, v.to, "The window ends where it begins: it is either no time or the whole day.")
		return "", false
	}
	return from + "-" + to, true
}

// clockText is a time of day as Netify writes it.
var clockText = regexp.MustCompile(`^([0-9]{1,2}):([0-9]{2})(:00)?$`)

// clock reads a time of day.
func (r *run) clock(v *value, key, def string) (string, bool) {
	at, ok := r.is(v.get(key), text, key)
	if at == nil {
		if ok {
			r.report(importer.Assumed, v.from, v.to, "The window has no %s; taken as %s.", key, def)
		}
		return def, ok
	}
	if m := clockText.FindStringSubmatch(strings.TrimSpace(at.text)); m != nil {
		hour, _ := strconv.Atoi(m[1]) // at most two digits
		minute, _ := strconv.Atoi(m[2])
		if minute < 60 && 60*hour+minute <= 24*60 {
			return fmt.Sprintf("%02d:%02d", hour, minute), true
		}
	}
	r.report(importer.BadValue, at.from, at.to, "%q is not a time of day; it is written 18:00.", importer.OneLine(at.text, 80))
	return "", false
}

// schedulesOf are the schedules for some windows: those of the same days are one,
// and equal ones of several actions too.
func (r *run) schedulesOf(a *action, list []window) []*schedule {
	var out []*schedule
	for _, w := range list {
		i := slices.IndexFunc(out, func(s *schedule) bool { return s.days == w.days && (len(s.hours) == 0) == (w.hours == "") })
		if i < 0 {
			out = append(out, &schedule{days: w.days})
			i = len(out) - 1
		}
		if w.hours != "" && !slices.Contains(out[i].hours, w.hours) {
			out[i].hours = append(out[i].hours, w.hours)
		}
	}
	for i, s := range out {
		content := fmt.Sprintf("%d %v", s.days, s.hours)
		if known := r.schedules[content]; known != nil {
			out[i] = known
			continue
		}
		if r.stretches += max(1, len(s.hours)); r.stretches > maxStretches || len(s.hours) > maxHours {
			a.disable("its windows of time, or those before it, are too many")
		}
		s.name = r.scheduleNames.Name(fmt.Sprintf("%s %d", a.name, len(r.schedules)), func(string) string {
			return strings.ToLower(importer.GroupName(a.name))
		}, 63)
		r.schedules[content] = s
	}
	return out
}

// writeSchedules writes the schedules of a policy that have not been written.
func (r *run) writeSchedules(w *importer.Writer, a *action) {
	for _, s := range slices.Concat(a.schedules, a.except) {
		if s.written {
			continue
		}
		s.written = true
		block := importer.Block{Type: "schedule", Label: s.name}
		if s.days != 0 {
			block.Arguments = append(block.Arguments, importer.Argument{Name: "days", Value: importer.List(dayWords(s.days))})
		}
		if len(s.hours) > 0 {
			block.Arguments = append(block.Arguments, importer.Argument{Name: "hours", Value: quoteList(s.hours)})
		}
		w.Add(block)
	}
}

// dayWords are days as the language writes them.
func dayWords(days uint8) []string {
	var out []string
	for _, word := range lang.DayWords()[:7] {
		if days&lang.Days(word) != 0 {
			out = append(out, importer.Quote(word))
		}
	}
	return out
}
