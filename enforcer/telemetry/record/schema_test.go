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

// ofKind are a record of a kind without anything and one with everything, and those of which a reader
// knows some already.
func ofKind(k Kind) (list []Record) {
	types := map[Kind]Record{
		KindFlow: &Flow{}, KindFlowUpdate: &Flow{}, KindFlowStats: &FlowStats{}, KindFlowEnd: &FlowEnd{}, KindPolicyMatch: &PolicyMatch{},
		KindAgentStatus: &AgentStatus{}, KindInterfaceStats: &InterfaceStats{}, KindEndpoints: &Endpoints{}, KindAggregate: &Aggregate{},
	}
	forms := []Known{{}, {}}
	if k == KindFlowUpdate || k == KindFlowEnd {
		forms = append(forms, Known{Tuple: true}, Known{Facts: true}, Known{Tuple: true, Facts: true})
	}
	for i, known := range forms {
		v := reflect.New(reflect.TypeOf(types[k]).Elem())
		if i > 0 {
			fill(v.Elem(), "word")
		}
		if flow := v.Elem().FieldByName("Flow"); flow.IsValid() && flow.FieldByName("Known").IsValid() {
			flow.FieldByName("Known").Set(reflect.ValueOf(known))
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

// TestKnownIsLeftOutWhole says that the members that a reader knows are all left out, that no schema
// allows for some of them alone, and that a flow told for the first time has them all.
func TestKnownIsLeftOutWhole(t *testing.T) {
	for _, k := range []Kind{KindFlow, KindFlowUpdate, KindFlowEnd} {
		schema, err := jsonschema.NewCompiler().Compile(schemas + k.String() + ".schema.json")
		if err != nil {
			t.Fatal(err)
		}
		all := ofKind(k)[1].AppendJSON(nil)
		for _, left := range []string{"ip_version", "local_ip", "first_seen_at", "category", "ssl", "detection_complete"} {
			var v struct {
				Flow map[string]any `json:"flow"`
			}
			if err := json.Unmarshal(all, &v); err != nil {
				t.Fatal(err)
			}
			delete(v.Flow, left)
			err := schema.Properties["flow"].Validate(v.Flow)
			if optional := left == "local_ip" || left == "ssl"; (err == nil) != optional {
				t.Errorf("%s without %s: got %v", k, left, err)
			}
		}
	}
	whole := ofKind(KindFlowEnd)[1].AppendJSON(nil)
	for _, short := range ofKind(KindFlowEnd)[2:] {
		if line := short.AppendJSON(nil); len(line) > len(whole)*9/10 {
			t.Errorf("%d bytes are left of %d: %s", len(line), len(whole), line)
		}
	}
	if known := ofKind(KindFlowEnd)[4].AppendJSON(nil); bytes.Contains(known, []byte("local_ip\"")) || bytes.Contains(known, []byte("host")) || bytes.Contains(known, []byte("ssl")) {
		t.Errorf("got %s", known)
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
