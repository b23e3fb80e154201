package resolve

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
	"github.com/netpol/netpol/lang/suggest"
)

const secondsOfDay = artifact.SecondsPerDay

// timeRule is how times of day are written.
const timeRule = "A time of day is written '18:00' or '18:00:30', from 00:00 to 24:00"

// timeIntervals reads a time of day, or a range of them, in seconds since
// midnight. A range may pass midnight. A time without seconds that is not the
// end of anything is the whole minute: nobody means its first second.
func (k *criterion) timeIntervals(a atom, c constant) ([]ir.Interval, bool) {
	if c.kind != stringConstant && c.kind != textRangeConstant {
		k.fault(diag.InvalidTime, c.span, "%s. %s is not compared with a %s.", timeRule, a.name, c.kind)
		return nil, false
	}
	low, minute, ok := timeOfDay(c.text)
	high := low
	if c.kind == textRangeConstant && ok {
		high, _, ok = timeOfDay(c.textHigh)
	}
	switch {
	case !ok:
		d := k.fault(diag.InvalidTime, c.span, "%s.", timeRule)
		if from, to, isRange := strings.Cut(c.text, "-"); isRange {
			d.Hint = fmt.Sprintf("write %s in '%s'..'%s'", a.name, strings.TrimSpace(from), strings.TrimSpace(to))
		}
		return nil, false
	case c.kind == stringConstant && low == secondsOfDay && a.op != "<" && a.op != "<=":
		k.fault(diag.InvalidTime, c.span, "24:00 is the end of a day: it stands at the end of a range. The first second of the next day is '00:00'.")
		return nil, false
	case c.kind == stringConstant && minute && (a.op == "==" || a.op == "!=" || a.op == "in"):
		return []ir.Interval{{Low: low, High: low + 59}}, true
	case low <= high:
		return []ir.Interval{{Low: low, High: min(high, secondsOfDay-1)}}, true
	}
	return []ir.Interval{{Low: 0, High: high}, {Low: low, High: secondsOfDay - 1}}, true
}

// timeOfDay reads '18:00' or '18:00:30' as seconds since midnight. minute says
// that no seconds were written.
func timeOfDay(s string) (seconds int, minute, ok bool) {
	parts := strings.Split(s, ":")
	if len(parts) != 2 && len(parts) != 3 {
		return 0, false, false
	}
	for i, p := range parts {
		n, err := strconv.ParseUint(p, 10, 8)
		if err != nil || len(p) > 2 || i > 0 && (len(p) != 2 || n > 59) {
			return 0, false, false
		}
		seconds = 60*seconds + int(n)
	}
	if minute = len(parts) == 2; minute {
		seconds *= 60
	}
	return seconds, minute, seconds <= secondsOfDay
}

// weekdays are the days that one constant stands for.
func (k *criterion) weekdays(c constant) ([]string, bool) {
	set := lang.Days(c.text)
	var out []string
	for i, day := range fact.Weekdays() {
		if set&(1<<i) != 0 {
			out = append(out, day)
		}
	}
	if set == 0 {
		k.fault(diag.UnknownWord, c.span, "'%s' is no day of the week. The days are %s.", c.text, strings.Join(lang.DayWords(), ", ")).
			Hint = suggest.Hint(strings.ToLower(c.text), lang.DayWords())
	}
	return out, set != 0
}
