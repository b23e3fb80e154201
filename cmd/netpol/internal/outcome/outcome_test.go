package outcome

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/cmd/netpol/internal/packetsim"
	"github.com/netpol/netpol/compiler"
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/fact"
	"github.com/netpol/netpol/policies"
)

const set = `
policy "a" {
  criteria = "app == 'zoom'"
  label    = "zoom"
  dscp     = "cs5"
  mark     = "0x1/0x3"
}
policy "b" {
  criteria = "dst_port == 443"
  labels   = ["web", "all"]
  dscp     = "le"
  verdict  = "reject"
  mark     = "0x6/0x6"
}
policy "c" {
  criteria = "dst_port in 400..500"
  label    = "all"
  dscp     = "va"
  verdict  = "drop"
}
`

func evaluator(t *testing.T, text string) *Evaluator {
	t.Helper()
	cat, err := policies.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	p, diags := lang.Parse(map[string][]byte{"a.netpol.hcl": []byte(text)}, lang.Options{})
	b, more := compiler.Compile(p, compiler.Options{Catalogue: cat})
	if diags.Extend(more); diags.HasErrors() {
		t.Fatal(diags)
	}
	e, err := New(b, nil)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func flow(app string, port int) *fact.Facts {
	f := &fact.Facts{
		Application: app, DstPort: port, OtherPort: port, IPProtocol: 6, IPVersion: 4,
		SrcIP: netip.MustParseAddr("192.168.1.2"), DstIP: netip.MustParseAddr("198.51.100.1"),
	}
	f.LocalIP, f.OtherIP = f.SrcIP, f.DstIP
	return f
}

func TestOutcome(t *testing.T) {
	e := evaluator(t, set)
	cases := []struct {
		name string
		in   *fact.Facts
		want Outcome
		text string
	}{
		{"nothing", flow("", 80), Outcome{Policies: []string{}, Audited: []string{}, Also: []string{}, Labels: []string{}}, "left alone"},
		{"one", flow("zoom", 80), Outcome{Policies: []string{"a"}, Audited: []string{}, Also: []string{}, Labels: []string{"zoom"}, DSCP: "cs5", Mark: 1, MarkMask: 3}, "label zoom, mark 0x1/0x3, dscp cs5"},
		{"the first of each kind wins", flow("zoom", 443), Outcome{
			Policies: []string{"a", "b", "c"}, Audited: []string{}, Also: []string{}, Labels: []string{"all", "web", "zoom"}, DSCP: "cs5", Verdict: "reject", Mark: 5, MarkMask: 7,
		}, "label all web zoom, mark 0x5/0x7, dscp cs5, verdict reject"},
		{"code points that nft has no name for", flow("", 443), Outcome{
			Policies: []string{"b", "c"}, Audited: []string{}, Also: []string{}, Labels: []string{"all", "web"}, DSCP: "le", Verdict: "reject", Mark: 6, MarkMask: 6,
		}, "label all web, mark 0x6/0x6, dscp le, verdict reject"},
		{"a shared label", flow("", 444), Outcome{Policies: []string{"c"}, Audited: []string{}, Also: []string{}, Labels: []string{"all"}, DSCP: "va", Verdict: "drop"}, "label all, dscp va, verdict drop"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := e.Of(c.in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("outcome (-want +got):\n%s", diff)
			}
			if got := got.Effect(); got != c.text {
				t.Errorf("Effect: got %q, want %q", got, c.text)
			}
		})
	}
}

// The walk must refuse what it cannot answer rather than guess.
func TestUnknownRulesAreErrors(t *testing.T) {
	for _, r := range []artifact.Rule{
		{ID: "a", Match: []artifact.Match{{Kind: "quota"}}},
		{ID: "b", Do: []artifact.Statement{{Kind: "teleport"}}},
	} {
		e := evaluator(t, set)
		e.table = packetsim.New(&artifact.Ruleset{Chains: []artifact.Chain{{Name: "np_dscp", Hook: "postrouting", Rules: []artifact.Rule{r}}}})
		if _, err := e.Of(flow("", 1)); err == nil || !strings.Contains(err.Error(), "rule "+r.ID) {
			t.Errorf("rule %s: got %v, want an error that names the rule", r.ID, err)
		}
	}
}

func TestFilter(t *testing.T) {
	cat, err := policies.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	p, _ := lang.Parse(map[string][]byte{"a.netpol.hcl": []byte("address_group \"lan\" {\n  members = [\"192.168.1.0/24\"]\n}\n" + set)}, lang.Options{})
	f, diags, err := NewFilter(p, cat, []lang.Criteria{lang.NewCriteria("x", "app == 'zoom' && src_ip in '@lan'")})
	if err != nil || len(diags) > 0 {
		t.Fatal(diags, err)
	}
	if !f.Holds(flow("zoom", 1)) || f.Holds(flow("webex", 1)) {
		t.Error("the filter does not hold for zoom alone")
	}
	_, diags, err = NewFilter(p, cat, []lang.Criteria{lang.NewCriteria("x", "app == 'zom'")})
	if err != nil || len(diags) != 1 || diags[0].Subject.String() != "x:1:8" {
		t.Errorf("got %v, %v; want one fault at x:1:8", diags, err)
	}
}

// A flow that passes without conntrack is no other policy's, wherever that
// stands, and so is one whose replies it could be.
func TestUntrackedFlowsAreLeftAlone(t *testing.T) {
	e := evaluator(t, set+`
policy "bulk" {
  criteria = "ip_protocol == 'tcp' && dst_port == 443"
  notrack  = true
}
policy "pace" {
  criteria = "time_of_day in '00:00'..'23:59'"
  dscp     = "cs1"
}
`)
	none := Outcome{Policies: []string{"bulk"}, Audited: []string{}, Also: []string{}, Labels: []string{}}
	reply := flow("zoom", 5000)
	reply.SrcPort = 443
	for name, f := range map[string]*fact.Facts{"opened": flow("zoom", 443), "its reply": reply} {
		got, err := e.Of(f)
		if diff := cmp.Diff(none, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
	if got, err := e.Of(flow("zoom", 80)); err != nil || got.DSCP != "cs5" {
		t.Errorf("a tracked flow: %+v, %v", got, err)
	}
}

// Once a flow is offloaded, no rule changes its packets any more; what stands on
// the connection stays.
func TestOffloadedFlowsPassByTheRules(t *testing.T) {
	const offload = `
netpol {
  offload_devices = ["lan0", "wan0"]
}
policy "bulk" {
  criteria = "dst_port == 80 && total_packets > 10"
  offload  = true
}
`
	f := flow("zoom", 80)
	f.SrcPackets, f.DstPackets, f.SrcBytes, f.DstBytes, f.Complete = 20, 20, 2000, 2000, true
	for text, dscp := range map[string]string{set: "cs5", set + offload: ""} {
		got, err := evaluator(t, text).Of(f)
		if err != nil || got.DSCP != dscp || len(got.Labels) != 1 {
			t.Errorf("got %+v, %v, want dscp %q and a label", got, err, dscp)
		}
	}
}
