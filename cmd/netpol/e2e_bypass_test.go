package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// Hosts that are left alone: by their address, without conntrack by a policy or by
// somebody else's rule, by their hardware address; and one that is not.
const (
	exempted    = "192.168.77.50"
	untracked   = "192.168.77.60"
	othersRaw   = "192.168.77.70"
	plain       = "192.168.77.80"
	exemptedMAC = "02:00:5e:00:53:99"
)

const bypassPolicies = `netpol {
  exempt = "src_ip == '%s'"
}
policy "untracked" {
  criteria = "src_ip == '%s'"
  notrack  = true
}
policy "blocked" {
  criteria = ["domain(dns_hostname, 'blocked.example')", "domain(hostname, 'blocked.example')"]
  exempt   = "src_mac == '%s'"
  verdict  = "drop"
  hold     = %v
}
input "lan" {
  interface     = "lan0"
  first_packets = 0
  bypass        = ["%s", "%s"]
}
`

// What is to be left alone is, whichever way netpold is shown packets: copies
// (NFLOG), packets that wait (NFQUEUE) and those of an input (AF_PACKET).
func TestBypass(t *testing.T) {
	for _, hold := range []bool{false, true} {
		t.Run(fmt.Sprintf("hold %v", hold), func(t *testing.T) { bypass(t, hold) })
	}
}

func bypass(t *testing.T, hold bool) {
	s, lab, server, _ := holdSite(t, fmt.Sprintf(bypassPolicies, exempted, untracked, exemptedMAC, hold, exempted, exemptedMAC))
	// The rules show lan0 as well, which a plan tells.
	s.wantText(s.netpol(0, "plan", s.policies), "The input lan: this machine has addresses on lan0")
	for _, addr := range []string{exempted, untracked, othersRaw, plain} {
		lab.Client.Run("ip", "addr", "add", addr+"/24", "dev", "eth0")
	}
	lab.Router.Run("nft", fmt.Sprintf("table ip others { chain c { type filter hook prerouting priority raw; ip saddr %s notrack; ip daddr %s notrack; }; }", othersRaw, othersRaw))
	s.eventually("the input is read", func() bool { return strings.Contains(s.netpol(0, "show"), "input_lan_packets") })
	if hold {
		s.awake()
	}
	ask := func(from string) { // a name that is blocked, until an answer comes
		t.Helper()
		s.eventually("an answer to "+from, func() bool { return queryFrom(t, lab.Client, from, lab.ServerAddr4, time.Second) })
	}
	// Not by a question: answers of DNS are read of every host, for the names in them.
	hello := helloOf(t, "www.blocked.example")
	c := connectFrom(t, lab.Client, "tcp", exempted, netip.AddrPortFrom(lab.ServerAddr4, 443))
	if _, err := c.Write(hello); err != nil {
		t.Fatal(err)
	}
	s.eventually("the hello of "+exempted, func() bool { return server.bytes.Load() == int64(len(hello)) })
	ask(untracked)
	ask(othersRaw)
	queryFrom(t, lab.Client, plain, lab.ServerAddr4, time.Millisecond)
	// Who showed a host's flows, what matches, and whether any packet was looked at: of
	// what is not copied netpold knows what conntrack lists.
	rows := func() map[string][]string {
		out := map[string][]string{}
		for line := range strings.Lines(s.look(0, "flows", "--json")) {
			var row struct {
				SrcIP    string `json:"src_ip"`
				Input    string
				Policies []string
				Packets  int `json:"inspected_packets"`
			}
			if err := json.Unmarshal([]byte(line), &row); err != nil {
				t.Fatal(err)
			}
			out[row.SrcIP] = append(out[row.SrcIP], fmt.Sprintf("%q %v %v", row.Input, row.Policies, row.Packets > 0))
		}
		return out
	}
	// The plain host comes last, so who is listed with it was listed before.
	s.eventually("the plain host's flow, both ways", func() bool {
		got := strings.Join(rows()[plain], " ")
		return strings.Contains(got, `"" [blocked] true`) && strings.Contains(got, `"lan" [blocked] true`)
	})
	want := map[string]string{exempted: `"" [] false`, untracked: `"lan" [untracked] true`, othersRaw: `"lan" [blocked] true`}
	for host, list := range rows() {
		for _, row := range list { // several questions may have been asked
			if want[host] != "" && row != want[host] {
				t.Errorf("netpold knows %s of %s, want %s", row, host, want[host])
			}
		}
	}
	if hold && queryFrom(t, lab.Client, plain, lab.ServerAddr4, silence) {
		t.Error("the plain host has an answer to a name that is blocked")
	}

	// By its hardware address: netpold sees the flow, and leaves it alone.
	lab.Client.Run("ip", "link", "set", "eth0", "address", exemptedMAC)
	lab.Router.Run("ip", "neigh", "flush", "dev", "lan0")
	ask(plain)
	ask("192.168.77.2")
	s.eventually("the router's flow of the device", func() bool { return len(rows()["192.168.77.2"]) > 0 })
	for _, row := range rows()["192.168.77.2"] {
		if row != `"" [] true` {
			t.Errorf("netpold knows %s of the exempted device", row)
		}
	}
}

// queryFrom is query of a blocked name from one of a host's addresses.
func queryFrom(t *testing.T, ns *kerneltest.NS, from string, server netip.Addr, within time.Duration) bool {
	t.Helper()
	c := connectFrom(t, ns, "udp", from, netip.AddrPortFrom(server, 53))
	defer c.Close()
	if _, err := c.Write(question("www.blocked.example")); err != nil {
		t.Fatal(err)
	}
	_ = c.SetReadDeadline(time.Now().Add(within))
	_, err := c.Read(make([]byte, 2000))
	return err == nil
}

// connectFrom connects from one of a host's addresses.
func connectFrom(t *testing.T, ns *kerneltest.NS, network, from string, to netip.AddrPort) net.Conn {
	t.Helper()
	local := netip.AddrPortFrom(netip.MustParseAddr(from), 0)
	dial := net.Dialer{LocalAddr: net.UDPAddrFromAddrPort(local), Timeout: patience}
	if network == "tcp" {
		dial.LocalAddr = net.TCPAddrFromAddrPort(local)
	}
	var c net.Conn
	var err error
	ns.Do(func() { c, err = dial.Dial(network, to.String()) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}
