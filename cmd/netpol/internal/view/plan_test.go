package view

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/enforcer/reconcile"
)

func sampleChanges() []reconcile.Change {
	return []reconcile.Change{
		{Action: reconcile.Create, Kind: "policy", ID: "prioritize-zoom", After: "app == 'zoom' -> label zoom"},
		{Action: reconcile.Create, Kind: "label", ID: "zoom", After: "bit 0"},
		{Action: reconcile.Update, Kind: "rule", ID: "np_dscp dscp4/zoom", Before: "ip dscp set cs4", After: "ip dscp set cs5"},
		{Action: reconcile.Update, Kind: "file", ID: "/etc/connlabel.conf", Before: "1 a\n2 b\n", After: "1 a\n3 c\n"},
		{Action: reconcile.Delete, Kind: "rule", ID: "np_dscp \x1b[2Jodd", Before: "drop"},
	}
}

func TestPlan(t *testing.T) {
	var b bytes.Buffer
	notes := map[string]string{"label/zoom": "will be pinned in netpol.lock.hcl"}
	if err := Plan(&b, sampleChanges(), notes, Style{}); err != nil {
		t.Fatal(err)
	}
	want := `netpol will do this on the router:

  + policy  prioritize-zoom      app == 'zoom' -> label zoom
  + label   zoom                 bit 0 (will be pinned in netpol.lock.hcl)
  ~ rule    np_dscp dscp4/zoom
      - ip dscp set cs4
      + ip dscp set cs5
  ~ file    /etc/connlabel.conf
        1 a
      - 2 b
      + 3 c
  - rule    np_dscp \x1b[2Jodd   drop

Plan: 2 to add, 2 to change, 1 to destroy.
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
}

func TestPlanOfNothing(t *testing.T) {
	var b bytes.Buffer
	if err := Plan(&b, nil, nil, Style{}); err != nil {
		t.Fatal(err)
	}
	if got := b.String(); got != "No changes. The router matches the policy.\n" {
		t.Errorf("got %q", got)
	}
}

func TestPlanJSON(t *testing.T) {
	var b bytes.Buffer
	if err := PlanJSON(&b, sampleChanges()[1:3], "abc"); err != nil {
		t.Fatal(err)
	}
	want := `{"format_version":"1.0","type":"planned_change","action":"create","kind":"label","id":"zoom","after":"bit 0"}
{"format_version":"1.0","type":"planned_change","action":"update","kind":"rule","id":"np_dscp dscp4/zoom","before":"ip dscp set cs4","after":"ip dscp set cs5"}
{"format_version":"1.0","type":"change_summary","add":1,"change":1,"destroy":0,"bundle_digest":"abc"}
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
}

func TestFileDiff(t *testing.T) {
	before := "a\nb\nc\nd\ne\nf\ng\n"
	var b bytes.Buffer
	if err := FileDiff(&b, "x.netpol.hcl", before, strings.Replace(before, "g", "G\nH", 1), Style{}); err != nil {
		t.Fatal(err)
	}
	want := `--- x.netpol.hcl
+++ x.netpol.hcl
@@ -4,4 +4,5 @@
 d
 e
 f
-g
+G
+H
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("diff (-want +got):\n%s", diff)
	}
}
