package policytest

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/netpol/netpol/compiler"
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
	"github.com/netpol/netpol/policies"
)

// suite compiles a directory and prepares its tests.
func suite(t *testing.T, dir string) (*Suite, diag.List) {
	t.Helper()
	cat, err := policies.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	p, diags := lang.ParseDir(dir, lang.Options{})
	b, more := compiler.Compile(p, compiler.Options{Catalogue: cat})
	if diags.Extend(more); diags.HasErrors() {
		t.Fatal(diags)
	}
	tests, diags := lang.ParseTestDir(dir)
	s, more, err := Prepare(Input{
		Policy: p, Bundle: b, Catalogue: cat, Tests: tests,
		ParseTuple: udpTuple,
	})
	if err != nil {
		t.Fatal(err)
	}
	diags.Extend(more)
	return s, diags
}

// udpTuple reads "udp ADDR:PORT ADDR:PORT".
func udpTuple(s string) (flow.Tuple, error) {
	words := strings.Fields(s)
	if len(words) != 3 || words[0] != "udp" {
		return flow.Tuple{}, errors.New("no connection of the examples")
	}
	src, err := netip.ParseAddrPort(words[1])
	dst, more := netip.ParseAddrPort(words[2])
	return flow.Tuple{Src: src.Addr(), Dst: dst.Addr(), SrcPort: src.Port(), DstPort: dst.Port(), Proto: 17}, errors.Join(err, more)
}

// Every directory of examples has tests, which pass and reach every policy and
// every term of it.
func TestExamplesAreTested(t *testing.T) {
	dirs, err := filepath.Glob("../../../../policies/examples/*")
	if err != nil || len(dirs) < 4 {
		t.Fatalf("examples: got %d, %v", len(dirs), err)
	}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			s, diags := suite(t, dir)
			if len(diags) > 0 {
				t.Fatal(diags)
			}
			r := s.Run(t.Context(), Options{Coverage: true})
			if len(r.Results) == 0 {
				t.Fatal("no tests")
			}
			for _, x := range r.Results {
				if !x.Passed {
					t.Errorf("%s: %+v", x.Name, x.Failures)
				}
			}
			for i := range r.Coverage {
				if !r.Coverage[i].Covered() {
					t.Errorf("policy %s is not covered: %+v", r.Coverage[i].Name, r.Coverage[i].Terms)
				}
			}
		})
	}
}

func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestCoverageCountsBothWays(t *testing.T) {
	dir := write(t, map[string]string{
		"a.netpol.hcl": "policy \"a\" {\n  criteria = \"app == 'zoom' or dst_port in 1..10\"\n  label = \"a\"\n}\n",
		"a.nptest.hcl": "test \"x\" {\n  flow {\n    app = \"zoom\"\n  }\n  flow {\n    app = \"webex\"\n  }\n  expect {\n    dscp = \"none\"\n  }\n}\n",
	})
	s, diags := suite(t, dir)
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	r := s.Run(t.Context(), Options{Coverage: true, Bench: true})
	if r.Passed != 1 || r.Failed != 0 || r.Results[0].Flows != 2 || r.Results[0].PerEvaluation <= 0 {
		t.Errorf("report: got %+v", r)
	}
	got := r.Coverage[0]
	if got.Matched != 1 || got.Missed != 1 || got.Covered() {
		t.Errorf("coverage: got %+v, want one flow matched, one missed, not covered", got)
	}
	for _, term := range got.Terms {
		if want := term.Text == "application == 'zoom'"; (term.True == 1) != want {
			t.Errorf("term %+v", term)
		}
	}
}

func TestAnEndedContextRunsNothing(t *testing.T) {
	s, _ := suite(t, "../../../../policies/examples/zero-rating")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if r := s.Run(ctx, Options{}); len(r.Results) != 0 {
		t.Errorf("got %d results, want none", len(r.Results))
	}
}

func TestIsTupleTakesEitherDirection(t *testing.T) {
	s, _ := suite(t, "../../../../policies/examples/bittorrent")
	flows, err := s.capture(t.Context(), "peer.pcap")
	if err != nil || len(flows) != 3 {
		t.Fatalf("capture: got %d flows, %v", len(flows), err)
	}
	f := flows[0].Facts
	there := flow.Tuple{Src: f.SrcIP, Dst: f.DstIP, SrcPort: uint16(f.SrcPort), DstPort: uint16(f.DstPort), Proto: uint8(f.IPProtocol)}
	back := flow.Tuple{Src: there.Dst, Dst: there.Src, SrcPort: there.DstPort, DstPort: there.SrcPort, Proto: there.Proto}
	other := there
	other.SrcPort++
	for _, c := range []struct {
		name string
		in   flow.Tuple
		want bool
	}{{"there", there, true}, {"back", back, true}, {"another port", other, false}} {
		if got := isTuple(f, &c.in); got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
	if isTuple(new(fact.Facts), &there) {
		t.Error("an empty flow is the connection")
	}
}
