package lint

import (
	"cmp"
	"slices"

	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
)

// Finding is one thing that a rule found.
type Finding struct {
	Rule     Rule
	Severity diag.Severity
	Subject  diag.Range
	Policy   string // name of the policy that it is about; may be empty
	Detail   string // full sentences
	Hint     string // the way out
	// Witness is a flow that shows it, as far as the policies ask; empty where
	// no flow can.
	Witness []Value
	// Flow is the whole of the witness; nil where there is none.
	Flow    *fact.Facts
	Related []Related
	Fix     *Fix
}

// Value is one attribute of a witness.
type Value struct {
	Attribute string `json:"attribute"`
	Value     string `json:"value"` // as criteria write it: 'zoom', 443
}

// example is a flow that shows a finding, as far as conditions ask.
type example struct {
	values []Value
	flow   *fact.Facts
}

// shown is the finding with an example.
func (f Finding) shown(e example) Finding {
	f.Witness, f.Flow = e.values, e.flow
	return f
}

// Related is another place that a finding speaks of.
type Related struct {
	Range diag.Range
	Text  string
}

// Fix is a change of the files that removes the finding.
type Fix struct {
	Description string
	Edits       []Edit
}

// Edit replaces a stretch of a file.
type Edit struct {
	Range diag.Range
	Text  string
}

// sortFindings orders by place, then by rule.
func sortFindings(list []Finding) {
	slices.SortStableFunc(list, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(a.Subject.Filename, b.Subject.Filename),
			cmp.Compare(a.Subject.Start.Byte, b.Subject.Start.Byte),
			cmp.Compare(a.Rule.ID, b.Rule.ID),
		)
	})
}

// withoutRepeats drops findings that say the same of the same place, as for a
// local that several policies use. The list is sorted.
func withoutRepeats(list []Finding) []Finding {
	return slices.CompactFunc(list, func(a, b Finding) bool {
		return a.Rule.ID == b.Rule.ID && a.Subject == b.Subject && a.Detail == b.Detail
	})
}

// ApplyFixes makes the edits of every fix in the sources, by file name. A fix
// that overlaps one before it is left for the next run. It returns the new
// sources of the files that change, and how many fixes were made.
func ApplyFixes(findings []Finding, source func(string) []byte) (map[string][]byte, int) {
	taken := map[string][]Edit{}
	fixed := 0
	for _, f := range findings {
		if f.Fix == nil || collides(taken, f.Fix.Edits) {
			continue
		}
		for _, e := range f.Fix.Edits {
			taken[e.Range.Filename] = append(taken[e.Range.Filename], e)
		}
		fixed++
	}
	out := map[string][]byte{}
	for name, edits := range taken {
		slices.SortFunc(edits, func(a, b Edit) int { return b.Range.Start.Byte - a.Range.Start.Byte })
		src := slices.Clone(source(name))
		for _, e := range edits { // last first, so that offsets stay true
			src = slices.Replace(src, e.Range.Start.Byte, e.Range.End.Byte, []byte(e.Text)...)
		}
		out[name] = src
	}
	return out, fixed
}

func collides(taken map[string][]Edit, edits []Edit) bool {
	for _, e := range edits {
		for _, t := range taken[e.Range.Filename] {
			if e.Range.Start.Byte <= t.Range.End.Byte && t.Range.Start.Byte <= e.Range.End.Byte {
				return true
			}
		}
	}
	return false
}
