package resolve

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
)

// group is an address group with everything it holds. A broken one had a
// mistake that has been told already.
type group struct {
	prefixes []netip.Prefix
	macs     []string // sorted, unique
	broken   bool
}

// flattenGroups replaces groups inside groups by their members.
func (r *resolver) flattenGroups() map[string]*group {
	f := &flattener{r: r, blocks: map[string]*lang.AddressGroup{}, done: map[string]*group{}}
	for _, g := range r.policy.Groups {
		f.blocks[g.Name] = g
	}
	for _, g := range r.policy.Groups {
		f.flatten(g, nil)
	}
	return f.done
}

type flattener struct {
	r      *resolver
	blocks map[string]*lang.AddressGroup
	done   map[string]*group
}

// flatten resolves one group; path holds the groups that wait for it.
func (f *flattener) flatten(g *lang.AddressGroup, path []string) group {
	if out, ok := f.done[g.Name]; ok {
		return *out
	}
	path = append(path, g.Name)
	var out group
	for _, m := range g.Members {
		if m.MAC != "" {
			out.macs = append(out.macs, m.MAC)
			continue
		}
		if m.Group == "" {
			out.prefixes = append(out.prefixes, m.Prefix)
			continue
		}
		inner, ok := f.inner(g.Module, m, path)
		if out.broken = out.broken || inner.broken || !ok; out.broken {
			continue
		}
		if !f.r.spendMembers(len(inner.prefixes)+len(inner.macs), g.Name, g.Range) {
			out = group{broken: true}
			break
		}
		out.prefixes = append(out.prefixes, inner.prefixes...)
		out.macs = append(out.macs, inner.macs...)
	}
	slices.Sort(out.macs)
	out.macs = slices.Compact(out.macs)
	out.prefixes = mergePrefixes(out.prefixes)
	f.done[g.Name] = &out
	return out
}

// inner resolves a group that is a member of another.
func (f *flattener) inner(module string, m lang.Member, path []string) (group, bool) {
	name, g := inModule(f.blocks, module, m.Group)
	if g == nil {
		f.r.addUnknown(f.r.undefinedGroup(m.Group, m.Range))
		return group{}, false
	}
	if i := slices.Index(path, name); i >= 0 {
		circle := strings.Join(append(slices.Clone(path[i:]), name), " -> @")
		f.r.diags.Add(diag.New(diag.CyclicGroups, m.Range, fmt.Sprintf("Address groups hold each other in a circle: @%s.", circle)))
		return group{}, false
	}
	if len(path) > lang.MaxDepth {
		f.r.diags.Add(diag.New(diag.TooDeep, m.Range, fmt.Sprintf("Address groups may hold each other %d deep.", lang.MaxDepth)))
		return group{}, false
	}
	return f.flatten(g, path), true
}

// inModule finds what a name means in a module: the module's own, or that of the
// nearest module around it, or the set's.
func inModule[T any](all map[string]T, module, name string) (string, T) {
	for {
		full := name
		if module != "" {
			full = module + "/" + name
		}
		if v, ok := all[full]; ok || module == "" {
			return full, v
		}
		module = module[:max(0, strings.LastIndexByte(module, '/'))]
	}
}

func (r *resolver) undefinedGroup(name string, at diag.Range) diag.Diagnostic {
	if r.groupNames == nil {
		for _, g := range r.policy.Groups {
			r.groupNames = append(r.groupNames, g.Name)
		}
		slices.Sort(r.groupNames)
	}
	hint := ""
	if near, ok := r.hints.Nearest(name, r.groupNames); ok {
		hint = fmt.Sprintf("did you mean '@%s'?", near)
	}
	return diag.New(diag.UndefinedGroup, at, fmt.Sprintf("No address_group block is named %q.", name)).WithHint(hint)
}

// mergePrefixes sorts prefixes and drops those inside others. It may reorder
// its argument.
func mergePrefixes(list []netip.Prefix) []netip.Prefix {
	slices.SortFunc(list, comparePrefixes)
	var out []netip.Prefix
	for _, p := range list {
		// Sorted, a prefix comes right after the ones that hold it.
		if n := len(out); n > 0 && out[n-1].Overlaps(p) {
			continue
		}
		out = append(out, p)
	}
	return out
}

// comparePrefixes orders by address, shorter prefixes first.
func comparePrefixes(a, b netip.Prefix) int {
	if c := a.Addr().Compare(b.Addr()); c != 0 {
		return c
	}
	return a.Bits() - b.Bits()
}
