package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/netpol/netpol/compiler"
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/policies"
)

// replayed is what netpold --replay prints of captures under policies.
func replayed(t *testing.T, hcl string, captures ...string) []byte {
	t.Helper()
	out, err := replayedAsFar(t, hcl, captures...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// compiled is the bundle of policies.
func compiled(t *testing.T, hcl string) *artifact.Bundle {
	t.Helper()
	catalogue, err := policies.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	set, diags := lang.Parse(map[string][]byte{"a.netpol.hcl": []byte(hcl)}, lang.Options{})
	b, more := compiler.Compile(set, compiler.Options{Catalogue: catalogue})
	if diags.Extend(more); diags.HasErrors() {
		t.Fatal(diags)
	}
	return b
}

// replayedAsFar is what it prints of captures some of which cannot be read to their end, which
// is the error.
func replayedAsFar(t *testing.T, hcl string, captures ...string) ([]byte, error) {
	t.Helper()
	cfg := testConfig(t)
	cfg.replay, cfg.files = true, captures
	b := compiled(t, hcl)
	data, err := artifact.Encode(b)
	if err != nil {
		t.Fatal(err)
	}
	cfg.bundle = filepath.Join(t.TempDir(), "bundle.npb")
	if err := os.WriteFile(cfg.bundle, data, 0o600); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err = replay(context.Background(), cfg, slog.New(slog.DiscardHandler), &out)
	return out.Bytes(), err
}

// TestReplayPrintsRecords runs real captures through the engine and holds the
// record of each flow's end against its schema.
func TestReplayPrintsRecords(t *testing.T) {
	captures, err := filepath.Glob("../../../policies/examples/*/*.pcap")
	if err != nil || len(captures) == 0 {
		t.Fatalf("no captures: %v", err)
	}
	out := replayed(t, "policy \"weak\" {\n criteria = \"risk_score > 0 || tls_server_cn != ''\"\n label = \"weak\"\n}\n", captures...)
	schema, err := jsonschema.NewCompiler().Compile("../../../docs/schemas/flow_end.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, member := range []string{`"detected_application_name":"zoom"`, `"ssl":{`, `"client_ja4":"`, `"bt":{`, `"policies":["weak"]`} {
		if !bytes.Contains(out, []byte(member)) {
			t.Errorf("no record has %s", member)
		}
	}
	for line := range bytes.Lines(out) {
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(line))
		if err == nil {
			err = schema.Validate(v)
		}
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
	}
}

// TestAggregatesAgreeWithTshark adds up captures by each of Netify's layouts and holds
// the sums against tshark's, to the byte: the length of IP packets from the IP header
// on. With the link headers they are what capinfos calls the data size.
func TestAggregatesAgreeWithTshark(t *testing.T) {
	kerneltest.Need(t, "tshark", "capinfos")
	captures, err := filepath.Glob("../../../policies/examples/*/*.pcap")
	if err != nil || len(captures) == 0 {
		t.Fatalf("no captures: %v", err)
	}
	hcl := "sink \"s\" {\n type = \"stdout\"\n}\n"
	for i := range 5 {
		hcl += fmt.Sprintf("aggregate \"a%d\" {\n layout = \"netify-%d\"\n interval = \"%ds\"\n sink = \"s\"\n}\n", i+1, i+1, 5+2*i)
	}
	out := replayed(t, hcl, captures...)
	type sum struct{ bytes, packets int }
	got := map[string]map[string]*sum{}
	for line := range bytes.Lines(out) {
		var r struct {
			Type, Aggregate, PCAP string
			Part                  int
			Rows                  []map[string]any
			Total, Other          map[string]int
		}
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if r.Type != "aggregate" {
			continue
		}
		if got[r.PCAP] == nil {
			got[r.PCAP] = map[string]*sum{}
		}
		to := got[r.PCAP][r.Aggregate]
		if to == nil {
			to = &sum{}
			got[r.PCAP][r.Aggregate] = to
		}
		for _, row := range r.Rows {
			to.bytes += int(row["local_bytes"].(float64) + row["other_bytes"].(float64))
			to.packets += int(row["local_packets"].(float64) + row["other_packets"].(float64))
		}
		if r.Part == 1 {
			to.bytes += r.Other["local_bytes"] + r.Other["other_bytes"]
			to.packets += r.Other["local_packets"] + r.Other["other_packets"]
		}
	}
	for _, capture := range captures {
		want, link := tshark(t, capture)
		for name, is := range got[filepath.Base(capture)] {
			if is.bytes != want.bytes || is.packets != want.packets {
				t.Errorf("%s, %s: got %+v, tshark has %+v", capture, name, *is, want)
			}
		}
		if n := len(got[filepath.Base(capture)]); n != 5 {
			t.Errorf("%s: %d aggregates of 5 are told", capture, n)
		}
		if size := dataSize(t, capture); want.bytes+link != size {
			t.Errorf("%s: %d bytes of IP and %d of links, capinfos has %d", capture, want.bytes, link, size)
		}
	}
}

// tshark adds up a capture's IP packets and the bytes of what is around them.
func tshark(t *testing.T, capture string) (ip struct{ bytes, packets int }, link int) {
	t.Helper()
	out, err := exec.Command("tshark", "-r", capture, "-T", "fields", "-e", "frame.len", "-e", "ip.len", "-e", "ipv6.plen").Output()
	if err != nil {
		t.Fatal(err)
	}
	first := func(list string) int {
		word, _, _ := strings.Cut(list, ",") // what follows is quoted by an ICMP error
		n, _ := strconv.Atoi(word)
		return n
	}
	for line := range strings.Lines(string(out)) {
		fields := strings.Split(strings.TrimRight(line, "\n"), "\t")
		n := first(fields[1])
		if n == 0 && fields[2] != "" {
			n = first(fields[2]) + 40
		}
		if n > 0 {
			ip.packets++
			ip.bytes += n
		}
		link += first(fields[0]) - n
	}
	return ip, link
}

// dataSize is what capinfos adds up: all bytes of all frames.
func dataSize(t *testing.T, capture string) int {
	t.Helper()
	out, err := exec.Command("capinfos", "-T", "-M", "-r", "-d", capture).Output()
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(out))
	n, err := strconv.Atoi(fields[len(fields)-1])
	if err != nil {
		t.Fatalf("%s: %v", out, err)
	}
	return n
}
