package program

import (
	"net/netip"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
	"unsafe"

	"github.com/expr-lang/expr/vm"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang/fact"
)

// Verdict is what an evaluation decided. It belongs to the Machine and is
// valid until its next Eval.
type Verdict struct {
	// Policies are the ids of the policies that hold, ascending.
	Policies []int
	// Labels are to be written under LabelMask, which has every label bit of
	// the bundle but the sticky ones that are not set: labels that no longer hold
	// are cleared, except where a rule of the kernel's may have set them. Bit n is
	// bit n%8 of byte n/8.
	Labels, LabelMask [16]byte
	// Mark is to be written under MarkMask, which has every mark bit that a
	// policy of the bundle writes, with the same exception.
	Mark, MarkMask uint32
}

// Machine evaluates a Program. It is not safe for concurrent use: each worker
// has its own.
type Machine struct {
	program *Program
	facts   *fact.Facts
	verdict Verdict
	vm      vm.VM

	// now numbers the evaluation; what follows is of this evaluation where its
	// stamp equals now, so nothing needs to be cleared between flows.
	now     uint32
	matched []uint32 // stamp, by policy
	tested  []uint32 // stamp, by test
	result  []bool   // of a memo test, by test
	folded  [attributeCount]uint32
	lower   [attributeCount][]byte // lower-cased values, by attribute
}

// foldCap is the room for a lower-cased value; a longer one, such as an odd
// User-Agent, makes the room grow once.
const foldCap = 512

// NewMachine makes a machine with all the memory that Eval needs.
func (p *Program) NewMachine() *Machine {
	m := &Machine{
		program: p,
		matched: make([]uint32, len(p.effects)),
		tested:  make([]uint32, len(p.tests)),
		result:  make([]bool, len(p.tests)),
	}
	m.verdict.Policies = make([]int, 0, len(p.effects))
	for i, a := range fact.Attributes {
		if folds(a) {
			m.lower[i] = make([]byte, 0, foldCap)
		}
	}
	return m
}

// Eval decides which policies hold for f and what is to be written. It
// allocates nothing, unless a policy has a condition that runs as bytecode.
func (m *Machine) Eval(f *fact.Facts) *Verdict {
	m.begin(f)
	m.program.indexes.search(m)
	slices.Sort(m.verdict.Policies)
	m.program.merge(&m.verdict)
	m.facts = nil
	return &m.verdict
}

// begin starts an evaluation.
func (m *Machine) begin(f *fact.Facts) {
	m.facts = f
	m.verdict.Policies = m.verdict.Policies[:0]
	m.now++
	if m.now == 0 { // after 2^32 evaluations old stamps would look new
		clear(m.matched)
		clear(m.tested)
		clear(m.folded[:])
		m.now = 1
	}
}

func (m *Machine) tryAll(clauses []int32) {
	for _, c := range clauses {
		m.try(c)
	}
}

// try adds the clause's policy to the verdict if the rest of the clause holds.
func (m *Machine) try(id int32) {
	c := &m.program.clauses[id]
	if m.matched[c.policy] == m.now {
		return
	}
	for _, l := range c.rest {
		if !m.holds(l) {
			return
		}
	}
	m.matched[c.policy] = m.now
	m.verdict.Policies = append(m.verdict.Policies, int(c.policy))
}

// holds answers one literal.
func (m *Machine) holds(l artifact.Literal) bool {
	id := l.Test()
	t := &m.program.tests[id]
	if !t.memo {
		return m.ask(t) != l.Negated()
	}
	if m.tested[id] != m.now {
		m.result[id] = m.ask(t)
		m.tested[id] = m.now
	}
	return m.result[id] != l.Negated()
}

// ask answers a test.
func (m *Machine) ask(t *test) bool {
	switch t.op {
	case opRange:
		return t.inRange(readNumber(m.facts, t.attr))
	case opNetwork:
		return t.inNetwork(readAddr(m.facts, t.attr))
	case opFlag:
		return readFlag(m.facts, t.attr)
	case opAll:
		for _, l := range t.of {
			if !m.holds(l) {
				return false
			}
		}
		return true
	case opAny:
		for _, l := range t.of {
			if m.holds(l) {
				return true
			}
		}
		return false
	case opCode:
		return m.run(t.code)
	case opMatches:
		// The pattern says itself whether it minds case.
		return t.anyMember(readText(m.facts, t.attr))
	case opEqual, opUnder, opPrefix, opSuffix, opContains:
		return t.anyMember(m.text(t.attr, t.fold))
	}
	return false
}

// run executes bytecode. An error, such as an index out of range, means that
// the condition does not hold.
func (m *Machine) run(code int) bool {
	out, err := m.vm.Run(m.program.codes[code], m.facts)
	if err != nil {
		return false
	}
	holds, _ := out.(bool)
	return holds
}

// text is the value of a text attribute, lower-cased if fold is set. A folded
// text is valid until the machine's next evaluation.
func (m *Machine) text(a attribute, fold bool) string {
	v := readText(m.facts, a)
	if !fold || isLower(v) {
		return v
	}
	buf := m.lower[a]
	if m.folded[a] != m.now {
		buf = buf[:0]
		for _, r := range v { // the same as strings.ToLower, without its allocation
			buf = utf8.AppendRune(buf, unicode.ToLower(r))
		}
		m.lower[a], m.folded[a] = buf, m.now
	}
	// The bytes do not change while the string is in use: they are written
	// once an evaluation, and no string outlives it.
	return unsafe.String(unsafe.SliceData(buf), len(buf))
}

// isLower says that lower-casing would not change v. It knows ASCII only; for
// everything else it says no.
func isLower(v string) bool {
	for i := range len(v) {
		if c := v[i]; c >= utf8.RuneSelf || 'A' <= c && c <= 'Z' {
			return false
		}
	}
	return true
}

func (t *test) inRange(v int) bool {
	for _, r := range t.ranges {
		if r.Low <= v && v <= r.High {
			return true
		}
	}
	return false
}

func (t *test) inNetwork(a netip.Addr) bool {
	if t.tree != nil {
		return t.tree.Contains(a)
	}
	for _, n := range t.nets {
		if n.Contains(a) {
			return true
		}
	}
	return false
}

// anyMember asks about a text, or about each member of a list.
func (t *test) anyMember(v string) bool {
	if !t.list {
		return t.about(v)
	}
	for rest, more := v, true; more; {
		v, rest, more = strings.Cut(rest, ",")
		if t.about(v) {
			return true
		}
	}
	return false
}
