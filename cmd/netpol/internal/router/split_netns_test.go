package router

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/netpol/netpol/compiler"
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/kernel/ct"
	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
	"github.com/netpol/netpol/lang"
)

// The tests below run policies without any netpold.

// enforce compiles policies and applies them in the lab's router, whose
// namespace the test then stands in.
func enforce(t *testing.T, lab *kerneltest.Lab, source string) *artifact.Bundle {
	t.Helper()
	b, _ := enforceOn(t, lab, source)
	return b
}

// enforceOn returns the router as well.
func enforceOn(t *testing.T, lab *kerneltest.Lab, source string) (*artifact.Bundle, Router) {
	t.Helper()
	p, diags := lang.Parse(map[string][]byte{"a.netpol.hcl": []byte(source)}, lang.Options{})
	b, more := compiler.Compile(p, compiler.Options{})
	if diags.Extend(more); diags.HasErrors() {
		t.Fatal(diags)
	}
	lab.Router.Enter()
	r := newRouter(t)
	unlock, err := r.Lock()
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	if err := r.Apply(b, read(t, r), quiet); err != nil {
		t.Fatal(err)
	}
	if left := r.Diff(read(t, r), b); len(left) != 0 {
		t.Fatalf("a second plan has %v", left)
	}
	return b, r
}

func bitOf(t *testing.T, b *artifact.Bundle, name string) int {
	t.Helper()
	for _, l := range b.Labels {
		if l.Name == name {
			return l.Bit
		}
	}
	t.Fatalf("no label %s in %v", name, b.Labels)
	return 0
}

// listen accepts TCP connections and answers each with a byte.
func listen(t *testing.T, ns *kerneltest.NS, at netip.AddrPort) {
	t.Helper()
	var ln net.Listener
	var err error
	ns.Do(func() { ln, err = net.Listen("tcp", at.String()) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte("x"))
			t.Cleanup(func() { _ = c.Close() })
		}
	}()
}

// dial opens a connection and reads its byte.
func dial(t *testing.T, ns *kerneltest.NS, to netip.AddrPort) error {
	t.Helper()
	var c net.Conn
	var err error
	ns.Do(func() { c, err = net.DialTimeout("tcp", to.String(), 3*time.Second) })
	if err != nil {
		return err
	}
	t.Cleanup(func() { _ = c.Close() })
	_ = c.SetReadDeadline(time.Now().Add(3 * time.Second))
	_, err = c.Read(make([]byte, 1))
	return err
}

// entryTo is the conntrack entry of the connection opened to a port.
func entryTo(t *testing.T, port uint16) ct.Conn {
	t.Helper()
	client, err := ct.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	var found []ct.Conn
	if err := client.Dump(func(c ct.Conn) error {
		if c.Orig.DstPort == port {
			found = append(found, c)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if len(found) != 1 {
		t.Fatalf("%d connections to port %d", len(found), port)
	}
	return found[0]
}

// hasChain says that some chain's name begins so.
func hasChain(b *artifact.Bundle, chain string) bool {
	for _, c := range b.Ruleset.Chains {
		if strings.HasPrefix(c.Name, chain) {
			return true
		}
	}
	return false
}

func TestPortPolicyNeedsNoEnforcer(t *testing.T) {
	lab := kerneltest.NewLab(t)
	b := enforce(t, lab, `
policy "closed" {
  criteria = "dst_port == 9999"
  label    = "closed"
  verdict  = "reject"
}
policy "marked" {
  criteria = "dst_port in [9001, 9002]"
  label    = "marked"
  mark     = "0x20/0xf0"
  dscp     = "cs5"
}
`)
	if artifact.NeedEnforcer(b.Policies, b.Sinks) || hasChain(b, "np_capture") {
		t.Error("packets are captured though no policy needs it")
	}
	lab.Server.Run("nft", `table inet seen { chain c { type filter hook prerouting priority 0;
		tcp flags syn ip dscp cs5 counter comment "syn4"; tcp flags syn ip6 dscp cs5 counter comment "syn6"; }; }`)
	for port, server := range map[uint16]netip.Addr{9001: lab.ServerAddr4, 9002: lab.ServerAddr6} {
		listen(t, lab.Server, netip.AddrPortFrom(server, port))
		listen(t, lab.Server, netip.AddrPortFrom(server, 9999))
		listen(t, lab.Server, netip.AddrPortFrom(server, port+1000))
		if err := dial(t, lab.Client, netip.AddrPortFrom(server, port)); err != nil {
			t.Fatal(err)
		}
		if c := entryTo(t, port); !c.Has(bitOf(t, b, "marked")) || c.Has(bitOf(t, b, "closed")) || c.Mark != 0x20 {
			t.Errorf("port %d: %+v", port, c)
		}
		if err := dial(t, lab.Client, netip.AddrPortFrom(server, port+1000)); err != nil {
			t.Fatal(err)
		}
		if c := entryTo(t, port+1000); c.Labels != [16]byte{} || c.Mark != 0 {
			t.Errorf("a connection of no policy: %+v", c)
		}
		for _, from := range []*kerneltest.NS{lab.Client, lab.Router} {
			if err := dial(t, from, netip.AddrPortFrom(server, 9999)); !errors.Is(err, syscall.ECONNREFUSED) {
				t.Errorf("port 9999 of %s: %v, want it refused on the first packet", server, err)
			}
		}
	}
	seen := lab.Server.Run("nft", "list", "ruleset")
	if strings.Count(seen, "packets 1 ") != 2 {
		t.Errorf("the very first packets lack their code point:\n%s", seen)
	}
}

func TestLocalAddressPolicy(t *testing.T) {
	lab := kerneltest.NewLab(t)
	b := enforce(t, lab, `
policy "guests" {
  criteria = "local_ip in ['192.168.77.0/24', 'fd77::/64'] && not (other_port == 7002)"
  label    = "guests"
}
policy "lan" {
  criteria = "interface == 'lan0'"
  label    = "lan"
}
`)
	cases := []struct {
		name       string
		from, to   *kerneltest.NS
		at         netip.Addr
		port       uint16
		guest, lan bool
	}{
		{"a guest opens", lab.Client, lab.Server, lab.ServerAddr4, 7001, true, true},
		{"a guest opens the other port", lab.Client, lab.Server, lab.ServerAddr4, 7002, false, true},
		{"to a guest", lab.Server, lab.Client, lab.ClientAddr4, 7003, true, false},
		{"a guest opens, IPv6", lab.Client, lab.Server, lab.ServerAddr6, 7004, true, true},
		{"to a guest, IPv6", lab.Server, lab.Client, lab.ClientAddr6, 7005, true, false},
	}
	for _, c := range cases { // no subtests: those would run in another namespace
		listen(t, c.to, netip.AddrPortFrom(c.at, c.port))
		if err := dial(t, c.from, netip.AddrPortFrom(c.at, c.port)); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		entry := entryTo(t, c.port)
		if got := entry.Has(bitOf(t, b, "guests")); got != c.guest {
			t.Errorf("%s: label guests: got %v, want %v", c.name, got, c.guest)
		}
		if got := entry.Has(bitOf(t, b, "lan")); got != c.lan {
			t.Errorf("%s: label lan: got %v, want %v", c.name, got, c.lan)
		}
	}
}

func TestFirstPolicyWinsInTheKernel(t *testing.T) {
	lab := kerneltest.NewLab(t)
	b := enforce(t, lab, `
policy "open" {
  criteria = "dst_port == 7001"
  verdict  = "accept"
}
policy "range" {
  criteria = "ip_protocol == 'tcp' && dst_port in 7000..7010"
  verdict  = "reject"
}
policy "later" {
  criteria = "dst_port == 7002 || dst_port == 7020"
  label    = "later"
  verdict  = "accept"
}
policy "again" {
  criteria = "dst_port == 7020"
  verdict  = "reject"
}
policy "named" {
  criteria = "hostname == 'example.com' && dst_port != 7050"
  verdict  = "accept"
}
policy "rest" {
  criteria = "dst_port in 7040..7049"
  label    = "rest"
  verdict  = "reject"
}
policy "never-named" {
  criteria = "dst_port == 7050"
  verdict  = "reject"
}
policy "zoom" {
  criteria = "hostname == 'example.org' && dst_port == 7030"
  verdict  = "drop"
}
`)
	if !artifact.NeedEnforcer(b.Policies, b.Sinks) || !hasChain(b, "np_capture") {
		t.Error("a policy needs the enforcer, but nothing is captured")
	}
	for port, want := range map[uint16]error{
		7001: nil, 7002: syscall.ECONNREFUSED, 7010: syscall.ECONNREFUSED, 7020: nil, 7030: nil,
		7040: nil,                  // it may yet be example.com
		7050: syscall.ECONNREFUSED, // it may not
	} {
		listen(t, lab.Server, netip.AddrPortFrom(lab.ServerAddr4, port))
		if err := dial(t, lab.Client, netip.AddrPortFrom(lab.ServerAddr4, port)); !errors.Is(err, want) {
			t.Errorf("port %d: got %v, want %v", port, err, want)
		}
	}
}

// Policies see a connection as it was opened, before any translation.
func TestPoliciesSeeAddressesBeforeNAT(t *testing.T) {
	lab := kerneltest.NewLab(t)
	b := enforce(t, lab, fmt.Sprintf(`
policy "masqueraded" {
  criteria = "src_ip == '%s' && dst_port == 9001"
  label    = "masqueraded"
}
policy "forwarded" {
  criteria = "dst_port == 8080"
  label    = "forwarded"
}
policy "behind" {
  criteria = "dst_port == 80 || src_ip == '198.51.100.1'"
  label    = "behind"
}
`, lab.ClientAddr4))
	lab.Router.Run("nft", fmt.Sprintf(`table ip nat {
		chain pre { type nat hook prerouting priority dstnat; tcp dport 8080 dnat to %s:80; }
		chain post { type nat hook postrouting priority srcnat; ip daddr %s masquerade; }; }`, lab.ClientAddr4, lab.ServerAddr4))
	listen(t, lab.Server, netip.AddrPortFrom(lab.ServerAddr4, 9001))
	listen(t, lab.Client, netip.AddrPortFrom(lab.ClientAddr4, 80))
	if err := dial(t, lab.Client, netip.AddrPortFrom(lab.ServerAddr4, 9001)); err != nil {
		t.Fatal(err)
	}
	if err := dial(t, lab.Server, netip.MustParseAddrPort("198.51.100.1:8080")); err != nil {
		t.Fatal(err)
	}
	for port, want := range map[uint16]string{9001: "masqueraded", 8080: "forwarded"} {
		c := entryTo(t, port)
		for _, name := range []string{"masqueraded", "forwarded", "behind"} {
			if got := c.Has(bitOf(t, b, name)); got != (name == want) {
				t.Errorf("port %d, label %s: got %v", port, name, got)
			}
		}
	}
}

// What the enforcer writes has the last word: the rules run once for a
// connection, even while nobody answers it and it stays new.
func TestTheEnforcerHasTheLastWord(t *testing.T) {
	lab := kerneltest.NewLab(t)
	b := enforce(t, lab, `
policy "all" {
  criteria = "dst_port == 8801"
  label    = "all"
}
`)
	var out net.Conn
	var err error
	lab.Client.Do(func() { out, err = net.Dial("udp", netip.AddrPortFrom(lab.ServerAddr4, 8801).String()) })
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = out.Close() }()
	send := func() { _, _ = out.Write([]byte("x")) }
	lab.Server.Run("nft", "table inet mute { chain c { type filter hook input priority 0; udp dport 8801 drop; }; }")
	send()
	c := onlyConn(t)
	bit := bitOf(t, b, "all")
	if !c.Has(bit) {
		t.Fatalf("not labelled: %+v", c)
	}
	w, err := ct.NewWriter()
	if err != nil {
		t.Fatal(err)
	}
	none := flow.Update{Tuple: c.Orig}
	none.LabelMask[bit/8] = 1 << (bit % 8)
	if err := errors.Join(w.Write(none), w.Close()); err != nil {
		t.Fatal(err)
	}
	send()
	time.Sleep(50 * time.Millisecond)
	if c := onlyConn(t); c.Has(bit) {
		t.Error("the second packet was decided again")
	}
}

// A thousand policies stay cheap: few rules stand between a packet and its own.
func TestManyPoliciesAreIndexed(t *testing.T) {
	lab := kerneltest.NewLab(t)
	var source strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&source, "policy \"p%d\" {\n  criteria = \"dst_port == %d\"\n  verdict  = \"%s\"\n}\n", i, 20000+i, []string{"accept", "reject"}[i%2])
	}
	b := enforce(t, lab, source.String())
	longest := 0
	for _, c := range b.Ruleset.Chains {
		longest = max(longest, len(c.Rules))
	}
	if longest > 40 {
		t.Errorf("a chain has %d rules", longest)
	}
	for _, port := range []uint16{20000, 20501, 20998, 20999} {
		listen(t, lab.Server, netip.AddrPortFrom(lab.ServerAddr4, port))
		err := dial(t, lab.Client, netip.AddrPortFrom(lab.ServerAddr4, port))
		if refused := errors.Is(err, syscall.ECONNREFUSED); refused != (port%2 == 1) || !refused && err != nil {
			t.Errorf("port %d: %v", port, err)
		}
	}
}
