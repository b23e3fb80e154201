package opt

import (
	"cmp"
	"fmt"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang/diag"
)

// CodeDead is the warning for a policy that no flow can match.
const CodeDead = "NP0311"

// dead drops policies whose folded condition is false, and numbers the rest anew.
// written are the same policies before that.
func dead(written, folded []ir.Policy) ([]ir.Policy, diag.List) {
	var diags diag.List
	out := make([]ir.Policy, 0, len(folded))
	for i, p := range folded {
		if isFalse(p.Cond) {
			why := "Look for comparisons that exclude each other, or for an exemption that covers all of it."
			if a, b, ok := excluding(written[i].Cond); ok {
				why = fmt.Sprintf("%s and %s exclude each other; one of them may come from an exemption, or from a policy with halt.", termText(a), termText(b))
			}
			diags.Add(diag.Diagnostic{
				Severity: diag.Warning, Code: CodeDead, Summary: "Policy never applies", Subject: p.Range,
				Detail: fmt.Sprintf("No flow can meet the criteria of policy %q, so it is left out. %s", p.Name, why),
			})
			continue
		}
		p.ID = len(out)
		out = append(out, p)
	}
	return out, diags
}

// maxPaired bounds the terms of which every two are held against each other.
const maxPaired = 64

// excluding are two terms of a condition that can never both hold, of the first
// alternative where there are several; ok is false if it takes more than two.
func excluding(e ir.Expr) (a, b ir.Expr, ok bool) {
	switch e := e.(type) {
	case *ir.Or:
		return excluding(e.List[0])
	case *ir.And:
		list := e.List[:min(len(e.List), maxPaired)]
		for _, term := range list {
			if isFalse(fold(term)) {
				return excluding(term)
			}
		}
		for i, a := range list {
			for _, b := range list[i+1:] {
				if isFalse(fold(ir.NewAnd(e.Range, a, b))) {
					return a, b, true
				}
			}
		}
	}
	return nil, nil, false
}

func isFalse(e ir.Expr) bool {
	c, ok := e.(*ir.Const)
	return ok && !c.Value
}

// maxTermText bounds a term in a message.
const maxTermText = 80

// termText is a term as its author wrote it, as far as that is known.
func termText(e ir.Expr) string {
	text := fmt.Sprint(e)
	switch e := e.(type) {
	case *ir.Compare:
		text = cmp.Or(e.Text, text)
	case *ir.Not:
		if c, ok := e.X.(*ir.Compare); ok {
			text = "not (" + cmp.Or(c.Text, c.String()) + ")"
		}
	}
	if runes := []rune(text); len(runes) > maxTermText {
		text = string(runes[:maxTermText]) + "..."
	}
	return text
}
