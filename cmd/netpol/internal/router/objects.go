package router

import (
	"fmt"
	"slices"
	"strings"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/nft"
	"github.com/netpol/netpol/enforcer/reconcile"
)

// Kinds of objects, in the order that a plan lists them.
const (
	kindPolicy = "policy"
	kindInput  = "input"
	kindLabel  = "label"
	kindTable  = "table"
	kindSet    = "set"
	kindChain  = "chain"
	kindRule   = "rule"
	kindFlows  = "flowtable"
	kindFile   = "file"
	kindBundle = "bundle"
)

// policyObjects are the policies of the bundle.
func policyObjects(b *artifact.Bundle) []reconcile.Object {
	if b == nil {
		return nil
	}
	var objects []reconcile.Object
	for _, p := range b.Policies {
		id := p.Name
		if p.Part > 0 { // alternatives of one policy
			id = fmt.Sprintf("%s (%d)", p.Name, p.Part+1)
		}
		objects = append(objects, reconcile.Object{Kind: kindPolicy, ID: id, Body: policyBody(p)})
	}
	for _, in := range b.Inputs {
		objects = append(objects, reconcile.Object{Kind: kindInput, ID: in.Name, Body: in.String()})
	}
	return objects
}

// bundleObject is the bundle file.
func (r Router) bundleObject(b *artifact.Bundle) reconcile.Object {
	const shown = 12 // digits that tell two bundles apart
	digest := b.Digest()
	return reconcile.Object{
		Kind: kindBundle, ID: r.BundlePath(), Body: "sha256 " + digest,
		Summary: "sha256 " + digest[:min(shown, len(digest))],
	}
}

// policyBody is what a policy says, in one line.
func policyBody(p artifact.Policy) string {
	body := strings.Join(strings.Fields(p.Criteria), " ")
	if does := p.Does(); does != "" {
		body += " -> " + does
	}
	if p.Decided == artifact.DecidedKernel {
		body += " (by the kernel alone)"
	}
	return body
}

// labelObjects are the label lines of the managed block.
func labelObjects(labels []artifact.Label) []reconcile.Object {
	var objects []reconcile.Object
	for _, l := range labels {
		objects = append(objects, reconcile.Object{Kind: kindLabel, ID: l.Name, Body: fmt.Sprintf("bit %d", l.Bit)})
	}
	return objects
}

// tableObjects are the chains and rules of the nftables table. A chain's rules
// are in the order of the chain.
func tableObjects(s nft.State) []reconcile.Object {
	if !s.Present {
		return nil
	}
	name := s.Family + " " + s.Table
	objects := []reconcile.Object{{Kind: kindTable, ID: name, Body: s.Flags()}}
	for _, stranger := range s.Strangers {
		objects = append(objects, reconcile.Object{Kind: kindTable, ID: name + " " + stranger, Body: "not of netpol's making"})
	}
	for _, set := range s.Sets {
		objects = append(objects, setObject(set))
	}
	for _, o := range s.Objects {
		objects = append(objects, reconcile.Object{Kind: string(o.Kind), ID: o.Name, Body: o.String()})
	}
	for _, f := range s.Flowtables {
		objects = append(objects, reconcile.Object{Kind: kindFlows, ID: f.Name, Body: f.String()})
	}
	for _, c := range s.Chains {
		objects = append(objects, chainObject(c))
		seen := map[string]int{}
		for _, r := range c.Rules {
			id := c.Name + " " + r.ID
			if r.ID == "" {
				id = c.Name + " without an id"
			}
			seen[id]++
			if n := seen[id]; n > 1 {
				id = fmt.Sprintf("%s (%d)", id, n)
			}
			objects = append(objects, ruleObject(id, r))
		}
	}
	return objects
}

func chainObject(c nft.Chain) reconcile.Object {
	body := strings.TrimPrefix(c.Header(), "chain "+c.Name)
	if c.Hook == "" {
		body = "without a hook"
	}
	return reconcile.Object{Kind: kindChain, ID: c.Name, Body: strings.TrimSpace(body)}
}

// shownElements bounds what of a set a person is shown in one line.
const shownElements = 8

func setObject(s nft.Set) reconcile.Object {
	list := strings.Split(s.Elements, ", ")
	summary := strings.Join(list[:min(shownElements, len(list))], ", ")
	if more := len(list) - shownElements; more > 0 {
		summary += fmt.Sprintf(", and %d more", more)
	}
	return reconcile.Object{Kind: kindSet, ID: s.Name, Body: s.Kind + " " + s.Elements, Summary: summary}
}

// ruleObject is a rule as nft writes it, and where it comes from; people are
// shown label names.
func ruleObject(id string, r nft.Rule) reconcile.Object {
	_, from, _ := strings.Cut(r.Comment, " ")
	if r.ID == "" {
		from = r.Comment
	}
	o := reconcile.Object{Kind: kindRule, ID: id, Body: r.Text, Summary: r.Summary}
	if from != "" {
		o.Body += " # " + from
		o.Summary += "  # " + from
	}
	return o
}

// reordered finds chains that hold the right rules in the wrong order, which
// no comparison of single objects shows.
func reordered(live, want nft.State) []reconcile.Change {
	var changes []reconcile.Change
	for _, w := range want.Chains {
		i := slices.IndexFunc(live.Chains, func(c nft.Chain) bool { return c.Name == w.Name })
		if i < 0 {
			continue
		}
		before, after := ruleIDs(live.Chains[i]), ruleIDs(w)
		if slices.Equal(before, after) || !slices.Equal(slices.Sorted(slices.Values(before)), slices.Sorted(slices.Values(after))) {
			continue
		}
		changes = append(changes, reconcile.Change{
			Action: reconcile.Update, Kind: kindChain, ID: w.Name,
			Before: "rules " + strings.Join(before, ", "), After: "rules " + strings.Join(after, ", "),
		})
	}
	return changes
}

func ruleIDs(c nft.Chain) []string {
	ids := make([]string, len(c.Rules))
	for i, r := range c.Rules {
		ids[i] = r.ID
	}
	return ids
}
