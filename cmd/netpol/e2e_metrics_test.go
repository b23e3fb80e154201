package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// scrape is what netpold answers to Prometheus, as promtool takes it.
func (s *site) scrape(t *testing.T, address string) string {
	t.Helper()
	var conn net.Conn
	var err error
	s.ns.Do(func() { conn, err = net.Dial("tcp", address) })
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "GET /metrics HTTP/1.1\r\nHost: netpold\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	data, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Errorf("got %s, %v", answer.Status, err)
	}
	text := string(data)
	check := exec.Command("promtool", "check", "metrics")
	check.Stdin = strings.NewReader(text)
	if out, err := check.CombinedOutput(); err != nil || len(out) > 0 {
		t.Fatalf("%v\n%s\n%s", err, out, text)
	}
	return text
}

// TestMetrics has netpold watch TLS connections, and reads its metrics as Prometheus
// and node_exporter do: they agree with what it has seen, and name neither a host nor a
// server.
func TestMetrics(t *testing.T) {
	kerneltest.Need(t, "promtool")
	lab := kerneltest.NewLab(t)
	s := newSite(t, lab.Router)
	s.installEnforcer()
	serveTLS(t, lab.Server)
	s.ns.Sysctl("net/netfilter/nf_conntrack_acct", "1")
	file := s.path("run/netpol.prom")
	e := s.startEnforcer("--metrics-address", "127.0.0.1:9477", "--metrics-file", file, "--counter-interval", "1s")
	if text := s.scrape(t, "127.0.0.1:9477"); strings.Contains(text, "netpol_policy_revision_info") || !strings.Contains(text, "netpol_build_info{") {
		t.Errorf("without policies: got\n%s", text)
	}
	s.write("policies/zoom.netpol.hcl", "policy \"prioritize-zoom\" {\n criteria = \"app == 'zoom'\"\n label = \"zoom\"\n}\n")
	s.netpol(0, "apply", "--auto-approve", s.policies)
	dialTLS(t, lab.Client, lab.ServerAddr4, "us04web.zoom.us")
	dialTLS(t, lab.Client, lab.ServerAddr4, "us04web.zoom.us")
	dialTLS(t, lab.Client, lab.ServerAddr6, "www.example.net")
	var text string
	has := func(samples ...string) func() bool {
		return func() bool {
			text = s.scrape(t, "127.0.0.1:9477")
			for _, sample := range samples {
				if !strings.Contains(text, "\n"+sample) {
					return false
				}
			}
			return true
		}
	}
	s.eventually("connections are counted", has(
		`netpol_flows_classified_total{method="sni"} 2`, `netpol_policy_matches_total{policy="prioritize-zoom"} 2`,
		"netpol_policies 1\n", "netpol_last_apply_timestamp_seconds ", "netpol_classify_duration_seconds_count ", "netpol_policy_revision_info{digest=",
	))
	for range 3 { // what applications carry is added up every ten seconds
		dialTLS(t, lab.Client, lab.ServerAddr4, "us04web.zoom.us")
	}
	s.eventually("bytes are counted", has(`netpol_app_bytes_total{app="zoom",dir="up"} `))
	up := regexp.MustCompile(`netpol_app_bytes_total\{app="zoom",dir="up"\} (\S+)`).FindStringSubmatch(text)
	if n, err := strconv.ParseFloat(up[1], 64); err != nil || n < 500 {
		t.Errorf("got %v bytes, want those of client hellos", up)
	}
	for _, secret := range []string{lab.ClientAddr4.String(), lab.ServerAddr4.String(), lab.ServerAddr6.String(), "us04web", "example.net"} {
		if strings.Contains(text, secret) {
			t.Errorf("the metrics name %s:\n%s", secret, text)
		}
	}
	data, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(data), "netpol_build_info{") {
		t.Errorf("got %q, %v", data, err)
	}
	if err := e.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := e.cmd.Wait(); err != nil {
		t.Errorf("netpold ended with %v", err)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("the file outlives netpold")
	}
}
