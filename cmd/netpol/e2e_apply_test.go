package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/netpol/netpol/enforcer/control"
	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

const gamesPolicy = `policy "games" {
  criteria = "dst_port == 27015"
  label    = "games"
  dscp     = "ef"
}
`

// command is the tool on the router, not started.
func (s *site) command(verb string, args ...string) *exec.Cmd {
	return exec.Command(s.path("bin/netpol"), s.line(verb, args)...)
}

// start starts a command inside the router's namespace.
func (s *site) start(cmd *exec.Cmd) {
	s.t.Helper()
	var err error
	s.ns.Do(func() { err = cmd.Start() })
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *site) history() string {
	s.t.Helper()
	return s.run(0, []string{"history", "--state-dir", s.path("state")})
}

func (s *site) exists(name string) bool {
	_, err := os.Stat(s.path(name))
	return !errors.Is(err, fs.ErrNotExist)
}

// TestHistoryAndRollback: what was in force comes back, by number and by being
// the one before.
func TestHistoryAndRollback(t *testing.T) {
	s := newSite(t, kerneltest.NewNS(t))
	s.wantText(s.history(), "Nothing has been applied")
	s.wantText(s.netpol(1, "rollback", "--auto-approve"), "no revision to go back to")
	s.netpol(0, "apply", "--auto-approve", "--message", "calls", s.policies)
	first := s.ns.Run("nft", "list", "table", "inet", "netpol")
	s.wantText(s.history(), "* 1", "apply: calls")
	s.wantText(s.netpol(1, "rollback", "--auto-approve"), "no revision to go back to")

	s.write("policies/games.netpol.hcl", gamesPolicy)
	s.netpol(0, "apply", "--auto-approve", "--message", "games too", s.policies)
	second := s.ns.Run("nft", "list", "table", "inet", "netpol")
	s.wantText(s.history(), "* 2", "apply: games too", "  1 ")

	s.wantText(s.netpol(1, "rollback"), "--auto-approve")
	s.wantText(s.netpol(1, "rollback", "9", "--auto-approve"), "no such revision")
	s.wantText(s.netpol(1, "rollback", "x"), "number that netpol history shows")
	s.wantText(s.netpol(0, "rollback", "--auto-approve"), "Rollback complete!", "revision 1")
	if got := s.ns.Run("nft", "list", "table", "inet", "netpol"); got != first {
		t.Errorf("rolled back to\n%s\nwant\n%s", got, first)
	}
	s.wantText(s.history(), "* 3", "rollback: back to revision 1")
	s.netpol(0, "rollback", "2", "--auto-approve")
	if got := s.ns.Run("nft", "list", "table", "inet", "netpol"); got != second {
		t.Errorf("rolled back to\n%s\nwant\n%s", got, second)
	}
	s.wantText(s.netpol(0, "rollback", "2", "--auto-approve"), "No changes.")

	// A bundle that was tampered with is refused, and nothing happens.
	s.write("state/revisions/1.npb", "rubbish")
	s.wantText(s.netpol(1, "rollback", "1", "--auto-approve"), "revision 1")
	if got := s.ns.Run("nft", "list", "table", "inet", "netpol"); got != second {
		t.Errorf("a refused rollback changed the table:\n%s", got)
	}
	var last struct {
		Type     string
		Revision int
		Current  bool
		Message  string
	}
	out := s.run(0, []string{"history", "--json", "--state-dir", s.path("state")})
	if err := json.Unmarshal([]byte(strings.SplitN(out, "\n", 2)[0]), &last); err != nil || last.Type != "revision" || !last.Current || last.Revision != 4 {
		t.Errorf("got %+v, %v", last, err)
	}
}

// TestChangeThatNobodyConfirms: it goes back by itself, whoever is left.
func TestChangeThatNobodyConfirms(t *testing.T) {
	s := newSite(t, kerneltest.NewNS(t))
	s.netpol(0, "apply", "--auto-approve", s.policies)
	first := s.ns.Run("nft", "list", "table", "inet", "netpol")
	s.write("policies/games.netpol.hcl", gamesPolicy)
	out := s.netpol(0, "apply", "--auto-approve", "--confirm", "1s", s.policies)
	s.wantText(out, "Waiting to be confirmed.", "Revision 2 stays if netpol confirm")
	s.eventually("the change is taken back", func() bool { return !s.exists("state/pending.json") })
	if got := s.ns.Run("nft", "list", "table", "inet", "netpol"); got != first {
		t.Errorf("went back to\n%s\nwant\n%s", got, first)
	}
	s.eventually("its history", func() bool { return strings.Contains(s.history(), "timeout: nobody confirmed revision 2") })
	s.wantText(s.netpol(1, "rollback", "--auto-approve"), "no revision to go back to") // not into what nobody confirmed

	// Confirmed in time it stays, and it cannot be hidden by another one.
	s.wantText(s.netpol(0, "apply", "--auto-approve", "--confirm", "1h", s.policies), "Waiting to be confirmed.")
	s.wantText(s.netpol(1, "apply", "--auto-approve", s.policies), "waits to be confirmed", "netpol confirm")
	s.wantText(s.netpol(0, "confirm"), "Confirmed. Revision 4 stays.")
	s.wantText(s.netpol(0, "confirm"), "Nothing waits to be confirmed.")
	s.netpol(0, "plan", "--detailed-exitcode", s.policies)

	// Taken back by hand.
	s.write("policies/games.netpol.hcl", strings.ReplaceAll(gamesPolicy, "ef", "cs4"))
	s.netpol(0, "apply", "--auto-approve", "--confirm", "1h", s.policies)
	s.wantText(s.netpol(0, "rollback", "--auto-approve"), "revision 4")
	if s.exists("state/pending.json") {
		t.Error("the deadline stays after rollback")
	}
	s.wantText(s.netpol(1, "apply", "--confirm", "1ms", s.policies), "--confirm 1ms")
}

// TestChangeOverSSHWaits: there it is the default.
func TestChangeOverSSHWaits(t *testing.T) {
	s := newSite(t, kerneltest.NewNS(t))
	t.Setenv("SSH_CONNECTION", "192.0.2.1 50000 192.0.2.2 22")
	s.wantText(s.netpol(0, "apply", "--auto-approve", overSSH, s.policies), "Waiting to be confirmed.")
	s.wantText(s.netpol(0, "confirm", "--json"), `"type":"confirmed","revision":1`)
	s.write("policies/games.netpol.hcl", gamesPolicy)
	if out := s.netpol(0, "apply", "--auto-approve", "--no-confirm", s.policies); strings.Contains(out, "Waiting") {
		t.Errorf("with --no-confirm: %s", out)
	}
	s.wantText(s.netpol(1, "apply", "--no-confirm", "--confirm", "2m", s.policies), "confirm")
}

// TestFirstChangeThatNobodyConfirms: the router is bare again.
func TestFirstChangeThatNobodyConfirms(t *testing.T) {
	s := newSite(t, kerneltest.NewNS(t))
	before := s.picture()
	s.netpol(0, "apply", "--auto-approve", "--confirm", "1s", s.policies)
	s.eventually("the change is taken back", func() bool { return !s.exists("state") })
	s.take("policies/netpol.lock.hcl")
	if after := s.picture(); after != before {
		t.Errorf("left behind:\n%s\nbefore:\n%s", after, before)
	}
}

// TestRestoreAfterReboot: a new kernel has no table, and what was not confirmed
// before is not put back.
func TestRestoreAfterReboot(t *testing.T) {
	s := newSite(t, kerneltest.NewNS(t))
	s.wantText(s.netpol(1, "restore"), "nothing was applied")
	s.netpol(0, "restore", s.policies) // the first boot after an installation
	first := s.ns.Run("nft", "list", "table", "inet", "netpol")
	s.ns.Run("nft", "flush", "ruleset")
	s.wantText(s.netpol(0, "restore"), "Restore complete!")
	s.wantText(s.netpol(0, "restore"), "No changes.")
	if got := s.ns.Run("nft", "list", "table", "inet", "netpol"); got != first {
		t.Errorf("restored\n%s\nwant\n%s", got, first)
	}

	s.write("policies/games.netpol.hcl", gamesPolicy)
	s.netpol(0, "apply", "--auto-approve", "--confirm", "1h", s.policies)
	s.ns.Run("nft", "flush", "ruleset")
	var p map[string]any
	if err := control.DecodeRecord(s.take("state/pending.json"), &p); err != nil {
		t.Fatal(err)
	}
	p["boot"] = "an earlier one"
	data, _ := json.Marshal(p)
	s.write("state/pending.json", string(data))
	// The process that apply left behind may be the one to find out.
	s.netpol(0, "restore", "--lock-timeout", "1m", s.policies)
	if got := s.ns.Run("nft", "list", "table", "inet", "netpol"); got != first {
		t.Errorf("restored\n%s\nwant what was confirmed:\n%s", got, first)
	}

	// A damaged bundle: the newest revision that can be read.
	s.write("state/bundle.npb", "rubbish")
	s.ns.Run("nft", "flush", "ruleset")
	s.wantText(s.netpol(0, "restore"), "Taking revision 3 instead", "Restore complete!")
	if got := s.ns.Run("nft", "list", "table", "inet", "netpol"); got != first {
		t.Errorf("restored\n%s\nwant\n%s", got, first)
	}
}

// TestDamagedDeadlineIsTakenBack: whoever damaged the file, nobody has confirmed
// the change, so a boot and a rollback go to what was before it.
func TestDamagedDeadlineIsTakenBack(t *testing.T) {
	s := newSite(t, kerneltest.NewNS(t))
	s.netpol(0, "apply", "--auto-approve", "--message", "calls", s.policies)
	first := s.ns.Run("nft", "list", "table", "inet", "netpol")
	s.write("policies/games.netpol.hcl", gamesPolicy)
	for _, verb := range [][]string{{"restore"}, {"rollback", "--auto-approve"}} {
		s.netpol(0, "apply", "--auto-approve", "--confirm", "1h", s.policies)
		s.write("state/pending.json", `{"revision":2,"bef`)
		s.wantText(s.netpol(1, "apply", "--auto-approve", s.policies), "netpol confirm keeps the change that it is about, netpol rollback takes it back")
		s.ns.Run("nft", "flush", "ruleset")
		s.wantText(s.netpol(0, verb[0], verb[1:]...), "read what waits to be confirmed", "Rollback complete!")
		if got := s.ns.Run("nft", "list", "table", "inet", "netpol"); got != first {
			t.Errorf("%s left\n%s\nwant what was confirmed:\n%s", verb[0], got, first)
		}
		if s.exists("state/pending.json") {
			t.Errorf("%s: the deadline is still there", verb[0])
		}
		s.wantText(s.netpol(0, "restore"), "No changes.")
	}
}

// TestTwoAppliesAtOnce: one wins, the other says who, or waits.
func TestTwoAppliesAtOnce(t *testing.T) {
	s := newSite(t, kerneltest.NewNS(t))
	s.netpol(0, "apply", "--auto-approve", s.policies)
	dir, err := os.Open(s.path("state"))
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	if err := syscall.Flock(int(dir.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	owner, err := json.Marshal(map[string]any{"pid": os.Getpid(), "command": "netpol apply /etc/netpol", "user": "ada", "since": time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	s.write("state/lock.json", string(owner))
	s.write("policies/games.netpol.hcl", gamesPolicy)
	s.wantText(s.netpol(1, "apply", "--auto-approve", s.policies), "another netpol is changing this router", `"netpol apply /etc/netpol", by ada, since `, "--lock-timeout")
	waiting := s.command("apply", "--auto-approve", "--lock-timeout", "1m", s.policies)
	s.start(waiting)
	if err := syscall.Flock(int(dir.Fd()), syscall.LOCK_UN); err != nil {
		t.Fatal(err)
	}
	if err := waiting.Wait(); err != nil {
		t.Errorf("an apply that waits for the lock: %v", err)
	}
	s.netpol(0, "plan", "--detailed-exitcode", s.policies)

	for range 10 {
		s.write("policies/games.netpol.hcl", strings.ReplaceAll(gamesPolicy, "27015", "27016"))
		s.race(2)
		s.netpol(0, "apply", "--auto-approve", s.policies)
		s.netpol(0, "plan", "--detailed-exitcode", s.policies)
		s.write("policies/games.netpol.hcl", gamesPolicy)
	}
}

// race starts applies at once: each succeeds or names another one.
func (s *site) race(n int) {
	s.t.Helper()
	outs, errs := make([]string, n), make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			cmd := s.command("apply", "--auto-approve", s.policies)
			s.ns.Do(func() {
				var out []byte
				out, errs[i] = cmd.CombinedOutput()
				outs[i] = string(out)
			})
		})
	}
	wg.Wait()
	won := 0
	for i := range n {
		if errs[i] == nil {
			won++
		} else if !strings.Contains(outs[i], "another netpol is changing this router") {
			s.t.Errorf("the loser says %q", outs[i])
		}
	}
	if won == 0 {
		s.t.Errorf("nobody won: %q", outs)
	}
}

// TestLockFileBelongsToItsDirectory: behind sudo the lock file stays its author's.
func TestLockFileBelongsToItsDirectory(t *testing.T) {
	s := newSite(t, kerneltest.NewNS(t))
	const uid, gid = 12345, 23456
	if err := os.Chown(s.policies, uid, gid); err != nil {
		t.Fatal(err)
	}
	s.netpol(0, "apply", "--auto-approve", s.policies)
	info, err := os.Stat(s.path("policies/netpol.lock.hcl"))
	if err != nil {
		t.Fatal(err)
	}
	if stat := info.Sys().(*syscall.Stat_t); stat.Uid != uid || stat.Gid != gid || info.Mode().Perm() != 0o644 {
		t.Errorf("the lock file belongs to %d:%d, mode %v; want %d:%d", stat.Uid, stat.Gid, info.Mode(), uid, gid)
	}

	// A checkout in root's directory: the file that is there says whose it is, and
	// who may read it.
	if err := errors.Join(os.Chown(s.policies, 0, 0), os.Chmod(s.path("policies/netpol.lock.hcl"), 0o664)); err != nil {
		t.Fatal(err)
	}
	s.write("policies/games.netpol.hcl", gamesPolicy)
	s.netpol(0, "apply", "--auto-approve", s.policies)
	if info, err = os.Stat(s.path("policies/netpol.lock.hcl")); err != nil {
		t.Fatal(err)
	}
	if stat := info.Sys().(*syscall.Stat_t); stat.Uid != uid || stat.Gid != gid || info.Mode().Perm() != 0o664 {
		t.Errorf("rewritten, the lock file belongs to %d:%d, mode %v; want %d:%d", stat.Uid, stat.Gid, info.Mode(), uid, gid)
	}
}

// TestRefusedApplyPinsNothing: the lock file changes with what was applied and
// with nothing else, and nothing is left beside it.
func TestRefusedApplyPinsNothing(t *testing.T) {
	s := newSite(t, kerneltest.NewNS(t))
	s.netpol(0, "apply", "--auto-approve", s.policies)
	lock := func() string {
		t.Helper()
		data, err := os.ReadFile(s.path("policies/netpol.lock.hcl"))
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	before := lock()
	s.write("policies/guests.netpol.hcl", `set "guests" {
  kind     = "nft"
  family   = "ip"
  table    = "fw"
  type     = "local_addr"
  families = ["ipv4"]
  managed  = true
}

policy "guests" {
  criteria = "dst_port == 27015"
  label    = "guests"
  add      = "guests"
}
`)
	s.wantText(s.netpol(1, "apply", "--auto-approve", s.policies), "no table ip fw")
	if after := lock(); after != before {
		t.Errorf("a refused apply pinned\n%s\nbefore\n%s", after, before)
	}
	entries, err := os.ReadDir(s.policies)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".new") {
			t.Errorf("a refused apply left %s", e.Name())
		}
	}
	s.ns.Run("nft", "add table ip fw")
	s.netpol(0, "apply", "--auto-approve", s.policies)
	s.wantText(lock(), `label "guests"`)
}
