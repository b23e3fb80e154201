package flowspace

import (
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
	order := make([]*textPattern, 0, len(t.patterns))
	for _, first := range []bool{true, false} {
		for i := range t.patterns {
			if p := &t.patterns[i]; wanted(p) == first {
				order = append(order, p)
			}
		}
	}
	fits := func(s string) bool {
		if t.classOf(s) != class || t.startOf(s) != start {
			return false
		}
		return !slices.ContainsFunc(order, func(p *textPattern) bool { return p.holds(s) != wanted(p) })
	}
	if c.constant {
		return c.value, fits(c.value)
	}
	for _, s := range append(t.vocabulary(), t.candidates(c.value, start, wanted)...) {
		if fits(s) {
			return s, true
		}
	}
	return "", false
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
func (t *text) candidates(suffix string, start int, wanted func(*textPattern) bool) []string {
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
	var out []string
	middles := append([]string{strings.Join(pieces, ""), strings.Join(pieces, ".")}, pieces...)
	fillers := []string{"", "host", "a", "x7", "www"}
	if strings.HasPrefix(suffix, ".") && len(pieces) == 0 && prefix == "" {
		fillers = fillers[1:] // no name begins with a dot
	}
	for _, filler := range fillers {
		for _, m := range middles {
			out = append(out, prefix+filler+m+suffix, prefix+m+filler+suffix, m+suffix, prefix+m)
		}
	}
	if suffix == "" {
		out = append(out, "host.example.net", "example", prefix+"host.example.net")
	}
	return out
}
