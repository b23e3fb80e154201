package main

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// faults asks for the long forms of the tests that kill.
func faults() bool { return os.Getenv("NETPOL_FAULTS") == "1" }

// killer applies policies that change each time and kills the applies.
type killer struct {
	*site
	n        int
	old, now int // how often which policy was left
}

func newKiller(t *testing.T) *killer {
	t.Helper()
	k := &killer{site: newSite(t, kerneltest.NewNS(t))}
	k.edit()
	k.netpol(0, "apply", "--auto-approve", k.policies)
	return k
}

// edit changes the policies from what they were.
func (k *killer) edit() {
	k.n++
	k.write("policies/games.netpol.hcl", strings.ReplaceAll(gamesPolicy, "ef", []string{"ef", "cs3"}[k.n%2]))
}

// round kills one apply by what kill does, and fails unless the next plan is empty
// or the same, and the next apply ends with the new policy.
func (k *killer) round(kill func(apply *exec.Cmd)) {
	k.t.Helper()
	k.edit()
	plan := k.netpol(2, "plan", "--detailed-exitcode", k.policies)
	kill(k.command("apply", "--auto-approve", k.policies))
	again := k.run0or2("plan", "--detailed-exitcode", k.policies)
	again = strings.TrimPrefix(again, "- An apply was interrupted, or is at work; the next one finishes it or takes it back before anything else\n")
	switch {
	case strings.Contains(again, "No changes."):
		k.now++
	case again == plan:
		k.old++
	default:
		k.t.Fatalf("killed apply %d left a plan\n%s\nit was\n%s", k.n, again, plan)
	}
	k.netpol(0, "apply", "--auto-approve", k.policies)
	k.netpol(0, "plan", "--detailed-exitcode", k.policies)
}

// TestKilledAtRandom kills applies at random moments, 200 with NETPOL_FAULTS=1.
func TestKilledAtRandom(t *testing.T) {
	rounds := 10
	if faults() {
		rounds = 200
	}
	k := newKiller(t)
	k.edit()
	began := time.Now()
	k.netpol(0, "apply", "--auto-approve", k.policies)
	usual := time.Since(began)
	for range rounds {
		k.round(func(apply *exec.Cmd) {
			k.start(apply)
			time.Sleep(time.Duration(rand.Int64N(int64(usual))))
			_ = apply.Process.Kill()
			_ = apply.Wait()
		})
	}
	t.Logf("of %d applies that were killed, %d left the old policy and %d the new one", rounds, k.old, k.now)
}

// TestKilledAtSystemCalls kills applies at each call that writes a file, a name or
// a netlink message. strace counts the calls of each thread.
func TestKilledAtSystemCalls(t *testing.T) {
	if !faults() {
		t.Skip("starts some hundred processes: NETPOL_FAULTS=1 asks for it")
	}
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skipf("needs strace: %v", err)
	}
	k := newKiller(t)
	for _, call := range []string{"write", "sendto", "fsync", "renameat", "unlinkat", "fchmod", "mkdirat"} {
		kills := 0
		for n := 1; ; n++ {
			died := false
			k.round(func(apply *exec.Cmd) {
				traced := exec.Command("strace", append([]string{
					"-f", "-qq", "-o", "/dev/null", "-e", "trace=" + call,
					"-e", "inject=" + call + ":signal=KILL:when=" + strconv.Itoa(n),
				}, apply.Args...)...)
				k.start(traced)
				died = traced.Wait() != nil
			})
			if !died {
				break
			}
			kills++
		}
		t.Logf("%s: killed at %d calls", call, kills)
	}
	t.Logf("the old policy was left %d times, the new one %d times", k.old, k.now)
	if k.old == 0 || k.now == 0 {
		t.Error("the kills do not cover both sides of the commit")
	}
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
