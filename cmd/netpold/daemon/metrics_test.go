package daemon

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/netpol/netpol/enforcer"
	"github.com/netpol/netpol/enforcer/control"
	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
	"github.com/netpol/netpol/enforcer/telemetry"
	"github.com/netpol/netpol/enforcer/telemetry/prom"
)

// someMetrics is every family, with words that a policy's author chose.
func someMetrics(t *testing.T) string {
	t.Helper()
	d := newDaemon(testConfig(t), nil)
	text := &prom.Text{}
	text.By("netpol_build_info", prom.Gauge, "x", "version", map[string]uint64{"1": 1})
	if err := os.MkdirAll(d.cfg.stateDir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(d.cfg.bundlePath(), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	d.policyMetrics(text, &control.Status{Digest: "abc", Policies: 3})
	m := enforcer.Metrics{
		Classified: map[string]uint64{"sni": 3, "none": 1}, Matches: map[string]uint64{`say "no"`: 2},
		Naming: [10]uint64{1, 2, 3, 4, 4, 4, 4, 4, 4, 4}, NamingSeconds: 0.2,
		Apps:   map[string]enforcer.AppFigures{"zoom": {Local: 1, Other: 2, Health: enforcer.AppHealth{TCPPackets: 9, Retransmissions: 1, RTTServer: enforcer.AppTimes{Count: 2, Micros: 30_000}}}, "other": {}},
		Health: true,
	}
	engineMetrics(text, map[string]uint64{"flows": 7, "capture_lost": 1}, &m)
	sinkMetrics(text, []telemetry.Sink{{Name: "flows", Records: 9, Dropped: map[string]uint64{"full": 2}, Fault: "x"}, {Name: "live"}})
	degradedMetrics(text, []control.Reason{{Code: "set-full", Since: time.Now()}, {Code: "set-full"}})
	return string(text.Bytes())
}

// TestMetricsAreProper has promtool look at names, types and help.
func TestMetricsAreProper(t *testing.T) {
	kerneltest.Need(t, "promtool")
	check := exec.Command("promtool", "check", "metrics")
	check.Stdin = strings.NewReader(someMetrics(t))
	if out, err := check.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v\n%s", err, out)
	}
	for _, args := range [][]string{{"test", "rules", "netpol.rules.test.yml"}, {"check", "config", "prometheus.yml"}} {
		configured := exec.Command("promtool", args...)
		configured.Dir = "../../../docs/monitoring"
		if out, err := configured.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
	}
}

// TestMetricsThatPeopleRead says that the names which dashboard and alert rules ask for
// are there, with the labels that they ask for, and that everything is said of each.
func TestMetricsThatPeopleRead(t *testing.T) {
	text := someMetrics(t)
	families := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^# TYPE (\S+)`).FindAllStringSubmatch(text, -1) {
		families[m[1]] = true
	}
	dashboard, err := os.ReadFile("../../../docs/monitoring/netpol-dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid(dashboard) {
		t.Error("the dashboard is no JSON")
	}
	rules, err := os.ReadFile("../../../docs/monitoring/netpol.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	asked := regexp.MustCompile(`netpol_[a-z_]+`).FindAll(bytes.Join([][]byte{dashboard, rules}, nil), -1)
	if len(asked) < 30 {
		t.Fatalf("found %d metrics in dashboard and rules", len(asked))
	}
	for _, name := range asked {
		if !families[regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(string(name), "")] {
			t.Errorf("netpold has no metric %s", name)
		}
	}
	docs, err := os.ReadFile("../../../docs/telemetry.md")
	if err != nil {
		t.Fatal(err)
	}
	for name := range families {
		if !bytes.Contains(docs, []byte("`"+name)) {
			t.Errorf("docs/telemetry.md does not tell of %s", name)
		}
	}
}

func TestBoundedSeries(t *testing.T) {
	got := bounded(map[string]uint64{"a": 1, "b": 2, "c": 3, "d": 4}, 2)
	if len(got) != 3 || got["a"] != 1 || got["b"] != 2 || got["other"] != 7 {
		t.Errorf("got %v", got)
	}
}
