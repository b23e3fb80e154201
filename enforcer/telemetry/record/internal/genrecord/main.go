// Command genrecord writes zencode.go, zmsgpack.go and docs/schemas from the record
// types.
// Run by "go generate ./enforcer/telemetry/record".
package main

import (
	"log"
	"os"
	"reflect"
	"strings"

	"github.com/netpol/netpol/enforcer/telemetry/record"
)

// schemas is where the JSON Schemas stand, from the package's directory.
const schemas = "../../../docs/schemas"

// published are the records that have a schema, by what they are on the wire.
var published = []struct {
	kind record.Kind
	of   any
	doc  string
}{
	{record.KindFlow, record.Flow{}, "Told when a flow is named for the first time."},
	{record.KindFlowUpdate, record.Flow{}, "Told when a flow's name changes, or the labels and marks of the policies that match it. To a sink whose details are told once it leaves out those that it was told before."},
	{record.KindFlowStats, record.FlowStats{}, "What a flow has carried so far, at the sink's interval, if it has carried anything since."},
	{record.KindFlowEnd, record.FlowEnd{}, "Told once when a flow is over. To a sink whose details are told once it leaves out those that it was told before."},
	{record.KindPolicyMatch, record.PolicyMatch{}, "Told once for each flow that a policy with notify matches."},
	{record.KindAgentStatus, record.AgentStatus{}, "How netpold is, at the sink's interval."},
	{record.KindInterfaceStats, record.InterfaceStats{}, "The kernel's counters of an interface, at the sink's interval."},
	{record.KindEndpoints, record.Endpoints{}, "The hosts on the local side, at the sink's interval: a key for each hardware address."},
	{record.KindAggregate, record.Aggregate{}, "What flows have carried in an interval, by the dimensions of an aggregate block."},
}

func main() {
	log.SetFlags(0)
	write("zencode.go", encoders())
	write("zmsgpack.go", msgpackEncoders())
	for _, p := range published {
		write(schemas+"/"+p.kind.String()+".schema.json", schema(p.kind, reflect.TypeOf(p.of), p.doc))
	}
}

func write(name string, b []byte) {
	if err := os.WriteFile(name, b, 0o644); err != nil {
		log.Fatal(err)
	}
}

// field is one member of a JSON object.
type field struct {
	goName string // the Go field
	name   string
	typ    reflect.Type
	part   bool // an embedded struct, whose members are the object's
	omit   bool // absent when it is zero
	inline bool
	facts  bool // follows from what is known of a flow, as the mark of Detail says
	// once is the field of Detail.Known that leaves it out, empty for none.
	once  string
	named bool // one of the names that a flow goes by, as the mark of Brief says
	doc   string
	enum  []string
}

// split parts fields from those that are marked facts.
func split(list []field) (own, facts []field) {
	for _, f := range list {
		if f.facts {
			facts = append(facts, f)
		} else {
			own = append(own, f)
		}
	}
	return own, facts
}

// namesOf are the fields that are marked names.
func namesOf(list []field) (names []field) {
	for _, f := range list {
		if f.named {
			names = append(names, f)
		}
	}
	return names
}

// runs parts fields where one that is written otherwise, or can be left out, follows.
func runs(list []field) (out [][]field) {
	for i, f := range list {
		if i == 0 || f.once != list[i-1].once || f.named != list[i-1].named {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], f)
	}
	return out
}

// fieldsOf lists a struct's fields.
func fieldsOf(t reflect.Type) (list []field) {
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			list = append(list, field{goName: f.Name, typ: f.Type, part: true})
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name == "-" {
			continue
		}
		if name == "" || f.Tag.Get("doc") == "" {
			log.Fatalf("%s.%s has no name or no doc", t.Name(), f.Name)
		}
		out := field{goName: f.Name, name: name, typ: f.Type, omit: options == "omitempty", inline: options == "inline", facts: f.Tag.Get("facts") != "", once: f.Tag.Get("once"), named: f.Tag.Get("names") != "", doc: f.Tag.Get("doc")}
		if out.facts {
			out.once = "Facts"
		}
		if words := f.Tag.Get("enum"); words != "" {
			out.enum = strings.Split(words, ",")
		}
		list = append(list, out)
	}
	return list
}
