package enforcer

import (
	"slices"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang/fact"
)

// watch is what a program asks of a flow's counters: where on the scale its
// answers change. A reading that passes none of these places need not be looked
// at, and without a watch nobody reads counters at all.
type watch struct {
	// always says that bytecode asks, or the clock is asked for: no reading can
	// be passed over.
	always bool
	clock  bool // time of day or weekday
	// Of both directions together, of what the client sent, of what the server
	// sent; which of them is the local side's, facts decide.
	rate, bytes, packets [3]thresholds
	duration             thresholds
}

const (
	total = iota
	sent
	returned
)

// thresholds are ascending; an answer changes where one is reached.
type thresholds []int

// passed says that a condition may hold of the one and not of the other.
func (t thresholds) passed(from, to int) bool {
	if from == to || len(t) == 0 {
		return false
	}
	return t.below(from) != t.below(to)
}

// below counts the thresholds that v has reached.
func (t thresholds) below(v int) int {
	n, found := slices.BinarySearch(t, v)
	if found {
		n++
	}
	return n
}

// newWatch is nil when the program asks for no counter.
func newWatch(p *artifact.Program) *watch {
	w := &watch{}
	asks := false
	for _, name := range p.Reads {
		switch a, _ := fact.Lookup(name); {
		case a.From == "clock" && a.Type != fact.ScheduleName:
			asks, w.clock, w.always = true, true, true
		case counted(a):
			asks = true
		}
	}
	if !asks {
		return nil
	}
	for _, t := range p.Tests {
		if t.Op == artifact.TestCode {
			w.always = true // its attributes are not listed
		}
		w.add(t)
	}
	for _, l := range w.lists() {
		slices.Sort(*l)
		*l = slices.Compact(*l)
	}
	return w
}

// counted says that readings of the kernel's counters tell the attribute.
func counted(a fact.Attribute) bool { return a.From == "conntrack" || a.Name == "duration" }

func (w *watch) lists() []*thresholds {
	list := []*thresholds{&w.duration}
	for i := range w.rate {
		list = append(list, &w.rate[i], &w.bytes[i], &w.packets[i])
	}
	return list
}

// add notes the ends of a test's ranges.
func (w *watch) add(t artifact.Test) {
	for _, to := range w.places(t.Attribute) {
		for _, r := range t.Ranges {
			*to = append(*to, r.Low, r.High+1)
		}
	}
	if t.Attribute == "ct_mark" {
		w.always = true
	}
}

// places are the lists that an attribute's thresholds belong to.
func (w *watch) places(attribute string) []*thresholds {
	one := func(l *[3]thresholds, i int) []*thresholds { return []*thresholds{&l[i]} }
	either := func(l *[3]thresholds) []*thresholds { return []*thresholds{&l[sent], &l[returned]} }
	switch attribute {
	case "duration":
		return []*thresholds{&w.duration}
	case "total_rate":
		return one(&w.rate, total)
	case "src_rate":
		return one(&w.rate, sent)
	case "dst_rate":
		return one(&w.rate, returned)
	case "local_rate", "other_rate":
		return either(&w.rate)
	case "total_bytes":
		return one(&w.bytes, total)
	case "src_bytes":
		return one(&w.bytes, sent)
	case "dst_bytes":
		return one(&w.bytes, returned)
	case "local_bytes", "other_bytes":
		return either(&w.bytes)
	case "total_packets":
		return one(&w.packets, total)
	case "src_packets":
		return one(&w.packets, sent)
	case "dst_packets":
		return one(&w.packets, returned)
	case "local_packets", "other_packets":
		return either(&w.packets)
	}
	return nil
}

// changed says that the program may answer otherwise after a reading.
func (w *watch) changed(before, after *measure) bool {
	if w.always || w.duration.passed(before.duration, after.duration) {
		return true
	}
	for i := range 3 {
		if w.rate[i].passed(before.rate[i], after.rate[i]) ||
			w.bytes[i].passed(before.bytes[i], after.bytes[i]) ||
			w.packets[i].passed(before.packets[i], after.packets[i]) {
			return true
		}
	}
	return false
}
