package compiler

import (
	"slices"
	"strings"
	"testing"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/policies"
)

// TestInspectAllNeedsNoPolicyThatAsks: who wants netpold to be shown all connections gets
// that where the kernel decides every policy alone, too.
func TestInspectAllNeedsNoPolicyThatAsks(t *testing.T) {
	cat, err := policies.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	const telnet = "policy \"telnet\" {\n  criteria = \"ip_protocol == 'tcp' && dst_port == 23\"\n  verdict  = \"drop\"\n}\n"
	for settings, want := range map[string]bool{"": false, "netpol {\n  inspect = \"all\"\n}\n": true, "netpol {\n  inspect = \"needed\"\n}\n": false} {
		p, diags := lang.Parse(map[string][]byte{"a.netpol.hcl": []byte(settings + telnet)}, lang.Options{})
		b, more := Compile(p, Options{Catalogue: cat})
		if diags.Extend(more); diags.HasErrors() {
			t.Fatal(diags)
		}
		got := slices.ContainsFunc(b.Ruleset.Chains, func(c artifact.Chain) bool { return strings.HasPrefix(c.Name, "np_capture") })
		if got != want {
			t.Errorf("%q: packets are copied: %v, want %v", settings, got, want)
		}
	}
}
