package top

import (
	"strings"

	"github.com/netpol/netpol/enforcer/telemetry"
)

// trendLooks is how many looks a trend is of.
const trendLooks = 12

// trends are the rates of rows over the last looks, by row. Those of a view are forgotten with
// the next view.
type trends struct {
	view  View
	looks int
	rates map[string]*trend
	all   trend
}

// trend is the rates of the last looks, in bytes a second, the last one at the end.
type trend struct {
	at    int // the look that it was seen in
	rates [trendLooks]uint64
}

// add takes a look in.
func (t *trends) add(v View, rows []Row, total *telemetry.Sum) {
	if t.view != v || t.rates == nil {
		t.view, t.rates = v, map[string]*trend{}
	}
	t.looks++
	t.all.add(t.looks, total.Rate)
	for i := range rows {
		key := rows[i].key()
		one := t.rates[key]
		if one == nil {
			one = &trend{at: t.looks - 1}
			t.rates[key] = one
		}
		one.add(t.looks, rows[i].Rate)
	}
	for key, one := range t.rates {
		if t.looks-one.at >= trendLooks {
			delete(t.rates, key)
		}
	}
}

// add puts a rate at the end; looks without the row had none.
func (t *trend) add(look int, rate uint64) {
	gone := min(look-t.at, trendLooks)
	copy(t.rates[:], t.rates[gone:])
	clear(t.rates[trendLooks-gone:])
	t.at, t.rates[trendLooks-1] = look, rate
}

// of is the trend of a row, drawn.
func (t *trends) of(r *Row) string {
	if one := t.rates[r.key()]; one != nil {
		return one.text()
	}
	return strings.Repeat(" ", trendLooks)
}

// bars are eighths of a line's height.
const bars = " ▁▂▃▄▅▆▇█"

// text draws a trend, as high as its highest rate.
func (t *trend) text() string {
	most := uint64(1)
	for _, r := range t.rates {
		most = max(most, r)
	}
	steps := []rune(bars)
	var b strings.Builder
	for _, r := range t.rates {
		step := (r*uint64(len(steps)-1) + most - 1) / most
		b.WriteRune(steps[step])
	}
	return b.String()
}
