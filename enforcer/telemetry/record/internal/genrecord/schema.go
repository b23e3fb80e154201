package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log"
	"net/netip"
	"reflect"
	"slices"
	"strings"

	"github.com/netpol/netpol/enforcer/telemetry/record"
)

// node is a JSON Schema (draft 2020-12), as much of it as records need.
type node struct {
	Schema      string           `json:"$schema,omitempty"`
	ID          string           `json:"$id,omitempty"`
	Title       string           `json:"title,omitempty"`
	Description string           `json:"description,omitempty"`
	Type        string           `json:"type,omitempty"`
	Const       any              `json:"const,omitempty"`
	Enum        []string         `json:"enum,omitempty"`
	Pattern     string           `json:"pattern,omitempty"`
	AnyOf       []node           `json:"anyOf,omitempty"`
	Format      string           `json:"format,omitempty"`
	Minimum     *int             `json:"minimum,omitempty"`
	Items       *node            `json:"items,omitempty"`
	Properties  map[string]*node `json:"properties,omitempty"` // encoding/json sorts them
	Required    []string         `json:"required,omitempty"`
	Additional  *node            `json:"additionalProperties,omitempty"`
	// Dependent are the members that must be there with another.
	Dependent map[string][]string `json:"dependentRequired,omitempty"`
}

func schema(kind record.Kind, t reflect.Type, doc string) []byte {
	n := objectNode(t, doc)
	if kind == record.KindFlowUpdate || kind == record.KindFlowEnd {
		n.Properties["flow"].mayKnow(t)
	}
	n.Schema = "https://json-schema.org/draft/2020-12/schema"
	n.ID = fmt.Sprintf("https://github.com/netpol/netpol/docs/schemas/%s.v%d", kind, record.SchemaVersion)
	n.Title = kind.String()
	n.Properties["type"].Const = kind.String()
	n.Properties["schema_version"].Const = record.SchemaVersion
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(n); err != nil {
		log.Fatal(err)
	}
	return b.Bytes()
}

// objectNode describes a struct. It says nothing of other members: new ones may
// come without a new version.
func objectNode(t reflect.Type, doc string) *node {
	n := &node{Type: "object", Description: doc, Properties: map[string]*node{}}
	n.add(t)
	return n
}

func (n *node) add(t reflect.Type) {
	for _, f := range fieldsOf(t) {
		switch {
		case f.part:
			n.add(f.typ)
			continue
		case f.inline:
			address := addressNode()
			n.Additional = &node{Type: "array", Description: f.doc, Items: &address}
			continue
		}
		n.Properties[f.name] = valueNode(f)
		if !f.omit {
			n.Required = append(n.Required, f.name)
		}
	}
}

// mayKnow says that the members of a flow that a reader may know may be missing: all that are left
// out together, for where one of them is the others are.
func (n *node) mayKnow(record reflect.Type) {
	flow, _ := record.FieldByName("Flow")
	groups := map[string][]field{}
	for _, f := range allFields(flow.Type) {
		if f.once != "" {
			groups[f.once] = append(groups[f.once], f)
		}
	}
	n.Dependent = map[string][]string{}
	for _, group := range groups {
		var first string
		var others []string
		for _, f := range group {
			switch {
			case f.omit:
			case first == "":
				first = f.name
			default:
				others = append(others, f.name)
			}
		}
		for _, f := range group {
			n.Required = slices.DeleteFunc(n.Required, func(name string) bool { return name == f.name })
			if f.name != first {
				n.Dependent[f.name] = []string{first}
			}
		}
		n.Dependent[first] = others
	}
}

// allFields are a struct's fields, and those of the structs that are part of it.
func allFields(t reflect.Type) (list []field) {
	for _, f := range fieldsOf(t) {
		if f.part {
			list = append(list, allFields(f.typ)...)
		} else {
			list = append(list, f)
		}
	}
	return list
}

func addressNode() node {
	return node{Type: "string", AnyOf: []node{{Format: "ipv4"}, {Format: "ipv6"}}}
}

func valueNode(f field) *node {
	zero := 0
	n := &node{Description: f.doc, Enum: f.enum}
	switch {
	case f.typ == reflect.TypeFor[netip.Addr]():
		*n = addressNode()
		n.Description = f.doc
	case f.typ == reflect.TypeFor[record.Kind]():
		n.Type = "string"
	case f.typ == reflect.TypeFor[record.Reason]():
		n.Type, n.Enum = "string", []string{string(record.ReasonClosed), string(record.ReasonExpired), string(record.ReasonEvicted), string(record.ReasonStopped)}
	case f.typ == reflect.TypeFor[record.List](), f.typ == reflect.TypeFor[[]string]():
		n.Type, n.Items = "array", &node{Type: "string"}
	case f.typ == reflect.TypeFor[[]uint64]():
		n.Type, n.Items = "array", &node{Type: "integer", Minimum: &zero}
	case f.typ == reflect.TypeFor[[]record.Attribute]():
		n.Type, n.Items = "array", objectNode(reflect.TypeFor[record.Attribute](), "")
	case f.typ.Kind() == reflect.Slice:
		n.Type, n.Items = "array", objectNode(f.typ.Elem(), "")
	case f.typ == reflect.TypeFor[record.Hex16]():
		n.Type, n.Pattern = "string", "^0x[0-9a-f]{4}$"
	case f.typ == reflect.TypeFor[record.Digest]():
		n.Type, n.Pattern = "string", "^[0-9a-f]{40}$"
	case f.typ == reflect.TypeFor[record.Milli]():
		n.Type, n.Minimum = "number", &zero
	case structOf(f.typ).Kind() == reflect.Struct:
		return objectNode(structOf(f.typ), f.doc)
	case f.typ.Kind() == reflect.String:
		n.Type = "string"
	case f.typ.Kind() == reflect.Bool:
		n.Type = "boolean"
	default:
		n.Type, n.Minimum = "integer", &zero
	}
	if strings.HasSuffix(f.name, "_at") || f.name == "timestamp" {
		n.Description += " In milliseconds since the Unix epoch."
	}
	return n
}
