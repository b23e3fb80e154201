package main

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
	"github.com/netpol/netpol/enforcer/kernel/nft"
	"github.com/netpol/netpol/enforcer/kernel/nftwatch"
)

// ownedPolicy has all that netpold writes into the table: a heartbeat and the
// windows of a schedule.
const ownedPolicy = `netpol {
  table_owner = true
}

schedule "nights" {
  hours = ["22:00-06:00"]
}

policy "counted" {
  criteria = "dst_port == 9"
  count    = true
}

policy "closed" {
  criteria = "app == 'tor'"
  verdict  = "drop"
  on_fail  = "closed"
  schedule = "nights"
}
`

// live is the kernel's table.
func (s *site) live() (out nft.State) {
	s.t.Helper()
	var err error
	s.ns.Do(func() { out, err = nft.Read("inet", "netpol", nil) })
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}

// TestOwnedTable: while netpold owns the table no flush takes it, netpold's own
// writing goes on, it outlives netpold, and netpol changes it as ever.
func TestOwnedTable(t *testing.T) {
	lab := kerneltest.NewLab(t)
	s := newSite(t, lab.Router)
	s.installEnforcer()
	s.write("policies/owned.netpol.hcl", ownedPolicy)
	s.netpol(0, "apply", "--auto-approve", s.policies) // without a netpold: nobody's table
	if l := s.live(); !l.Persist || l.Owner != 0 {
		t.Fatalf("applied without netpold: persist %v, owner %d", l.Persist, l.Owner)
	}
	e := s.startEnforcer()
	owned := func() bool { return s.live().Owner != 0 }
	s.eventually("netpold owns the table", owned)

	lab.Client.Run("bash", "-c", "for i in 1 2 3; do echo x > /dev/udp/198.51.100.2/9; done; sleep 0.2") // and the answers
	counted := func() string { return s.ns.Run("nft", "list", "counters", "table", "inet", "netpol") }
	before := counted()
	if strings.Contains(before, "packets 0 ") {
		t.Fatalf("counted %s", before)
	}
	s.ns.Run("nft", "flush", "ruleset")
	for _, change := range []string{"add rule inet netpol np_dscp drop", "delete table inet netpol"} {
		var out []byte
		var err error
		s.ns.Do(func() { out, err = exec.Command("nft", change).CombinedOutput() })
		if err == nil {
			t.Errorf("%s: done\n%s", change, out)
		}
	}
	if after := counted(); after != before || !owned() {
		t.Errorf("after a flush:\n%s\nbefore:\n%s", after, before)
	}
	s.wantText(s.netpol(0, "plan", "--refresh-only"), "No drift.")
	s.wantText(s.netpol(0, "plan", s.policies), "No changes.")
	s.ns.Run("bash", "-c", "sleep 11") // longer than an element of the heartbeat lives
	if out := s.ns.Run("nft", "list", "set", "inet", "netpol", "np_alive"); !strings.Contains(out, "elements = { ipv4") {
		t.Errorf("the heartbeat has stopped:\n%s\n%s", out, e.log.String())
	}

	// Killed: the table stays, and apply works on it; the next netpold owns it.
	if err := e.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = e.cmd.Wait()
	if l := s.live(); !l.Present || !l.Persist || l.Owner != 0 || counted() != before {
		t.Fatalf("after kill -9: %+v", l)
	}
	s.write("policies/games.netpol.hcl", gamesPolicy)
	s.netpol(0, "apply", "--auto-approve", s.policies)
	e = s.startEnforcer()
	s.eventually("the next netpold owns the table", owned)

	// Alive: every verb that changes the table has netpold let go of it.
	watch := s.watchTable()
	s.write("policies/games.netpol.hcl", strings.Replace(gamesPolicy, "policy \"", "policy \"other-", 1))
	s.netpol(0, "apply", "--auto-approve", s.policies)
	s.eventually("owned after apply", owned)
	s.wantText(s.netpol(0, "apply", "--auto-approve", s.policies), "No changes.")
	s.netpol(0, "rollback", "--auto-approve")
	s.eventually("owned after rollback", owned)
	s.run(0, []string{"validate", "--kernel", s.policies})
	if missing := watch(); missing > 0 {
		t.Errorf("the table was missing %d times", missing)
	}
	if after := counted(); after != before {
		t.Errorf("applies lost the count:\n%s\nbefore:\n%s", after, before)
	}
	s.netpol(0, "destroy", "--auto-approve")
	if s.live().Present {
		t.Error("the table outlives destroy")
	}
	if log := e.log.String(); strings.Contains(log, "level=ERROR") || strings.Contains(log, "operation not permitted") {
		t.Errorf("netpold's log:\n%s", log)
	}
}

// TestOwnerWithoutSocket: a table that a netpold elsewhere owns is refused, with
// the reason, and nothing is changed.
func TestOwnerWithoutSocket(t *testing.T) {
	s := newEnforcedSite(t)
	s.write("policies/owned.netpol.hcl", ownedPolicy)
	s.netpol(0, "apply", "--auto-approve", s.policies)
	s.startEnforcer()
	s.eventually("netpold owns the table", func() bool { return s.live().Owner != 0 })
	before := s.live().Lines()
	s.write("policies/games.netpol.hcl", gamesPolicy)
	refused := s.netpol(1, "apply", "--auto-approve", "--run-dir", s.path("elsewhere"), s.policies)
	s.wantText(refused, "owns the table, and no netpold answers on", "elsewhere/netpold.sock: stop it, or give --run-dir; if netpold is just stopping, try again")
	if strings.Contains(refused, "CAP_NET_ADMIN is missing") {
		t.Errorf("a capability is blamed:\n%s", refused)
	}
	if after := s.live().Lines(); strings.Join(after, "\n") != strings.Join(before, "\n") {
		t.Errorf("changed:\n%s", strings.Join(after, "\n"))
	}
	s.netpol(0, "apply", "--auto-approve", s.policies)
}

// watchTable looks for the table without pause; the function ends that and says
// how often it was not there.
func (s *site) watchTable() func() int {
	stop, ended := make(chan struct{}), make(chan int)
	go func() {
		missing := 0
		s.ns.Do(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if there, err := nftwatch.Present("inet", "netpol"); err == nil && !there {
					missing++
				}
				time.Sleep(time.Millisecond)
			}
		})
		ended <- missing
	}()
	return func() int { close(stop); return <-ended }
}
