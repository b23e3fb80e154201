package faults

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// patience bounds every wait; what is waited for takes some milliseconds.
const patience = 30 * time.Second

// policies that most rows apply: one that netpold decides, one that the kernel
// does alone.
const somePolicies = `policy "zoom" {
  criteria = "app == 'zoom'"
  label    = "zoom"
  dscp     = "cs5"
}

policy "mail" {
  criteria = "ip_protocol == 6 && dst_port == 25"
  label    = "mail"
}
`

// host is a router of the tests: a namespace, and directories for the programs.
type host struct {
	*trial
	ns  *kerneltest.NS
	dir string // holds bin, policies, state, run and etc
	// wrap is a command that starts the programs, if any.
	wrap []string
	// env are variables of netpold's, beside the test's own.
	env []string
}

// newHost puts the programs and some policies on a router.
func newHost(t *trial, ns *kerneltest.NS) *host {
	t.Helper()
	// A socket's path must fit a sockaddr_un, which t.TempDir does not promise.
	dir, err := os.MkdirTemp("", "fa")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	h := &host{trial: t, ns: ns, dir: dir}
	self, err := os.Executable()
	if err == nil {
		err = os.Mkdir(h.path("bin"), 0o755)
	}
	for _, name := range []string{"netpol", "netpold"} {
		if err != nil {
			break
		}
		if err = os.Link(self, h.path("bin/"+name)); errors.Is(err, syscall.EXDEV) {
			err = exec.Command("cp", self, h.path("bin/"+name)).Run()
		}
	}
	if err != nil {
		t.Fatalf("install the programs: %v", err)
	}
	h.write("policies/some.netpol.hcl", somePolicies)
	h.write("etc/connlabel.conf", "7\tcorporate\n")
	return h
}

func (h *host) path(name string) string { return filepath.Join(h.dir, name) }

func (h *host) write(name, text string) {
	h.Helper()
	err := os.MkdirAll(filepath.Dir(h.path(name)), 0o755)
	if err == nil {
		err = os.WriteFile(h.path(name), []byte(text), 0o644)
	}
	if err != nil {
		h.Fatal(err)
	}
}

// command is the tool with the host's directories. Nothing waits to be confirmed
// unless args ask for it, wherever the tests run.
func (h *host) command(verb string, args ...string) *exec.Cmd {
	line := []string{verb, "--state-dir", h.path("state"), "--run-dir", h.path("run"), "--etc-dir", h.path("etc")}
	if (verb == "apply" || verb == "rollback") && !slices.Contains(args, "--confirm") && !slices.Contains(args, "--expired") {
		line = append(line, "--no-confirm")
	}
	return h.program("netpol", append(line, args...))
}

// program is one of the programs with its arguments.
func (h *host) program(name string, args []string) *exec.Cmd {
	line := append(slices.Clone(h.wrap), h.path("bin/"+name))
	return exec.Command(line[0], append(line[1:], args...)...)
}

// run runs a command on the router.
func (h *host) run(cmd *exec.Cmd) (out string, code int) {
	h.Helper()
	var text []byte
	var err error
	h.ns.Do(func() { text, err = cmd.CombinedOutput() })
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		h.Fatalf("%v: %v", cmd.Args, err)
	}
	return string(text), cmd.ProcessState.ExitCode()
}

// netpol runs a verb that must end with a code.
func (h *host) netpol(want int, verb string, args ...string) string {
	h.Helper()
	out, code := h.run(h.command(verb, args...))
	if code != want {
		h.Fatalf("netpol %s %v: exit code %d, want %d\n%s", verb, args, code, want, out)
	}
	return out
}

// apply applies the policies, after whatever netpold has the tool do.
func (h *host) apply() string {
	h.Helper()
	return h.netpol(0, "apply", "--auto-approve", "--lock-timeout", "30s", h.path("policies"))
}

// table is netpol's table in the kernel, without counters.
func (h *host) table() string {
	h.Helper()
	return h.ns.Run("nft", "-s", "list", "table", "inet", "netpol")
}

// want fails unless the text has all of the others.
func (h *host) want(text string, others ...string) {
	h.Helper()
	for _, other := range others {
		if !strings.Contains(text, other) {
			h.Errorf("lacks %q:\n%s", other, text)
		}
	}
}

// within waits until something holds and tells how long that took.
func (h *host) within(limit time.Duration, what string, holds func() bool) time.Duration {
	h.Helper()
	began := time.Now()
	for !holds() {
		if time.Since(began) > patience {
			h.Fatalf("after %v still not: %s", patience, what)
		}
		time.Sleep(5 * time.Millisecond)
	}
	took := time.Since(began)
	if took > h.slack(limit) {
		h.Errorf("%s took %v, want at most %v", what, took, limit)
	}
	return took
}

// times are how long something took, each time.
type times []time.Duration

// String gives the median, and the longest.
func (t times) String() string {
	return fmt.Sprintf("%v, at most %v", t.median().Round(time.Millisecond), slices.Max(t).Round(time.Millisecond))
}

func (t times) median() time.Duration { return slices.Sorted(slices.Values(t))[len(t)/2] }

// usually fails unless something took no longer than a limit most times: the
// machine has other things to do now and then.
func (h *host) usually(took times, limit time.Duration, what string) {
	h.Helper()
	if took.median() > h.slack(limit) {
		h.Errorf("%s took %s, want %v at most", what, took, limit)
	}
}

// slack is what a limit is in the short form, in which rows run beside each other
// and beside other packages' tests on machines that are busy.
func (h *host) slack(limit time.Duration) time.Duration {
	if long() {
		return limit
	}
	return max(limit, patience/2)
}

// enforcer is a running netpold.
type enforcer struct {
	cmd *exec.Cmd
	log *logBuffer
}

// logBuffer is written by the process and read by the test.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// netpold starts the enforcer and waits until it answers.
func (h *host) netpold(args ...string) *enforcer {
	h.Helper()
	e := h.launch(args...)
	h.within(patience, "netpold answers", func() bool { return strings.Contains(h.netpol(0, "show"), "process ") })
	return e
}

// launch starts the enforcer.
func (h *host) launch(args ...string) *enforcer {
	h.Helper()
	e := &enforcer{log: &logBuffer{}}
	e.cmd = h.program("netpold", append([]string{
		"--state-dir", h.path("state"), "--run-dir", h.path("run"), "--etc-dir", h.path("etc"),
	}, args...))
	e.cmd.Stderr = e.log
	e.cmd.Env = append(os.Environ(), h.env...)
	var err error
	h.ns.Do(func() { err = e.cmd.Start() })
	if err != nil {
		h.Fatalf("start netpold: %v", err)
	}
	h.Cleanup(func() {
		e.kill()
		if h.Failed() {
			h.Logf("netpold:\n%s", e.log.String())
		}
	})
	return e
}

// kill ends the enforcer the hard way.
func (e *enforcer) kill() {
	if e.cmd.ProcessState == nil {
		_ = e.cmd.Process.Kill()
		_ = e.cmd.Wait()
	}
}
