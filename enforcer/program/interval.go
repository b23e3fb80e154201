package program

import (
	"cmp"
	"slices"
)

// interval is Low..High, both ends included, and the clause filed under it.
type interval struct {
	low, high int
	maxHigh   int // the greatest high in the subtree that this interval is the root of
	clause    int32
}

// intervals is a static interval tree: sorted by low, the middle of each
// stretch is the root of its subtree. A query costs O(log n + hits) and the
// tree O(n) memory, however much the intervals overlap.
type intervals []interval

// newIntervals sorts list in place and makes it a tree.
func newIntervals(list []interval) intervals {
	slices.SortFunc(list, func(a, b interval) int {
		return cmp.Or(cmp.Compare(a.low, b.low), cmp.Compare(a.high, b.high), cmp.Compare(a.clause, b.clause))
	})
	t := intervals(list)
	t.annotate(0, len(t))
	return t
}

// annotate fills maxHigh for t[from:to], which must not be empty unless the
// whole tree is, and returns the greatest.
func (t intervals) annotate(from, to int) int {
	if from >= to {
		return minInt
	}
	mid := int(uint(from+to) >> 1)
	t[mid].maxHigh = max(t[mid].high, t.annotate(from, mid), t.annotate(mid+1, to))
	return t[mid].maxHigh
}

const minInt = -1 << 31 // below every number of a flow, on 32-bit hosts too

// stab calls the machine for every clause whose interval holds v.
func (t intervals) stab(m *Machine, v, from, to int) {
	for from < to {
		mid := int(uint(from+to) >> 1)
		n := &t[mid]
		if n.maxHigh < v {
			return
		}
		t.stab(m, v, from, mid)
		if n.low > v {
			return
		}
		if v <= n.high {
			m.try(n.clause)
		}
		from = mid + 1
	}
}
