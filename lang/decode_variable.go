package lang

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/suggest"
)

// variable is one variable block and its value.
type variable struct {
	name  string
	typ   cty.Type // DynamicPseudoType without a type argument
	block *hclsyntax.Block
	value cty.Value
	size  int // of value, see sizeOfValue
}

// variableTypes are the words that a type argument may be.
var variableTypes = []string{"bool", "list", "number", "string"}

// declare collects the variables and locals of all files, so that they can be
// used before the place where they stand.
func (d *decoder) declare(blocks []*hclsyntax.Block) {
	for _, b := range blocks {
		switch b.Type {
		case "variable":
			if len(b.Labels) == 1 {
				d.declareVariable(b)
			}
		case "locals":
			d.declareLocals(b)
		}
	}
}

func (d *decoder) declareVariable(b *hclsyntax.Block) {
	v := &variable{name: b.Labels[0], typ: cty.DynamicPseudoType, block: b}
	if !hclsyntax.ValidIdentifier(v.name) {
		d.diags.Add(diag.New(diag.InvalidName, nameRange(b), fmt.Sprintf("%q is no name for a variable: it begins with a letter and holds letters, digits, _ and -.", v.name)))
		return
	}
	if !d.define("variable "+v.name, fmt.Sprintf("variable %q", v.name), headerRange(b)) {
		return
	}
	if a, ok := b.Body.Attributes["type"]; ok {
		v.typ = d.variableType(a)
	}
	d.vars[v.name] = v
}

// variableType reads type = string, "string" or list(string).
func (d *decoder) variableType(a *hclsyntax.Attribute) cty.Type {
	word := hcl.ExprAsKeyword(a.Expr)
	if call, hclDiags := hcl.ExprCall(a.Expr); !hclDiags.HasErrors() && call.Name == "list" && len(call.Arguments) == 1 {
		if hcl.ExprAsKeyword(call.Arguments[0]) == "string" {
			word = "list"
		}
	}
	if word == "" {
		if v, hclDiags := a.Expr.Value(nil); !hclDiags.HasErrors() && v.IsKnown() && !v.IsNull() && v.Type() == cty.String {
			word = v.AsString()
		}
	}
	switch word {
	case "string":
		return cty.String
	case "number":
		return cty.Number
	case "bool":
		return cty.Bool
	case "list":
		return cty.List(cty.String)
	}
	d.diags.Add(diag.New(diag.InvalidVariableType, toRange(a.Expr.Range()),
		"A variable's type is string, number, bool or list (of strings).").WithHint(suggest.Hint(word, variableTypes)))
	return cty.DynamicPseudoType
}

// evaluate gives every variable and local its value. What cannot be evaluated
// becomes unknown, so that one mistake is told once.
func (d *decoder) evaluate(opts Options) {
	for _, name := range slices.Sorted(maps.Keys(opts.Vars)) {
		if _, ok := d.vars[name]; !ok {
			known := slices.Sorted(maps.Keys(d.vars))
			d.diags.Add(diag.New(diag.UndefinedVariable, diag.Range{},
				fmt.Sprintf("A value is given for %q, but no file declares that variable.", name)).WithHint(suggest.Hint(name, known)))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(d.vars)) {
		v := d.vars[name]
		v.value = d.variableValue(v, opts)
		if budget := maxStringBytes; !fits(v.value, &budget) {
			d.diags.Add(diag.New(diag.TooLarge, headerRange(v.block), fmt.Sprintf("The value of the variable %q is too large.", name)))
			v.value = cty.UnknownVal(v.typ)
		}
		v.size = sizeOfValue(v.value)
	}
	d.evaluateLocals()
}

func (d *decoder) variableValue(v *variable, opts Options) cty.Value {
	unknown := cty.UnknownVal(v.typ)
	if text, ok := opts.Vars[v.name]; ok {
		value := d.givenValue(v, text)
		d.given = append(d.given, value)
		return value
	}
	a, ok := v.block.Body.Attributes["default"]
	if !ok {
		d.diags.Add(diag.New(diag.MissingVariable, headerRange(v.block),
			fmt.Sprintf("The variable %q has no default. Give a value with --var %s=VALUE, or add a default.", v.name, v.name)))
		return unknown
	}
	if !d.affordable(a.Expr) {
		return unknown
	}
	value, hclDiags := a.Expr.Value(nil)
	if hclDiags.HasErrors() {
		addHCL(&d.diags, diag.InvalidExpression, nil, hclDiags)
		return unknown
	}
	value, err := convert.Convert(value, v.typ)
	if err != nil {
		d.diags.Add(diag.New(diag.WrongValueType, toRange(a.Expr.Range()), fmt.Sprintf("The default does not fit the variable's type: %v.", err)))
		return unknown
	}
	if value.IsNull() {
		d.diags.Add(diag.New(diag.WrongValueType, toRange(a.Expr.Range()), "The default may not be null. Leave it out to require a value."))
		return unknown
	}
	return value
}

// givenValue converts a value of the command line to the variable's type.
func (d *decoder) givenValue(v *variable, text string) cty.Value {
	fail := func(why string) cty.Value {
		d.diags.Add(diag.New(diag.WrongValueType, headerRange(v.block),
			fmt.Sprintf("The value given for the variable %q does not fit its type: %s.", v.name, why)))
		return cty.UnknownVal(v.typ)
	}
	if !v.typ.IsListType() {
		value, err := convert.Convert(cty.StringVal(text), v.typ)
		if err != nil {
			return fail(err.Error())
		}
		return value
	}
	var limits diag.List
	if len(text) > MaxFileBytes || !checkTokens("--var", []byte(text), &limits) {
		return fail("it is too large")
	}
	expr, hclDiags := hclsyntax.ParseExpression([]byte(text), "--var", startPos)
	if hclDiags.HasErrors() || d.cost(expr, nil) > maxOneWork {
		return fail(`a list is written ["a", "b"]`)
	}
	value, hclDiags := expr.Value(nil)
	if hclDiags.HasErrors() {
		return fail(`a list is written ["a", "b"]`)
	}
	value, err := convert.Convert(value, v.typ)
	if err != nil || value.IsNull() {
		return fail(`a list is written ["a", "b"]`)
	}
	return value
}
