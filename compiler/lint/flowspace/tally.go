package flowspace

import (
	"math"
	"reflect"
	"slices"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/compiler/lint/bdd"
	"github.com/netpol/netpol/lang/fact"
)

// tally is one thing that is counted for both sides of a flow: five attributes,
// the sum and that of each side under both its names.
type tally struct {
	names [5]string // total, src, dst, local, other
	// slack is by how much the sum may differ from its parts: rates are rounded
	// one by one.
	slack int
}

func tallies() []tally {
	return []tally{
		{names: [5]string{"total_bytes", "src_bytes", "dst_bytes", "local_bytes", "other_bytes"}},
		{names: [5]string{"total_packets", "src_packets", "dst_packets", "local_packets", "other_packets"}},
		{names: [5]string{"total_rate", "src_rate", "dst_rate", "local_rate", "other_rate"}, slack: 2},
	}
}

// tallyOf is the tally that an attribute belongs to.
func tallyOf(name string) (tally, bool) {
	list := tallies()
	i := slices.IndexFunc(list, func(t tally) bool { return slices.Contains(t.names[:], name) })
	if i < 0 {
		return tally{}, false
	}
	return list[i], true
}

// sides are the names of the parts, as orient wants them.
func (t tally) sides() [4]string { return [4]string(t.names[1:]) }

// collectTally notes the constants of a comparison with a count. All five share
// their classes, so that one can be said to equal another.
func (s *Space) collectTally(t tally, c *ir.Compare) {
	n := s.tallied[t.names[0]]
	if n == nil {
		n = newNumbers(c.Attr)
		s.tallied[t.names[0]] = n
	}
	n.add(c.Ranges)
	s.columns[c.Attr.Name] = &column{}
}

// allotTallies gives the counts their variables.
func (s *Space) allotTallies() {
	for _, t := range tallies() {
		n := s.tallied[t.names[0]]
		if n == nil {
			continue
		}
		n.build()
		s.orient(t.sides())
		s.interleave(t.names[:], len(n.classes))
	}
}

// maxSums bounds the pairs of classes whose sums are written out.
const maxSums = 256

// counts: both names of a side count the same, and the sides make the total.
func (s *Space) counts() bdd.Node {
	r := bdd.True
	for _, t := range tallies() {
		n := s.tallied[t.names[0]]
		if n == nil {
			continue
		}
		if s.orientation != 0 {
			r = s.b.And(r, s.turned(t.sides()))
			r = s.b.And(r, s.mixedSums(t, n))
		}
		r = s.b.And(r, s.sum(t, n, t.names[1], t.names[2]))
		r = s.b.And(r, s.sum(t, n, t.names[3], t.names[4]))
	}
	return r
}

// mixedSums are the sums of a side under one name and the other side under the
// other: which two make the total depends on who opened the flow.
func (s *Space) mixedSums(t tally, n *numbers) bdd.Node {
	src, dst, local, other := t.names[1], t.names[2], t.names[3], t.names[4]
	opened := s.b.Var(s.orientation)
	straight := s.b.And(s.sum(t, n, src, other), s.sum(t, n, local, dst))
	crossed := s.b.And(s.sum(t, n, src, local), s.sum(t, n, other, dst))
	return s.b.And(s.implies(opened, straight), s.b.Or(opened, crossed))
}

// sum is total = a + b, as far as classes tell.
func (s *Space) sum(t tally, n *numbers, a, b string) bdd.Node {
	total := s.columns[t.names[0]]
	x, y := s.columns[a], s.columns[b]
	if total == nil || x == nil && y == nil {
		return bdd.True
	}
	whole := []ir.Interval{{Low: 0, High: math.MaxInt}}
	xs, ys := n.classes, n.classes
	if x == nil {
		xs = whole
	}
	if y == nil {
		ys = whole
	}
	if len(xs)*len(ys) > maxSums {
		return bdd.True
	}
	r := bdd.False
	for i, p := range xs {
		for j, q := range ys {
			low, high := max(p.Low+q.Low-t.slack, 0), plus(plus(p.High, q.High), t.slack)
			r = s.b.Or(r, s.b.And(s.b.And(s.only(x, i), s.only(y, j)), s.within(total, n.touching(low, high))))
		}
	}
	return r
}

// only is one class of a column; everything where the column is missing.
func (s *Space) only(c *column, class int) bdd.Node {
	if c == nil {
		return bdd.True
	}
	return s.within(c, []bdd.Interval{{Low: class, High: class}})
}

func plus(a, b int) int {
	if a > math.MaxInt-b {
		return math.MaxInt
	}
	return a + b
}

// touching is the classes with a value between low and high.
func (n *numbers) touching(low, high int) []bdd.Interval {
	first := slices.IndexFunc(n.classes, func(c ir.Interval) bool { return c.High >= low })
	last := len(n.classes) - 1
	for last > first && n.classes[last].Low > high {
		last--
	}
	return []bdd.Interval{{Low: first, High: last}}
}

// usualCount is a count that a reader does not wonder at: one packet's bytes.
const usualCount = 1500

// counts fills in the counts that the place tells of, so that they add up.
func (w *witness) counts() {
	opened := w.s.orientation == 0 || w.values[w.s.orientation]
	v := reflect.ValueOf(w.facts).Elem()
	for _, t := range tallies() {
		if w.s.tallied[t.names[0]] == nil {
			continue
		}
		first, second := 3, 4 // of src and dst, among the sides
		if !opened {
			first, second = 4, 3
		}
		total, src, dst := w.count(t, 0, 0), w.count(t, 1, first), w.count(t, 2, second)
		sum := max(total.Low, plus(src.Low, dst.Low))
		if limit := min(total.High, plus(src.High, dst.High)); sum <= usualCount && usualCount <= limit {
			sum = usualCount
		}
		more := sum - src.Low - dst.Low
		down := min(more, dst.High-dst.Low)
		values := [5]int{sum, src.Low + more - down, dst.Low + down}
		values[first], values[second] = values[1], values[2]
		for i, name := range t.names {
			a, _ := fact.Lookup(name)
			setInt(v.FieldByName(a.Field), values[i])
		}
	}
}

// count is the values that the place leaves an attribute of two names.
func (w *witness) count(t tally, one, other int) ir.Interval {
	out := ir.Interval{Low: 0, High: math.MaxInt}
	for _, i := range []int{one, other} {
		if class, ok := w.class(t.names[i]); ok {
			c := w.s.tallied[t.names[0]].classes[class]
			out.Low, out.High = max(out.Low, c.Low), min(out.High, c.High)
		}
	}
	return out
}
