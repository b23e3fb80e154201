package router

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
	"github.com/netpol/netpol/enforcer/kernel/nft"
)

// burst sends datagrams without waiting and says how many the echo sent back.
func (k talker) burst(n int) (answers int) {
	k.t.Helper()
	for range n {
		if k.say(false) {
			answers++
		}
	}
	return answers
}

func accountsOf(t *testing.T, b *artifact.Bundle) map[string]nft.Account {
	t.Helper()
	list, err := nft.Accounts(&b.Ruleset)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]nft.Account{}
	for _, a := range list {
		name := a.Name
		if a.Host.IsValid() {
			name += " " + a.Host.String()
		}
		out[name] = a
	}
	return out
}

func TestRates(t *testing.T) {
	lab := kerneltest.NewLab(t)
	enforce(t, lab, `
policy "flow" {
  criteria   = "dst_port == 7020"
  rate       = "1/minute"
  rate_per   = "flow"
  rate_burst = 3
}
policy "host" {
  criteria   = "dst_port == 7021"
  rate       = "1/minute"
  rate_per   = "host"
  rate_burst = 3
}
policy "all" {
  criteria = "dst_port == 7022"
  label    = "slow"
  rate     = "10kB/s"
}
`)
	for _, port := range []uint16{7020, 7021, 7022} {
		echo(t, lab.Server, netip.AddrPortFrom(lab.ServerAddr4, port))
	}
	two := func(port uint16) [2]int {
		to := netip.AddrPortFrom(lab.ServerAddr4, port)
		return [2]int{newTalker(t, lab.Client, to).burst(4), newTalker(t, lab.Client, to).burst(4)}
	}
	// A question and its answer are two packets of the flow.
	if got := two(7020); got[0] < 1 || got[0] > 2 || got[1] != got[0] {
		t.Errorf("answers of two flows with a rate each: got %v, want the same few", got)
	}
	if got := two(7021); got[0] < 1 || got[0] > 2 || got[1] != 0 {
		t.Errorf("answers of two flows of one host with a rate: got %v, want none for the second", got)
	}
	if got := newTalker(t, lab.Client, netip.AddrPortFrom(lab.ServerAddr4, 7022)).burst(4); got != 4 {
		t.Errorf("answers within the burst: got %d, want 4", got)
	}
}

func TestQuotasAndCounts(t *testing.T) {
	lab := kerneltest.NewLab(t)
	b := enforce(t, lab, `
policy "allowance" {
  criteria = "dst_port == 7030"
  label    = "over"
  verdict  = "drop"
  quota    = "5000B"
}
policy "each" {
  criteria  = "dst_port == 7031"
  dscp      = "cs1"
  quota     = "5000B"
  quota_per = "host"
}
policy "seen" {
  criteria = "dst_port in [7030, 7031]"
  count    = true
}
policy "seen by" {
  criteria = "dst_port in [7030, 7031]"
  count    = "host"
}
`)
	watchCodePoints(lab)
	for _, port := range []uint16{7030, 7031} {
		echo(t, lab.Server, netip.AddrPortFrom(lab.ServerAddr4, port))
	}
	k := newTalker(t, lab.Client, netip.AddrPortFrom(lab.ServerAddr4, 7030))
	if got := k.burst(5); got != 2 { // 1,028 bytes each way: the fifth packet passes 5,000
		t.Errorf("answers within the quota: got %d, want 2", got)
	}
	if c := entryTo(t, 7030); !c.Has(bitOf(t, b, "over")) {
		t.Errorf("no label when the quota is used up: %+v", c)
	}
	if got := newTalker(t, lab.Client, netip.AddrPortFrom(lab.ServerAddr4, 7030)).burst(1); got != 0 {
		t.Error("another flow passes although the policy's quota is used up")
	}
	if got := newTalker(t, lab.Client, netip.AddrPortFrom(lab.ServerAddr4, 7031)).burst(4); got != 4 || seen(lab, "cs1") != "2" {
		t.Errorf("a host's quota: %d answers, %s packets of cs1, want 4 and 2", got, seen(lab, "cs1"))
	}
	accounts := accountsOf(t, b)
	if a := accounts["np_quota_allowance"]; a.Quota != 5000 || a.Bytes < 5000 {
		t.Errorf("quota: %+v", a)
	}
	if a := accounts["np_quota4_each 192.168.77.2"]; a.Quota != 5000 || a.Bytes != 5000 { // the kernel tells no more

		t.Errorf("host's quota: %+v", a)
	}
	all, host := accounts["np_count_seen"], accounts[countSet(b)+" 192.168.77.2"]
	if all.Packets == 0 || all.Packets != host.Packets || all.Bytes != host.Bytes {
		t.Errorf("counts: of the policy %+v, of the only host %+v", all, host)
	}
}

// countSet names the set with IPv4 counts.
func countSet(b *artifact.Bundle) string {
	for _, s := range b.Ruleset.Sets {
		if s.Accounts == artifact.AccountCounts && s.Type == artifact.SetAddr4 {
			return s.Name
		}
	}
	return ""
}

func TestPriorityAnswersAndCodePoints(t *testing.T) {
	lab := kerneltest.NewLab(t)
	enforce(t, lab, `
policy "first" {
  criteria = "dst_port == 7040"
  priority = "1:20"
}
policy "second" {
  criteria      = "dst_port in [7040, 7041]"
  priority      = "1:30"
  dscp          = "cs5"
  dscp_if_unset = true
  log           = "seven: "
}
policy "refused" {
  criteria    = "dst_port == 7042"
  verdict     = "reject"
  reject_with = "icmp-port-unreachable"
}
`)
	lab.Router.Run("nft", `table inet classes { chain c { type filter hook postrouting priority 100;
		oifname "wan0" meta priority 1:20 counter; oifname "wan0" meta priority 1:30 counter; }; }`)
	lab.Client.Run("nft", `table inet marks { chain c { type route hook output priority 0; udp dport 7041 udp sport 40000 ip dscp set cs1; }; }`)
	watchCodePoints(lab)
	for _, port := range []uint16{7040, 7041} {
		echo(t, lab.Server, netip.AddrPortFrom(lab.ServerAddr4, port))
		newTalker(t, lab.Client, netip.AddrPortFrom(lab.ServerAddr4, port)).say(true)
	}
	var marked *net.UDPConn
	var err error
	lab.Client.Do(func() {
		marked, err = net.DialUDP("udp", &net.UDPAddr{Port: 40000}, net.UDPAddrFromAddrPort(netip.AddrPortFrom(lab.ServerAddr4, 7041)))
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = marked.Close() })
	if !(talker{t, marked}).say(true) {
		t.Error("no answer to a datagram with a code point")
	}
	classes := lab.Router.Run("nft", "list", "chain", "inet", "classes", "c")
	if strings.Count(classes, "packets 1 ") < 1 || strings.Contains(classes, "packets 0 ") {
		t.Errorf("classes on the way out:\n%s", classes)
	}
	if got := seen(lab, "cs5"); got != "2" {
		t.Errorf("packets of cs5: got %s, want those of the two flows without a code point", got)
	}
	refused := newTalker(t, lab.Client, netip.AddrPortFrom(lab.ServerAddr4, 7042))
	if _, err := refused.conn.Write([]byte("a")); err != nil {
		t.Fatal(err)
	}
	_ = refused.conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, err := refused.conn.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("answer of a refused port: got %v, want %v", err, syscall.ECONNREFUSED)
	}
	rules := lab.Router.Run("nft", "list", "chain", "inet", "netpol", "np_packet")
	if !strings.Contains(rules, `limit rate 1/second log prefix "seven: "`) {
		t.Errorf("no rule that logs:\n%s", rules)
	}
}
