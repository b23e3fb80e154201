package artifact

import "net/netip"

// Engine names the virtual machine that Code is written for. Opcode and
// builtin numbers are baked into bytecode, so another release of the machine
// may read it differently; enforcer/program refuses a program of another
// engine. A test holds it against go.mod.
const Engine = "expr v1.17.8"

// Program is the decision program in its serialised form. compiler/emit/prog
// writes it, enforcer/program loads it.
//
// A policy holds when any of its clauses holds; a clause holds when all of its
// literals hold. Tests are stored once and shared by every clause that asks
// the same question.
type Program struct {
	Engine string `json:"engine"` // Engine of the writer
	// Reads are the attributes that the program asks for, sorted: the enforcer
	// inspects flows no longer than these need.
	Reads   []string `json:"reads,omitempty"`
	Tests   []Test   `json:"tests"`
	Clauses []Clause `json:"clauses"` // by policy, ascending
	Effects []Effect `json:"effects"` // one a policy; the index is the policy's id
	Codes   []Code   `json:"codes,omitempty"`
	// Sticky and StickyMark are label bits and bits of the mark that rules set
	// as well, which the enforcer never takes back.
	Sticky     []int  `json:"sticky,omitempty"` // sorted
	StickyMark uint32 `json:"sticky_mark,omitempty"`
}

// Literal is the index of a test that must hold, or the bitwise complement
// (^index) of one that must not.
type Literal int32

// Test is the index of the literal's test.
func (l Literal) Test() int {
	if l < 0 {
		return int(^l)
	}
	return int(l)
}

// Negated says that the test must not hold.
func (l Literal) Negated() bool { return l < 0 }

// TestOp says what a Test asks.
type TestOp string

// Operators of a Test and the fields each reads. Text comparisons are made on
// lower-cased values, so the constants are lower case; on a list of strings
// (fact.TextList) a comparison holds when it holds for any member.
const (
	TestEqual    TestOp = "equal"    // Text: the value is one of them
	TestUnder    TestOp = "under"    // Text: the host name is one of the domains or below one
	TestPrefix   TestOp = "prefix"   // Text: the value starts with one of them
	TestSuffix   TestOp = "suffix"   // Text: the value ends with one of them
	TestContains TestOp = "contains" // Text: the value contains one of them
	TestMatches  TestOp = "matches"  // Text: one of the regular expressions (RE2) finds a match
	TestRange    TestOp = "range"    // Ranges: the number lies in one of them
	TestNetwork  TestOp = "network"  // Networks: the address lies in one of them
	TestFlag     TestOp = "flag"     // the flag is true
	TestAll      TestOp = "all"      // Of: every literal holds
	TestAny      TestOp = "any"      // Of: some literal holds
	TestCode     TestOp = "code"     // Code: the bytecode returns true
)

// Test is one question about a flow. Lists are sorted and free of duplicates,
// so that equal questions have equal encodings.
type Test struct {
	Op        TestOp         `json:"op"`
	Attribute string         `json:"attribute,omitempty"` // fact.Attribute.Name; empty for all, any, code
	Text      []string       `json:"text,omitempty"`
	Ranges    []Range        `json:"ranges,omitempty"`
	Networks  []netip.Prefix `json:"networks,omitempty"`
	Of        []Literal      `json:"of,omitempty"`   // refers to earlier tests only
	Code      int            `json:"code,omitempty"` // index into Program.Codes
}

// Range is Low..High, both ends included.
type Range struct {
	Low  int `json:"low"`
	High int `json:"high"`
}

// NoAccess is the Access of a clause that must be tried for every flow.
const NoAccess = -1

// Clause is one conjunction of a policy's condition.
type Clause struct {
	Policy int `json:"policy"`
	// Access is the index in If of the literal that leads to the clause: the
	// enforcer looks the attribute's value up in an index and tries only the
	// clauses it finds. NoAccess puts the clause on the list tried always.
	Access int       `json:"access"`
	If     []Literal `json:"if"`
}

// Effect is what the enforcer writes for one policy.
type Effect struct {
	Labels []int `json:"labels,omitempty"` // label bits, set whenever the policy holds
	Mark   *Mark `json:"mark,omitempty"`   // the first policy that holds wins each bit
	Adds   []int `json:"adds,omitempty"`   // of Bundle.FlowSets: a flow has an element there while the policy holds
	Notify []int `json:"notify,omitempty"` // of Bundle.Sinks: they are told of each flow that the policy matches
	// DSCP and Verdict say which label tells the kernel of the effect.
	DSCP     Claim `json:"dscp,omitzero"`
	Verdict  Claim `json:"verdict,omitzero"`
	Priority Claim `json:"priority,omitzero"`
	Route    Claim `json:"route,omitzero"`
	Offload  Claim `json:"offload,omitzero"`
	// NoTrack: the flow's packets have no connection, so that nothing else is
	// written, whatever other policies hold.
	NoTrack bool `json:"notrack,omitempty"`
	// Late: not by what is known of a connection's headers alone, for the same
	// reason as a late Claim.
	Late bool `json:"late,omitempty"`
}

// ClaimKind says how a kernel effect is told to the kernel.
type ClaimKind string

// Kinds of Claim. Of the policies that hold, the first with any claim in a
// dimension (DSCP or verdict) has it; the claims of the others come to nothing.
const (
	ClaimNone ClaimKind = ""
	ClaimOwn  ClaimKind = "own"  // one of the policy's labels says it
	ClaimAuto ClaimKind = "auto" // the label Bit says it, and is set only if the claim wins
)

// Claim is a policy's wish for one kernel effect.
type Claim struct {
	Kind ClaimKind `json:"kind,omitempty"`
	Bit  int       `json:"bit,omitempty"` // of ClaimAuto
	// Late: what is known of a connection by its headers alone is not enough.
	// Until more is, the claim keeps later ones from being made, and no label
	// is set for it.
	Late bool `json:"late,omitempty"`
}

// Code is what of a condition could not be made a Test: bytecode for Engine.
type Code struct {
	Source    string     `json:"source"` // the expression, for people
	Bytecode  []int      `json:"bytecode"`
	Arguments []int      `json:"arguments"` // one an opcode
	Constants []Constant `json:"constants,omitempty"`
	Variables int        `json:"variables,omitempty"` // slots the machine needs
}

// ConstantKind says what a Constant holds.
type ConstantKind string

// Kinds of Constant and the fields each reads.
const (
	ConstantInt      ConstantKind = "int"     // Int
	ConstantFloat    ConstantKind = "float"   // Text: strconv 'g' form
	ConstantText     ConstantKind = "text"    // Text
	ConstantBool     ConstantKind = "bool"    // Int: 0 or 1
	ConstantNil      ConstantKind = "nil"     //
	ConstantRegexp   ConstantKind = "regexp"  // Text
	ConstantField    ConstantKind = "field"   // Index, Path: a field of fact.Facts
	ConstantTextSet  ConstantKind = "textset" // List of text
	ConstantIntSet   ConstantKind = "intset"  // List of int
	ConstantList     ConstantKind = "list"    // List
	ConstantIntList  ConstantKind = "ints"    // List of int
	ConstantTextList ConstantKind = "texts"   // List of text
)

// Constant is one value that bytecode refers to.
type Constant struct {
	Kind  ConstantKind `json:"kind"`
	Int   int          `json:"int,omitempty"`
	Text  string       `json:"text,omitempty"`
	Index []int        `json:"index,omitempty"`
	Path  []string     `json:"path,omitempty"`
	List  []Constant   `json:"list,omitempty"`
}
