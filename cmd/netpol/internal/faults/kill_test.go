package faults

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// editor is a host whose policies change each time that they are applied.
type editor struct {
	*host
	n        int
	old, now int // how often which policies were left
}

func newEditor(t *trial) *editor {
	t.Helper()
	e := &editor{host: newHost(t, kerneltest.NewNS(t))}
	e.edit()
	e.apply()
	return e
}

// edit changes the policies from what they were.
func (e *editor) edit() {
	e.n++
	e.write("policies/some.netpol.hcl", strings.ReplaceAll(somePolicies, "cs5", []string{"cs5", "cs3"}[e.n%2]))
}

// round spoils one apply, and fails unless the next plan is empty or the same as
// before, and the next apply ends with the new policies.
func (e *editor) round(spoil func(apply *exec.Cmd)) {
	e.Helper()
	e.edit()
	plan, _ := e.plan()
	spoil(e.command("apply", "--auto-approve", e.path("policies")))
	again, code := e.plan()
	switch {
	case code == 0 && strings.Contains(again, "No changes."):
		e.now++
	case code == 2 && again == plan:
		e.old++
		e.apply()
	default:
		e.Fatalf("apply %d left a plan (exit code %d)\n%s\nit was\n%s", e.n, code, again, plan)
	}
}

// plan is what the next apply would do, whatever it must finish or take back first.
func (e *editor) plan() (text string, code int) {
	e.Helper()
	text, code = e.run(e.command("plan", "--detailed-exitcode", e.path("policies")))
	return strings.TrimPrefix(text, "- An apply was interrupted, or is at work; the next one finishes it or takes it back before anything else\n"), code
}

// killedAtRandom kills applies at random moments.
func killedAtRandom(t *trial) {
	e := newEditor(t)
	e.edit()
	began := time.Now()
	e.apply()
	usual := time.Since(began)
	n := rounds(3, 200)
	for range n {
		e.round(func(apply *exec.Cmd) {
			e.start(apply)
			time.Sleep(time.Duration(rand.Int64N(int64(usual))))
			_ = apply.Process.Kill()
			_ = apply.Wait()
		})
	}
	t.measure("%d kills: old %d, new %d, between 0", n, e.old, e.now)
}

// start starts a command on the router.
func (h *host) start(cmd *exec.Cmd) {
	h.Helper()
	var err error
	h.ns.Do(func() { err = cmd.Start() })
	if err != nil {
		h.Fatal(err)
	}
}

// most calls of one kind and thread that are killed or failed in the long form: of
// those that matter there are fewer, of reads there are hundreds.
const most = 40

// killedAtSystemCalls kills applies at each call that writes a file, a name or a
// netlink message. strace counts the calls of each thread.
func killedAtSystemCalls(t *trial) {
	e := newEditor(t)
	kills := 0
	calls := []string{"sendto", "write", "sendmsg", "recvmsg", "recvfrom", "read"} // read and write are of files, too
	if !long() {
		calls = calls[:1]
	}
	for _, call := range calls {
		for n := 1; n <= rounds(3, most); n++ {
			if !e.injected(call, "signal=KILL", n) {
				break
			}
			kills++
		}
	}
	t.measure("%d kills at %s; of %d applies old %d, new %d, between 0", kills, strings.Join(calls, ", "), e.old+e.now, e.old, e.now)
	if long() && (e.old == 0 || e.now == 0) {
		t.Error("the kills do not cover both sides of the commit")
	}
}

// injected spoils the n-th call of its kind in an apply; false: there are not so
// many.
func (e *editor) injected(call, what string, n int) (happened bool) {
	e.Helper()
	e.need("strace")
	trace := e.path("trace")
	e.round(func(apply *exec.Cmd) {
		out, code := e.run(exec.Command("strace", append([]string{
			"-f", "-qq", "-o", trace, "-e", "trace=" + call, "-e", "inject=" + call + ":" + what + ":when=" + strconv.Itoa(n),
		}, apply.Args...)...))
		text, err := os.ReadFile(trace)
		if err != nil {
			e.Fatalf("strace: %v\n%s", err, out)
		}
		happened = strings.Contains(string(text), "(INJECTED)") || strings.Contains(string(text), "killed by SIGKILL")
		if happened && code == 0 && !strings.Contains(what, "KILL") {
			// Nobody was told: then everything must be as asked for.
			again, left := e.plan()
			if left != 0 {
				e.Errorf("%s of %s %d: exit code 0, and a plan is left:\n%s\n%s", what, call, n, again, out)
			}
		}
	})
	return happened
}

// need ends a row for which a program is not installed.
func (t *trial) need(programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			t.unable("the program %s is not installed", p)
		}
	}
}

// failingFiles kills and fails what an apply does to files.
func failingFiles(t *trial) {
	e := newEditor(t)
	whats := []string{"signal=KILL", "error=ENOSPC", "error=EIO"}
	calls := []string{"fsync", "renameat", "write", "unlinkat", "fchmod", "mkdirat"}
	if !long() {
		whats, calls = whats[1:2], calls[:2]
	}
	n := 0
	for _, what := range whats {
		for _, call := range calls {
			for at := 1; at <= rounds(2, most); at++ {
				if !e.injected(call, what, at) {
					break
				}
				n++
			}
		}
	}
	t.measure("%d calls killed or failed; of %d applies old %d, new %d, between 0; exit code 0 only when all was done", n, e.old+e.now, e.old, e.now)
}
