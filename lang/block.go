package lang

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/netpol/netpol/lang/diag"
)

// blockSchema is what a block type looks like.
type blockSchema struct {
	kind      string
	names     int      // how many names stand after the type
	arguments []string // all that are allowed; nil for any
	decode    func(*decoder, *hclsyntax.Block)
	singleton bool // at most one in the set
}

// blockSchemas lists every block type, sorted.
func blockSchemas() []blockSchema {
	return []blockSchema{
		{kind: "address_group", names: 1, arguments: []string{"description", "file", "members"}, decode: (*decoder).decodeAddressGroup},
		{kind: "aggregate", names: 1, arguments: aggregateArguments(), decode: (*decoder).decodeAggregate},
		{kind: "application", names: 1, arguments: []string{"brand", "category", "description", "domains", "name", "networks", "override", "ports", "signatures"}, decode: (*decoder).decodeApplication},
		{kind: "application_group", names: 1, arguments: []string{"applications", "description"}, decode: (*decoder).decodeApplicationGroup},
		{kind: "category", names: 1, arguments: []string{"description"}, decode: (*decoder).decodeCategory},
		{kind: "input", names: 1, arguments: inputArguments(), decode: (*decoder).decodeInput},
		{kind: "locals", decode: func(*decoder, *hclsyntax.Block) {}},
		{kind: "module", names: 1, decode: (*decoder).decodeModule},
		{kind: "netpol", singleton: true, arguments: []string{"analysed_label", "asn_database", "capture_priority", "country_database", "done_mark", "dscp_priority", "exempt", "hold_mark", "hold_packets", "hold_queue", "inspect", "inspect_packets", "label_applications", "label_categories", "local_networks", "log_group", "log_groups", "offload_devices", "offload_hardware", "priority", "quiet_mark", "route_mark", "table_owner", "timezone"}, decode: (*decoder).decodeNetpol},
		{kind: "policy", names: 1, arguments: policyArguments(), decode: (*decoder).decodePolicies},
		{kind: "schedule", names: 1, arguments: []string{"dates", "days", "description", "except", "hours", "timezone"}, decode: (*decoder).decodeSchedule},
		{kind: "set", names: 1, arguments: setArguments(), decode: (*decoder).decodeSet},
		{kind: "sink", names: 1, arguments: sinkArguments(), decode: (*decoder).decodeSink},
		{kind: "variable", names: 1, arguments: []string{"default", "description", "type"}, decode: func(*decoder, *hclsyntax.Block) {}},
	}
}

func policyArguments() []string {
	return []string{
		"add", "audit", "count", "criteria", "description", "dscp", "dscp_if_unset", "enabled", "exempt", "for_each", "halt", "hold",
		"interface", "label", "labels", "log", "log_rate", "mark", "notify", "notrack", "offload", "on_fail", "on_overload", "order", "priority", "quota", "quota_per",
		"rate", "rate_burst", "rate_per", "reject_with", "route", "schedule", "verdict",
	}
}

// maxMistakes bounds what is told in one run: nobody reads more, and a file of a
// hundred thousand mistakes takes seconds to tell of.
const maxMistakes = 1000

// full reports whether enough has been told. The first time it says so.
func (d *decoder) full(at diag.Range) bool {
	if len(d.diags) < maxMistakes {
		return false
	}
	if !d.cut {
		d.cut = true
		d.diags.Add(diag.New(diag.TooLarge, at, fmt.Sprintf("There are more than %d mistakes. What comes after this was not looked at; correct those first.", maxMistakes)))
	}
	return true
}

// decodeBlock checks a block's shape and hands it to its decoder.
func (d *decoder) decodeBlock(b *hclsyntax.Block) {
	schemas := blockSchemas()
	i := slices.IndexFunc(schemas, func(s blockSchema) bool { return s.kind == b.Type })
	if i < 0 {
		d.unknownBlock(b, schemas)
		return
	}
	schema := schemas[i]
	if !d.checkNames(b, schema) {
		return
	}
	d.checkBody(b, schema)
	if schema.singleton && !d.define(b.Type, "block "+b.Type, headerRange(b)) {
		return
	}
	schema.decode(d, b)
}

func (d *decoder) unknownBlock(b *hclsyntax.Block, schemas []blockSchema) {
	kinds := make([]string, len(schemas))
	for i, s := range schemas {
		kinds[i] = s.kind
	}
	d.diags.Add(diag.New(diag.UnknownBlock, toRange(b.TypeRange),
		fmt.Sprintf("There are no blocks of type %q. The types are %s.", b.Type, strings.Join(kinds, ", "))).
		WithHint(d.hints.Hint(b.Type, kinds)))
}

// checkNames reports a wrong number of names after the block's type.
func (d *decoder) checkNames(b *hclsyntax.Block, s blockSchema) bool {
	if len(b.Labels) == s.names {
		return true
	}
	detail := fmt.Sprintf("%s block has no name: write %s { ... }.", indefinite(s.kind), s.kind)
	if s.names == 1 {
		detail = fmt.Sprintf("%s block has one name: write %s \"name\" { ... }.", indefinite(s.kind), s.kind)
	}
	at := toRange(b.TypeRange)
	if len(b.LabelRanges) > s.names {
		at = toRange(b.LabelRanges[s.names])
	}
	d.diags.Add(diag.New(diag.WrongBlockLabels, at, detail))
	return false
}

// indefinite is a block type behind its article, at the beginning of a sentence.
func indefinite(kind string) string {
	if strings.ContainsRune("aeiou", rune(kind[0])) {
		return "An " + kind
	}
	return "A " + kind
}

// checkBody reports arguments and inner blocks that the block type has not.
func (d *decoder) checkBody(b *hclsyntax.Block, s blockSchema) {
	for _, inner := range b.Body.Blocks {
		detail := fmt.Sprintf("%s block holds no blocks.", indefinite(s.kind))
		hint := ""
		if slices.Contains(s.arguments, inner.Type) {
			hint = fmt.Sprintf("write %s = ...", inner.Type)
		}
		d.diags.Add(diag.New(diag.UnknownBlock, toRange(inner.TypeRange), detail).WithHint(hint))
	}
	if s.arguments == nil {
		return
	}
	for _, a := range sortedAttributes(b.Body) {
		if slices.Contains(s.arguments, a.Name) {
			continue
		}
		if d.full(toRange(a.NameRange)) {
			return
		}
		d.diags.Add(diag.New(diag.UnknownArgument, toRange(a.NameRange),
			fmt.Sprintf("%s block has no argument %q. It has %s.", indefinite(s.kind), a.Name, strings.Join(s.arguments, ", "))).
			WithHint(d.argumentHint(a.Name, s.arguments)))
	}
}

// argumentHint finds the argument that was meant: by its spelling, or by what other
// programs call it.
func (d *decoder) argumentHint(name string, known []string) string {
	for _, h := range []struct{ ours, theirs string }{
		{"verdict", "action target"}, {"criteria", "condition filter if match when"}, {"priority", "class queue"}, {"dscp", "tos"}, {"route", "table"},
	} {
		if slices.Contains(strings.Fields(h.theirs), name) && slices.Contains(known, h.ours) {
			return "write " + h.ours
		}
	}
	return d.hints.Hint(name, known)
}

// define notes that a thing exists and reports the second of two. The key names
// it uniquely, what names it for people.
func (d *decoder) define(key, what string, at diag.Range) bool {
	key = d.module + ":" + key
	if first, ok := d.defined[key]; ok {
		d.diags.Add(diag.New(diag.Duplicate, at, fmt.Sprintf("The %s is already defined at %s. Remove or rename one of the two.", what, first)))
		return false
	}
	d.defined[key] = at
	return true
}

// require returns an argument, or reports that it is missing.
func (d *decoder) require(b *hclsyntax.Block, name, example string) *hclsyntax.Attribute {
	if a, ok := b.Body.Attributes[name]; ok {
		return a
	}
	if d.misspelt(b, name) {
		return nil
	}
	d.diags.Add(diag.New(diag.MissingArgument, headerRange(b), fmt.Sprintf("The %s block needs %s, such as: %s.", b.Type, name, example)))
	return nil
}

// misspelt reports whether an argument that the block type has not was probably
// meant to be the named one. It has been reported as unknown, which is enough.
func (d *decoder) misspelt(b *hclsyntax.Block, name string) bool {
	schemas := blockSchemas()
	i := slices.IndexFunc(schemas, func(s blockSchema) bool { return s.kind == b.Type })
	if i < 0 {
		return false
	}
	for _, a := range b.Body.Attributes {
		if slices.Contains(schemas[i].arguments, a.Name) {
			continue
		}
		if near, _ := d.hints.Nearest(a.Name, schemas[i].arguments); near == name {
			return true
		}
	}
	return slices.ContainsFunc(b.Body.Blocks, func(inner *hclsyntax.Block) bool { return inner.Type == name })
}

// headerRange is the block's type and names.
func headerRange(b *hclsyntax.Block) diag.Range { return toRange(b.DefRange()) }

// nameRange is the block's first name, quotes included.
func nameRange(b *hclsyntax.Block) diag.Range { return toRange(b.LabelRanges[0]) }

// sortedAttributes lists a body's arguments in the order of the file: HCL keeps
// them in a map.
func sortedAttributes(body *hclsyntax.Body) []*hclsyntax.Attribute {
	list := make([]*hclsyntax.Attribute, 0, len(body.Attributes))
	for _, a := range body.Attributes {
		list = append(list, a)
	}
	slices.SortFunc(list, func(a, b *hclsyntax.Attribute) int {
		return a.NameRange.Start.Byte - b.NameRange.Start.Byte
	})
	return list
}
