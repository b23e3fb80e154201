package flowspace

import (
	"iter"
	"slices"
	"strings"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/compiler/lint/pattern"
	"github.com/netpol/netpol/lang/fact"
)

// example makes up a text of a class that passes exactly the wanted patterns.
func (t *text) example(class, start int, wanted func(*textPattern) bool) (string, bool) {
	c := t.classes[class]
	// The few that must hold come first: most texts fail there already.
	must := 0
	fits := func(s string) bool {
		t.spend(patternSteps)
		if t.classOf(s) != class || t.startOf(s) != start {
			return false
		}
		for i := range t.patterns {
			if p := &t.patterns[i]; wanted(p) && !p.holds(s) {
				return false
			}
		}
		held := t.held(s)
		return len(held) == must && !slices.ContainsFunc(held, func(i int) bool { return !wanted(&t.patterns[i]) })
	}
	for i := range t.patterns {
		if wanted(&t.patterns[i]) {
			must++
		}
	}
	if c.constant {
		return c.value, fits(c.value)
	}
	for _, s := range t.vocabulary() {
		if fits(s) {
			return s, true
		}
	}
	for s := range t.candidates(c.value, start, wanted) {
		if fits(s) {
			return s, true
		}
	}
	return "", false
}

// patternSteps is what it costs to try a pattern on a text, in steps of
// bdd.Builder.Work.
const patternSteps = 16

// maxTried bounds the texts whose patterns are remembered.
const maxTried = 4096

// held lists the patterns that a text holds. The same few texts are tried for
// most witnesses.
func (t *text) held(s string) []int {
	if held, ok := t.tried[s]; ok {
		return held
	}
	t.spend(patternSteps * len(t.patterns))
	held := []int{}
	for i := range t.patterns {
		if t.patterns[i].holds(s) {
			held = append(held, i)
		}
	}
	if t.tried == nil || len(t.tried) >= maxTried {
		t.tried = map[string][]int{}
	}
	t.tried[s] = held
	return held
}

// vocabulary is what the attribute can be, where that is bounded, or what its
// values look like.
func (t *text) vocabulary() []string {
	switch t.attr.Type {
	case fact.EvidenceName:
		return slices.Clone(fact.Evidences)
	case fact.MAC:
		return []string{"02:00:00:00:00:77", "02:00:00:00:00:78"} // locally administered
	default:
		return slices.Clone(t.attr.Values)
	}
}

// candidates are texts worth trying: prefix, wanted pieces and suffix, with
// and without a filler between them.
func (t *text) candidates(suffix string, start int, wanted func(*textPattern) bool) iter.Seq[string] {
	prefix := ""
	if start > 0 {
		prefix = t.prefixes[start-1]
	}
	var pieces []string
	for i := range t.patterns {
		p := &t.patterns[i]
		switch {
		case !wanted(p):
		case p.op == ir.OpMatches:
			pieces = append(pieces, pattern.Sample(p.value))
		default:
			pieces = append(pieces, p.value)
		}
	}
	middles := append([]string{strings.Join(pieces, ""), strings.Join(pieces, ".")}, pieces...)
	fillers := []string{"", "host", "a", "x7", "www"}
	if strings.HasPrefix(suffix, ".") && len(pieces) == 0 && prefix == "" {
		fillers = fillers[1:] // no name begins with a dot
	}
	return func(yield func(string) bool) {
		try := func(list ...string) bool { return !slices.ContainsFunc(list, func(s string) bool { return !yield(s) }) }
		for _, filler := range fillers {
			for _, m := range middles {
				if !try(prefix+filler+m+suffix, prefix+m+filler+suffix, m+suffix, prefix+m) {
					return
				}
			}
		}
		if suffix == "" {
			try("host.example.net", "example", prefix+"host.example.net")
		}
	}
}
