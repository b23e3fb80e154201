package router

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/compiler"
	"github.com/netpol/netpol/compiler/emit/nft"
	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
	"github.com/netpol/netpol/enforcer/kernel/probe"
	"github.com/netpol/netpol/lang"
)

// A kernel that can offload takes the table and gives it back; one that cannot
// says what it lacks, and the router is as it was.
func TestOffloadOrNothing(t *testing.T) {
	lab := kerneltest.NewLab(t)
	_, r := enforceOn(t, lab, `
policy "web" {
  criteria = "dst_port == 443"
  label    = "web"
}`)
	before := read(t, r)
	p, diags := lang.Parse(map[string][]byte{"a.netpol.hcl": []byte(`
netpol {
  offload_devices = ["lan0", "wan0"]
}
policy "bulk" {
  criteria = "dst_port == 443"
  label    = "bulk"
  offload  = true
}`)}, lang.Options{})
	b, more := compiler.Compile(p, compiler.Options{Router: compiler.Router{Applied: before.Bundle.Labels}})
	if diags.Extend(more); diags.HasErrors() {
		t.Fatal(diags)
	}
	unlock, err := r.Lock()
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	if probe.HaveFlowtable() == nil {
		if err := r.Apply(b, before, quiet); err != nil {
			t.Fatal(err)
		}
		if left := r.Diff(read(t, r), b); len(left) != 0 {
			t.Errorf("a second plan has %v", left)
		}
		return
	}
	const lacks = "this kernel cannot offload connections: it needs CONFIG_NF_FLOW_TABLE, CONFIG_NF_FLOW_TABLE_INET and CONFIG_NFT_FLOW_OFFLOAD " +
		"(modprobe nf_flow_table_inet nft_flow_offload). Take offload = true out of the policies, or use a kernel that has them"
	for what, err := range map[string]error{"check": Check(b), "apply": r.Apply(b, before, quiet)} {
		if err == nil || !strings.Contains(err.Error(), "add flowtable np_flow: no such file or directory: "+lacks) {
			t.Errorf("%s: %v", what, err)
		}
	}
	after := read(t, r)
	if diff := cmp.Diff(before.Digest(), after.Digest()); diff != "" || after.Interrupted() {
		t.Errorf("the router has changed: %v", r.Diff(after, before.Bundle))
	}
	b.Ruleset.Flowtables[0].Devices[1] = "nowhere0"
	if err := Check(b); err == nil || !strings.HasSuffix(err.Error(), `the interface "nowhere0" of offload_devices is not there`) {
		t.Errorf("an interface that is not there: %v", err)
	}
	file := filepath.Join(t.TempDir(), "table.nft")
	if err := os.WriteFile(file, nft.Text(b.Ruleset, b.Labels), 0o600); err != nil {
		t.Fatal(err)
	}
	// nft reads all of a file before it asks the kernel for any of it.
	out, err := exec.Command("nft", "-c", "-f", file).CombinedOutput()
	if err == nil || strings.Contains(string(out), "syntax") || !strings.Contains(string(out), "Could not process rule") {
		t.Errorf("nft does not read the text: %v\n%s", err, out)
	}
}
