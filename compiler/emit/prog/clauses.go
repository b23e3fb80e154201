package prog

import (
	"cmp"
	"slices"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/compiler/ir"
)

// maxClauses bounds the conjunctions of one policy. Written out, n ors under
// an and are 2^n conjunctions; beyond this bound an or stays as it is, one
// group test that its members' results are shared in. 64 conjunctions are
// cheaper to find by an index than to try.
const maxClauses = 64

// conjunction is a list of literals that must all hold.
type conjunction []artifact.Literal

// clauses writes a condition as at most maxClauses conjunctions, any of which
// must hold. None means never, an empty one always.
func (b *builder) clauses(e ir.Expr) []conjunction {
	switch e := e.(type) {
	case *ir.Const:
		if e.Value {
			return []conjunction{{}}
		}
		return nil
	case *ir.Or:
		return b.orClauses(e)
	case *ir.And:
		return b.andClauses(e)
	case *ir.Not:
		return []conjunction{{^b.atom(e.X)}}
	case *ir.Compare, *ir.Residual:
	}
	return []conjunction{{b.atom(e)}}
}

func (b *builder) orClauses(e *ir.Or) []conjunction {
	var out []conjunction
	for _, x := range e.List {
		out = append(out, b.clauses(x)...)
	}
	if len(out) > maxClauses {
		return []conjunction{{b.group(e)}}
	}
	return out
}

// andClauses multiplies out what fits the bound; an operand that does not fit
// becomes a group.
func (b *builder) andClauses(e *ir.And) []conjunction {
	out := []conjunction{{}}
	for _, x := range e.List {
		parts := b.clauses(x)
		if len(out)*len(parts) > maxClauses {
			parts = []conjunction{{b.group(x)}}
		}
		var next []conjunction
		for _, left := range out {
			for _, right := range parts {
				if c, ok := join(left, right); ok {
					next = append(next, c)
				}
			}
		}
		out = next
	}
	return out
}

// join is both conjunctions at once; false means that they contradict.
func join(a, b conjunction) (conjunction, bool) {
	out := slices.Clone(a)
	for _, l := range b {
		if slices.Contains(out, ^l) {
			return nil, false
		}
		if !slices.Contains(out, l) {
			out = append(out, l)
		}
	}
	return out, true
}

// group is the literal of a whole condition.
func (b *builder) group(e ir.Expr) artifact.Literal {
	switch e := e.(type) {
	case *ir.And:
		return b.test(artifact.Test{Op: artifact.TestAll, Of: b.groups(e.List)})
	case *ir.Or:
		return b.test(artifact.Test{Op: artifact.TestAny, Of: b.groups(e.List)})
	case *ir.Not:
		return ^b.group(e.X)
	case *ir.Const: // only at the top of a tree, where clauses deals with it
		op := artifact.TestAny
		if e.Value {
			op = artifact.TestAll
		}
		return b.test(artifact.Test{Op: op})
	case *ir.Compare, *ir.Residual:
	}
	return b.atom(e)
}

func (b *builder) groups(list []ir.Expr) []artifact.Literal {
	out := make([]artifact.Literal, len(list))
	for i, e := range list {
		out[i] = b.group(e)
	}
	return out
}

// inOrder puts dear tests last, and leaves the author's order otherwise.
func (b *builder) inOrder(c conjunction) []artifact.Literal {
	out := slices.Clone([]artifact.Literal(c))
	slices.SortStableFunc(out, func(x, y artifact.Literal) int {
		return cmp.Compare(dearness(b.tests[x.Test()].Op), dearness(b.tests[y.Test()].Op))
	})
	return out
}

// dearness ranks what a test costs, by order of magnitude: a few ns, tens of
// ns, hundreds of ns, and bytecode.
func dearness(op artifact.TestOp) int {
	switch op {
	case artifact.TestEqual, artifact.TestRange, artifact.TestFlag, artifact.TestNetwork,
		artifact.TestUnder, artifact.TestPrefix, artifact.TestSuffix:
		return 0
	case artifact.TestContains, artifact.TestAll, artifact.TestAny:
		return 1
	case artifact.TestMatches:
		return 2
	case artifact.TestCode:
		return 3
	}
	return 0
}
