package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// TestFlushIsHealedAndNamed: netpold puts back a table that was flushed, and plan
// says who did what.
func TestFlushIsHealedAndNamed(t *testing.T) {
	s := newEnforcedSite(t)
	s.netpol(0, "apply", "--auto-approve", s.policies)
	e := s.startEnforcer()
	table := func() string { return s.ns.Run("nft", "-s", "list", "table", "inet", "netpol") }
	before := table()
	s.ns.Run("nft", "flush", "ruleset")
	flushed := time.Now()
	s.eventually("the table is back", func() bool {
		return strings.Contains(s.ns.Run("nft", "list", "ruleset"), "table inet netpol {")
	})
	t.Logf("healed after %s", time.Since(flushed).Round(time.Millisecond))
	if after := table(); after != before {
		t.Errorf("healed to\n%s\nwant\n%s", after, before)
	}
	s.wantText(s.netpol(0, "plan", "--refresh-only"), "No drift.")

	// A rule that somebody added is told, not removed.
	s.ns.Run("nft", "add rule inet netpol np_dscp counter drop")
	out := ""
	s.eventually("plan names nft", func() bool {
		out = s.netpol(2, "plan", "--refresh-only", "--detailed-exitcode")
		return strings.Contains(out, "nft (process ") && strings.Contains(out, "changed the table")
	})
	s.wantText(out, "Drift:", "+ rule  np_dscp without an id", "removed the table", "netpol restore")
	s.wantText(s.netpol(0, "plan", "--json", s.policies), `"type":"drift"`, `"type":"changed_by"`, `"process":"nft"`)
	s.wantText(s.netpol(1, "plan", "--refresh-only", s.policies), "give it no policies")
	s.netpol(0, "restore")
	s.wantText(s.netpol(0, "plan", "--refresh-only"), "No drift.")
	if !strings.Contains(e.log.String(), "somebody changed netpol's table") {
		t.Errorf("netpold's log does not tell:\n%s", e.log.String())
	}
}

// TestNetpoldKeepsTheDeadline: the process that apply left behind is killed, and
// the change goes back all the same.
func TestNetpoldKeepsTheDeadline(t *testing.T) {
	s := newEnforcedSite(t)
	s.netpol(0, "apply", "--auto-approve", s.policies)
	first := s.ns.Run("nft", "-s", "list", "table", "inet", "netpol")
	s.startEnforcer()
	s.write("policies/games.netpol.hcl", gamesPolicy)
	s.netpol(0, "apply", "--auto-approve", "--confirm", "3s", s.policies)
	killed := 0
	entries, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		line, _ := os.ReadFile("/proc/" + entry.Name() + "/cmdline") // gone, or no process
		if strings.Contains(string(line), "\x00--expired\x00--wait\x00--state-dir\x00"+s.path("state")+"\x00") {
			pid, err := strconv.Atoi(entry.Name())
			if err == nil && syscall.Kill(pid, syscall.SIGKILL) == nil {
				killed++
			}
		}
	}
	if killed != 1 {
		t.Fatalf("killed %d keepers of the deadline, want 1", killed)
	}
	s.eventually("netpold takes the change back", func() bool { return !s.exists("state/pending.json") })
	if got := s.ns.Run("nft", "-s", "list", "table", "inet", "netpol"); got != first {
		t.Errorf("went back to\n%s\nwant\n%s", got, first)
	}
}

// newEnforcedSite is a site on which netpold can be started.
func newEnforcedSite(t *testing.T) *site {
	t.Helper()
	s := newSite(t, kerneltest.NewNS(t))
	s.installEnforcer()
	return s
}

// TestFullAndReadOnly: without room for its files an apply changes nothing and
// says so.
func TestFullAndReadOnly(t *testing.T) {
	for _, c := range []struct{ name, mount, want string }{
		{"full", "size=8k", "no space left"},
		{"read-only", "ro", "read-only file system"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSite(t, kerneltest.NewNS(t))
			if err := os.Mkdir(s.path("state"), 0o755); err != nil {
				t.Fatal(err)
			}
			if out, err := exec.Command("mount", "-t", "tmpfs", "-o", c.mount, "netpol-test", s.path("state")).CombinedOutput(); err != nil {
				kerneltest.Unable(t, "mounting needs privileges: %v\n%s", err, out)
			}
			t.Cleanup(func() { _ = syscall.Unmount(s.path("state"), syscall.MNT_DETACH) })
			before := s.ns.Run("nft", "list", "ruleset")
			s.wantText(s.netpol(1, "apply", "--auto-approve", s.policies), c.want, "nothing was changed")
			if after := s.ns.Run("nft", "list", "ruleset"); after != before {
				t.Errorf("an apply without room changed the rules:\n%s", after)
			}
			if data, err := os.ReadFile(s.path("etc/connlabel.conf")); err != nil || strings.Contains(string(data), "netpol") {
				t.Errorf("an apply without room wrote labels: %q, %v", data, err)
			}
			entries, err := os.ReadDir(s.path("state"))
			if err != nil || len(entries) > 0 {
				t.Errorf("left in the state directory: %v, %v", entries, err)
			}
			if err := syscall.Unmount(s.path("state"), syscall.MNT_DETACH); err != nil {
				t.Fatal(err)
			}
			s.netpol(0, "apply", "--auto-approve", s.policies)
		})
	}
}

// TestDamagedJournal: what the router runs is read from the router; a journal that
// makes no sense is set aside.
func TestDamagedJournal(t *testing.T) {
	s := newSite(t, kerneltest.NewNS(t))
	s.netpol(0, "apply", "--auto-approve", s.policies)
	s.write("state/journal.json", "{\"revision\": -3")
	s.wantText(s.netpol(0, "plan", "--detailed-exitcode", s.policies), "interrupted", "No changes.")
	s.wantText(s.netpol(0, "apply", "--auto-approve", s.policies), "journal of an interrupted apply is damaged", "journal.damaged")
	s.netpol(0, "plan", "--detailed-exitcode", s.policies)
	s.wantText(s.netpol(0, "destroy", "--auto-approve"), "Destroy complete!")
	if s.exists("state") {
		t.Error("the damaged journal outlives destroy")
	}
}

// TestRepairWithoutRoot: what netpold may do as the user netpol is enough to put
// the table back, although it can write no file.
func TestRepairWithoutRoot(t *testing.T) {
	s := newSite(t, kerneltest.NewNS(t))
	for _, dir := range []string{filepath.Dir(s.dir), s.dir} {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	s.netpol(0, "apply", "--auto-approve", s.policies)
	before := s.ns.Run("nft", "-s", "list", "table", "inet", "netpol")
	s.ns.Run("nft", "flush", "ruleset")
	cmd := s.command("restore")
	s.ns.Run("setpriv", append([]string{
		"--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs",
		"--inh-caps=-all,+net_admin", "--ambient-caps=-all,+net_admin", "--bounding-set=-all,+net_admin",
	}, cmd.Args...)...)
	if after := s.ns.Run("nft", "-s", "list", "table", "inet", "netpol"); after != before {
		t.Errorf("repaired to\n%s\nwant\n%s", after, before)
	}
}
