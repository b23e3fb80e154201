package lang

import (
	"fmt"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/netpol/netpol/lang/diag"
)

// maxCopies bounds the policies that for_each and modules make in one set.
const maxCopies = 10_000

// each is what one copy of a block with for_each is made from.
type each struct {
	key   string
	value cty.Value
	size  int // of both, see sizeOfValue
}

// object is the value of the name each.
func (e *each) object() cty.Value {
	return cty.ObjectVal(map[string]cty.Value{"key": cty.StringVal(e.key), "value": e.value})
}

// decodePolicies decodes a policy block, once for each element of its for_each.
func (d *decoder) decodePolicies(b *hclsyntax.Block) {
	bad := badPolicyName(b.Labels[0])
	if bad != "" {
		d.diags.Add(diag.New(diag.InvalidName, nameRange(b), fmt.Sprintf("%q is not a name for a policy: %s.", b.Labels[0], bad)))
	}
	a, ok := b.Body.Attributes["for_each"]
	if !ok {
		if d.module != "" && !d.copied(headerRange(b)) {
			return
		}
		if why := badPolicyName(d.qualify(b.Labels[0])); why != "" && bad == "" {
			d.diags.Add(diag.New(diag.InvalidName, nameRange(b), fmt.Sprintf("With its modules the policy would be named %q, which cannot be: %s.", d.qualify(b.Labels[0]), why)))
		}
		d.decodePolicy(b, b.Labels[0])
		return
	}
	if !d.define("for_each "+b.Labels[0], fmt.Sprintf("policy %q", b.Labels[0]), headerRange(b)) {
		return
	}
	for _, e := range d.forEach(a) {
		name := b.Labels[0] + "(" + e.key + ")"
		if why := badPolicyName(d.qualify(name)); why != "" && bad == "" {
			d.diags.Add(diag.New(diag.InvalidName, toRange(a.Expr.Range()),
				fmt.Sprintf("The element %q would make a policy named %q, which cannot be: %s. Use a map, whose keys become part of the name and whose values need not.", e.key, d.qualify(name), why)))
			continue
		}
		if !d.copied(toRange(a.Expr.Range())) {
			return
		}
		d.each = &e
		d.decodePolicy(b, name)
		d.each = nil
	}
}

// copied counts a policy that for_each or a module makes.
func (d *decoder) copied(at diag.Range) bool {
	if d.copies++; d.copies <= maxCopies {
		return true
	}
	if d.copies == maxCopies+1 {
		d.diags.Add(diag.New(diag.TooLarge, at, fmt.Sprintf("for_each and modules may make %d policies in one set. One policy with a list in its criteria does as much as many that differ in one name.", maxCopies)))
	}
	return false
}

// forEach reads the elements of a for_each: those of a list or set of strings,
// whose key and value are the string, or those of a map or object.
func (d *decoder) forEach(a *hclsyntax.Attribute) []each {
	v := d.value(a.Expr)
	if !v.IsKnown() {
		return nil
	}
	t := v.Type()
	isMap := t.IsMapType() || t.IsObjectType()
	if v.IsNull() || !isMap && !t.IsListType() && !t.IsTupleType() && !t.IsSetType() {
		d.diags.Add(diag.New(diag.WrongValueType, toRange(a.Expr.Range()), `for_each needs a list or set of strings, or a map; for example ["zoom", "webex"] or { kids = "cs1" }.`))
		return nil
	}
	var out []each
	seen := map[string]bool{}
	for it := v.ElementIterator(); it.Next(); {
		k, e := it.Element()
		if !isMap {
			k = e
		}
		key, ok := d.forEachKey(k, a)
		if !ok {
			return nil
		}
		if seen[key] {
			d.diags.Add(diag.New(diag.Duplicate, toRange(a.Expr.Range()), fmt.Sprintf("The element %q stands in the list twice, and would make two of one name. Write distinct(...) around the list.", key)))
			continue
		}
		seen[key] = true
		out = append(out, each{key: key, value: e, size: sizeOfValue(k) + sizeOfValue(e)})
	}
	return out
}

// forEachKey is an element's key as text.
func (d *decoder) forEachKey(k cty.Value, a *hclsyntax.Attribute) (string, bool) {
	if !k.IsWhollyKnown() {
		return "", false
	}
	if t := k.Type(); !k.IsNull() && (t == cty.String || t == cty.Number) {
		if s, err := convertTo(k, cty.String); err == nil {
			return s.AsString(), true
		}
	}
	d.diags.Add(diag.New(diag.WrongValueType, toRange(a.Expr.Range()), "The elements of a for_each list are strings. To give each several values write a map: { name = { label = \"a\", dscp = \"cs1\" } }."))
	return "", false
}
