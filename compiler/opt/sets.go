package opt

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/netpol/netpol/compiler/ir"
)

// union is the comparison that holds when any of the list does. All are of one
// attribute and operation.
func union(list []*ir.Compare) *ir.Compare {
	if len(list) == 1 {
		return list[0]
	}
	out := merged(list, " || ")
	for _, c := range list {
		out.Strings = append(out.Strings, c.Strings...)
		out.Ranges = append(out.Ranges, c.Ranges...)
		out.Prefixes = append(out.Prefixes, c.Prefixes...)
	}
	slices.Sort(out.Strings)
	out.Strings = slices.Compact(out.Strings)
	out.Ranges = joinRanges(out.Ranges)
	out.Prefixes = outermost(out.Prefixes)
	return out
}

// intersect is the comparison that holds when both exact ones do.
func intersect(a, b *ir.Compare) *ir.Compare {
	out := merged([]*ir.Compare{a, b}, " && ")
	for _, s := range a.Strings {
		if _, ok := slices.BinarySearch(b.Strings, s); ok {
			out.Strings = append(out.Strings, s)
		}
	}
	for _, r := range a.Ranges {
		for _, q := range b.Ranges {
			if low, high := max(r.Low, q.Low), min(r.High, q.High); low <= high {
				out.Ranges = append(out.Ranges, ir.Interval{Low: low, High: high})
			}
		}
	}
	out.Ranges = joinRanges(out.Ranges)
	for _, p := range a.Prefixes {
		for _, q := range b.Prefixes {
			if p.Overlaps(q) {
				if q.Bits() > p.Bits() {
					out.Prefixes = append(out.Prefixes, q)
				} else {
					out.Prefixes = append(out.Prefixes, p)
				}
			}
		}
	}
	out.Prefixes = outermost(out.Prefixes)
	return out
}

// maxFolded is the longest list of prefixes that is merged with another. Longer
// ones are address groups, which all comparisons with them share: merging would
// make a list of its own for each policy.
const maxFolded = 256

// keyOf is equal for equal conditions, and for long lists of prefixes only for
// those that are one list in memory, because their text would be long.
func keyOf(e ir.Expr) string {
	var b strings.Builder
	writeKey(&b, e)
	return b.String()
}

func writeKey(b *strings.Builder, e ir.Expr) {
	switch e := e.(type) {
	case *ir.And:
		writeKeys(b, " and ", e.List)
	case *ir.Or:
		writeKeys(b, " or ", e.List)
	case *ir.Not:
		b.WriteString("not ")
		writeKey(b, e.X)
	case *ir.Compare:
		if len(e.Prefixes) > maxFolded {
			fmt.Fprintf(b, "%s %p %d", e.Attr.Name, &e.Prefixes[0], len(e.Prefixes))
			return
		}
		b.WriteString(ir.Dump(e))
	case *ir.Const, *ir.Residual:
		b.WriteString(ir.Dump(e))
	}
}

func writeKeys(b *strings.Builder, word string, list []ir.Expr) {
	b.WriteByte('(')
	for i, e := range list {
		if i > 0 {
			b.WriteString(word)
		}
		writeKey(b, e)
	}
	b.WriteByte(')')
}

// subtract is the comparison that holds when a does and b does not. Both are
// exact and not of prefixes.
func subtract(a, b *ir.Compare) *ir.Compare {
	out := merged([]*ir.Compare{a}, "")
	for _, s := range a.Strings {
		if _, ok := slices.BinarySearch(b.Strings, s); !ok {
			out.Strings = append(out.Strings, s)
		}
	}
	for _, r := range a.Ranges {
		out.Ranges = append(out.Ranges, cut(r, b.Ranges)...)
	}
	return out
}

// cut is what is left of a range without some sorted, disjoint others.
func cut(r ir.Interval, others []ir.Interval) []ir.Interval {
	var out []ir.Interval
	for _, o := range others {
		if o.High < r.Low || o.Low > r.High {
			continue
		}
		if o.Low > r.Low {
			out = append(out, ir.Interval{Low: r.Low, High: o.Low - 1})
		}
		if o.High >= r.High {
			return out
		}
		r.Low = o.High + 1
	}
	return append(out, r)
}

// covers says that a holds wherever b does; it may say no when the answer is
// yes. Both are of one attribute and operation.
func covers(a, b *ir.Compare) bool {
	for _, s := range b.Strings {
		if _, ok := slices.BinarySearch(a.Strings, s); !ok {
			return false
		}
	}
	for _, r := range b.Ranges {
		if len(cut(r, a.Ranges)) > 0 {
			return false
		}
	}
	for _, p := range b.Prefixes {
		if !slices.ContainsFunc(a.Prefixes, func(q netip.Prefix) bool { return inside(p, q) }) {
			return false
		}
	}
	return true
}

// isEmpty says that the comparison holds for nothing.
func isEmpty(c *ir.Compare) bool {
	return c.Op != ir.OpTrue && len(c.Strings) == 0 && len(c.Ranges) == 0 && len(c.Prefixes) == 0
}

// joinRanges sorts ranges and joins those that touch.
func joinRanges(list []ir.Interval) []ir.Interval {
	slices.SortFunc(list, func(a, b ir.Interval) int { return cmp.Or(cmp.Compare(a.Low, b.Low), cmp.Compare(a.High, b.High)) })
	var out []ir.Interval
	for _, r := range list {
		if n := len(out); n > 0 && (r.Low <= out[n-1].High || r.Low == out[n-1].High+1) {
			out[n-1].High = max(out[n-1].High, r.High)
			continue
		}
		out = append(out, r)
	}
	return out
}

// outermost sorts prefixes and drops those that another contains.
func outermost(list []netip.Prefix) []netip.Prefix {
	slices.SortFunc(list, netip.Prefix.Compare)
	var out []netip.Prefix
	for _, p := range list {
		// Sorted by address, then by length: what contains p is the last kept.
		if n := len(out); n > 0 && inside(p, out[n-1]) {
			continue
		}
		out = append(out, p)
	}
	return out
}

// inside says that all of p lies in q.
func inside(p, q netip.Prefix) bool { return q.Bits() <= p.Bits() && q.Overlaps(p) }
