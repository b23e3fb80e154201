package nft

import (
	"cmp"
	"slices"
	"strings"
)

// region is the values of one field that a test takes, as sorted intervals
// that neither overlap nor touch. Values are byte strings of the field's width
// in network order, so that comparing text compares numbers.
type region []interval

// interval is low..high, both included.
type interval struct{ low, high string }

// all is every value of a width.
func all(width int) region {
	return region{{strings.Repeat("\x00", width), strings.Repeat("\xff", width)}}
}

func (r region) isAll() bool { return len(r) == 1 && r[0] == all(len(r[0].low))[0] }

// next is the value after v, and false after the last.
func next(v string) (string, bool) {
	b := []byte(v)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i]++; b[i] != 0 {
			return string(b), true
		}
	}
	return "", false
}

// previous is the value before v, and false before the first.
func previous(v string) (string, bool) {
	b := []byte(v)
	for i := len(b) - 1; i >= 0; i-- {
		if b[i]--; b[i] != 0xff {
			return string(b), true
		}
	}
	return "", false
}

// union is the values of any of the intervals, in whatever order they come.
func union(list region) region {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b interval) int { return cmp.Or(cmp.Compare(a.low, b.low), cmp.Compare(a.high, b.high)) })
	var out region
	for _, v := range list {
		if n := len(out); n > 0 {
			after, ok := next(out[n-1].high)
			if !ok || v.low <= after {
				out[n-1].high = max(out[n-1].high, v.high)
				continue
			}
		}
		out = append(out, v)
	}
	return out
}

// intersect walks both lists at once: address groups are long.
func (r region) intersect(o region) region {
	var out region
	for len(r) > 0 && len(o) > 0 {
		if low, high := max(r[0].low, o[0].low), min(r[0].high, o[0].high); low <= high {
			out = append(out, interval{low, high})
		}
		if r[0].high < o[0].high {
			r = r[1:]
		} else {
			o = o[1:]
		}
	}
	return out
}

// complement is the values of the width that r does not have.
func (r region) complement(width int) region {
	whole := all(width)[0]
	var out region
	low := whole.low
	for _, v := range r {
		if before, ok := previous(v.low); ok && low <= before {
			out = append(out, interval{low, before})
		}
		after, ok := next(v.high)
		if !ok {
			return out
		}
		low = after
	}
	return append(out, interval{low, whole.high})
}

// key tells regions apart in a map.
func (r region) key() string {
	var b strings.Builder
	for _, v := range r {
		b.WriteString(v.low)
		b.WriteString(v.high)
	}
	return b.String()
}
