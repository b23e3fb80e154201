package lint

import (
	"fmt"
	"strings"

	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/outline"
)

func unusedGroup() Rule {
	return Rule{ID: "NP0511", Slug: "unused-group", Category: Hygiene, Severity: diag.Warning, Summary: "Unused address group", check: checkUnusedGroup}
}

func unusedLocal() Rule {
	return Rule{ID: "NP0512", Slug: "unused-local", Category: Hygiene, Severity: diag.Warning, Summary: "Unused local", check: func(p *pass) { p.checkUnused(outline.Local, "local") }}
}

func unusedVariable() Rule {
	return Rule{ID: "NP0513", Slug: "unused-variable", Category: Hygiene, Severity: diag.Warning, Summary: "Unused variable", check: func(p *pass) { p.checkUnused(outline.Variable, "variable") }}
}

// checkUnusedGroup reports groups that no criterion reaches, be it through
// other groups. Criteria of switched-off policies count.
func checkUnusedGroup(p *pass) {
	used := map[string]bool{}
	groups := map[string]*lang.AddressGroup{}
	for _, g := range p.in.Policy.Groups {
		groups[g.Name] = g
	}
	var use func(module, name string)
	use = func(module, name string) {
		g := groupInModule(groups, module, name)
		if g == nil || used[g.Name] {
			return
		}
		used[g.Name] = true
		for _, m := range g.Members {
			if m.Group != "" {
				use(g.Module, m.Group)
			}
		}
	}
	p.criteria(func(c *lang.Criteria, _ string) {
		for _, t := range scan(c.Text) {
			if name, ok := strings.CutPrefix(strings.Trim(c.Text[t.from:t.to], "'\"`"), "@"); ok && t.kind == textToken {
				use(c.Module, name)
			}
		}
	})
	for _, g := range p.in.Policy.Groups {
		if !used[g.Name] {
			p.report(Finding{Subject: g.Range, Detail: fmt.Sprintf("No criterion uses '@%s'.", g.Name), Hint: "remove the group"})
		}
	}
}

// groupInModule is the group that a name means in a module: the module's own, or
// that of the nearest module around it, or the set's.
func groupInModule(groups map[string]*lang.AddressGroup, module, name string) *lang.AddressGroup {
	for module != "" {
		if g, ok := groups[module+"/"+name]; ok {
			return g
		}
		module = module[:max(0, strings.LastIndexByte(module, '/'))]
	}
	return groups[name]
}

// checkUnused reports locals or variables that nothing needs: not even by way
// of a local that something needs.
func (p *pass) checkUnused(kind outline.Kind, noun string) {
	used, all := p.usedValues()
	if all[kind] {
		return
	}
	for _, f := range p.in.Files {
		for _, d := range f.Definitions {
			if d.Kind == kind && !used[key(d.Kind, d.Name)] {
				p.report(Finding{Subject: d.Range, Detail: fmt.Sprintf("Nothing in the policy set uses the %s %q.", noun, d.Name), Hint: "remove it"})
			}
		}
	}
}

func key(k outline.Kind, name string) string { return string(k) + "." + name }

// usedValues is the locals and variables that something outside of locals
// needs; all says that any of a kind may be.
func (p *pass) usedValues() (used map[string]bool, all map[outline.Kind]bool) {
	used, all = map[string]bool{}, map[outline.Kind]bool{}
	for changed := true; changed; {
		changed = false
		for _, f := range p.in.Files {
			for _, r := range f.References {
				needed := r.In == "" || used[key(outline.Local, r.In)] || all[outline.Local]
				switch k := key(r.Kind, r.Name); {
				case !needed:
				case r.Name == "":
					changed = changed || !all[r.Kind]
					all[r.Kind] = true
				case !used[k]:
					used[k], changed = true, true
				}
			}
		}
	}
	return used, all
}
