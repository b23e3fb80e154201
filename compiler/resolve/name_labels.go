package resolve

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
)

// naming is one of the netpol block's arguments that ask for a label for each
// application, or each category.
type naming struct {
	argument  string
	prefix    string // of the labels
	attribute string // that the policies ask for
	short     string // the attribute as people write it
	typ       fact.Type
	wanted    []lang.Text
}

// nameLabels adds the policies that label_applications and label_categories
// stand for. They come first, so that no halt keeps their labels from a
// connection: what it is does not depend on what policies make of it. Every
// later stage takes them for policies like the others.
func (r *resolver) nameLabels(set *ir.Set, exempt ir.Expr) {
	s := &r.policy.Settings
	var added []ir.Policy
	for _, n := range []naming{
		{"label_applications", "app-", "application", "app", fact.ApplicationName, s.LabelApplications},
		{"label_categories", "cat-", "category", "category", fact.CategoryName, s.LabelCategories},
	} {
		added = append(added, r.namePolicies(n, set.Policies, exempt)...)
	}
	r.checkTaken(added)
	set.Policies = append(added, set.Policies...)
	for i := range set.Policies {
		set.Policies[i].ID = i
	}
}

// tagAt is a tag and the place that asks for it.
type tagAt struct {
	tag string
	at  diag.Range
}

// namePolicies are the policies of one argument, one a tag.
func (r *resolver) namePolicies(n naming, policies []ir.Policy, exempt ir.Expr) []ir.Policy {
	var out []ir.Policy
	seen := map[string]string{} // label -> tag
	attr, _ := fact.Lookup(n.attribute)
	for _, t := range r.namedTags(n, policies) {
		label := n.prefix + labelWord(t.tag)
		if other, ok := seen[label]; ok {
			if other != t.tag {
				r.diags.Add(diag.New(diag.TakenLabel, t.at, fmt.Sprintf("The label %q would stand for %s and %s alike, because labels hold letters, digits and - only. Leave one of the two out, or give it a label by a policy.", label, other, t.tag)))
			}
			continue
		}
		seen[label] = t.tag
		text := fmt.Sprintf("%s == '%s'", n.short, t.tag)
		p := ir.Policy{
			Name: fmt.Sprintf("%s(%s)", n.argument, t.tag), Range: t.at, Criteria: text, From: n.argument, Labels: []string{label},
			Cond: &ir.Compare{Attr: attr, Op: ir.OpEqual, Strings: []string{t.tag}, Range: t.at, Text: text},
		}
		if exempt != nil {
			p.Cond = ir.NewAnd(t.at, p.Cond, ir.NewNot(exempt.Pos(), exempt))
		}
		out = append(out, p)
	}
	return out
}

// namedTags is what an argument asks for: tags as written, those of groups, and
// for its words those of policies and of the catalogue.
func (r *resolver) namedTags(n naming, policies []ir.Policy) []tagAt {
	var out []tagAt
	v, _ := r.names.vocabulary(n.typ)
	for _, t := range n.wanted {
		name, isGroup := strings.CutPrefix(t.Value, "@")
		var tags []string
		switch {
		case t.Value == lang.LabelNamed:
			tags = tagsOf(policies, n.typ)
		case t.Value == lang.LabelAll && n.typ == fact.CategoryName:
			tags = v.tags
		case isGroup && n.typ == fact.ApplicationName:
			if _, g := inModule(r.apps, "", name); g != nil {
				tags = g.tags
			} else {
				r.addUnknown(r.undefinedAppGroup(name, t.Range))
			}
		default:
			tag, fault := r.names.tag(v, t.Value, &r.hints)
			if fault != nil {
				fault.Subject = t.Range
				fault.Hint = cmp.Or(r.otherArgument(n, strings.ToLower(t.Value)), fault.Hint)
				r.addUnknown(*fault)
				continue
			}
			tags = []string{tag}
		}
		for _, tag := range tags {
			out = append(out, tagAt{tag, t.Range})
		}
	}
	return out
}

// otherArgument is the hint for what the argument cannot have and another way
// can; "" for what nothing has.
func (r *resolver) otherArgument(n naming, tag string) string {
	isApplication := n.typ == fact.ApplicationName
	switch {
	case isApplication && tag == lang.LabelAll:
		return "there are more applications than labels; write \"named\", a list, or label_categories = \"all\""
	case isApplication && slices.Contains(r.names.categories, tag):
		return fmt.Sprintf("'%s' is a category: write it in label_categories", tag)
	case !isApplication && slices.Contains(r.names.applications, tag):
		return fmt.Sprintf("'%s' is an application: write it in label_applications", tag)
	case slices.Contains(r.names.protocols, tag):
		return fmt.Sprintf("'%s' is a protocol: write a policy with protocol == '%[1]s' and a label", tag)
	}
	return ""
}

// tagsOf are the tags of one kind that conditions name, sorted.
func tagsOf(policies []ir.Policy, typ fact.Type) []string {
	var out []string
	for i := range policies {
		ir.Walk(policies[i].Cond, func(e ir.Expr) {
			if c, ok := e.(*ir.Compare); ok && c.Attr.Type == typ && c.Op == ir.OpEqual {
				out = append(out, c.Strings...)
			}
		})
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// labelWord is a tag in the letters that labels have.
func labelWord(tag string) string {
	return strings.Map(func(c rune) rune {
		if c == '.' || c == '_' {
			return '-'
		}
		return c
	}, tag)
}

// checkTaken reports authors' labels and policies that have the name of one of
// the set's own.
func (r *resolver) checkTaken(added []ir.Policy) {
	labels, names := map[string]*ir.Policy{}, map[string]bool{}
	for i := range added {
		labels[added[i].Labels[0]], names[added[i].Name] = &added[i], true
		if len(added[i].Labels[0]) > maxLabelBytes {
			r.diags.Add(diag.New(diag.InvalidLabel, added[i].Range, fmt.Sprintf("%q cannot be a conntrack label: it is longer than %d characters. Give the connections a label by a policy.", added[i].Labels[0], maxLabelBytes)))
		}
	}
	if t := r.policy.Settings.AnalysedLabel; labels[t.Value] != nil {
		r.diags.Add(diag.New(diag.TakenLabel, t.Range, fmt.Sprintf("The label %q is what %s gives connections with %s. Choose another analysed_label.", t.Value, labels[t.Value].From, labels[t.Value].Criteria)))
	}
	for _, b := range r.policy.Policies {
		for _, l := range b.Labels {
			if l.Value == r.policy.Settings.AnalysedLabel.Value {
				r.diags.Add(diag.New(diag.TakenLabel, l.Range, fmt.Sprintf("The label %q is the netpol block's analysed_label, which connections get when their analysis is over. Give the policy's label another name.", l.Value)))
			}
			if p := labels[l.Value]; p != nil {
				r.diags.Add(diag.New(diag.TakenLabel, l.Range, fmt.Sprintf("The label %q is what %s in the netpol block gives connections with %s. Give the policy's label another name.", l.Value, p.From, p.Criteria)))
			}
		}
		if names[b.Name] {
			r.diags.Add(diag.New(diag.Duplicate, b.Range, fmt.Sprintf("The policy %q has the name of one that stands for an argument of the netpol block. Rename it.", b.Name)))
		}
	}
}

// maxLabelBytes is what conntrack and nft take of a label's name.
const maxLabelBytes = 63
