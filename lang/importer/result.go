package importer

import "github.com/netpol/netpol/lang/diag"

// MaxBytes bounds what is imported: no real file comes near it.
const MaxBytes = 1 << 20

// MaxRules bounds the rules of one input. What is written is compiled to see
// that it can be, which takes a second at twice as many.
const MaxRules = 5000

// maxFindings bounds what a report tells: nobody reads more.
const maxFindings = 1000

// Input is what an importer reads.
type Input struct {
	Name   string // of the file, as findings show it
	Source []byte
	Names  Vocabulary
	// Labels are the names of conntrack label bits, from a connlabel.conf; nil
	// when none was given.
	Labels map[int]string
	// Interfaces are the interfaces that stand for a role, such as lan.
	Interfaces map[string]string
}

// Result is what became of the input. Policies and findings are as complete as
// the input allows, also when findings hold errors.
type Result struct {
	Files  []File // none when the input cannot be read at all
	Report Report
}

// File is one policy file.
type File struct {
	Name string // ends in .netpol.hcl
	Data []byte
}

// Report tells what was done.
type Report struct {
	Format   string // "netify", "opengfw", "qosify"
	Items    []Item // in the order of the input
	Findings diag.List
}

// Item is one rule of the input and what became of it.
type Item struct {
	Name   string // as the input calls it
	Policy string // the policy's name; empty when it was left out
	State  State
	Line   int // of the input
}

// State is what became of a rule.
type State uint8

// States.
const (
	// Converted: the policy does what the rule did, up to the notes.
	Converted State = iota
	// Partly: the policy matches what the rule matched, and does some of what
	// the rule did.
	Partly
	// SwitchedOff: the rule was switched off, and so is the policy.
	SwitchedOff
	// Disabled: the rule could not be converted; its policy is switched off.
	Disabled
	// LeftOut: the rule has no policy.
	LeftOut
)

// String is the word of reports.
func (s State) String() string {
	switch s {
	case Converted:
		return "converted"
	case Partly:
		return "partly converted"
	case SwitchedOff:
		return "switched off as before"
	case Disabled:
		return "disabled"
	case LeftOut:
		return "left out"
	}
	return "unknown"
}

// MarshalText makes the state a word in JSON output.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Add adds a finding; after maxFindings it says that there are more, and no
// more than that.
func (r *Report) Add(d diag.Diagnostic) {
	switch n := len(r.Findings); {
	case n < maxFindings:
		r.Findings.Add(d)
	case n == maxFindings:
		r.Findings.Add(New(InputTooLarge, d.Subject, "There is more to report than %d findings, and it is not shown. Import the file in parts.", maxFindings))
	}
}

// TooManyRules is the finding for an input of more than MaxRules rules, which is
// not converted.
func TooManyRules(at diag.Range, n int) diag.Diagnostic {
	return New(InputTooLarge, at, "The file has %d rules; at most %d are imported at once. Split it.", n, MaxRules)
}
