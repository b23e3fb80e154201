package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// panel is a panel of the dashboard, as far as it asks for something.
type panel struct {
	Title       string
	FieldConfig struct{ Defaults struct{ NoValue string } }
	Targets     []struct{ Expr string }
}

func panels(t *testing.T) []panel {
	t.Helper()
	data, err := os.ReadFile("../../docs/monitoring/netpol-dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct{ Panels []panel }
	if err := json.Unmarshal(data, &dashboard); err != nil || len(dashboard.Panels) < 10 {
		t.Fatalf("%d panels, %v", len(dashboard.Panels), err)
	}
	return dashboard.Panels
}

// prometheus runs on the router and asks netpold twice a second; query is what it answers
// to an expression, as the number of series.
func (s *site) prometheus(t *testing.T) (query func(expr string) int) {
	t.Helper()
	s.write("prometheus.yml", `global: {scrape_interval: 500ms}
scrape_configs: [{job_name: netpol, static_configs: [{targets: ["127.0.0.1:9477"]}]}]
`)
	cmd := exec.Command("prometheus", "--config.file", s.path("prometheus.yml"), "--storage.tsdb.path", s.path("tsdb"), "--web.listen-address", "127.0.0.1:9090")
	var err error
	s.ns.Do(func() { err = cmd.Start() })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(_ context.Context, network, address string) (conn net.Conn, err error) {
		s.ns.Do(func() { conn, err = net.Dial(network, address) })
		return conn, err
	}}}
	return func(expr string) int {
		t.Helper()
		answer, err := client.Get("http://127.0.0.1:9090/api/v1/query?query=" + url.QueryEscape(expr))
		if err != nil {
			return 0 // it is not there yet
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode == http.StatusServiceUnavailable {
			return 0
		}
		var got struct {
			Status, Error string
			Data          struct{ Result []json.RawMessage }
		}
		if err := json.Unmarshal(body, &got); err != nil || got.Status != "success" {
			t.Fatalf("%s: %v %s", expr, err, got.Error)
		}
		return len(got.Data.Result)
	}
}

// TestDashboard has a Prometheus read a netpold that sees traffic: each panel of the
// dashboard has something to show, but those that say what it means that they have not, and
// each metric that an alert is about is there.
func TestDashboard(t *testing.T) {
	kerneltest.Need(t, "prometheus")
	s, lab, e := watched(t)
	s.write("policies/sink.netpol.hcl", fmt.Sprintf("sink \"records\" {\n type = \"file\"\n path = %q\n records = \"flow\"\n}\npolicy \"idle\" {\n criteria = \"app == 'netflix'\"\n label = \"idle\"\n}\n", s.path("records.jsonl")))
	s.netpol(0, "apply", "--auto-approve", s.policies)
	_ = e.cmd.Process.Kill()
	_ = e.cmd.Wait()
	s.startEnforcer("--metrics-address", "127.0.0.1:9477", "--metrics-health", "--counter-interval", "1s")
	query := s.prometheus(t)
	dialTLS(t, lab.Client, lab.ServerAddr4, "us04web.zoom.us")
	words := strings.NewReplacer("$instance", ".*", "$__rate_interval", "30s")
	for _, p := range panels(t) {
		s.eventually("the panel "+p.Title+" has data", func() bool {
			return p.FieldConfig.Defaults.NoValue != "" || slices.ContainsFunc(p.Targets, func(target struct{ Expr string }) bool {
				return query(words.Replace(target.Expr)) > 0
			})
		})
		for _, target := range p.Targets {
			query(words.Replace(target.Expr)) // is an expression
		}
	}
	rules, err := os.ReadFile(filepath.Join("..", "..", "docs", "monitoring", "netpol.rules.yml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`(?m)^ +expr: (.*)$`).FindAllSubmatch(rules, -1) {
		query(string(m[1]))
		for _, name := range regexp.MustCompile(`netpol_[a-z_]+`).FindAllString(string(m[1]), -1) {
			if name != "netpol_degraded" && query(name) == 0 {
				t.Errorf("netpold does not tell %s, of %s", name, m[1])
			}
		}
	}
	for _, series := range []string{`netpol_policy_matches_total{policy="idle"} == 0`, `netpol_sink_dropped_records_total{sink="records", reason="full"} == 0`} {
		if query(series) == 0 {
			t.Errorf("there is no %s: a rate needs a counter that has been 0", series)
		}
	}
}
