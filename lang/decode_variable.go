package lang

import (
	"fmt"
	"maps"
	"slices"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/ext/typeexpr"
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
var variableTypes = []string{"any", "bool", "list", "map", "number", "set", "string"}

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
		d.diags.Add(diag.New(diag.InvalidName, nameRange(b), fmt.Sprintf("%q is not a name for a variable: it begins with a letter and holds letters, digits, _ and -.", v.name)))
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

// variableType reads type = string, "string", list (of strings) or
// map(object({ net = string })).
func (d *decoder) variableType(a *hclsyntax.Attribute) cty.Type {
	word := hcl.ExprAsKeyword(a.Expr)
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
	case "set":
		return cty.Set(cty.String)
	case "map":
		return cty.Map(cty.String)
	case "any":
		return cty.DynamicPseudoType
	}
	// any inside of another type would have elements of all types converted to
	// one, which takes quadratic time.
	t, hclDiags := typeexpr.TypeConstraint(a.Expr)
	if word == "" && !hclDiags.HasErrors() && !t.HasDynamicTypes() {
		return t
	}
	d.diags.Add(diag.New(diag.InvalidVariableType, toRange(a.Expr.Range()),
		"A variable's type is string, number, bool, list, set or map (of strings), any, or made of these: list(number), map(list(string)), object({ net = string, apps = set(string) }).").WithHint(suggest.Hint(word, variableTypes)))
	return cty.DynamicPseudoType
}

// evaluate gives every variable and local its value. What cannot be evaluated
// becomes unknown, so that one mistake is told once. user is the module block,
// nil for the policy set itself.
func (d *decoder) evaluate(user *hclsyntax.Block) {
	d.checkInputs(user)
	for _, name := range slices.Sorted(maps.Keys(d.vars)) {
		v := d.vars[name]
		if d.full(headerRange(v.block)) {
			return
		}
		v.value = d.variableValue(v, user)
		if budget := maxStringBytes; !fits(v.value, &budget) {
			d.diags.Add(diag.New(diag.TooLarge, headerRange(v.block), fmt.Sprintf("The value of the variable %q is too large.", name)))
			v.value = cty.UnknownVal(v.typ)
		}
		v.size = sizeOfValue(v.value)
	}
	d.evaluateLocals()
}

func (d *decoder) variableValue(v *variable, user *hclsyntax.Block) cty.Value {
	unknown := cty.UnknownVal(v.typ)
	if in, ok := d.inputs[v.name]; ok {
		return d.inputValue(v, in)
	}
	a, ok := v.block.Body.Attributes["default"]
	if !ok && user != nil {
		d.diags.Add(diag.New(diag.MissingVariable, headerRange(user),
			fmt.Sprintf("The module needs a value for its variable %q. Write %s = VALUE into this block.", v.name, v.name)))
		return unknown
	}
	if !ok {
		d.diags.Add(diag.New(diag.MissingVariable, headerRange(v.block),
			fmt.Sprintf("The variable %q has no default. Give a value with --var %s=VALUE or in a file *%s, or add a default.", v.name, v.name, VarSuffix)))
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
	if v.typ.IsPrimitiveType() || v.typ == cty.DynamicPseudoType {
		value, err := convert.Convert(cty.StringVal(text), v.typ)
		if err != nil {
			return fail(err.Error())
		}
		return value
	}
	wayOut := `a list is written ["a", "b"]`
	if v.typ.IsMapType() || v.typ.IsObjectType() {
		wayOut = `a map is written {a = "b"}`
	}
	var limits diag.List
	if len(text) > MaxFileBytes || !checkTokens("--var", []byte(text), &limits) {
		return fail("it is too large")
	}
	expr, hclDiags := hclsyntax.ParseExpression([]byte(text), "--var", startPos)
	if hclDiags.HasErrors() || d.cost(expr, nil) > maxOneWork {
		return fail(wayOut)
	}
	value, hclDiags := expr.Value(nil)
	if hclDiags.HasErrors() {
		return fail(wayOut)
	}
	value, err := convert.Convert(value, v.typ)
	if err != nil || value.IsNull() {
		return fail(wayOut)
	}
	return value
}
