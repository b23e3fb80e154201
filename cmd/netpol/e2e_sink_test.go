package main

import (
	"net"
	"strings"
	"testing"

	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

func (s *site) sinkTest(wantCode int, args ...string) string {
	s.t.Helper()
	return s.run(wantCode, append([]string{"sink", "test", "--state-dir", s.path("state"), "--run-dir", s.path("run")}, args...))
}

// TestSinkTest tries the sinks of a router: a file, a socket without a client, and a log server
// that is not there.
func TestSinkTest(t *testing.T) {
	lab := kerneltest.NewLab(t)
	s := newSite(t, lab.Router)
	s.installEnforcer()
	s.wantText(s.sinkTest(1), "netpold does not run")
	s.write("policies/sinks.netpol.hcl", `sink "flows" {
  type = "file"
  path = "`+s.dir+`/flows.jsonl"
}
sink "live" {
  type = "unix"
  path = "`+s.dir+`/live.sock"
}
sink "log-server" {
  type      = "syslog"
  transport = "tcp"
  address   = "127.0.0.1:6514"
}
policy "p" {
  criteria = "app == 'zoom'"
  label    = "p"
}
`)
	s.netpol(0, "apply", "--auto-approve", s.policies)
	s.startEnforcer()
	s.wantText(s.sinkTest(1), "flows", "taken", "after", "live", "unheard", "nobody is connected", "log-server", "waits", "connect: connection refused")
	s.wantText(s.sinkTest(0, "FLOWS", "--json"), `"version":1`, `"name":"flows"`, `"outcome":"taken"`)
	s.wantText(s.sinkTest(1, "logs"), `no sink of the applied policies is named "logs"; there are: flows live log-server`)
	client, err := net.Dial("unix", s.dir+"/live.sock")
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	s.eventually("the client is known", func() bool { return strings.Contains(s.sinkTest(0, "live"), "to 1 clients") })
}
