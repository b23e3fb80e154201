package daemon

import (
	"bytes"
	"os"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// conforms holds each record of a file against the schema of its kind, and says which
// kinds there are.
func conforms(t *testing.T, name string) map[string]bool {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	kinds := map[string]bool{}
	for line := range bytes.Lines(data) {
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(line))
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		kind, _ := v.(map[string]any)["type"].(string)
		schema, err := c.Compile("../../../docs/schemas/" + kind + ".schema.json")
		if err == nil {
			err = schema.Validate(v)
		}
		if err != nil {
			t.Errorf("%s: %v", line, err)
		}
		kinds[kind] = true
	}
	return kinds
}
