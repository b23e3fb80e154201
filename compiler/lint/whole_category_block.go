package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
)

func wholeCategoryBlock() Rule {
	return Rule{ID: "NP0544", Slug: "whole-category-block", Category: Evidence, Severity: diag.Note, Summary: "Block of a whole category", check: checkWholeCategory}
}

// checkWholeCategory reports policies that block a category of the catalogue
// for everybody and exempt nothing: it holds more than its name says, and other things after the
// catalogue's next release.
func checkWholeCategory(p *pass) {
	for i := range p.in.Set.Policies {
		policy := &p.in.Set.Policies[i]
		c := p.newCase(policy)
		attrs := attributes(c.criteria...)
		whole := len(attrs) > 0 && !slices.ContainsFunc(attrs, func(a fact.Attribute) bool { return a.Type != fact.CategoryName })
		if !blocking(policy) || !whole || len(c.block.Exempt) > 0 {
			continue
		}
		apps := p.applicationsOf(c.criteria)
		if len(apps) == 0 {
			continue
		}
		p.report(Finding{
			Subject: policy.Range, Policy: policy.Name,
			Detail: fmt.Sprintf("Policy %q blocks %d applications for everybody: %s. A new catalogue may add others.", policy.Name, len(apps), strings.ReplaceAll(firstFew(apps), "'", "")),
			Hint:   "list the applications that are meant, narrow it to somebody's addresses, or exempt what must go on working",
		})
	}
}

// applicationsOf lists the applications of the categories that conditions
// name.
func (p *pass) applicationsOf(list []ir.Expr) []string {
	categories := map[string]bool{}
	positive(list, func(c *ir.Compare) {
		if c.Attr.Name != "protocol_category" {
			for _, s := range c.Strings {
				categories[s] = true
			}
		}
	})
	var out []string
	for _, a := range p.in.Set.Catalogue.Applications {
		if categories[a.Category] {
			out = append(out, a.Tag)
		}
	}
	return out
}
