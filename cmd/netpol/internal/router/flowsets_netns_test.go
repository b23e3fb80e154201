package router

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/netpol/netpol/compiler"
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
	"github.com/netpol/netpol/lang"
)

const someSets = `
set "blocks" {
  kind = "nft"
  type = ["local_addr", "ip_proto", "other_port", "other_addr"]
}
set "fw" {
  kind     = "nft"
  family   = "ip"
  table    = "fw"
  name     = "games"
  type     = "local_addr"
  families = ["ipv4"]
  managed  = true
  timeout  = "1h"
}
set "games" {
  kind     = "ipset"
  type     = "hash:ip,port,ip"
  families = ["ipv4"]
  managed  = true
}
set "theirs" {
  kind     = "nft"
  table    = "none"
  type     = "local_addr"
}
policy "p" {
  criteria = "app == 'zoom'"
  add      = ["blocks", "fw", "games", "theirs"]
}
`

func compiled(t *testing.T, source string) *artifact.Bundle {
	t.Helper()
	p, diags := lang.Parse(map[string][]byte{"a.netpol.hcl": []byte(source)}, lang.Options{})
	b, more := compiler.Compile(p, compiler.Options{Catalogue: &artifact.Catalogue{
		Categories:   []artifact.Category{{Tag: "voip"}},
		Applications: []artifact.Application{{Tag: "zoom", Name: "Zoom", Category: "voip"}},
	}})
	if diags.Extend(more); diags.HasErrors() {
		t.Fatal(diags)
	}
	return b
}

// lists is what the kernel has in netpol's table of sets, the user's table and
// the ipsets.
func lists(ns *kerneltest.NS) string {
	var out []byte
	ns.Do(func() {
		for _, cmd := range []string{"nft list table inet netpol_sets", "nft list table ip fw", "ipset list -t"} {
			words := strings.Fields(cmd)
			one, _ := exec.Command(words[0], words[1:]...).Output()
			out = append(out, one...)
		}
	})
	return string(out)
}

func TestManagedSetsComeAndGo(t *testing.T) {
	ns := kerneltest.NewNS(t)
	r := newRouter(t)
	unlock, err := r.Lock()
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	with, without := compiled(t, someSets), compiled(t, "policy \"p\" {\n  criteria = \"app == 'zoom'\"\n  label = \"zoom\"\n}\n")
	if err := r.Apply(with, read(t, r), quiet); err == nil || !strings.Contains(err.Error(), "no table ip fw") {
		t.Fatalf("without the user's table: %v, want a word about it", err)
	}
	if got := lists(ns); got != "" {
		t.Fatalf("a refused apply left %s", got)
	}
	ns.Run("nft", "add table ip fw")
	apply := func(b *artifact.Bundle) {
		t.Helper()
		if err := r.Apply(b, read(t, r), quiet); err != nil {
			t.Fatal(err)
		}
		if left := r.Diff(read(t, r), b); len(left) != 0 {
			t.Fatalf("a second plan has %v", left)
		}
	}
	apply(with)
	for _, want := range []string{
		"set blocks.v4 {\n\t\ttype ipv4_addr . inet_proto . inet_service . ipv4_addr\n\t\tsize 65536\n\t\ttimeout 15m",
		"set blocks.v6 {\n\t\ttype ipv6_addr . inet_proto . inet_service . ipv6_addr",
		"set games {\n\t\ttype ipv4_addr\n\t\tsize 65536\n\t\ttimeout 1h",
		"Name: games\nType: hash:ip,port,ip", "timeout 900",
	} {
		if got := lists(ns); !strings.Contains(got, want) {
			t.Errorf("got %s, want %q in it", got, want)
		}
	}
	// Elements, and rules of the administrator's on them, live through an apply.
	ns.Run("nft", "add element inet netpol_sets blocks.v4 { 10.0.0.1 . tcp . 443 . 192.0.2.1 }")
	other := compiled(t, strings.Replace(someSets, "app == 'zoom'", "app == 'zoom' && dst_port == 443", 1))
	apply(other)
	if got := lists(ns); !strings.Contains(got, "10.0.0.1 . tcp . 443 . 192.0.2.1") {
		t.Errorf("the element went with an apply: %s", got)
	}
	// Drift is seen and put right.
	ns.Run("nft", "delete set inet netpol_sets blocks.v6")
	ns.Run("ipset", "destroy", "games")
	ns.Run("ipset", "create", "games", "hash:ip")
	var drift []string
	for _, c := range r.Diff(read(t, r), other) {
		drift = append(drift, c.Action.String()+" "+c.Kind+" "+c.ID)
	}
	if got := strings.Join(drift, "; "); got != "create flow set nft inet netpol_sets blocks.v6; update flow set ipset games" {
		t.Errorf("plan on drift: %s", got)
	}
	apply(other)
	apply(without)
	if got := lists(ns); strings.Contains(got, "set ") || strings.Contains(got, "Name:") || strings.Contains(got, "netpol_sets") {
		t.Errorf("after an apply without sets: %s", got)
	}
	apply(with)
	live := read(t, r)
	if err := r.RemoveBundle(); err != nil {
		t.Fatal(err)
	}
	if err := r.Destroy(live, quiet); err != nil {
		t.Fatal(err)
	}
	if got := lists(ns); strings.Contains(got, "set ") || strings.Contains(got, "Name:") || strings.Contains(got, "netpol_sets") {
		t.Errorf("after destroy: %s", got)
	}
}
