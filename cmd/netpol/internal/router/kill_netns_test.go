package router

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// Environment of a child that dies at a step: the directory of its router, the
// number of the step, and whether it applies or recovers.
const (
	childDir  = "NETPOL_TEST_ROUTER"
	childStep = "NETPOL_TEST_DIE_AT"
	childDoes = "NETPOL_TEST_DO"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if err := child(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// child applies the second bundle, or recovers, and dies of SIGKILL at a step.
func child(dir string) error {
	last, err := strconv.Atoi(os.Getenv(childStep))
	if err != nil {
		return err
	}
	r, steps := routerIn(dir), 0
	r.stopAt = func(string) {
		if steps++; steps == last {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // the signal ends the process before this goroutine goes on
		}
	}
	unlock, err := r.Lock()
	if err != nil {
		return err
	}
	defer unlock()
	if err := r.Recover(quiet); err != nil || os.Getenv(childDoes) == "recover" {
		return err
	}
	live, err := r.Read()
	if err != nil {
		return err
	}
	return r.ApplyAs(secondBundle(), live, Meta{Confirm: time.Hour}, quiet)
}

func routerIn(dir string) Router {
	return Router{StateDir: filepath.Join(dir, "state"), RunDir: filepath.Join(dir, "run"), EtcDir: filepath.Join(dir, "etc")}
}

// secondBundle differs from sampleBundle in a label, a rule, a set of flows and a
// routing rule.
func secondBundle() *artifact.Bundle {
	b := sampleBundle()
	b.Routes = []artifact.Route{{Table: 100, Mark: artifact.RouteMark(0x7f000000, 0), Mask: 0x7f000000}}
	b.Labels = append(b.Labels, artifact.Label{Name: "bulk", Bit: 2})
	b.Ruleset.Chains[0].Rules = append(b.Ruleset.Chains[0].Rules,
		artifact.Rule{ID: "bulk", Do: []artifact.Statement{{Kind: artifact.DoSetCTLabel, Bit: 2, Name: "bulk"}}})
	return b
}

// dies runs a child that dies at the n-th step; false: it came to its end
// before.
func dies(t *testing.T, ns *kerneltest.NS, dir, does string, n int) bool {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), childDir+"="+dir, childDoes+"="+does, childStep+"="+strconv.Itoa(n))
	var out []byte
	ns.Do(func() { out, err = cmd.CombinedOutput() })
	if err == nil {
		return false
	}
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the child ended with %v: %s", err, out)
	}
	return true
}

// TestKilledAtEveryStep: an apply that dies anywhere, and a recovery of it that
// dies anywhere, leave the old policy or the new one, and nothing beside.
func TestKilledAtEveryStep(t *testing.T) {
	if testing.Short() {
		t.Skip("starts some hundred processes")
	}
	applied := map[bool]int{} // by whether the second bundle is in force
	for n := 1; ; n++ {
		for m := 1; ; m++ {
			more := killTwice(t, n, m, applied)
			if !more.first {
				t.Logf("died at %d steps; afterwards old policy %d times, new policy %d times", n-1, applied[false], applied[true])
				if n < 15 || applied[false] == 0 || applied[true] == 0 {
					t.Errorf("the steps do not cover both sides of the commit")
				}
				return
			}
			if !more.second {
				break
			}
		}
	}
}

type died struct{ first, second bool }

// killTwice kills an apply at step n and the recovery at step m.
func killTwice(t *testing.T, n, m int, applied map[bool]int) (d died) {
	t.Run(fmt.Sprintf("%d then %d", n, m), func(t *testing.T) {
		ns := kerneltest.NewNS(t)
		r := newRouter(t)
		dir := filepath.Dir(r.StateDir)
		change(t, r, sampleBundle(), Meta{})
		if d.first = dies(t, ns, dir, "apply", n); !d.first {
			return
		}
		seen := whole(t, r)
		d.second = dies(t, ns, dir, "recover", m)
		if again := whole(t, r); again != seen {
			t.Errorf("new policy in force: %v, after the recovery: %v", seen, again)
		}
		change(t, r, nil, Meta{}) // recovers, and no more
		if again := whole(t, r); again != seen {
			t.Errorf("new policy in force: %v, after the second recovery: %v", seen, again)
		}
		applied[seen]++
		assertTidy(t, r, seen)
		change(t, r, secondBundle(), Meta{})
		if left := r.Diff(read(t, r), secondBundle()); len(left) > 0 {
			t.Errorf("the next apply leaves %v", left)
		}
	})
	return d
}

// change recovers, and applies a bundle unless it is nil.
func change(t *testing.T, r Router, b *artifact.Bundle, meta Meta) {
	t.Helper()
	unlock, err := r.Lock()
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	if err := r.Recover(quiet); err != nil {
		t.Fatal(err)
	}
	if b == nil {
		return
	}
	if err := r.ApplyAs(b, read(t, r), meta, quiet); err != nil {
		t.Fatal(err)
	}
}

// whole reports which bundle is in force, and fails unless it is one of them as a
// whole.
func whole(t *testing.T, r Router) (second bool) {
	t.Helper()
	live := read(t, r)
	old, now := r.Diff(live, sampleBundle()), r.Diff(live, secondBundle())
	if len(old) > 0 && len(now) > 0 {
		t.Fatalf("neither the old policy:\n%v\nnor the new one:\n%v", old, now)
	}
	return len(now) == 0
}

// assertTidy fails if an apply that was recovered left files, or a history or a
// deadline that does not fit what is in force.
func assertTidy(t *testing.T, r Router, second bool) {
	t.Helper()
	history, err := r.History()
	if err != nil {
		t.Error(err)
	}
	want := map[bool]int{false: 1, true: 2}[second]
	if len(history) != want {
		t.Errorf("history %+v, want %d revisions", history, want)
	}
	names := map[string]bool{"bundle.npb": true, revisionsName: true, "pending.json": second}
	entries, err := os.ReadDir(r.StateDir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !names[e.Name()] {
			t.Errorf("%s stays behind", e.Name())
		}
	}
	if _, err := os.Stat(r.PendingPath()); second != (err == nil) && !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("deadline: %v, want one: %v", err, second)
	}
	bundles, _ := filepath.Glob(filepath.Join(r.StateDir, revisionsName, "*"))
	if len(bundles) != 2*want {
		t.Errorf("revisions hold %v", bundles)
	}
}
