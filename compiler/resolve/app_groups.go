package resolve

import (
	"fmt"
	"slices"
	"strings"

	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
)

// appGroup is an application group with every tag that it holds. A broken one
// had a mistake that has been told already.
type appGroup struct {
	tags   []string // sorted, unique
	broken bool
}

// flattenAppGroups replaces groups inside of groups by their tags and checks
// that the catalogue has them.
func (r *resolver) flattenAppGroups() map[string]*appGroup {
	f := &appFlattener{r: r, blocks: map[string]*lang.ApplicationGroup{}, done: map[string]*appGroup{}}
	for _, g := range r.policy.AppGroups {
		f.blocks[g.Name] = g
	}
	for _, g := range r.policy.AppGroups {
		f.flatten(g, nil)
	}
	return f.done
}

type appFlattener struct {
	r      *resolver
	blocks map[string]*lang.ApplicationGroup
	done   map[string]*appGroup
}

// flatten resolves one group; path holds the groups that wait for it.
func (f *appFlattener) flatten(g *lang.ApplicationGroup, path []string) *appGroup {
	if out, ok := f.done[g.Name]; ok {
		return out
	}
	path = append(path, g.Name)
	out := &appGroup{}
	for _, t := range g.Applications {
		if name, ok := strings.CutPrefix(t.Value, "@"); ok {
			inner := f.inner(g.Module, name, t.Range, path)
			out.broken = out.broken || inner.broken
			out.tags = append(out.tags, inner.tags...)
			slices.Sort(out.tags)
			out.tags = slices.Compact(out.tags)
			continue
		}
		v, _ := f.r.names.vocabulary(fact.ApplicationName)
		tag, fault := f.r.names.tag(v, t.Value, &f.r.hints)
		if fault != nil {
			fault.Subject = t.Range
			f.r.diags.Add(*fault)
			out.broken = true
			continue
		}
		out.tags = append(out.tags, tag)
	}
	slices.Sort(out.tags)
	out.tags = slices.Compact(out.tags)
	f.done[g.Name] = out
	return out
}

// inner resolves a group that is a member of another.
func (f *appFlattener) inner(module, name string, at diag.Range, path []string) *appGroup {
	full, g := inModule(f.blocks, module, name)
	switch i := slices.Index(path, full); {
	case g == nil:
		f.r.addUnknown(f.r.undefinedAppGroup(name, at))
	case i >= 0:
		circle := strings.Join(append(slices.Clone(path[i:]), full), " -> @")
		f.r.diags.Add(diag.New(diag.CyclicGroups, at, fmt.Sprintf("Application groups hold each other in a circle: @%s.", circle)))
	case len(path) > lang.MaxDepth:
		f.r.diags.Add(diag.New(diag.TooDeep, at, fmt.Sprintf("Application groups may hold each other %d deep.", lang.MaxDepth)))
	default:
		return f.flatten(g, path)
	}
	return &appGroup{broken: true}
}

func (r *resolver) undefinedAppGroup(name string, at diag.Range) diag.Diagnostic {
	var known []string
	for _, g := range r.policy.AppGroups {
		known = append(known, g.Name)
	}
	slices.Sort(known)
	hint := ""
	if near, ok := r.hints.Nearest(name, known); ok {
		hint = fmt.Sprintf("did you mean '@%s'?", near)
	}
	return diag.New(diag.UndefinedGroup, at, fmt.Sprintf("No application_group block is named %q.", name)).WithHint(hint)
}

// values are the strings that one constant of an attribute stands for: itself,
// or those of a group.
func (k *criterion) values(a atom, c constant) ([]string, bool) {
	name, isGroup := strings.CutPrefix(c.text, "@")
	switch {
	case isGroup && a.attr.Type == fact.ApplicationName:
		return k.appGroup(name, c)
	case isGroup && a.attr.Type == fact.MAC:
		return k.hardwareGroup(a, name, c)
	case a.attr.Type == fact.ScheduleName:
		s, ok := k.r.schedule(k.source.Module, c.text, k.at(c.span))
		return []string{s}, ok
	case a.attr.Name == "weekday":
		return k.weekdays(c)
	}
	s, ok := k.value(a, c)
	return []string{s}, ok
}

func (k *criterion) appGroup(name string, c constant) ([]string, bool) {
	_, g := inModule(k.r.apps, k.source.Module, name)
	if g == nil {
		d := k.r.undefinedAppGroup(name, k.at(c.span))
		if _, addresses := inModule(k.r.groups, k.source.Module, name); addresses != nil {
			d.Hint = "'@" + name + "' is a group of addresses: write local_ip in '@" + name + "'"
		}
		k.r.addUnknown(d)
		return nil, false
	}
	return g.tags, !g.broken
}

// hardwareGroup is the hardware addresses of a group.
func (k *criterion) hardwareGroup(a atom, name string, c constant) ([]string, bool) {
	_, g := inModule(k.r.groups, k.source.Module, name)
	switch {
	case g == nil:
		k.r.addUnknown(k.r.undefinedGroup(name, k.at(c.span)))
		return nil, false
	case len(g.macs) == 0 && !g.broken:
		k.fault(diag.InvalidMAC, c.span, "The group @%s holds no hardware address, and %s is one.", name, a.name)
		return nil, false
	}
	return g.macs, !g.broken
}
