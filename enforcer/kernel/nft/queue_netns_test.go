//go:build linux

package nft

import (
	"strings"
	"testing"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// A rule that queues reads back as it was written, in the form that the kernel has
// of it, and nft lists it.
func TestQueueReadsBack(t *testing.T) {
	ns := kerneltest.NewNS(t)
	form, err := Queue()
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("this kernel queues by %s", form)
	rs := &artifact.Ruleset{Family: "inet", Table: "netpol", Chains: []artifact.Chain{{
		Name: "np_hold", Hook: "prerouting", Type: "filter", Priority: -151, Rules: []artifact.Rule{
			{
				ID: "open", Match: []artifact.Match{{Kind: artifact.MatchMark, Mask: 0x7f000000, Value: 0x7e000000}},
				Do: []artifact.Statement{{Kind: artifact.DoCounter}, {Kind: artifact.DoQueue, Group: 4788, Name: artifact.QueueBypass}},
			},
			{
				ID: "closed", Match: []artifact.Match{{Kind: artifact.MatchMark, Mask: 0x7f000000, Value: 0x7e000000, Not: true}},
				Do: []artifact.Statement{{Kind: artifact.DoQueue, Group: 65535}},
			},
		},
	}}}
	if err := Check(rs); err != nil {
		t.Fatal(err)
	}
	if err := Apply(rs); err != nil {
		t.Fatal(err)
	}
	live, err := Read("inet", "netpol", nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range live.Chains[0].Rules {
		if want := rs.Chains[0].Rules[i].Text(); !r.Known || r.Text != want {
			t.Errorf("read back %q (known %v), want %q", r.Text, r.Known, want)
		}
	}
	listing := ns.Run("nft", "list", "ruleset")
	for _, want := range []string{"queue num 4788 bypass", "queue num 65535"} {
		if !strings.Contains(listing, want) {
			t.Errorf("nft does not list %q:\n%s", want, listing)
		}
	}
}

func TestQueueRefusesBadOptions(t *testing.T) {
	if _, err := encode(artifact.Rule{Do: []artifact.Statement{{Kind: artifact.DoQueue, Name: "fanout"}}}); err == nil || !strings.Contains(err.Error(), "fanout") {
		t.Errorf("got %v, want an error that names the option", err)
	}
}

// Another queue than ours is not taken for one of ours.
func TestForeignQueuesAreNotKnown(t *testing.T) {
	for name, o := range map[string]op{
		"several queues": queueOp(1, 2, 0), "fanout": queueOp(1, 1, 2),
	} {
		if o.kind != opUnknown {
			t.Errorf("%s: got %+v, want unknown", name, o)
		}
	}
}
