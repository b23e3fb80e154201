package enforcer

import (
	"bytes"
	"testing"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/enforcer/telemetry"
	"github.com/netpol/netpol/lang/fact"
)

// patient is hello with a late fact: the server's answer is its certificate.
type patient struct{ hello }

func (p patient) Dissect(w *dissect.Window, f *fact.Facts) dissect.Result {
	r := p.hello.Dissect(w, f)
	if r != dissect.Match || !w.Want.Certificate {
		return r
	}
	line, _, whole := bytes.Cut(w.Stream[dissect.Server], []byte("\n"))
	if !whole && !w.Closed[dissect.Server] {
		return dissect.Partial
	}
	f.TLSIssuerDN = string(line)
	return dissect.Match
}

// TestFlowsAreDecidedAsEarlyAsThePoliciesAllow counts the packets that are
// inspected until a flow is decided.
func TestFlowsAreDecidedAsEarlyAsThePoliciesAllow(t *testing.T) {
	authority := policyOf{name: "authority", all: []artifact.Test{textTest("tls_issuer_dn", "cn=ours")}}
	for _, tt := range []struct {
		name     string
		policies []policyOf
		reads    []string
		packets  uint64
		matched  []string
	}{
		{"names only", []policyOf{zoomPolicy()}, []string{"application"}, 1, []string{"zoom"}},
		{"certificate as well", []policyOf{zoomPolicy(), authority}, []string{"application", "tls_issuer_dn"}, 2, []string{"zoom", "authority"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := bundle(t, tt.policies...)
			b.Program.Reads = tt.reads
			c := connect("192.168.1.2:40000", "198.51.100.1:443")
			s := newScript().call(c, "us04.zoom.us").tcp(c, dissect.Server, "A", 0, "CN=Ours\n").tcp(c, dissect.Server, "A", 8, "bulk")
			var got []string
			_, e := play(t, s, b, func(c *Config) {
				c.Dissectors = []dissect.Dissector{patient{}}
				c.Explain = func(w telemetry.Why) {
					for _, p := range w.Policies {
						if p.Matched {
							got = append(got, p.Name)
						}
					}
				}
			})
			if n := e.Stats().Inspected; n != tt.packets {
				t.Errorf("%d packets inspected, want %d", n, tt.packets)
			}
			if len(got) != len(tt.matched) || got[len(got)-1] != tt.matched[len(got)-1] {
				t.Errorf("matched %v, want %v", got, tt.matched)
			}
		})
	}
}
