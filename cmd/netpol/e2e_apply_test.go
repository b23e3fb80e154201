package main

import (
	"encoding/json"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

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
	return exec.Command(s.path("bin/netpol"), append([]string{verb, "--state-dir", s.path("state"), "--run-dir", s.path("run"), "--etc-dir", s.path("etc")}, args...)...)
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
	if err := json.Unmarshal(s.take("state/pending.json"), &p); err != nil {
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
}

// TestKilledAtRandom kills applies at random moments, 200 with NETPOL_FAULTS=1:
// the next plan is empty or the same, and the next apply ends with the new policy.
func TestKilledAtRandom(t *testing.T) {
	rounds := 10
	if os.Getenv("NETPOL_FAULTS") == "1" {
		rounds = 200
	}
	s := newSite(t, kerneltest.NewNS(t))
	texts := []string{gamesPolicy, strings.ReplaceAll(gamesPolicy, "ef", "cs3")}
	s.write("policies/games.netpol.hcl", texts[1])
	began := time.Now()
	s.netpol(0, "apply", "--auto-approve", s.policies)
	usual := time.Since(began)
	old, now := 0, 0
	for i := range rounds {
		s.write("policies/games.netpol.hcl", texts[i%2])
		plan := s.netpol(2, "plan", "--detailed-exitcode", s.policies)
		cmd := s.command("apply", "--auto-approve", s.policies)
		s.start(cmd)
		time.Sleep(time.Duration(rand.Int64N(int64(usual))))
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		switch again := s.run0or2("plan", "--detailed-exitcode", s.policies); {
		case strings.Contains(again, "No changes."):
			now++
		case again == plan:
			old++
		default:
			t.Fatalf("killed apply %d left a plan\n%s\nit was\n%s", i, again, plan)
		}
		s.netpol(0, "apply", "--auto-approve", s.policies)
		s.netpol(0, "plan", "--detailed-exitcode", s.policies)
	}
	t.Logf("of %d applies that were killed, %d left the old policy and %d the new one", rounds, old, now)
}

// run0or2 runs a verb that may end with 0 or 2.
func (s *site) run0or2(verb string, args ...string) string {
	s.t.Helper()
	cmd := s.command(verb, args...)
	var out []byte
	var err error
	s.ns.Do(func() { out, err = cmd.CombinedOutput() })
	if code := cmd.ProcessState.ExitCode(); err != nil && code != 2 {
		s.t.Fatalf("netpol %s: exit code %d\n%s", verb, code, out)
	}
	return string(out)
}

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

// TestOthersStayAsTheyAre: the tables of Docker, firewalld, OpenWrt's fw4 and
// iptables-nft, and labels and sets of others, are the same after applies, a
// rollback and destroy.
func TestOthersStayAsTheyAre(t *testing.T) {
	s := newEnforcedSite(t)
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
	others := func() string {
		var b strings.Builder
		for line := range strings.Lines(s.ns.Run("nft", "-s", "list", "tables")) {
			if name := strings.TrimSpace(strings.TrimPrefix(line, "table ")); name != "inet netpol" {
				b.WriteString(s.ns.Run("nft", append([]string{"-a", "-s", "list", "table"}, strings.Fields(name)...)...))
			}
		}
		b.WriteString(s.ns.Run("iptables-nft-save", "-t", "mangle") + s.ns.Run("ip6tables-nft", "-S"))
		return strings.Join(regexp.MustCompile(`(?m)^(#.*|:.*\[\d+:\d+\])$`).Split(b.String(), -1), "")
	}
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
	s.netpol(0, "destroy", "--auto-approve")
	check("destroy")
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
				t.Skipf("mounting needs privileges: %v\n%s", err, out)
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
