package resolve

import (
	"fmt"
	"slices"
	"strings"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
)

// indexSets are the set blocks, by name in lower case.
func (r *resolver) indexSets() map[string]*lang.FlowSet {
	out := map[string]*lang.FlowSet{}
	for _, s := range r.policy.Sets {
		key := strings.ToLower(s.Name)
		if other := out[key]; other != nil {
			r.diags.Add(diag.New(diag.Duplicate, s.Range, fmt.Sprintf("The set %q is %q at %s in other letters: names of sets are compared without regard to case. Rename one of the two.", s.Name, other.Name, other.Range)))
			continue
		}
		out[key] = s
	}
	return out
}

// namedBlocks are the keys of the blocks that a policy names; undefined reports
// a name without one.
func namedBlocks[T any](blocks map[string]*T, module string, names []lang.Text, undefined func(lang.Text)) []string {
	var out []string
	for _, t := range names {
		key, block := inModule(blocks, strings.ToLower(module), strings.ToLower(t.Value))
		if block == nil {
			undefined(t)
			continue
		}
		out = append(out, key)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (r *resolver) undefinedSet(t lang.Text) {
	var names []string
	for _, s := range r.policy.Sets {
		names = append(names, s.Name)
	}
	d := diag.New(diag.UndefinedSet, t.Range, fmt.Sprintf("No set block is named %q.", t.Value))
	switch last := t.Value[strings.LastIndexByte(t.Value, '.')+1:]; {
	case last != t.Value && slices.Contains(names, last): // as Netify names targets
		d.Hint = fmt.Sprintf("write %q", last)
	default:
		d.Hint = r.hints.Hint(t.Value, names)
	}
	switch {
	case len(names) == 0:
		d.Detail += " Write for example: set \"blocks\" { kind = \"nft\", type = [\"local_addr\", \"other_addr\"] }, an argument a line."
	case d.Hint == "" && len(names) <= 10:
		d.Detail += " There are " + strings.Join(names, ", ") + "."
	}
	r.addUnknown(d)
}

// flowSets are the sets of all blocks, one for each IP version, whether policies
// add to them or not: rules of the administrator's may name them.
func (r *resolver) flowSets() []artifact.FlowSet {
	var out []artifact.FlowSet
	first := map[string]*lang.FlowSet{} // by the kernel's name
	for _, s := range r.policy.Sets {
		if r.sets[strings.ToLower(s.Name)] != s {
			continue
		}
		for _, f := range flowSetsOf(s) {
			if other := first[f.ID()]; other != nil {
				r.diags.Add(diag.New(diag.Duplicate, s.Range, fmt.Sprintf("The kernel's set %q is that of the block %q at %s as well. Give one of the two another name.", f.Name, other.Name, other.Range)))
				break
			}
			first[f.ID()] = s
			out = append(out, f)
		}
	}
	slices.SortStableFunc(out, func(a, b artifact.FlowSet) int { return strings.Compare(a.Block, b.Block) })
	return out
}

// flowSetsOf are the kernel's sets of one block.
func flowSetsOf(s *lang.FlowSet) []artifact.FlowSet {
	base := artifact.FlowSet{
		Block: strings.ToLower(s.Name), Kind: artifact.FlowSetKind(s.Kind), Name: s.Set, Type: s.Type,
		Timeout: s.Timeout, Size: s.Size, Managed: s.Managed, FlushOnCreate: s.FlushOnCreate, FlushOnDestroy: s.FlushOnDestroy,
	}
	if base.Kind == artifact.FlowSetNft {
		base.Family, base.Table = s.Family, s.Table
		if s.Table == "" {
			base.Table = artifact.SetTable
		}
	}
	for _, f := range s.Fields {
		base.Fields = append(base.Fields, artifact.FlowField(f))
	}
	if s.SkbMark != nil || s.SkbPriority != nil || s.SkbQueue != nil {
		base.Skb = &artifact.SkbInfo{Priority: s.SkbPriority, Queue: s.SkbQueue}
		if s.SkbMark != nil {
			base.Skb.Mark = &artifact.Mark{Value: s.SkbMark.Value, Mask: s.SkbMark.Mask}
		}
	}
	if len(s.Versions) == 0 {
		return []artifact.FlowSet{base}
	}
	var out []artifact.FlowSet
	for _, v := range s.Versions {
		one := base
		if one.Version = v; len(s.Versions) > 1 {
			one.Name = fmt.Sprintf("%s.v%d", base.Name, v)
		}
		out = append(out, one)
	}
	return out
}
