package resolve

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
)

func TestSetsOfASet(t *testing.T) {
	files := map[string][]byte{
		"a.netpol.hcl": []byte(`
set "Blocks" {
  kind = "nft"
  type = ["local_addr", "other_port"]
}
module "m" {
  source = "./m"
}
policy "p" {
  criteria = "app == 'zoom'"
  add      = ["blocks"]
}
`),
		"m/m.netpol.hcl": []byte(`
set "macs" {
  kind    = "ipset"
  type    = "hash:mac"
  timeout = "1h"
}
policy "q" {
  criteria = "app == 'zoom'"
  add      = ["macs", "blocks"]
}
`),
	}
	p, diags := lang.Parse(files, lang.Options{})
	set, more := Resolve(p, catalogue())
	if diags.Extend(more); diags.HasErrors() {
		t.Fatal(diags)
	}
	var names []string
	for i := range set.FlowSets {
		names = append(names, set.FlowSets[i].Block+" = "+set.FlowSets[i].ID()+" "+set.FlowSets[i].Declaration())
	}
	want := []string{
		"blocks = nft inet " + artifact.SetTable + " Blocks.v4 type ipv4_addr . inet_service; size 65536; flags timeout; timeout 900s;",
		"blocks = nft inet " + artifact.SetTable + " Blocks.v6 type ipv6_addr . inet_service; size 65536; flags timeout; timeout 900s;",
		"m/macs = ipset m.macs hash:mac maxelem 65536 timeout 3600",
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("sets, -want +got:\n%s", diff)
	}
	if diff := cmp.Diff([][]string{{"blocks", "m/macs"}, {"blocks"}}, [][]string{set.Policies[0].Adds, set.Policies[1].Adds}); diff != "" {
		t.Errorf("adds, -want +got:\n%s", diff)
	}
}

func TestMistakesInSets(t *testing.T) {
	const two = "set \"blocks\" {\n kind = \"nft\"\n type = \"local_addr\"\n}\nset \"other\" {\n kind = \"nft\"\n type = \"other_addr\"\n}\n"
	add := func(name string) string {
		return "policy \"p\" {\n criteria = \"app == 'zoom'\"\n add = \"" + name + "\"\n}\n"
	}
	for _, tt := range []struct{ name, in, code, hint string }{
		{"misspelt", two + add("block"), diag.UndefinedSet, "did you mean 'blocks'?"},
		{"a target of Netify's", two + add("nftset.blocks"), diag.UndefinedSet, `write "blocks"`},
		{"none at all", add("blocks"), diag.UndefinedSet, ""},
		{"one set of the kernel's in two blocks", two + "set \"third\" {\n kind = \"nft\"\n type = \"other_addr\"\n name = \"other\"\n}\n", diag.Duplicate, ""},
		{"two in other letters", two + "set \"Other\" {\n kind = \"nft\"\n type = \"other_addr\"\n}\n", diag.Duplicate, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, diags := lang.Parse(map[string][]byte{"a.netpol.hcl": []byte(tt.in)}, lang.Options{})
			_, more := Resolve(p, catalogue())
			if diags.Extend(more); len(diags) != 1 || diags[0].Code != tt.code || diags[0].Hint != tt.hint {
				t.Errorf("got %v, want one %s with hint %q", diags, tt.code, tt.hint)
			}
		})
	}
}
