package policydiff

import (
	"slices"
	"time"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/compiler/lint/flowspace"
	"github.com/netpol/netpol/lang/fact"
)

const (
	// maxInstants bounds the times at which the sides are compared.
	maxInstants = 64
	// maxYears is how far ahead times are looked for.
	maxYears = 5
)

// asksClock reports whether a comparison is about the time.
func asksClock(c *ir.Compare) bool { return c.Attr.From == "clock" }

// clockTests are what a side asks of the time.
func (s *side) clockTests() []*ir.Compare {
	var out []*ir.Compare
	for i := range s.resolved.Policies {
		ir.Walk(s.resolved.Policies[i].Cond, func(e ir.Expr) {
			if c, ok := e.(*ir.Compare); ok && asksClock(c) {
				out = append(out, c)
			}
		})
	}
	return out
}

// instants are times of which each answers what the sides ask of the time
// otherwise than the others, the plainest first; all says that there is no
// further answer within the years that schedules speak of.
func (c *comparison) instants() (list []time.Time, all bool, err error) {
	plain := c.before.evaluator.Clock.Default()
	before, after := c.before.clockTests(), c.after.clockTests()
	if len(before)+len(after) == 0 {
		return []time.Time{plain}, true, nil
	}
	bounds, all, err := c.bounds(plain, append(slices.Clone(before), after...))
	if err != nil {
		return nil, false, err
	}
	seen := map[string]bool{}
	for _, t := range append([]time.Time{plain}, bounds...) {
		key := make([]byte, 0, len(before)+len(after))
		for _, x := range []struct {
			s     *side
			tests []*ir.Compare
		}{{c.before, before}, {c.after, after}} {
			var f fact.Facts
			if err := x.s.evaluator.Clock.Read(&f, t); err != nil {
				return nil, false, err
			}
			for _, test := range x.tests {
				key = append(key, byte(flowspace.Eval(test, &f)))
			}
		}
		if !seen[string(key)] {
			seen[string(key)] = true
			list = append(list, t)
		}
	}
	if len(list) > maxInstants {
		return list[:maxInstants], false, nil
	}
	return list, all, nil
}

// bounds are the times at which some answer may change: midnights, ends of
// ranges of the day, ends of schedules.
func (c *comparison) bounds(plain time.Time, tests []*ir.Compare) (out []time.Time, all bool, err error) {
	from, to, all := c.horizon(plain)
	for _, s := range []*side{c.before, c.after} {
		for _, schedule := range s.evaluator.Clock.Schedules() {
			windows, err := schedule.Windows(from, to)
			if err != nil {
				return nil, false, err
			}
			for _, w := range windows {
				out = append(out, w.From, w.To)
			}
		}
		zone := s.evaluator.Clock.Zone()
		y, m, d := from.In(zone).Date()
		for day := 0; ; day++ {
			midnight := time.Date(y, m, d+day, 0, 0, 0, 0, zone)
			if midnight.After(to) {
				break
			}
			out = append(out, midnight)
			for _, test := range tests {
				for _, r := range test.Ranges {
					out = append(out, time.Date(y, m, d+day, 0, 0, r.Low, 0, zone), time.Date(y, m, d+day, 0, 0, r.High+1, 0, zone))
				}
			}
		}
	}
	out = slices.DeleteFunc(out, func(t time.Time) bool { return t.Before(from) || t.After(to) })
	slices.SortFunc(out, time.Time.Compare)
	return slices.CompactFunc(out, time.Time.Equal), all, nil
}

// horizon is a year and the dates that schedules name, whichever is more.
func (c *comparison) horizon(plain time.Time) (from, to time.Time, all bool) {
	from, to = plain, plain.AddDate(1, 0, 1)
	for _, s := range []*side{c.before, c.after} {
		for _, schedule := range s.evaluator.Clock.Schedules() {
			for _, d := range slices.Concat(schedule.Dates, schedule.Except) {
				if t, err := time.Parse(time.DateOnly, d.From); err == nil && t.Before(from) {
					from = t.AddDate(0, 0, -1)
				}
				if t, err := time.Parse(time.DateOnly, d.To); err == nil && t.After(to) {
					to = t.AddDate(0, 0, 2)
				}
			}
		}
	}
	if early := plain.AddDate(-maxYears, 0, 0); from.Before(early) {
		from, all = early, false
	} else {
		all = true
	}
	if late := plain.AddDate(maxYears, 0, 0); to.After(late) {
		to, all = late, false
	}
	return from, to, all
}

// atTime is a condition with what it asks of the time answered by these facts.
// Parts that ask nothing of it stay the same objects.
func atTime(e ir.Expr, f *fact.Facts) ir.Expr {
	switch e := e.(type) {
	case *ir.And:
		return answered(e.List, f, false, func(list []ir.Expr) ir.Expr { return ir.NewAnd(e.Range, list...) }, e)
	case *ir.Or:
		return answered(e.List, f, true, func(list []ir.Expr) ir.Expr { return ir.NewOr(e.Range, list...) }, e)
	case *ir.Not:
		x := atTime(e.X, f)
		if c, ok := x.(*ir.Const); ok {
			return &ir.Const{Value: !c.Value, Range: e.Range}
		}
		if x == e.X {
			return e
		}
		return ir.NewNot(e.Range, x)
	case *ir.Compare:
		if asksClock(e) {
			return &ir.Const{Value: flowspace.Eval(e, f) == flowspace.Yes, Range: e.Range}
		}
	case *ir.Const, *ir.Residual:
	}
	return e
}

// answered joins the parts of a list; decided is the constant that settles it.
func answered(list []ir.Expr, f *fact.Facts, decided bool, join func([]ir.Expr) ir.Expr, whole ir.Expr) ir.Expr {
	var out []ir.Expr
	changed := false
	for _, x := range list {
		y := atTime(x, f)
		changed = changed || x != y
		if c, ok := y.(*ir.Const); ok && x != y {
			if c.Value == decided {
				return c
			}
			continue
		}
		out = append(out, y)
	}
	switch {
	case !changed:
		return whole
	case len(out) == 0:
		return &ir.Const{Value: !decided, Range: whole.Pos()}
	case len(out) == 1:
		return out[0]
	}
	return join(out)
}
