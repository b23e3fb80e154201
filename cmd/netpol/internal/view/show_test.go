package view

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/control"
	"github.com/netpol/netpol/enforcer/telemetry"
)

func sampleRouter() Router {
	return Router{
		Bundle: &Bundle{
			Digest: "0123456789abcdef",
			Labels: []artifact.Label{{Name: "np-seen", Bit: 0, Auto: true}, {Name: "zoom", Bit: 12}},
			Policies: []artifact.Policy{
				{Name: "prioritize-zoom", File: "zoom.netpol.hcl", Line: 1, Criteria: "app == 'zoom'", Labels: []string{"zoom"}, DSCP: "cs5"},
				{Name: "mark", File: "a.netpol.hcl", Line: 12, Criteria: "dst_port ==\n\t443", Mark: &artifact.Mark{Value: 1, Mask: 3}, Verdict: "drop"},
			},
		},
		Rules: []Rule{
			{Chain: "np_init", Text: "ct label set np-seen"},
			{Chain: "np_dscp", Text: "ct label zoom ip dscp set cs5", Packets: 7, Bytes: 420, Counted: true},
		},
		Enforcer: Enforcer{Running: true, Socket: "/run/netpol/netpold.sock", Lines: [][2]string{{"bundle", "0123"}, {"packets", "12"}}},
	}
}

func TestRouterText(t *testing.T) {
	var b bytes.Buffer
	if err := sampleRouter().Text(&b, Style{}); err != nil {
		t.Fatal(err)
	}
	want := `Bundle
  0123456789abcdef

Labels
  bit 0   np-seen  netpol's own
  bit 12  zoom

Policies
  prioritize-zoom  zoom.netpol.hcl:1  app == 'zoom'    label zoom, dscp cs5
  mark             a.netpol.hcl:12    dst_port == 443  mark 0x1/0x3, drop

Rules
  CHAIN    PACKETS  BYTES  RULE
  np_init  -        -      ct label set np-seen
  np_dscp  7        420    ct label zoom ip dscp set cs5

Enforcer
  bundle   0123
  packets  12
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("show (-want +got):\n%s", diff)
	}
}

func TestRouterTextOfNothing(t *testing.T) {
	var b bytes.Buffer
	if err := (Router{Enforcer: Enforcer{Socket: "/s"}}).Text(&b, Style{}); err != nil {
		t.Fatal(err)
	}
	want := `Bundle
  none applied

Rules
  none in the kernel

Enforcer
  netpold does not run (nothing answers on /s).
  What it decided stays in force; new flows are not named.
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("show (-want +got):\n%s", diff)
	}
}

func TestRouterJSON(t *testing.T) {
	var b bytes.Buffer
	if err := sampleRouter().JSON(&b); err != nil {
		t.Fatal(err)
	}
	var got struct {
		FormatVersion string `json:"format_version"`
		Bundle        struct{ Digest string }
		Rules         []struct{ Packets int }
		Enforcer      struct{ Running bool }
	}
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.FormatVersion != FormatVersion || got.Bundle.Digest == "" || len(got.Rules) != 2 || got.Rules[1].Packets != 7 || !got.Enforcer.Running {
		t.Errorf("got %s", b.String())
	}
}

func TestWhy(t *testing.T) {
	why := telemetry.Why{
		Flow:     telemetry.Flow{IPProtocol: 6, Protocol: "tls", Application: "zoom", DetectionPackets: 4},
		Evidence: []telemetry.Evidence{{Attribute: "hostname", Value: "zoom.us\x1b"}, {Attribute: "by", Value: "sni"}},
		Policies: []telemetry.PolicyWhy{
			{Name: "zoom", File: "z.hcl", Line: 1, Matched: true, Terms: []telemetry.Term{{Text: "application == 'zoom'", Value: "zoom", Holds: true}}},
			{Name: "h3", File: "z.hcl", Line: 8, Terms: []telemetry.Term{{Text: "alpn == 'h3'"}}},
		},
	}
	var b bytes.Buffer
	if err := Why(&b, why, Style{}); err != nil {
		t.Fatal(err)
	}
	want := string(why.Flow.AppendText(nil)) + `
  named at packet 4
  analysis goes on: more may become known
  hostname  zoom.us\x1b
  by        sni
  matches policy zoom (z.hcl:1)
    yes  application == 'zoom'  is zoom
  does not match policy h3 (z.hcl:8)
    no   alpn == 'h3'  not known

`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("why (-want +got):\n%s", diff)
	}
}

func TestReplaySummary(t *testing.T) {
	var b bytes.Buffer
	r := Replay{Files: 2, FileErrors: 1, Packets: 1, Bytes: 1500, NotIP: 3, Broken: 1, Flows: 4, Named: 2, Matched: 1, Elapsed: 1500 * time.Microsecond}
	if err := r.Text(&b); err != nil {
		t.Fatal(err)
	}
	want := `2 captures, 1 packet, 1.5 kB in 2ms: 4 flows, 2 with an application, 1 with a policy.
3 packets left alone: no IP in them.
1 packet left alone: cut off or contradictory headers.
1 capture could not be read to the end.
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("summary (-want +got):\n%s", diff)
	}
}

func TestMeterIsSilentWithoutATerminal(t *testing.T) {
	var b bytes.Buffer
	m := NewMeter(&b, false)
	m.Show("x")
	m.Clear()
	if b.Len() != 0 {
		t.Errorf("got %q", b.String())
	}
}

func TestDegradedComesFirst(t *testing.T) {
	var b bytes.Buffer
	r := Router{Degraded: []control.Reason{
		{Code: "conntrack-full", Detail: "the table was full: 7 were dropped", WayOut: "raise it", Count: 7},
		{Code: "set-full", About: "ipset games", Detail: "it is\x1b[31m full", WayOut: "raise size"},
	}}
	if err := r.Text(&b, Style{}); err != nil {
		t.Fatal(err)
	}
	want := `Degraded
  conntrack-full: the table was full: 7 were dropped
    raise it
  set-full ipset games: it is\x1b[31m full
    raise size

Bundle
`
	if got := b.String(); !strings.HasPrefix(got, want) {
		t.Errorf("got\n%s\nwant it to begin with\n%s", got, want)
	}
}
