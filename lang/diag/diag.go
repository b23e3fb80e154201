package diag

import (
	"fmt"
	"slices"
	"strings"
)

// Severity says whether a diagnostic stops the compiler.
type Severity uint8

// Severities, gravest first.
const (
	Error Severity = iota
	Warning
	Note
)

// String is the word that stands before the code, as in "error[NP0012]".
func (s Severity) String() string {
	switch s {
	case Error:
		return "error"
	case Warning:
		return "warning"
	case Note:
		return "note"
	}
	return "unknown"
}

// MarshalText makes the severity a word in JSON output.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Pos is one place in a file. Line and Column count from 1, Column in
// characters; Byte counts from 0.
type Pos struct {
	Line   int `json:"line"`
	Column int `json:"column"`
	Byte   int `json:"byte"`
}

// Range is the half-open stretch [Start, End) of a file. The zero Range means
// "no place": the diagnostic is about the whole set.
type Range struct {
	Filename string `json:"filename"`
	Start    Pos    `json:"start"`
	End      Pos    `json:"end"`
}

// IsZero reports whether the range names no place.
func (r Range) IsZero() bool { return r == Range{} }

// String is "file:line:column".
func (r Range) String() string {
	if r.IsZero() {
		return ""
	}
	return fmt.Sprintf("%s:%d:%d", r.Filename, r.Start.Line, r.Start.Column)
}

// Diagnostic is one thing to tell the author.
type Diagnostic struct {
	Severity Severity `json:"severity"`
	// Code is stable for ever: NP and four digits.
	Code string `json:"code"`
	// Summary is a fixed phrase for the code: capital, no full stop.
	Summary string `json:"summary"`
	// Detail is full sentences with the values and the way out.
	Detail string `json:"detail,omitempty"`
	// Hint is a short suggestion, such as `did you mean "zoom"?`.
	Hint    string `json:"hint,omitempty"`
	Subject Range  `json:"range,omitzero"`
}

// Error lets a single diagnostic travel as a Go error where one is needed.
func (d Diagnostic) Error() string {
	var b strings.Builder
	if !d.Subject.IsZero() {
		b.WriteString(d.Subject.String())
		b.WriteString(": ")
	}
	fmt.Fprintf(&b, "%s[%s]: %s", d.Severity, d.Code, d.Summary)
	if d.Detail != "" {
		b.WriteString(": " + d.Detail)
	}
	if d.Hint != "" {
		b.WriteString(" (" + d.Hint + ")")
	}
	return b.String()
}

// List is the diagnostics of one run, in the order they were found.
type List []Diagnostic

// Add appends one diagnostic.
func (l *List) Add(d Diagnostic) { *l = append(*l, d) }

// Extend appends another list.
func (l *List) Extend(o List) { *l = append(*l, o...) }

// HasErrors reports whether any diagnostic is an Error.
func (l List) HasErrors() bool {
	return slices.ContainsFunc(l, func(d Diagnostic) bool { return d.Severity == Error })
}

// Sort orders by file, then position, then code; diagnostics without a place
// come last. The order is stable, so equal places keep the order found.
func (l List) Sort() {
	slices.SortStableFunc(l, func(a, b Diagnostic) int {
		switch az, bz := a.Subject.IsZero(), b.Subject.IsZero(); {
		case az && bz:
			return 0
		case az:
			return 1
		case bz:
			return -1
		}
		if c := strings.Compare(a.Subject.Filename, b.Subject.Filename); c != 0 {
			return c
		}
		if c := a.Subject.Start.Byte - b.Subject.Start.Byte; c != 0 {
			return c
		}
		return strings.Compare(a.Code, b.Code)
	})
}

// Compact drops repetitions and keeps the order: what is written once and used
// twice is wrong once.
func (l *List) Compact() {
	seen := make(map[Diagnostic]bool, len(*l))
	*l = slices.DeleteFunc(*l, func(d Diagnostic) bool {
		again := seen[d]
		seen[d] = true
		return again
	})
}

// Error joins the diagnostics, one a line.
func (l List) Error() string {
	lines := make([]string, len(l))
	for i, d := range l {
		lines[i] = d.Error()
	}
	return strings.Join(lines, "\n")
}
