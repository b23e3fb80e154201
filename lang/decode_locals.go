package lang

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/netpol/netpol/lang/diag"
)

// local is one argument of a locals block and its value.
type local struct {
	attr  *hclsyntax.Attribute
	value cty.Value
	size  int // of value, see sizeOfValue
	known bool
	done  bool
}

func (d *decoder) declareLocals(b *hclsyntax.Block) {
	for _, a := range sortedAttributes(b.Body) {
		if d.define("local "+a.Name, fmt.Sprintf("local value %q", a.Name), toRange(a.NameRange)) {
			d.locals[a.Name] = &local{attr: a, value: cty.DynamicVal}
		}
	}
}

// evaluateLocals evaluates each local after those that it refers to.
func (d *decoder) evaluateLocals() {
	for _, name := range slices.Sorted(maps.Keys(d.locals)) {
		if d.full(toRange(d.locals[name].attr.NameRange)) {
			return
		}
		d.evaluateLocal(name, nil)
	}
}

// evaluateLocal evaluates one local; path holds the locals that wait for it.
func (d *decoder) evaluateLocal(name string, path []string) {
	l, ok := d.locals[name]
	if !ok || l.done {
		return
	}
	if i := slices.Index(path, name); i >= 0 {
		circle := strings.Join(append(slices.Clone(path[i:]), name), " -> ")
		d.diags.Add(diag.New(diag.CyclicLocals, toRange(l.attr.NameRange), fmt.Sprintf("Local values refer to each other in a circle: %s.", circle)))
		l.done = true
		return
	}
	if len(path) > MaxDepth {
		d.diags.Add(diag.New(diag.TooDeep, toRange(l.attr.NameRange), fmt.Sprintf("Local values may refer to each other %d deep.", MaxDepth)))
		l.done = true
		return
	}
	path = append(path, name)
	for _, t := range l.attr.Expr.Variables() {
		if dep, _ := traversalName(t); t.RootName() == "local" {
			d.evaluateLocal(dep, path)
		}
	}
	if l.done {
		return // found to be in a circle
	}
	l.done = true
	l.value = d.value(l.attr.Expr)
	l.size, l.known = sizeOfValue(l.value), l.value.IsWhollyKnown()
}

// value evaluates an expression. A value that cannot be used, or is too large,
// is reported and becomes unknown.
func (d *decoder) value(expr hclsyntax.Expression) cty.Value {
	if !d.checkReferences(expr) || !d.affordable(expr) {
		return cty.DynamicVal
	}
	v, hclDiags := expr.Value(d.namesIn(expr))
	if d.work < 0 {
		d.exhausted(expr)
		return cty.DynamicVal
	}
	if hclDiags.HasErrors() {
		addHCL(&d.diags, diag.InvalidExpression, nil, hclDiags)
		return cty.DynamicVal
	}
	if budget := maxStringBytes; !fits(v, &budget) {
		d.diags.Add(diag.New(diag.TooLarge, toRange(expr.Range()), fmt.Sprintf("The value is larger than %d KiB, or a number in it than %d bits.", maxStringBytes>>10, maxNumberBits)))
		return cty.DynamicVal
	}
	return v
}

// namesIn holds the variables and locals that an expression refers to, and no
// others: HCL's objects take as long to make as they have members.
func (d *decoder) namesIn(expr hclsyntax.Expression) *hcl.EvalContext {
	vars, locals := map[string]cty.Value{}, map[string]cty.Value{}
	for _, t := range expr.Variables() {
		name, _ := traversalName(t)
		switch t.RootName() {
		case "var":
			if v := d.vars[name]; v != nil {
				vars[name] = v.value
			}
		case "local":
			if l := d.locals[name]; l != nil {
				locals[name] = l.value
			}
		}
	}
	if d.library == nil {
		d.library = d.functions()
	}
	values := map[string]cty.Value{"var": cty.ObjectVal(vars), "local": cty.ObjectVal(locals)}
	if d.each != nil {
		values["each"] = d.each.object()
	}
	return &hcl.EvalContext{Variables: values, Functions: d.library}
}

// fits takes the value's size from the budget and reports whether any is left.
func fits(v cty.Value, budget *int) bool {
	*budget--
	if *budget < 0 || !v.IsKnown() || v.IsNull() {
		return *budget >= 0
	}
	if v.Type() == cty.String {
		*budget -= len(v.AsString())
		return *budget >= 0
	}
	if v.Type() == cty.Number {
		exponent := v.AsBigFloat().MantExp(nil)
		return -maxNumberBits <= exponent && exponent <= maxNumberBits && !v.AsBigFloat().IsInf()
	}
	if !v.CanIterateElements() {
		return true
	}
	for it := v.ElementIterator(); it.Next(); {
		if _, e := it.Element(); !fits(e, budget) {
			return false
		}
	}
	return true
}
