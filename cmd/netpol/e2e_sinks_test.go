package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// records are those of a type in a file, each held against its schema.
func (s *site) records(name, kind string) (list []string) {
	s.t.Helper()
	data, _ := os.ReadFile(s.path(name))
	for line := range bytes.Lines(data) {
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(line))
		if err != nil {
			s.t.Fatalf("%s: %v", line, err)
		}
		if v.(map[string]any)["type"] != kind {
			continue
		}
		schema, err := jsonschema.NewCompiler().Compile("../../docs/schemas/" + kind + ".schema.json")
		if err != nil {
			s.t.Fatal(err)
		}
		if err := schema.Validate(v); err != nil {
			s.t.Fatalf("%s: %v", line, err)
		}
		list = append(list, string(line))
	}
	return list
}

// TestSinks applies a policy that notifies a sink, and takes another sink in with
// a second apply: TLS connections through the kernel are told of in files, and
// the file of the first sink goes on.
func TestSinks(t *testing.T) {
	lab := kerneltest.NewLab(t)
	s := newSite(t, lab.Router)
	s.installEnforcer()
	serveTLS(t, lab.Server)
	matches := fmt.Sprintf("sink \"matches\" {\n type = \"file\"\n path = %q\n}\n", s.path("log/matches.jsonl"))
	s.write("policies/zoom.netpol.hcl", matches+`
policy "zoom-on-trial" {
  criteria = "app == 'zoom'"
  verdict  = "drop"
  audit    = true
  notify   = "matches"
}
`)
	s.wantText(s.netpol(0, "plan", s.policies), "notify matches")
	s.netpol(0, "apply", "--auto-approve", s.policies)
	e := s.startEnforcer()
	zoom := dialTLS(t, lab.Client, lab.ServerAddr4, "us04web.zoom.us")
	dialTLS(t, lab.Client, lab.ServerAddr4, "www.example.org")
	s.eventually("the match is told", func() bool { return len(s.records("log/matches.jsonl", "policy_match")) == 1 })
	var r struct {
		Policy struct {
			Name, File string
			Audit      bool
		}
		Flow struct {
			LocalPort int `json:"local_port"`
			SSL       struct {
				SNI string `json:"client_sni"`
			}
		}
	}
	if err := json.Unmarshal([]byte(s.records("log/matches.jsonl", "policy_match")[0]), &r); err != nil {
		t.Fatal(err)
	}
	if r.Policy.Name != "zoom-on-trial" || !r.Policy.Audit || r.Flow.LocalPort != int(zoom.Port()) || r.Flow.SSL.SNI != "us04web.zoom.us" {
		t.Errorf("got %+v", r)
	}

	s.write("policies/all.netpol.hcl", fmt.Sprintf("sink \"flows\" {\n type = \"file\"\n path = %q\n records = [\"flow\", \"flow_end\"]\n when = \"hostname == 'www.example.net'\"\n}\n", s.path("log/flows.jsonl")))
	s.wantText(s.netpol(2, "plan", "--detailed-exitcode", s.policies), "1 to change")
	s.netpol(0, "apply", "--auto-approve", s.policies)
	s.wantText(s.netpol(0, "apply", "--auto-approve", s.policies), "No changes.")
	dialTLS(t, lab.Client, lab.ServerAddr6, "www.example.net")
	dialTLS(t, lab.Client, lab.ServerAddr6, "zoom.us")
	s.eventually("a named flow is told", func() bool { return len(s.records("log/flows.jsonl", "flow")) == 1 })
	s.eventually("another match is told", func() bool { return len(s.records("log/matches.jsonl", "policy_match")) == 2 })
	s.wantText(s.netpol(0, "show"), "sink matches", "2 records", "sink flows", "when hostname == 'www.example.net'")
	if err := e.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := e.cmd.Wait(); err != nil {
		t.Errorf("netpold ended with %v", err)
	}
	ends := s.records("log/flows.jsonl", "flow_end")
	if len(ends) != 1 || !strings.Contains(ends[0], `"reason":"stopped"`) || !strings.Contains(ends[0], `"client_sni":"www.example.net"`) {
		t.Errorf("got ends %q", ends)
	}
}
