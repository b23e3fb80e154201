package faults

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"

	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
	"github.com/netpol/netpol/enforcer/kernel/nft"
)

// twoApplies has two applies begin at once. The loser finds the lock taken, or
// comes when the winner is done.
func twoApplies(t *trial) {
	h := newHost(t, kerneltest.NewNS(t))
	named := regexp.MustCompile(`another netpol is changing this router: process \d+, "netpol apply [^"]+", by \w+, since \d\d:\d\d:\d\d; try again`)
	for i, code := range []string{"cs1", "cs2"} {
		h.write(fmt.Sprintf("policies%d/some.netpol.hcl", i), strings.ReplaceAll(somePolicies, "cs5", code))
	}
	n, refused := rounds(3, 100), 0
	for range n {
		var applies [2]*exec.Cmd
		var out [2]*logBuffer
		for i := range applies {
			out[i] = &logBuffer{}
			applies[i] = h.command("apply", "--auto-approve", h.path(fmt.Sprintf("policies%d", i)))
			applies[i].Stdout, applies[i].Stderr = out[i], out[i]
			h.start(applies[i])
		}
		failed := 0
		for i, apply := range applies {
			if apply.Wait() == nil {
				continue
			}
			failed++
			if !named.MatchString(out[i].String()) {
				t.Errorf("the loser does not name the winner:\n%s", out[i])
			}
		}
		if failed == 2 {
			t.Error("both lost")
		}
		refused += failed
	}
	t.measure("%d rounds: %d times one won and the other named it, %d times it came after, both lost 0", n, refused, n-refused)
}

// stalePlan has somebody add a rule to netpol's table between a plan and its
// apply.
func stalePlan(t *trial) {
	e := newEditor(t)
	n := rounds(2, 100)
	for range n {
		e.edit()
		plan := e.path("router.np")
		e.netpol(0, "plan", "--out", plan, e.path("policies"))
		e.ns.Run("nft", "add", "rule", "inet", "netpol", "np_dscp", "counter")
		before, files := e.generation(), e.stateFiles()
		e.want(e.netpol(1, "apply", "--auto-approve", plan), "stale plan")
		if after := e.generation(); after != before {
			t.Errorf("generation %d became %d: a refused plan was written", before, after)
		}
		if after := e.stateFiles(); after != files {
			t.Errorf("a refused plan changed files from\n%s\nto\n%s", files, after)
		}
		e.apply()
	}
	t.measure("%d of %d refused, 0 nftables transactions, 0 files", n, n)
}

// generation counts the transactions of nftables in the host's namespace.
func (h *host) generation() uint32 {
	h.Helper()
	return h.live().Generation
}

// live is netpol's table in the kernel.
func (h *host) live() (state nft.State) {
	h.Helper()
	var err error
	h.ns.Do(func() { state, err = nft.Read("inet", "netpol", nil) })
	if err != nil {
		h.Fatal(err)
	}
	return state
}

// stateFiles are the names, sizes and times of the state directory's files.
func (h *host) stateFiles() string {
	h.Helper()
	return h.ns.Run("find", h.path("state"), "-type", "f", "-printf", `%p %s %T@\n`)
}

// noRoom has the state directory on a file system that takes no writes.
func noRoom(t *trial) {
	refused := 0
	for _, c := range []struct{ options, text, told string }{
		{"size=8M", "no space left", "KiB left"},
		{"", "read-only file system", "is on a read-only file system"},
	} {
		h := newHost(t, kerneltest.NewNS(t))
		if err := os.Mkdir(h.path("state"), 0o755); err != nil {
			t.Fatal(err)
		}
		h.mount("-t", "tmpfs", "-o", "mode=755,"+c.options, "netpol-test", h.path("state"))
		h.apply()
		if c.options == "" {
			h.ns.Run("mount", "-o", "remount,ro", h.path("state"))
		} else {
			h.fill("state/ballast")
		}
		before := h.table()
		d := h.netpold()
		h.want(h.netpol(0, "show"), "Degraded", "  state ")
		h.want(h.netpol(0, "show", "--json"), `"degraded":[{"code":"state"`, `"way_out"`)
		out, _ := h.run(h.command("doctor"))
		h.want(out, "state directory")
		h.write("policies/some.netpol.hcl", strings.ReplaceAll(somePolicies, "cs5", "cs1"))
		h.want(h.netpol(1, "apply", "--auto-approve", h.path("policies")), c.text, "nothing was changed")
		if after := h.table(); after != before {
			t.Errorf("an apply without room changed the rules to\n%s", after)
		}
		if n := strings.Count(d.log.String(), c.told); n != 1 {
			t.Errorf("told %d times, want once:\n%s", n, d.log)
		}
		refused++
	}
	t.measure("%d of 2: netpold up and degraded, apply refused, rules unchanged, told once", refused)
}

// mount mounts something until the row ends.
func (h *host) mount(args ...string) {
	h.Helper()
	if out, err := exec.Command("mount", args...).CombinedOutput(); err != nil {
		h.unable("mount is refused: %v %s", err, out)
	}
	target := args[len(args)-1]
	h.Cleanup(func() { _ = syscall.Unmount(target, syscall.MNT_DETACH) })
}

// fill writes a file until its file system is full.
func (h *host) fill(name string) {
	h.Helper()
	f, err := os.Create(h.path(name))
	if err != nil {
		h.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 16; size > 0; {
		if _, err := f.Write(make([]byte, size)); err != nil {
			size /= 2
		}
	}
}
