package daemon

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/netpol/netpol/compiler"
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/policies"
)

// TestReplayPrintsRecords runs real captures through the engine and holds the
// record of each flow's end against its schema.
func TestReplayPrintsRecords(t *testing.T) {
	captures, err := filepath.Glob("../../../policies/examples/*/*.pcap")
	if err != nil || len(captures) == 0 {
		t.Fatalf("no captures: %v", err)
	}
	cfg := testConfig(t)
	cfg.replay, cfg.files = true, captures
	catalogue, err := policies.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	set, diags := lang.Parse(map[string][]byte{"a.netpol.hcl": []byte("policy \"weak\" {\n criteria = \"risk_score > 0 || tls_server_cn != ''\"\n label = \"weak\"\n}\n")}, lang.Options{})
	b, more := compiler.Compile(set, compiler.Options{Catalogue: catalogue})
	if diags.Extend(more); diags.HasErrors() {
		t.Fatal(diags)
	}
	data, err := artifact.Encode(b)
	if err != nil {
		t.Fatal(err)
	}
	cfg.bundle = filepath.Join(t.TempDir(), "bundle.npb")
	if err := os.WriteFile(cfg.bundle, data, 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := replay(context.Background(), cfg, slog.New(slog.DiscardHandler), &out); err != nil {
		t.Fatal(err)
	}
	schema, err := jsonschema.NewCompiler().Compile("../../../docs/schemas/flow_end.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, member := range []string{`"detected_application_name":"zoom"`, `"ssl":{`, `"client_ja4":"`, `"bt":{`, `"policies":["weak"]`} {
		if !bytes.Contains(out.Bytes(), []byte(member)) {
			t.Errorf("no record has %s", member)
		}
	}
	for line := range bytes.Lines(out.Bytes()) {
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(line))
		if err == nil {
			err = schema.Validate(v)
		}
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
	}
}
