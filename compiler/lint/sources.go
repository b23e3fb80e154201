package lint

import (
	"cmp"
	"slices"

	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
)

// sources finds the criterion that a place in a file belongs to.
type sources struct {
	byFile map[string][]sourceSpan // by start; of equal spans the first criterion's
}

type sourceSpan struct {
	at     diag.Range
	source *lang.Criteria
	widest int // the greatest end of this span and those before it
}

// newSources indexes criteria by where they stand and, where their text comes
// from a local, by where that does.
func newSources(list []*lang.Criteria) *sources {
	s := &sources{byFile: map[string][]sourceSpan{}}
	seen := map[diag.Range]bool{}
	for _, c := range list {
		for _, at := range []diag.Range{c.Range, c.RangeOf(0, len(c.Text))} {
			if !seen[at] {
				seen[at] = true
				s.byFile[at.Filename] = append(s.byFile[at.Filename], sourceSpan{at: at, source: c})
			}
		}
	}
	for _, spans := range s.byFile {
		slices.SortStableFunc(spans, func(a, b sourceSpan) int { return cmp.Compare(a.at.Start.Byte, b.at.Start.Byte) })
		widest := 0
		for i := range spans {
			widest = max(widest, spans[i].at.End.Byte)
			spans[i].widest = widest
		}
	}
	return s
}

// find is the criterion that a place is in; nil if there is none.
func (s *sources) find(at diag.Range) *lang.Criteria {
	spans := s.byFile[at.Filename]
	n, _ := slices.BinarySearchFunc(spans, at.Start.Byte+1, func(x sourceSpan, start int) int { return cmp.Compare(x.at.Start.Byte, start) })
	for _, x := range slices.Backward(spans[:n]) {
		if x.widest < at.End.Byte {
			return nil
		}
		if x.at.End.Byte >= at.End.Byte {
			return x.source
		}
	}
	return nil
}

// pointers is the addresses of the elements of a list.
func pointers(list []lang.Criteria) []*lang.Criteria {
	out := make([]*lang.Criteria, len(list))
	for i := range list {
		out[i] = &list[i]
	}
	return out
}

// sourceOf is the criterion of the set that a place is in.
func (p *pass) sourceOf(at diag.Range) *lang.Criteria {
	if p.sources == nil {
		var all []*lang.Criteria
		p.criteria(func(c *lang.Criteria, _ string) { all = append(all, c) })
		p.sources = newSources(all)
	}
	return p.sources.find(at)
}

// exemptOf is the element of the set's exemptions that a place is in.
func (p *pass) exemptOf(at diag.Range) *lang.Criteria {
	if p.exempt == nil {
		p.exempt = newSources(pointers(p.in.Policy.Exempt))
	}
	return p.exempt.find(at)
}
