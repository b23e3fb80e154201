package flowspace

import (
	"math"
	"slices"
	"sort"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/compiler/lint/bdd"
	"github.com/netpol/netpol/lang/fact"
)

// numbers cuts the values of a number into the intervals between the constants
// that it is compared with.
type numbers struct {
	attr    fact.Attribute
	domain  []ir.Interval // the values that exist
	starts  []int         // where a class may begin
	classes []ir.Interval // ascending
}

func newNumbers(a fact.Attribute) *numbers { return &numbers{attr: a, domain: domain(a)} }

// domain is the values that a numeric attribute can have.
func domain(a fact.Attribute) []ir.Interval {
	switch {
	case a.Name == "ip_version":
		return []ir.Interval{{Low: 4, High: 4}, {Low: 6, High: 6}}
	case a.Name == "ip_protocol":
		return []ir.Interval{{Low: 0, High: math.MaxUint8}}
	case a.Type == fact.Port || a.Type == fact.TLSVersion:
		return []ir.Interval{{Low: 0, High: math.MaxUint16}}
	case a.Type == fact.TimeOfDay:
		return []ir.Interval{{Low: 0, High: daySeconds - 1}}
	case a.Name == "ct_mark":
		return []ir.Interval{{Low: 0, High: math.MaxUint32 & math.MaxInt}}
	case a.Name == "ip_dscp":
		return []ir.Interval{{Low: 0, High: 63}}
	case a.Unit == "percent":
		return []ir.Interval{{Low: 0, High: 100}}
	case a.Unit != "": // bytes, packets, seconds: counted
		return []ir.Interval{{Low: 0, High: math.MaxInt}}
	}
	return []ir.Interval{{Low: math.MinInt, High: math.MaxInt}}
}

func (n *numbers) add(ranges []ir.Interval) {
	for _, r := range ranges {
		n.starts = append(n.starts, r.Low)
		if r.High < math.MaxInt {
			n.starts = append(n.starts, r.High+1)
		}
	}
}

func (n *numbers) build() {
	slices.Sort(n.starts)
	n.starts = slices.Compact(n.starts)
	for _, d := range n.domain {
		low := d.Low
		for _, start := range n.starts {
			if start > low && start <= d.High {
				n.classes = append(n.classes, ir.Interval{Low: low, High: start - 1})
				low = start
			}
		}
		n.classes = append(n.classes, ir.Interval{Low: low, High: d.High})
	}
}

// in is the classes inside sorted, disjoint ranges.
func (n *numbers) in(ranges []ir.Interval) []bdd.Interval {
	var out []bdd.Interval
	for _, r := range ranges {
		low := sort.Search(len(n.classes), func(i int) bool { return n.classes[i].Low >= r.Low })
		high := sort.Search(len(n.classes), func(i int) bool { return n.classes[i].High > r.High }) - 1
		if low <= high {
			out = append(out, bdd.Interval{Low: low, High: high})
		}
	}
	return out
}

// usual are numbers that a reader knows, tried in turn for a witness.
func usual(a fact.Attribute) []int {
	switch {
	case a.Name == "ip_protocol":
		return []int{6, 17, 1}
	case a.Name == "src_port" || a.Name == "local_port":
		return []int{40000, 50000, 1024}
	case a.Type == fact.Port:
		return []int{443, 80, 8080, 50000, 1024}
	case a.Type == fact.TimeOfDay:
		return []int{12 * 3600, 20 * 3600, 8 * 3600, 3 * 3600}
	case a.Type == fact.TLSVersion:
		return []int{0x0303, 0x0304, 0x0302, 0x0301}
	}
	return []int{0, 1, 100}
}

// example is a value of a class.
func (n *numbers) example(class int, a fact.Attribute) int {
	c := n.classes[class]
	for _, v := range usual(a) {
		if c.Low <= v && v <= c.High {
			return v
		}
	}
	if c.Low < 0 && c.High >= 0 {
		return 0
	}
	if c.Low < 0 {
		return c.High
	}
	return c.Low
}
