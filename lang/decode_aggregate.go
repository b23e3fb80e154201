package lang

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/suggest"
)

// Bounds of aggregates.
const (
	maxAggregates                 = 32
	minAggregateTime              = 5 * time.Second
	maxAggregateTime              = 24 * time.Hour
	defaultAggregateTime          = time.Minute
	maxAggregateTop, defaultTop   = 100_000, 1000
	minKeys, maxKeys, defaultKeys = 16, 1_000_000, 65_536 // a million take some 140 MB
	maxAggregateNames             = 1024                  // policies and groups of one
	// Health takes up to 3.5 kB a key, in the mean some 400 bytes.
	maxHealthKeys, defaultHealthKeys = 65_536, 8192
)

func aggregateArguments() []string {
	return []string{"address_groups", "by", "description", "health", "interval", "keys", "layout", "policies", "sink", "top", "when"}
}

func (d *decoder) decodeAggregate(b *hclsyntax.Block) {
	a := &Aggregate{Name: d.qualify(b.Labels[0]), Module: d.module, Range: headerRange(b)}
	if !d.checkGroupName(b, "an aggregate") {
		return
	}
	before := len(d.diags)
	a.Description = d.text(b, "description", `"for the accounts"`).Value
	a.By = d.dimensions(b)
	if d.require(b, "sink", `sink = "usage"`) != nil {
		a.Sinks = d.someOf(b, "sink", `"usage"`)
	}
	a.Interval = d.stretch(diag.InvalidAggregate, b, "interval", `"1m"`, minAggregateTime, maxAggregateTime, defaultAggregateTime)
	a.Top = d.number(b, "top", 1, maxAggregateTop, defaultTop)
	a.Health = d.flag(b, "health", false)
	keys := defaultKeys
	if a.Health {
		keys = defaultHealthKeys
	}
	a.Keys = d.number(b, "keys", minKeys, maxKeys, max(keys, a.Top))
	if a.Health && a.Keys > maxHealthKeys {
		at := "keys"
		if _, written := b.Body.Attributes[at]; !written {
			at = "top"
		}
		d.badArgument(diag.InvalidAggregate, b, at, fmt.Sprintf("With health an aggregate keeps at most %d keys, because how a key fares takes up to 3.5 kB. Ask for fewer here, and add up the bytes of all of them in an aggregate without health.", maxHealthKeys))
	}
	if a.Keys < a.Top {
		d.badArgument(diag.InvalidAggregate, b, "keys", fmt.Sprintf("Of %d keys that are kept the first %d cannot be told. Let keys be at least as many as top.", a.Keys, a.Top))
	}
	a.When = d.criteria(b.Body.Attributes["when"])
	a.Policies = d.told(b, a, "policies", "policy", `"zero-rated"`)
	a.Groups = d.told(b, a, "address_groups", "address_group", `"@gold"`)
	for i, t := range a.Groups {
		a.Groups[i].Value = strings.TrimPrefix(t.Value, "@")
	}
	if slices.Contains(a.By, "address_group") {
		d.require(b, "address_groups", `address_groups = ["@gold", "@silver"]`)
	}
	if len(d.diags) > before || !d.define("aggregate "+b.Labels[0], fmt.Sprintf("aggregate %q", b.Labels[0]), a.Range) {
		return
	}
	if len(d.out.Aggregates) == maxAggregates {
		d.diags.Add(diag.New(diag.TooLarge, a.Range, fmt.Sprintf("A policy set has at most %d aggregates. One with more dimensions can be added up further by who reads it.", maxAggregates)))
	}
	d.out.Aggregates = append(d.out.Aggregates, a)
}

// dimensions reads by, or the layout that stands for it.
func (d *decoder) dimensions(b *hclsyntax.Block) []string {
	_, by := b.Body.Attributes["by"]
	_, layout := b.Body.Attributes["layout"]
	if by && layout {
		d.diags.Add(diag.New(diag.ConflictingArguments, toRange(b.Body.Attributes["layout"].Range()), "A layout is a list of dimensions with a name, and by is one without. Leave one of them out."))
		return nil
	}
	if layout {
		layouts := Layouts()
		return layouts[d.word(diag.InvalidAggregate, b, "layout", slices.Sorted(maps.Keys(layouts)), "")]
	}
	if d.require(b, "by", `by = ["application", "local_ip"]`) == nil {
		return nil
	}
	chosen := map[string]bool{}
	for _, t := range d.someOf(b, "by", `"application"`) {
		switch {
		case chosen[t.Value]:
			d.diags.Add(diag.New(diag.Duplicate, t.Range, fmt.Sprintf("The dimension %q stands in the list already.", t.Value)))
		case !slices.Contains(Dimensions(), t.Value):
			d.badDimension(t)
		}
		chosen[t.Value] = true
	}
	return slices.DeleteFunc(Dimensions(), func(name string) bool { return !chosen[name] })
}

func (d *decoder) badDimension(t Text) {
	bad := diag.New(diag.InvalidAggregate, t.Range, fmt.Sprintf("There is no dimension %q. The dimensions are %s.", t.Value, strings.Join(Dimensions(), ", ")))
	instead := map[string]string{
		"app": "application", "mac": "local_mac", "vlan": "vlan_id", "subscriber": "address_group", "group": "address_group",
		"ip": "local_ip", "port": "other_port", "src_ip": "local_ip", "dst_ip": "other_ip", "dst_port": "other_port",
	}[t.Value]
	if bad.Hint = suggest.Hint(strings.ToLower(t.Value), Dimensions()); instead != "" {
		bad.Hint = fmt.Sprintf("did you mean '%s'?", instead)
	}
	d.diags.Add(bad)
}

// told reads the names that a dimension tells apart.
func (d *decoder) told(b *hclsyntax.Block, a *Aggregate, name, dimension, example string) []Text {
	list := d.someOf(b, name, example)
	at, written := b.Body.Attributes[name]
	switch {
	case written && !slices.Contains(a.By, dimension) && len(a.By) > 0:
		d.badArgument(diag.InvalidAggregate, b, name, fmt.Sprintf("%s says what the dimension %s tells apart, which is not in by. Add %q to by, or leave %s out.", name, dimension, dimension, name))
	case len(list) > maxAggregateNames:
		d.diags.Add(diag.New(diag.TooLarge, toRange(at.Expr.Range()), fmt.Sprintf("%s may name %d.", name, maxAggregateNames)))
		return nil
	}
	seen := map[string]bool{}
	for _, t := range list {
		if seen[t.Value] {
			d.diags.Add(diag.New(diag.Duplicate, t.Range, fmt.Sprintf("%q stands in the list already.", t.Value)))
		}
		seen[t.Value] = true
	}
	return list
}
