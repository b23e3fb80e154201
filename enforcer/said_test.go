package enforcer

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/compiler/artifact"
)

// TestRecordsAreOfTheirOwnFlow has flows take each other's place, and the place of what is known of
// them in the store: what was written of the one before must not be told of the next, and each keeps
// its digest.
func TestRecordsAreOfTheirOwnFlow(t *testing.T) {
	s := newScript()
	for i := range 40 {
		name := fmt.Sprintf("host%d.example", i)
		if i%4 == 3 {
			name = "us04.zoom.us" // known before, forgotten, and known again
		}
		s.call(connect(fmt.Sprintf("192.168.1.2:%d", 40000+i), fmt.Sprintf("198.51.100.%d:443", 1+i)), name)
	}
	o := &outlet{}
	play(t, s, withSinks(bundle(t, zoomPolicy()), artifact.Sink{Name: "all", Records: []string{"flow", "flow_end"}}), func(c *Config) { c.Outlets, c.MaxFlows = o, 2 })
	told, digests := 0, map[string]bool{}
	for _, line := range o.lines {
		_, body, _ := strings.Cut(line, " ")
		var r struct {
			Type string
			Flow struct {
				Digest   string
				App      string `json:"detected_application_name"`
				Host     string `json:"host_server_name"`
				Port     int    `json:"local_port"`
				Complete bool   `json:"detection_complete"`
			}
		}
		if err := json.Unmarshal([]byte(body), &r); err != nil {
			t.Fatal(err)
		}
		i := r.Flow.Port - 40000
		digests[r.Flow.Digest] = true
		want, app := fmt.Sprintf("host%d.example", i), ""
		if i%4 == 3 {
			want, app = "us04.zoom.us", "zoom"
		}
		if r.Flow.Host != want || r.Flow.App != app || r.Type == "flow_end" && !r.Flow.Complete {
			t.Errorf("flow %d: got %s", i, body)
		}
		if r.Type == "flow_end" {
			told++
		}
	}
	if told != 40 || len(digests) != 40 {
		t.Errorf("got %d flows and %d digests, want 40 of each", told, len(digests))
	}
}

// TestRecordsDoNotDependOnWhatIsAsked plays the same under policies that ask for what is known of
// flows alone, so that what was found of one is told of the others like it, and with one more
// that asks for a port and never holds.
func TestRecordsDoNotDependOnWhatIsAsked(t *testing.T) {
	records := func(policies ...policyOf) []string {
		s := aligned()
		for i := range 12 {
			s.call(connect(fmt.Sprintf("192.168.1.%d:%d", 2+i, 40000+i), fmt.Sprintf("198.51.100.%d:443", 1+i/2)), []string{"us04.zoom.us", "host.example"}[i%2])
			s.wait(2 * time.Second)
		}
		b := withSinks(bundle(t, policies...), artifact.Sink{Name: "all", Records: every, Interval: 5 * time.Second})
		b.Aggregates = []artifact.Aggregate{{Name: "a", By: []string{"application", "local_ip", "policy"}, Interval: 5 * time.Second, Keys: 100, Sinks: []int{0}}}
		o := &outlet{}
		_, e := play(t, s, b, func(c *Config) { c.Outlets = o })
		if got, want := e.policy.Load().alike, len(policies) == 1; got != want {
			t.Errorf("%d policies: got alike %v, want %v", len(policies), got, want)
		}
		return o.lines
	}
	alike := records(zoomPolicy())
	if diff := cmp.Diff(records(zoomPolicy(), policyOf{name: "never", all: []artifact.Test{portTest(1)}}), alike); diff != "" {
		t.Errorf("-with a port +without:\n%s", diff)
	}
	if !slices.ContainsFunc(alike, func(line string) bool {
		return strings.Contains(line, `"flow_end"`) && strings.Contains(line, `"policies":["zoom"]`)
	}) {
		t.Errorf("got no end of a flow with its policy in %d records", len(alike))
	}
}
