package prom

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Kind is the type of a family.
type Kind string

// Kinds of families. Names of counters end in _total.
const (
	Counter   Kind = "counter"
	Gauge     Kind = "gauge"
	histogram Kind = "histogram"
	summary   Kind = "summary"
)

// Text is an exposition that is being written. The zero value works.
type Text struct{ b bytes.Buffer }

// Bytes is what was written.
func (t *Text) Bytes() []byte { return t.b.Bytes() }

// Label is a label of a sample.
type Label struct{ Name, Value string }

// Sample is one figure of a family.
type Sample struct {
	Labels []Label
	Value  float64
}

// Family writes a family: its help, its type and its samples.
func (t *Text) Family(name string, kind Kind, help string, samples ...Sample) {
	t.head(name, kind, help)
	for _, s := range samples {
		t.sample(name, s.Labels, s.Value)
	}
}

// By writes a family whose samples differ in one label, in the order of its values.
func (t *Text) By(name string, kind Kind, help, label string, values map[string]uint64) {
	t.head(name, kind, help)
	for _, value := range slices.Sorted(maps.Keys(values)) {
		t.sample(name, []Label{{label, value}}, float64(values[value]))
	}
}

// Histogram writes a family of one histogram: how many observations were at most each
// bound, how many there are, and their sum.
func (t *Text) Histogram(name, help string, bounds []float64, atMost []uint64, count uint64, sum float64) {
	t.head(name, histogram, help)
	for i, bound := range bounds {
		t.sample(name+"_bucket", []Label{{"le", number(bound)}}, float64(atMost[i]))
	}
	t.sample(name+"_bucket", []Label{{"le", "+Inf"}}, float64(count))
	t.sample(name+"_sum", nil, sum)
	t.sample(name+"_count", nil, float64(count))
}

// Total is how many observations there are with some labels, and their sum.
type Total struct {
	Labels []Label
	Count  uint64
	Sum    float64
}

// Summary writes a family of summaries without quantiles, which could not be added up.
func (t *Text) Summary(name, help string, totals ...Total) {
	t.head(name, summary, help)
	for _, s := range totals {
		t.sample(name+"_sum", s.Labels, s.Sum)
		t.sample(name+"_count", s.Labels, float64(s.Count))
	}
}

func (t *Text) head(name string, kind Kind, help string) {
	fmt.Fprintf(&t.b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

func (t *Text) sample(name string, labels []Label, value float64) {
	t.b.WriteString(name)
	for i, l := range labels {
		sep := byte(',')
		if i == 0 {
			sep = '{'
		}
		t.b.WriteByte(sep)
		fmt.Fprintf(&t.b, `%s="%s"`, l.Name, escape(l.Value))
	}
	if len(labels) > 0 {
		t.b.WriteByte('}')
	}
	t.b.WriteString(" " + number(value) + "\n")
}

func number(v float64) string { return strconv.FormatFloat(v, 'g', -1, 64) }

// escape makes a value safe between quotes (Prometheus, exposition formats: text
// format details). What is not UTF-8 would have the whole scrape refused.
func escape(s string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(strings.ToValidUTF8(s, "\ufffd"))
}
