package ir

import (
	"net/netip"

	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
)

// Expr is a condition: *And, *Or, *Not, *Const, *Compare or *Residual. Trees
// are immutable; parts may be shared.
type Expr interface {
	// Pos is the stretch of source that the condition was written in.
	Pos() diag.Range
	isExpr()
}

// And holds when every part does. It has at least two parts, none of them an And.
type And struct {
	List  []Expr
	Range diag.Range
}

// Or holds when any part does. It has at least two parts, none of them an Or.
type Or struct {
	List  []Expr
	Range diag.Range
}

// Not holds when X does not.
type Not struct {
	X     Expr
	Range diag.Range
}

// Const always holds, or never. After resolve it stands only at the top of a
// tree.
type Const struct {
	Value bool
	Range diag.Range
}

// Op says how Compare tests its attribute, and which of its sets counts.
type Op uint8

// Operations of Compare.
const (
	// OpEqual: the value equals one of Strings; for a fact.TextList one of its
	// elements does. The empty string means "not known".
	OpEqual Op = iota
	// OpRange: the value is inside one of Ranges.
	OpRange
	// OpPrefix: the address is inside one of Prefixes.
	OpPrefix
	// OpTrue: the flag is true.
	OpTrue
	// OpContains: the text contains one of Strings.
	OpContains
	// OpStartsWith: the text starts with one of Strings.
	OpStartsWith
	// OpEndsWith: the text ends with one of Strings.
	OpEndsWith
	// OpDomain: the host name is one of Strings or a name under it:
	// "zoom.us" holds for zoom.us and us02web.zoom.us, not for notzoom.us.
	OpDomain
	// OpMatches: one of Strings, RE2 regular expressions with their (?i)
	// already in them, matches anywhere in the text.
	OpMatches
)

// String is the operator as Dump writes it.
func (o Op) String() string {
	switch o {
	case OpEqual, OpRange, OpPrefix:
		return "in"
	case OpTrue:
		return "is true"
	case OpContains:
		return "contains"
	case OpStartsWith:
		return "startsWith"
	case OpEndsWith:
		return "endsWith"
	case OpDomain:
		return "under"
	case OpMatches:
		return "matches"
	}
	return "unknown"
}

// Compare tests one attribute against constants.
type Compare struct {
	Attr fact.Attribute
	Op   Op
	// Strings are sorted and unique, and lower case where FoldsCase(Attr).
	Strings []string
	// Ranges are sorted, disjoint and not adjacent.
	Ranges []Interval
	// Mask are the bits of the value that Ranges speak of; 0 for all. Two
	// comparisons of different masks are not of one set of values.
	Mask uint32
	// Prefixes are masked, sorted and do not contain each other.
	Prefixes []netip.Prefix
	Range    diag.Range
	Text     string // the source, as a person wants to read it in "why"
}

// Masked is what of a value Ranges speak of.
func (e *Compare) Masked(v int) int {
	if e.Mask == 0 {
		return v
	}
	return v & int(e.Mask)
}

// Interval is the numbers Low..High, both included.
type Interval struct{ Low, High int }

// Residual is a condition that is no comparison with constants: arithmetic,
// len(), one attribute against another. Source is an expression of the expr
// language over fact.Facts, with canonical attribute names; it yields a bool
// and calls only functions that a program can keep (see resolve).
type Residual struct {
	Source string
	Reads  []fact.Attribute // sorted by name, unique
	Range  diag.Range
}

// Pos implements Expr.
func (e *And) Pos() diag.Range { return e.Range }

// Pos implements Expr.
func (e *Or) Pos() diag.Range { return e.Range }

// Pos implements Expr.
func (e *Not) Pos() diag.Range { return e.Range }

// Pos implements Expr.
func (e *Const) Pos() diag.Range { return e.Range }

// Pos implements Expr.
func (e *Compare) Pos() diag.Range { return e.Range }

// Pos implements Expr.
func (e *Residual) Pos() diag.Range { return e.Range }

func (*And) isExpr()      {}
func (*Or) isExpr()       {}
func (*Not) isExpr()      {}
func (*Const) isExpr()    {}
func (*Compare) isExpr()  {}
func (*Residual) isExpr() {}

// FoldsCase reports whether comparisons of the attribute ignore case; the
// constants are lower case already, so the value must be folded. Interface
// names are the exception: the kernel compares them byte by byte.
func FoldsCase(a fact.Attribute) bool {
	return a.Type != fact.InterfaceName && (a.Type != fact.Text || a.Decided != fact.Kernel)
}
