package prog

import (
	"fmt"
	"slices"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
)

// CodeResidual is the error for a condition that cannot become bytecode.
const CodeResidual = "NP0321"

// Emit makes the program. Effects are one a policy. With errors in the list
// the program is not to be used.
func Emit(policies []ir.Policy, effects []artifact.Effect) (artifact.Program, diag.List) {
	b := newBuilder()
	var clauses []artifact.Clause
	for i := range policies {
		for _, conj := range b.clauses(policies[i].Cond) {
			clauses = append(clauses, artifact.Clause{Policy: i, Access: artifact.NoAccess, If: b.inOrder(conj)})
		}
	}
	chooseAccess(b.tests, clauses)
	b.renumber(clauses)
	return artifact.Program{
		Engine:  artifact.Engine,
		Reads:   b.reads(),
		Tests:   b.tests,
		Clauses: clauses,
		Effects: effects,
		Codes:   b.codes,
	}, b.diags
}

// builder collects the tests of a program.
type builder struct {
	tests  []artifact.Test
	ids    map[string]artifact.Literal // by key of the test
	atoms  map[ir.Expr]artifact.Literal
	codes  []artifact.Code
	byText map[string]artifact.Literal // residuals by source
	diags  diag.List
}

func newBuilder() *builder {
	return &builder{
		ids:    map[string]artifact.Literal{},
		atoms:  map[ir.Expr]artifact.Literal{},
		byText: map[string]artifact.Literal{},
	}
}

// atom is the literal of a comparison or residual; nodes that opt has shared
// are looked at once.
func (b *builder) atom(e ir.Expr) artifact.Literal {
	if l, ok := b.atoms[e]; ok {
		return l
	}
	var l artifact.Literal
	switch e := e.(type) {
	case *ir.Compare:
		l = b.test(compareTest(e))
	case *ir.Residual:
		l = b.residual(e)
	default:
		// Our own bug: push leaves negations above these two only.
		panic(fmt.Sprintf("prog: %T is no atom", e))
	}
	b.atoms[e] = l
	return l
}

// test is the literal of a test that is made once, however often it is asked.
func (b *builder) test(t artifact.Test) artifact.Literal {
	key := testKey(&t)
	if l, ok := b.ids[key]; ok {
		return l
	}
	l := artifact.Literal(len(b.tests))
	b.tests = append(b.tests, t)
	b.ids[key] = l
	return l
}

func (b *builder) residual(e *ir.Residual) artifact.Literal {
	if l, ok := b.byText[e.Source]; ok {
		return l
	}
	code, err := compileCode(e.Source)
	if err != nil {
		b.diags.Add(diag.Diagnostic{
			Severity: diag.Error, Code: CodeResidual, Summary: "Condition cannot run on the router", Subject: e.Range,
			Detail: fmt.Sprintf("The part %q is not a comparison of an attribute with constants, and it cannot become bytecode either: %v. "+
				"Write it as comparisons with constants, or with lower(), upper(), len(), abs(), int() and the like.", clip(e.Source), err),
		})
	}
	b.codes = append(b.codes, code)
	l := b.test(artifact.Test{Op: artifact.TestCode, Code: len(b.codes) - 1})
	b.byText[e.Source] = l
	return l
}

// reads lists the attributes of all tests and codes, sorted.
func (b *builder) reads() []string {
	var names []string
	for _, t := range b.tests {
		if t.Attribute != "" {
			names = append(names, t.Attribute)
		}
	}
	for _, code := range b.codes {
		for _, c := range code.Constants {
			if c.Kind == artifact.ConstantField {
				names = append(names, fact.Attributes[c.Index[0]].Name) // the fields of Facts follow the table
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// clip shortens a source for a message.
func clip(s string) string {
	const most = 120 // characters; more does not fit a line
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "..."
	}
	return s
}
