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
	"github.com/netpol/netpol/lang/fact"
	"github.com/netpol/netpol/lang/suggest"
)

// checkReferences reports var.x and local.x that do not exist, with a
// suggestion that HCL's own message would not have.
func (d *decoder) checkReferences(expr hclsyntax.Expression) bool {
	ok := true
	for _, t := range expr.Variables() {
		name, at := traversalName(t)
		root := t.RootName()
		switch {
		case root == "each" && d.each != nil:
			ok = d.checkEach(name, at) && ok
		case root == "each":
			d.diags.Add(diag.New(diag.InvalidExpression, toRange(at), "each.key and each.value exist in a policy or module block with for_each, outside of its for_each argument."))
			ok = false
		case root != "var" && root != "local":
			d.unknownRoot(expr, t)
			return false // an expression without its quotes has many of them
		case name == "":
			d.diags.Add(diag.New(diag.InvalidExpression, toRange(at), fmt.Sprintf("%s alone is no value; write %s.NAME.", root, root)))
			ok = false
		case root == "var" && d.vars[name] == nil:
			d.undefined(name, at, root)
			ok = false
		case root == "local" && d.locals[name] == nil:
			d.undefined(name, at, root)
			ok = false
		}
	}
	return ok
}

// checkEach reports what the name each has not.
func (d *decoder) checkEach(name string, at hcl.Range) bool {
	if name == "key" || name == "value" {
		return true
	}
	d.diags.Add(diag.New(diag.InvalidExpression, toRange(at), "each has two parts, each.key and each.value.").
		WithHint(suggest.Hint(name, []string{"key", "value"})))
	return false
}

// unknownRoot reports a name that is neither var nor local. Where it is an
// attribute of flows, criteria have been written without their quotes.
func (d *decoder) unknownRoot(expr hclsyntax.Expression, t hcl.Traversal) {
	root := t.RootName()
	if _, ok := fact.Lookup(root); ok {
		d.diags.Add(diag.New(diag.InvalidExpression, toRange(expr.Range()), "Criteria are text: the whole expression stands in double quotes, and the text in it in single quotes.").
			WithHint(`write criteria = "app == 'zoom'"`))
		return
	}
	d.diags.Add(diag.New(diag.InvalidExpression, toRange(t.SourceRange()),
		fmt.Sprintf("There is nothing called %q here. Values are var.NAME and local.NAME; plain text stands in double quotes.", root)).
		WithHint(suggest.Hint(root, []string{"local", "var"})))
}

func (d *decoder) undefined(name string, at hcl.Range, root string) {
	what, known := "variable", &d.varNames
	if root == "local" {
		what, known = "local value", &d.localNames
	}
	if *known == nil { // all are declared before the first is looked up
		*known = slices.Sorted(maps.Keys(d.vars))
		if root == "local" {
			*known = slices.Sorted(maps.Keys(d.locals))
		}
	}
	detail := fmt.Sprintf("No %s is named %q.", what, name)
	if n := len(*known); n > 0 && n <= 10 {
		detail += " There are " + strings.Join(*known, ", ") + "."
	}
	hint := ""
	if near, ok := d.hints.Nearest(name, *known); ok {
		hint = fmt.Sprintf("did you mean %s.%s?", root, near)
	}
	d.diags.Add(diag.New(diag.InvalidExpression, toRange(at), detail).WithHint(hint))
}

// traversalName is the x of local.x or local["x"] and the place of the whole
// reference; empty when the step after the root is no name.
func traversalName(t hcl.Traversal) (string, hcl.Range) {
	if len(t) < 2 {
		return "", t.SourceRange()
	}
	at := hcl.RangeBetween(t[0].SourceRange(), t[1].SourceRange())
	switch step := t[1].(type) {
	case hcl.TraverseAttr:
		return step.Name, at
	case hcl.TraverseIndex:
		if step.Key.Type() == cty.String {
			return step.Key.AsString(), at
		}
	}
	return "", t.SourceRange()
}
