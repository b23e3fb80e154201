package resolve

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang"
)

func TestLogs(t *testing.T) {
	long := strings.Repeat("n", lang.MaxNameBytes)
	usual := &artifact.Limit{Rate: 1, Unit: time.Second, Burst: 5}
	tests := []struct {
		name, policy, arguments string
		want                    *ir.Log
	}{
		{"by default", "p", `log = true`, &ir.Log{Limit: usual}},
		{"each packet", "p", "log = true\n log_rate = \"none\"", &ir.Log{}},
		{"its own prefix and rate", "p", "log = \"guests:\"\n log_rate = \"30/minute\"", &ir.Log{Prefix: "guests: ", Limit: &artifact.Limit{Rate: 30, Unit: time.Minute, Burst: 5}}},
		{"a name longer than a prefix may be", long, `log = true`, &ir.Log{Prefix: long[:125] + ": ", Limit: usual}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			src := "policy \"" + tt.policy + "\" {\n criteria = \"app == 'zoom'\"\n " + tt.arguments + "\n}\n"
			p, diags := lang.Parse(map[string][]byte{"p.netpol.hcl": []byte(src)}, lang.Options{})
			set, more := Resolve(p, catalogue())
			if diags.Extend(more); len(diags) > 0 {
				t.Fatal(diags)
			}
			if diff := cmp.Diff(tt.want, set.Policies[0].Log); diff != "" {
				t.Errorf("log (-want +got):\n%s", diff)
			}
		})
	}
}

func TestInspect(t *testing.T) {
	for src, want := range map[string]artifact.Inspect{
		"":                                artifact.InspectNeeded,
		"netpol { inspect = \"needed\" }": artifact.InspectNeeded,
		"netpol { inspect = \"all\" }":    artifact.InspectAll,
	} {
		p, diags := lang.Parse(map[string][]byte{"p.netpol.hcl": []byte(src)}, lang.Options{})
		set, _ := Resolve(p, catalogue())
		if len(diags) > 0 || set.Settings.Inspect != want {
			t.Errorf("%q: got %q and %v, want %q", src, set.Settings.Inspect, diags, want)
		}
	}
}
