package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// populate makes a router that somebody runs without netpol: networks, rules of
// nftables and iptables that mark, queues and routing rules.
func populate(s *site) {
	s.t.Helper()
	for _, line := range []string{
		"ip link add lan0 type veth peer name x0",
		"ip link add wan0 type veth peer name x1",
		"ip link set lan0 up", "ip link set wan0 up", "ip link set x0 up", "ip link set x1 up",
		"ip addr add 192.168.1.1/24 dev lan0",
		"ip addr add 203.0.113.1/25 dev lan0",
		"ip addr add 198.51.100.2/24 dev wan0",
		"ip route add default via 198.51.100.1",
		"ip route add 10.9.0.0/16 via 192.168.1.254",
		"ip rule add fwmark 0x10 lookup 100 priority 2000",
		"tc qdisc add dev lan0 root handle 1: htb default 30",
		"tc class add dev lan0 parent 1: classid 1:10 htb rate 10mbit",
		"iptables-nft -t mangle -A FORWARD -p tcp -m multiport --dports 80,8443 -j DSCP --set-dscp-class AF21",
		"iptables-nft -t mangle -A PREROUTING -p tcp --dport 22 -j CONNMARK --set-mark 0x7/0xff",
	} {
		words := strings.Fields(line)
		s.ns.Run(words[0], words[1:]...)
	}
	s.ns.Run("nft", `table inet qos {
		set voip { type inet_service; flags interval; elements = { 5060, 10000-20000 } }
		chain mangle { type filter hook forward priority mangle;
			tcp dport 443 ip dscp set cs5 comment "web first"
			tcp dport 443 ip6 dscp set cs5
			udp dport @voip ip dscp set ef
			ip saddr 192.168.1.64/26 meta mark set 0x10
			ip daddr 10.0.0.0/8 udp dport 5000-5100 meta priority set 1:10
			ct mark set tcp dport map { 25 : 0x8000000a, 110 : 0x0b }
			ip dscp cs1 meta priority set 1:30
			tcp dport 23 drop
		}
	}`)
}

// TestInitFromLive proposes policies from a populated router, leaves it as it was, and
// the proposal can be applied beside what is there.
func TestInitFromLive(t *testing.T) {
	kerneltest.Need(t, "iptables-nft", "tc", "git")
	s := newSite(t, kerneltest.NewNS(t))
	populate(s)
	state := func() string {
		return s.picture() + s.ns.Run("ip", "rule") + s.ns.Run("ip", "addr") + s.ns.Run("tc", "class", "show", "dev", "lan0")
	}
	before := state()
	dir := filepath.Join(t.TempDir(), "network")
	out := s.netpol(0, "init", "--from-live", "--ci", "github", dir)
	s.wantText(out, "Rules of this router that have a policy in the proposal: 8; that mark packets and have none: 1. The router was not changed")
	if after := state(); after != before {
		t.Fatalf("looking changed the router:\n%s\nbefore:\n%s", after, before)
	}

	policies := filepath.Join(dir, "policies")
	text, err := os.ReadFile(filepath.Join(policies, "main.netpol.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	s.wantText(string(text),
		`local_networks = ["203.0.113.0/25"]`, `done_mark = "0x40000000"`,
		"# wan0 leads to the Internet", `members = ["192.168.1.0/24", "203.0.113.0/25", "10.9.0.0/16"]`,
		`criteria = "ip_protocol == 'tcp' && dst_port == 443"`, `policy "web-first"`,
		`dst_port in [5060, 10000..20000]`, `route    = 100`, `priority = "1:10"  htb on lan0, 10000 kbit/s`,
		`mark     = "0x8000000a"`, `mark     = "0x7/0xff"`, `dscp     = "af21"`,
		"#     7 corporate", "policies cannot ask for ip dscp",
	)
	s.run(0, []string{"validate", "--kernel", policies})
	s.run(0, []string{"fmt", "--check", "--recursive", dir})
	s.wantText(s.run(0, []string{"test", policies}), "All passed: 8 tests")
	s.netpol(0, "apply", "--auto-approve", policies)
	s.netpol(0, "plan", "--detailed-exitcode", policies)
	s.wantText(s.ns.Run("nft", "list", "table", "inet", "qos"), "web first")

	// A router that runs netpol: its own table, marks and rules are not found again.
	second := filepath.Join(t.TempDir(), "again")
	s.wantText(s.netpol(0, "init", "--from-live", second), "have a policy in the proposal: 8;")
	again, err := os.ReadFile(filepath.Join(second, "policies", "main.netpol.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	if a, b := withoutHead(text), withoutHead(again); a != b {
		t.Errorf("beside netpol it proposes\n%s\nwithout it\n%s", b, a)
	}
}

// withoutHead is a proposal without its first line, which has the time.
func withoutHead(text []byte) string {
	_, rest, _ := strings.Cut(string(text), "\n")
	return rest
}

// TestInitFromLiveAsksNetpold: what a running netpold has named, and conntrack has, is
// in the proposal.
func TestInitFromLiveAsksNetpold(t *testing.T) {
	lab := kerneltest.NewLab(t)
	s := newSite(t, lab.Router)
	s.installEnforcer()
	serveTLS(t, lab.Server)
	s.netpol(0, "apply", "--auto-approve", s.policies)
	s.startEnforcer()
	zoom := dialTLS(t, lab.Client, lab.ServerAddr4, "zoomfrn99mmr.zoom.us")
	s.eventually("zoom is decided", func() bool { return s.conn(zoom, lab.ServerAddr4).Mark&doneMark != 0 })
	dir := filepath.Join(t.TempDir(), "network")
	s.netpol(0, "init", "--from-live", dir)
	text, err := os.ReadFile(filepath.Join(dir, "policies", "main.netpol.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	s.wantText(string(text), `policy "seen-zoom"`, "#        1  tcp/443")
	if strings.Contains(string(text), "done_mark") {
		t.Errorf("netpold's own bit is taken for another's:\n%s", text)
	}
	s.run(0, []string{"validate", filepath.Join(dir, "policies")})
}

// TestInitFromLiveWithoutPrivileges says what it could not look at.
func TestInitFromLiveWithoutPrivileges(t *testing.T) {
	s := newSite(t, kerneltest.NewNS(t))
	t.Setenv("PATH", s.path("bin")) // neither nft nor iptables-save
	dir := filepath.Join(t.TempDir(), "network")
	s.netpol(0, "init", "--from-live", dir)
	text, err := os.ReadFile(filepath.Join(dir, "policies", "main.netpol.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	s.wantText(string(text), "# Not looked at: rules of nftables: nft is not installed")
	s.run(0, []string{"validate", filepath.Join(dir, "policies")})
}
