package lint

import (
	"fmt"
	"path"
	"strings"

	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/outline"
)

func unusedGroup() Rule {
	return Rule{ID: "NP0511", Slug: "unused-group", Category: Hygiene, Severity: diag.Warning, Summary: "Unused address group", check: checkUnusedGroup}
}

func unusedAppGroup() Rule {
	return Rule{ID: "NP0518", Slug: "unused-application-group", Category: Hygiene, Severity: diag.Warning, Summary: "Unused application group", check: checkUnusedAppGroup}
}

func unusedSchedule() Rule {
	return Rule{ID: "NP0519", Slug: "unused-schedule", Category: Hygiene, Severity: diag.Warning, Summary: "Unused schedule", check: checkUnusedSchedule}
}

func unusedSink() Rule {
	return Rule{ID: "NP0526", Slug: "unused-sink", Category: Hygiene, Severity: diag.Warning, Summary: "Unused sink", check: checkUnusedSink}
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
	list := p.in.Policy.Groups
	u := newUses(len(list), func(i int) string { return list[i].Name }, func(i int, use func(module, name string)) {
		for _, m := range list[i].Members {
			if m.Group != "" {
				use(list[i].Module, m.Group)
			}
		}
	})
	for _, a := range p.in.Policy.Aggregates {
		for _, t := range a.Groups {
			u.use(a.Module, t.Value)
		}
	}
	p.unusedGroups(u, func(i int) (string, diag.Range) { return list[i].Name, list[i].Range })
}

// unusedGroups reports the groups that no criterion mentions.
func (p *pass) unusedGroups(u *uses, group func(i int) (name string, at diag.Range)) {
	p.mentions("@", u.use)
	for i, used := range u.used {
		if !used {
			name, at := group(i)
			p.report(Finding{Subject: at, Detail: fmt.Sprintf("No criterion uses '@%s'.", name), Hint: "remove the group"})
		}
	}
}

// checkUnusedAppGroup is checkUnusedGroup for groups of applications.
func checkUnusedAppGroup(p *pass) {
	list := p.in.Policy.AppGroups
	u := newUses(len(list), func(i int) string { return list[i].Name }, func(i int, use func(module, name string)) {
		for _, t := range list[i].Applications {
			if name, ok := strings.CutPrefix(t.Value, "@"); ok {
				use(list[i].Module, name)
			}
		}
	})
	for _, t := range p.in.Policy.Settings.LabelApplications {
		if name, ok := strings.CutPrefix(t.Value, "@"); ok {
			u.use("", name)
		}
	}
	p.unusedGroups(u, func(i int) (string, diag.Range) { return list[i].Name, list[i].Range })
}

// checkUnusedSchedule reports schedules that neither a policy's schedule
// argument nor a criterion names.
func checkUnusedSchedule(p *pass) {
	list := p.in.Policy.Schedules
	u := newUses(len(list), func(i int) string { return list[i].Name }, nil)
	p.mentions("", u.use)
	for _, b := range p.in.Policy.Policies {
		for _, t := range b.Schedules {
			u.use(b.Module, t.Value)
		}
	}
	for i, s := range list {
		if !u.used[i] {
			p.report(Finding{Subject: s.Range, Detail: fmt.Sprintf("No policy is on the schedule %q, and no criterion names it.", s.Name), Hint: "remove the schedule, or write schedule = \"" + s.Name + "\" in the policies that it is for"})
		}
	}
}

// checkUnusedSink reports sinks that are told nothing.
func checkUnusedSink(p *pass) {
	list := p.in.Policy.Sinks
	u := newUses(len(list), func(i int) string { return list[i].Name }, nil)
	for _, b := range p.in.Policy.Policies {
		for _, t := range b.Notify {
			u.use(b.Module, t.Value)
		}
	}
	for _, a := range p.in.Policy.Aggregates {
		for _, t := range a.Sinks {
			u.use(a.Module, t.Value)
		}
	}
	for i, s := range list {
		if !u.used[i] && len(s.Records) == 0 {
			p.report(Finding{
				Subject: s.Range, Detail: fmt.Sprintf("Sink %q asks for no records, and neither a policy notifies it nor does an aggregate go there.", s.Name),
				Hint: fmt.Sprintf("write notify = %q in the policies that it is to be told of, or records in the sink, or remove it", s.Name),
			})
		}
	}
}

// uses finds out which of some named things are needed. Names are compared
// without regard to case, as schedules' are; groups differ in more than that.
type uses struct {
	index map[string]int // by name, with the module before it
	used  []bool
	more  func(i int, use func(module, name string)) // what one of them needs itself; may be nil
}

func newUses(n int, name func(i int) string, more func(int, func(module, name string))) *uses {
	u := &uses{index: make(map[string]int, n), used: make([]bool, n), more: more}
	for i := range n {
		u.index[strings.ToLower(name(i))] = i
	}
	return u
}

// use notes that a name is needed in a module: it means the module's own, or
// that of the nearest module around it, or the set's.
func (u *uses) use(module, name string) {
	module, name = strings.ToLower(module), strings.ToLower(name)
	i, ok := u.index[name]
	for ; module != ""; module = module[:max(0, strings.LastIndexByte(module, '/'))] {
		if near, found := u.index[module+"/"+name]; found {
			i, ok = near, true
			break
		}
	}
	if !ok || u.used[i] {
		return
	}
	u.used[i] = true
	if u.more != nil {
		u.more(i, u.use)
	}
}

// mentions visits the texts in criteria that begin with a prefix, without it.
func (p *pass) mentions(prefix string, visit func(module, name string)) {
	p.criteria(func(c *lang.Criteria, _ string) {
		for _, t := range scan(c.Text) {
			if name, ok := strings.CutPrefix(strings.Trim(c.Text[t.from:t.to], "'\"`"), prefix); ok && t.kind == textToken {
				visit(c.Module, name)
			}
		}
	})
}

// value is a local or variable: it is seen in the files of its directory.
type value struct {
	directory string
	kind      outline.Kind
	name      string // empty: any of the kind
}

// checkUnused reports locals or variables that nothing needs: not even by way
// of a local that something needs.
func (p *pass) checkUnused(kind outline.Kind, noun string) {
	used := p.usedValues()
	for _, f := range p.in.Files {
		directory := path.Dir(f.Name)
		for _, d := range f.Definitions {
			if d.Kind == kind && !used[value{directory, kind, d.Name}] && !used[value{directory, kind, ""}] {
				p.report(Finding{Subject: d.Range, Detail: fmt.Sprintf("Nothing in the policy set uses the %s %q.", noun, d.Name), Hint: "remove it"})
			}
		}
	}
}

// usedValues is the locals and variables that something outside of locals
// needs, be it through locals.
func (p *pass) usedValues() map[value]bool {
	used := map[value]bool{}
	needs := map[value][]value{} // what the values of locals refer to
	var todo []value
	for _, f := range p.in.Files {
		directory := path.Dir(f.Name)
		for _, r := range f.References {
			to := value{directory, r.Kind, r.Name}
			if r.In == "" {
				todo = append(todo, to)
				continue
			}
			from := value{directory, outline.Local, r.In}
			needs[from] = append(needs[from], to)
			any := value{directory, outline.Local, ""}
			needs[any] = append(needs[any], to)
		}
	}
	for len(todo) > 0 {
		v := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if !used[v] {
			used[v] = true
			todo = append(todo, needs[v]...)
		}
	}
	return used
}
