package record

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/vmihailenco/msgpack/v5"
)

const schemas = "../../../docs/schemas/"

// ofKind are a record of a kind without anything and one with everything.
func ofKind(k Kind) (list []Record) {
	types := map[Kind]Record{
		KindFlow: &Flow{}, KindFlowUpdate: &Flow{}, KindFlowStats: &FlowStats{}, KindFlowEnd: &FlowEnd{}, KindPolicyMatch: &PolicyMatch{},
		KindAgentStatus: &AgentStatus{}, KindInterfaceStats: &InterfaceStats{}, KindEndpoints: &Endpoints{}, KindAggregate: &Aggregate{},
	}
	for _, full := range []bool{false, true} {
		v := reflect.New(reflect.TypeOf(types[k]).Elem())
		if full {
			fill(v.Elem(), "word")
		}
		v.Elem().FieldByName("Type").Set(reflect.ValueOf(k))
		v.Elem().FieldByName("SchemaVersion").SetInt(SchemaVersion)
		if reason := v.Elem().FieldByName("Reason"); reason.IsValid() {
			reason.SetString(string(ReasonExpired))
		}
		list = append(list, v.Interface().(Record))
	}
	return list
}

// TestSchemas says that each kind of record has a schema of this version, that its
// records are as it says, as JSON and as MessagePack, and that it lists every member
// that a record can have and no other.
func TestSchemas(t *testing.T) {
	files, _ := filepath.Glob(schemas + "*.schema.json")
	if len(files) != int(kinds) {
		t.Errorf("there are %d schemas of %d kinds", len(files), kinds)
	}
	for k := range kinds {
		c := jsonschema.NewCompiler()
		c.AssertFormat()
		schema, err := c.Compile(schemas + k.String() + ".schema.json")
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf("https://github.com/netpol/netpol/docs/schemas/%s.v%d", k, SchemaVersion); schema.ID != want && schema.Location != want+"#" {
			t.Errorf("%s: got $id %s (%s), want %s", k, schema.ID, schema.Location, want)
		}
		for i, r := range ofKind(k) {
			for form, line := range map[string][]byte{"JSON": r.AppendJSON(nil), "MessagePack": unpackedJSON(t, r.AppendMsgpack(nil))} {
				v, err := jsonschema.UnmarshalJSON(bytes.NewReader(line))
				if err != nil {
					t.Fatal(err)
				}
				if err := schema.Validate(v); err != nil {
					t.Errorf("%s as %s: %v\n%s", k, form, err, line)
				}
				if i == 1 {
					listed(t, k.String(), schema, v)
				}
			}
		}
	}
}

// unpackedJSON is a record of MessagePack as JSON.
func unpackedJSON(t *testing.T, packed []byte) []byte {
	t.Helper()
	var v any
	if err := msgpack.Unmarshal(packed, &v); err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// listed holds the members of an object with everything in it against those that its
// schema lists, and those of the objects in it.
func listed(t *testing.T, at string, schema *jsonschema.Schema, v any) {
	t.Helper()
	switch v := v.(type) {
	case map[string]any:
		for name := range v {
			if schema.Properties[name] == nil && schema.AdditionalProperties == nil {
				t.Errorf("%s.%s is not in the schema", at, name)
			}
		}
		for name, inner := range schema.Properties {
			if _, ok := v[name]; !ok {
				t.Errorf("%s.%s is in the schema, and no record has it", at, name)
				continue
			}
			listed(t, at+"."+name, inner, v[name])
		}
	case []any:
		if items := schema.Items2020; items != nil && len(v) > 0 {
			listed(t, at+"[]", items, v[0])
		}
	}
}
