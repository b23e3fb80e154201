package prog

import (
	"encoding/json"
	"fmt"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/compiler/ir"
)

// compareTest is a comparison as the artifact writes it.
func compareTest(e *ir.Compare) artifact.Test {
	t := artifact.Test{Op: testOp(e.Op), Attribute: e.Attr.Name}
	switch e.Op {
	case ir.OpRange:
		t.Ranges = make([]artifact.Range, len(e.Ranges))
		for i, r := range e.Ranges {
			t.Ranges[i] = artifact.Range{Low: narrow(r.Low), High: narrow(r.High)}
		}
	case ir.OpPrefix:
		t.Networks = e.Prefixes
	case ir.OpEqual, ir.OpContains, ir.OpStartsWith, ir.OpEndsWith, ir.OpDomain, ir.OpMatches:
		t.Text = e.Strings
	case ir.OpTrue:
	}
	return t
}

// narrow keeps a bound within 32 bits, so that a bundle means the same on a
// router whose int has no more. No fact is beyond them.
func narrow(n int) int { return max(-1<<31, min(n, 1<<31-1)) }

func testOp(op ir.Op) artifact.TestOp {
	switch op {
	case ir.OpEqual:
		return artifact.TestEqual
	case ir.OpRange:
		return artifact.TestRange
	case ir.OpPrefix:
		return artifact.TestNetwork
	case ir.OpTrue:
		return artifact.TestFlag
	case ir.OpContains:
		return artifact.TestContains
	case ir.OpStartsWith:
		return artifact.TestPrefix
	case ir.OpEndsWith:
		return artifact.TestSuffix
	case ir.OpDomain:
		return artifact.TestUnder
	case ir.OpMatches:
		return artifact.TestMatches
	}
	panic(fmt.Sprintf("prog: operator %d has no test", op)) // our own bug
}

// testKey is equal for equal tests.
func testKey(t *artifact.Test) string {
	key, err := json.Marshal(t)
	if err != nil {
		panic(err) // a Test holds nothing that JSON cannot
	}
	return string(key)
}

// renumber orders the tests by first use and drops those that no clause uses,
// so that neither discarded attempts nor the order of building show.
func (b *builder) renumber(clauses []artifact.Clause) {
	r := renumbering{old: b.tests, to: make([]int, len(b.tests))}
	for i := range r.to {
		r.to[i] = -1
	}
	for _, c := range clauses {
		r.all(c.If)
	}
	b.tests = r.tests
	var codes []artifact.Code
	for i := range b.tests {
		if t := &b.tests[i]; t.Op == artifact.TestCode {
			codes = append(codes, b.codes[t.Code])
			t.Code = len(codes) - 1
		}
	}
	b.codes = codes
}

type renumbering struct {
	old, tests []artifact.Test
	to         []int // by old number; -1: not seen yet
}

// all rewrites the literals of a clause or group in place.
func (r *renumbering) all(list []artifact.Literal) {
	for i, l := range list {
		to := artifact.Literal(r.test(l.Test()))
		if l.Negated() {
			to = ^to
		}
		list[i] = to
	}
}

// test gives a test its new number; the members of a group come before it.
func (r *renumbering) test(id int) int {
	if r.to[id] < 0 {
		t := r.old[id]
		r.all(t.Of)
		r.to[id] = len(r.tests)
		r.tests = append(r.tests, t)
	}
	return r.to[id]
}
