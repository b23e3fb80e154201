package lint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/lintconfig"
	"github.com/netpol/netpol/lang/suggest"
)

// BadConfig is the code of a lint configuration that names what does not exist.
const BadConfig = "NP0500"

// plan is which rules run, how grave they are, and their options.
type plan struct {
	rules      []Rule
	configured map[string]bool                // ids that the configuration gives a level
	options    map[string][]lintconfig.Option // by id
	diags      diag.List
}

func newPlan(in Input) (*plan, diag.List) {
	p := &plan{configured: map[string]bool{}, options: map[string][]lintconfig.Option{}}
	levels := map[string]string{}
	if in.Config != nil {
		for _, r := range in.Config.Rules {
			p.configure(r, levels)
		}
	}
	only := p.only(in.Only)
	for _, r := range Rules() {
		if only != nil && !only[r.ID] {
			continue
		}
		level, given := levels[r.ID]
		switch {
		case level == "off" || !given && r.Optional && only == nil:
			continue
		case given:
			r.Severity, _ = ParseSeverity(level)
			p.configured[r.ID] = true
		}
		p.rules = append(p.rules, r)
	}
	return p, p.diags
}

// ParseSeverity reads error, warning or note; info and notice are other words
// for note.
func ParseSeverity(word string) (diag.Severity, bool) {
	switch word {
	case "error":
		return diag.Error, true
	case "warning":
		return diag.Warning, true
	case "note", "info", "notice":
		return diag.Note, true
	}
	return diag.Note, false
}

func (p *plan) fault(at diag.Range, hint, format string, args ...any) {
	p.diags.Add(diag.Diagnostic{Severity: diag.Error, Code: BadConfig, Summary: "Invalid lint configuration", Subject: at, Detail: fmt.Sprintf(format, args...), Hint: hint})
}

func (p *plan) only(names []string) map[string]bool {
	if len(names) == 0 {
		return nil
	}
	out := map[string]bool{}
	for _, name := range names {
		if r, ok := p.find(lang.Text{Value: name}); ok {
			out[r.ID] = true
		}
	}
	return out
}

func (p *plan) find(name lang.Text) (Rule, bool) {
	r, ok := Find(name.Value)
	if !ok {
		var slugs []string
		for _, r := range Rules() {
			slugs = append(slugs, r.Slug)
		}
		p.fault(name.Range, suggest.Hint(name.Value, slugs), "No rule is named %q. netpol lint --list shows them.", name.Value)
	}
	return r, ok
}

// configure takes one rule block.
func (p *plan) configure(c lintconfig.Rule, levels map[string]string) {
	r, ok := p.find(c.Name)
	if !ok {
		return
	}
	if level := c.Level; level.Value != "" {
		severity, known := ParseSeverity(level.Value)
		switch {
		case !known && level.Value != "off":
			p.fault(level.Range, "", "%q is not a level. The levels are off, note, warning and error.", level.Value)
		case r.Fixed && (!known || severity > r.Severity):
			p.fault(level.Range, "", "%s guards the way to the router and cannot be switched off or lowered.", r.Slug)
		default:
			levels[r.ID] = level.Value
		}
	}
	for _, o := range c.Options {
		if !slices.Contains(r.Options, o.Name) {
			p.fault(o.Range, suggest.Hint(o.Name, append(r.Options, "level")), "%s has no option %q.%s", r.Slug, o.Name, optionList(r))
			continue
		}
		p.options[r.ID] = append(p.options[r.ID], o)
	}
}

func optionList(r Rule) string {
	if len(r.Options) == 0 {
		return " It has only level."
	}
	return " It has level, " + strings.Join(r.Options, ", ") + "."
}

// option is the values of an option of the current rule.
func (p *pass) option(name string) []lang.Text {
	var out []lang.Text
	id := p.rule.ID
	if len(p.plan.options[id]) == 0 && id == failClosedLockout().ID {
		id = managementLockout().ID // it asks about the same ways
	}
	for _, o := range p.plan.options[id] {
		if o.Name == name {
			out = append(out, o.Values...)
		}
	}
	return out
}
