package main

import (
	"bufio"
	"encoding/json"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// watched is a router with netpold on it whose policies ask for no counters, and
// connections of two applications through it.
func watched(t *testing.T) (*site, *kerneltest.Lab, *enforcer) {
	t.Helper()
	lab := kerneltest.NewLab(t)
	s := newSite(t, lab.Router)
	s.installEnforcer()
	serveTLS(t, lab.Server)
	s.ns.Sysctl("net/netfilter/nf_conntrack_acct", "1")
	s.write("policies/zoom.netpol.hcl", `policy "prioritize-zoom" {
  criteria = "app == 'zoom'"
  label    = "zoom"
}
policy "others" {
  criteria = "hostname != ''"
  audit    = true
}
`)
	s.wantText(s.netpol(3, "status"), "No policies are applied")
	s.netpol(0, "apply", "--auto-approve", "--message", "the first", s.policies)
	s.wantText(s.netpol(3, "status"), "netpold does not run, and the policies need it")
	return s, lab, s.startEnforcer("--counter-interval", "1s")
}

// TestFlows lists connections by criteria, with figures that the kernel has.
func TestFlows(t *testing.T) {
	s, lab, e := watched(t)
	zoom := dialTLS(t, lab.Client, lab.ServerAddr4, "us04web.zoom.us")
	dialTLS(t, lab.Client, lab.ServerAddr6, "www.example.net")
	s.eventually("both are known", func() bool { return strings.Count(s.look(0, "flows"), " tls") == 2 })
	s.wantText(s.look(0, "flows", "app == 'zoom' && local_ip in '192.168.0.0/16'"), "tls/zoom us04web.zoom.us")
	if out := s.look(0, "flows", "app == 'zoom' && local_ip in '10.0.0.0/8'"); strings.Contains(out, "tls") {
		t.Errorf("got %s", out)
	}
	if out := s.look(0, "flows", "--matching", "prioritize-zoom", "--sort", "name"); strings.Count(out, " tls") != 1 {
		t.Errorf("of a policy: got %s", out)
	}
	s.wantText(s.look(0, "flows", "--limit", "1", "--sort", "new"), "1 of 2 connections")
	s.wantText(s.look(1, "flows", "app == 'zom'"), "No application is named 'zom'", "Did you mean 'zoom'?")
	s.wantText(s.look(1, "flows", "app =="), "criteria:1:")
	s.wantText(s.look(1, "flows", "--sort", "size"), "write one of rate, up, down, bytes")
	s.wantText(s.look(1, "flows", "local_ip in '@kids'"), "No address_group block is named")
	s.write("policies/kids.netpol.hcl", "address_group \"kids\" {\n members = [\"192.168.77.0/24\"]\n}\n")
	s.wantText(s.look(0, "flows", "--policy", s.policies, "local_ip in '@kids'"), "us04web.zoom.us")

	// No policy asks for bytes: they are read because somebody looks.
	var row struct {
		SrcPort int    `json:"src_port"`
		LocalIP string `json:"local_ip"`
		Bytes   int
	}
	s.eventually("bytes of the kernel", func() bool {
		out := s.look(0, "flows", "--json", "app == 'zoom' && total_bytes > 1000")
		return out != "" && json.Unmarshal([]byte(out), &row) == nil
	})
	if row.SrcPort != int(zoom.Port()) || row.LocalIP != lab.ClientAddr4.String() || row.Bytes < 1000 {
		t.Errorf("got %+v", row)
	}

	// Somebody looks: how connections fare is measured, of those that begin now.
	dialTLS(t, lab.Client, lab.ServerAddr4, "us05web.zoom.us")
	s.eventually("a round-trip time", func() bool {
		return strings.Contains(s.look(0, "flows", "--json", "hostname == 'us05web.zoom.us'"), `"rtt_server_us":`)
	})

	s.wantText(s.netpol(0, "status"), "Healthy.", "2, with", "revision 1", "the first", "3 tracked")
	var status struct {
		Health  string
		Netpold struct{ Counters map[string]int }
	}
	if err := json.Unmarshal([]byte(s.netpol(0, "status", "--json")), &status); err != nil || status.Health != "healthy" || status.Netpold.Counters["flows"] != 3 {
		t.Errorf("got %+v, %v", status, err)
	}
	s.write("policies/sink.netpol.hcl", "sink \"broken\" {\n type = \"file\"\n path = \"/dev/null/x\"\n records = \"flow_end\"\n}\n")
	s.netpol(0, "apply", "--auto-approve", s.policies)
	s.eventually("the sink is told of", func() bool { return strings.Contains(s.netpol(2, "status"), "sink-broken broken") })
	e.hang(t, func() {
		began := time.Now()
		s.wantText(s.netpol(3, "status"), "netpold hangs, and the policies need it", "does not answer: it listens on", "systemctl restart netpold")
		s.wantText(s.netpol(3, "status", "--json"), `"netpold_hangs":true`)
		s.wantText(s.netpol(0, "show"), "netpold does not answer")
		s.wantText(s.netpol(0, "plan", s.policies), "has not answered for 5s", "No changes")
		if took := time.Since(began); took > 30*time.Second {
			t.Errorf("four looks at a netpold that hangs take %s", took)
		}
	})
	if err := e.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = e.cmd.Wait()
	s.wantText(s.look(1, "flows"), "netpold does not run")
}

// hang has netpold stand still while something is done.
func (e *enforcer) hang(t *testing.T, while func()) {
	t.Helper()
	if err := e.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = e.cmd.Process.Signal(syscall.SIGCONT) }()
	while()
}

// look runs a verb that asks netpold.
func (s *site) look(wantCode int, verb string, args ...string) string {
	s.t.Helper()
	return s.run(wantCode, append([]string{verb, "--state-dir", s.path("state"), "--run-dir", s.path("run")}, args...))
}

// TestFollowFlows prints connections as they come, and again when what is known of them
// changes.
func TestFollowFlows(t *testing.T) {
	s, lab, e := watched(t)
	dialTLS(t, lab.Client, lab.ServerAddr4, "us04web.zoom.us")
	s.eventually("one is known", func() bool { return strings.Contains(s.look(0, "flows"), "us04web.zoom.us") })
	cmd := exec.Command(s.path("bin/netpol"), "flows", "--follow", "--json", "other_port == 443", "--state-dir", s.path("state"), "--run-dir", s.path("run"))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	errs, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill() }()
	lines := bufio.NewScanner(out)
	for _, want := range []string{"us04web.zoom.us", "www.example.net"} {
		if !lines.Scan() || !strings.Contains(lines.Text(), want) {
			t.Fatalf("got %q, want one of %s", lines.Text(), want)
		}
		if want == "us04web.zoom.us" {
			dialTLS(t, lab.Client, lab.ServerAddr4, "www.example.net")
		}
	}
	s.write("policies/more.netpol.hcl", "policy \"more\" {\n criteria = \"hostname == 'www.example.net'\"\n label = \"more\"\n}\n")
	s.netpol(0, "apply", "--auto-approve", s.policies)
	if !lines.Scan() || !strings.Contains(lines.Text(), `"policies":["more"`) {
		t.Errorf("got %q, want the one that has another label", lines.Text())
	}
	_ = e.cmd.Process.Kill() // and started anew
	_ = e.cmd.Wait()
	remarks := bufio.NewScanner(errs)
	for _, want := range []string{"netpold does not answer (netpold does not run: nothing answers on ", "netpold answers again."} {
		if !remarks.Scan() || !strings.HasPrefix(remarks.Text(), want) {
			t.Errorf("got %q, want %q", remarks.Text(), want)
		}
		if strings.HasPrefix(want, "netpold does") {
			s.startEnforcer("--counter-interval", "1s")
		}
	}
	dialTLS(t, lab.Client, lab.ServerAddr4, "after.example.net")
	for lines.Scan() && !strings.Contains(lines.Text(), "after.example.net") {
	}
	if !strings.Contains(lines.Text(), "after.example.net") {
		t.Errorf("got %q after netpold was started anew", lines.Text())
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("interrupted, it ended with %v", err)
	}
}
