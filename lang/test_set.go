package lang

import (
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/netpol/netpol/lang/diag"
)

// TestSuffix ends the name of every test file.
const TestSuffix = ".nptest.hcl"

// TestSet is what the test files of a policy directory say. Attribute names
// are checked; values, tags and names of policies are for the tester, who has
// the catalogue and the policies.
type TestSet struct {
	Dir   string
	Tests []*Test // by file name, then position

	sources map[string][]byte
}

// Source returns the bytes of one of the set's files, or nil.
func (s *TestSet) Source(filename string) []byte { return s.sources[filename] }

// Test is one test block: flows, and what must become of each.
type Test struct {
	Name  string
	Flows []*TestFlow // empty if PCAP is set
	PCAP  Text        // path of a capture, relative to the policy directory
	Tuple Text        // "tcp 192.0.2.1:40000 198.51.100.1:443": one connection of the capture
	Where []Criteria  // which flows of the capture; empty for all
	// Count is how many flows of the capture there must be; nil for at least one.
	Count *int
	// Netpold is how netpold does: up, down or undecided; empty for up.
	Netpold Text
	Expect  *Expectation // nil if only the steps expect something
	Steps   []*TestStep  // what each flow goes through after that, in order
	Range   diag.Range   // of the block's header
}

// TestFlow is a flow written as attributes.
type TestFlow struct {
	Values []Assignment
	Time   Text // of the packet that is looked at, RFC 3339; empty for not written
	Range  diag.Range
}

// TestStep is a later moment in the life of a test's flows. What it does not
// write is as it was.
type TestStep struct {
	Flow    TestFlow
	Netpold Text
	Expect  *Expectation
	Range   diag.Range
}

// Assignment gives an attribute of the language a value. Name is as written,
// which may be an alias.
type Assignment struct {
	Name  Text
	Value Text // a list is joined by commas, as in fact.Facts
}

// Expectation is what a test asks of every flow. What is nil or empty is not
// asked for.
type Expectation struct {
	Facts    []Assignment
	Policies *TextList // exactly these match, in any order
	Audited  *TextList // exactly these only count and log it
	Labels   *TextList // exactly these are set, netpol's own left aside
	DSCP     *DSCP
	NoDSCP   bool // dscp = "none"
	Verdict  Text // accept, drop, reject, none; empty for not asked
	Mark     *Mark
	Priority Text // as PriorityText spells it, or none; empty for not asked
	Route    Text // the number of a routing table, or none; empty for not asked
	Range    diag.Range
}

// TextList is a list that was written, perhaps an empty one.
type TextList struct {
	Items []Text
	Range diag.Range
}

// ParseTestDir reads the *.nptest.hcl files of a directory. A directory
// without any gives an empty set.
func ParseTestDir(dir string) (*TestSet, diag.List) {
	var diags diag.List
	files := readTestDir(dir, &diags)
	s, more := ParseTests(files)
	s.Dir = dir
	diags.Extend(more)
	diags.Sort()
	return s, diags
}

// ParseTests is ParseTestDir without the directory: files maps names to their
// bytes.
func ParseTests(files map[string][]byte) (*TestSet, diag.List) {
	d := &decoder{
		// The done bit bounds the mask of a mark that is written without one.
		out:     &Policy{sources: files, Settings: defaultSettings(), Lock: &Lock{}},
		work:    workFor(files),
		scope:   newScope(),
		defined: map[string]diag.Range{},
	}
	set := &TestSet{sources: files}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		for _, b := range d.parseFile(name, files[name]) {
			if t := d.decodeTest(b); t != nil {
				set.Tests = append(set.Tests, t)
			}
		}
	}
	d.diags.Sort()
	return set, d.diags
}

// NewCriteria is a criterion that stands on one line of something that is no
// policy file, such as a console. Mistakes in it get a place in that line.
func NewCriteria(filename, text string) Criteria {
	end := diag.Pos{Line: 1, Column: utf8.RuneCountInString(text) + 1, Byte: len(text)}
	start := diag.Pos{Line: 1, Column: 1}
	return Criteria{
		Text:  text,
		Range: diag.Range{Filename: filename, Start: start, End: end},
		spots: []spot{{offset: 0, pos: start}},
	}
}

// tooLarge reports a directory whose test files are too large together.
func tooLarge(dir string) diag.Diagnostic {
	return diag.New(diag.TooLarge, diag.Range{}, fmt.Sprintf("The test files of %s are together larger than %d MiB.", dir, MaxDirBytes>>20))
}
