package main

import (
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// TestOthersStayAsTheyAre: the tables of Docker, firewalld, OpenWrt's fw4 and
// iptables-nft, and labels and sets of others, are the same after applies, a
// rollback and destroy.
func TestOthersStayAsTheyAre(t *testing.T) {
	s := newEnforcedSite(t)
	s.addOthers()
	others := func() string { return s.others("-a") }
	before := others()
	check := func(after string) {
		t.Helper()
		if got := others(); got != before {
			t.Errorf("%s changed what is others':\n%s\nbefore:\n%s", after, got, before)
		}
	}
	s.netpol(0, "apply", "--auto-approve", s.policies)
	check("the first apply")
	s.startEnforcer()
	s.write("policies/games.netpol.hcl", gamesPolicy+"policy \"late\" {\n  criteria = \"app == 'tor'\"\n  verdict = \"drop\"\n}\n")
	s.netpol(0, "apply", "--auto-approve", s.policies)
	check("the second apply")
	s.netpol(0, "rollback", "--auto-approve")
	check("rollback")
	s.ns.Run("nft", "delete", "table", "inet", "netpol")
	s.eventually("netpold puts the table back", func() bool { return strings.Contains(s.ns.Run("nft", "list", "tables"), "inet netpol") })
	check("repair")
	s.netpol(0, "destroy", "--auto-approve", "--lock-timeout", "30s") // the repair may still read back
	check("destroy")
}

// addOthers puts there what Docker, firewalld, fw4, iptables-nft and a person
// would.
func (s *site) addOthers() {
	s.t.Helper()
	s.ns.Run("nft", `
table ip nat {
	chain DOCKER { iifname "docker0" counter return; tcp dport 8080 counter dnat to 172.17.0.2:80; }
	chain PREROUTING { type nat hook prerouting priority dstnat; policy accept; fib daddr type local counter jump DOCKER; }
	chain POSTROUTING { type nat hook postrouting priority srcnat; policy accept; oifname != "docker0" ip saddr 172.17.0.0/16 counter masquerade; }
}
table ip filter {
	chain DOCKER-USER { counter return; }
	chain FORWARD { type filter hook forward priority filter; policy drop; counter jump DOCKER-USER; ct state established,related counter accept; }
}
table inet firewalld {
	set zone_lan { type ipv4_addr; flags interval; elements = { 192.168.0.0/16 }; }
	chain mangle_PREROUTING { type filter hook prerouting priority -140; policy accept; ct mark & 0xff == 0 ct mark set ct mark and 0xffffff00 or 0x1; }
	chain filter_FORWARD { type filter hook forward priority 10; policy accept; ct state established,related accept; reject with icmpx type admin-prohibited; }
}
table inet fw4 {
	chain forward { type filter hook forward priority filter; policy drop; ct state vmap { established : accept, related : accept }; iifname "br-lan" accept comment "!fw4: lan"; }
	chain mangle_forward { type filter hook forward priority mangle; policy accept; oifname "wan" tcp flags syn tcp option maxseg size set rt mtu; }
	chain output_label { type filter hook output priority -151; ct label set 99; }
}
table ip6 mine { map m { type inet_service : verdict; elements = { 22 : accept }; }
	chain c { type filter hook input priority -300; tcp dport vmap @m; }
}`)
	s.ns.Run("iptables-nft", "-t", "mangle", "-A", "FORWARD", "-p", "tcp", "-j", "CONNMARK", "--save-mark")
	s.ns.Run("ip6tables-nft", "-A", "INPUT", "-p", "icmpv6", "-j", "ACCEPT")
}

// others is all that is not netpol's, as text; nft lists it with the given
// options.
func (s *site) others(options ...string) string {
	s.t.Helper()
	var b strings.Builder
	for line := range strings.Lines(s.ns.Run("nft", "-s", "list", "tables")) {
		if name := strings.TrimSpace(strings.TrimPrefix(line, "table ")); name != "inet netpol" {
			b.WriteString(s.ns.Run("nft", append(append(options, "-s", "list", "table"), strings.Fields(name)...)...))
		}
	}
	b.WriteString(s.ns.Run("iptables-nft-save", "-t", "mangle") + s.ns.Run("ip6tables-nft", "-S"))
	return strings.Join(regexp.MustCompile(`(?m)^(#.*|:.*\[\d+:\d+\])$`).Split(b.String(), -1), "")
}

// TestApplyBesideWriters: twenty applies, a rollback, a restore and destroy while
// others change their own rules all the time. Nobody's change is lost or undone,
// and none of netpol's is refused for good.
func TestApplyBesideWriters(t *testing.T) {
	s := newEnforcedSite(t)
	s.addOthers()
	changes := [][]string{
		{"nft", "add element inet firewalld zone_lan { 10.9.0.0/16 }; add rule inet fw4 forward counter comment \"w\""},
		{"iptables-nft", "-t", "mangle", "-A", "OUTPUT", "-p", "udp", "-j", "MARK", "--set-mark", "0x1"},
		{"ip6tables-nft", "-A", "INPUT", "-p", "tcp", "-j", "ACCEPT"},
	}
	for _, add := range changes { // iptables leaves the chains that it makes
		for _, args := range [][]string{add, s.undo(add)} {
			s.ns.Run(args[0], args[1:]...)
		}
	}
	before := s.others()
	s.netpol(0, "apply", "--auto-approve", s.policies)
	s.startEnforcer()
	stop := s.writers(changes)
	for i := range 20 {
		text := gamesPolicy
		if i%2 == 1 {
			text = ""
		}
		s.write("policies/games.netpol.hcl", text)
		s.wantText(s.netpol(0, "apply", "--auto-approve", s.policies), "Apply complete!")
	}
	s.netpol(0, "rollback", "--auto-approve")
	s.netpol(0, "restore")
	s.netpol(0, "destroy", "--auto-approve")
	rounds := stop()
	if after := s.others(); after != before {
		t.Errorf("after %d rounds of others' changes:\n%s\nbefore:\n%s", rounds, after, before)
	}
	if rounds < 20 {
		t.Errorf("others made %d rounds of changes", rounds)
	}
	t.Logf("%d rounds of others' changes", rounds)
}

// writers make changes and take them back, each by itself and without pause. The
// function ends that and says how often they did; a change that fails fails the
// test.
func (s *site) writers(changes [][]string) func() int {
	stop := make(chan struct{})
	var wg sync.WaitGroup
	var mu sync.Mutex
	rounds := 0
	for _, add := range changes {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				for _, args := range [][]string{add, s.undo(add)} {
					cmd := exec.Command(args[0], args[1:]...)
					var out []byte
					var err error
					s.ns.Do(func() { out, err = cmd.CombinedOutput() })
					if err != nil {
						s.t.Errorf("%s: %v\n%s", strings.Join(args, " "), err, out)
						return
					}
				}
				mu.Lock()
				rounds++
				mu.Unlock()
			}
		})
	}
	end := sync.OnceValue(func() int {
		close(stop)
		wg.Wait()
		return rounds
	})
	s.t.Cleanup(func() { end() })
	return end
}

// undo is what takes a change back.
func (s *site) undo(add []string) []string {
	if add[0] != "nft" {
		out := append([]string(nil), add...)
		for i := range out {
			if out[i] == "-A" {
				out[i] = "-D"
			}
		}
		return out
	}
	find := `h=$(nft -a list chain inet fw4 forward | sed -n 's/.*comment "w" # handle //p' | head -1)`
	return []string{"sh", "-c", fmt.Sprintf(`%s; nft "delete element inet firewalld zone_lan { 10.9.0.0/16 }; delete rule inet fw4 forward handle $h"`, find)}
}
