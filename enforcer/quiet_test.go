package enforcer

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/flow"
)

const quietMark = 0x40000000

// hushed is a bundle whose rules ask for the first label.
func hushed(t *testing.T, policies ...policyOf) *artifact.Bundle {
	b := bundle(t, policies...)
	b.Settings.QuietMark, b.Ruleset.Loud = quietMark, []int{0}
	return b
}

// TestQuietFlows: the quiet mark goes with the done mark to flows without a label that
// rules ask for, is cleared with everything else, and is not given where such a label
// may be there that nobody here knows of.
func TestQuietFlows(t *testing.T) {
	c := liveConn("192.168.1.2:40000", "198.51.100.1:443")
	https := policyOf{name: "https", all: []artifact.Test{portTest(443)}}
	lan := policyOf{name: "lan", all: []artifact.Test{textTest("interface", "lan0")}}
	const at = "tcp 192.168.1.2:40000>198.51.100.1:443 labels="
	for _, tt := range []struct {
		name string
		b    *artifact.Bundle
		in   *script
		want []string
	}{
		{
			"with a label that rules ask for", hushed(t, zoomPolicy(), https), newScript().tcp(c, client, "A", 0, "HELLO us04.zoom.us\n").from("lan0"),
			[]string{at + "[https]/3 mark=0x0/0xc0000000", at + "[zoom https]/3 mark=0x80000000/0xc0000000"},
		},
		{
			"with another", hushed(t, zoomPolicy(), https), newScript().tcp(c, client, "A", 0, "HELLO www.example.org\n").from("lan0"),
			[]string{at + "[https]/3 mark=0x0/0xc0000000", at + "[https]/3 mark=0xc0000000/0xc0000000"},
		},
		{
			"whose interface is not known", hushed(t, lan, https), newScript().tcp(c, server, "A", 0, "????").from("wan0"),
			[]string{at + "[https]/2 mark=0x0/0xc0000000", at + "[https]/2 mark=0x80000000/0xc0000000"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j, _ := play(t, tt.in, tt.b, live)
			if diff := cmp.Diff(tt.want, j.lines); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestQuietAdopted: of a flow that an earlier process decided, the mark is made what
// its labels say.
func TestQuietAdopted(t *testing.T) {
	const client, server = "192.168.1.2:40000", "198.51.100.1:443"
	const at = "tcp " + client + ">" + server + " labels="
	other := policyOf{name: "other", all: []artifact.Test{textTest("application", "skype")}}
	for _, tt := range []struct {
		name   string
		labels byte
		mark   uint32
		want   []string
	}{
		{"quiet, and rightly", 2, doneMark | quietMark, nil},
		{"not quiet, and rightly", 1, doneMark, nil},
		{"quiet with a label that rules ask for", 1, doneMark | quietMark, []string{at + "[zoom]/0 mark=0x80000000/0xc0000000"}},
		{"not quiet without one", 2, doneMark, []string{at + "[other]/0 mark=0xc0000000/0xc0000000"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := &tracker{list: []flow.Connection{old(client, server, tt.mark, 500, tt.labels)}}
			var e *Engine
			s := newScript().until(func() bool { return k.answered("all") }).idle().idle()
			j, _ := playWith(t, s, hushed(t, zoomPolicy(), other), k, &e)
			if diff := cmp.Diff(tt.want, j.lines); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
