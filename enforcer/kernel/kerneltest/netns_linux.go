package kerneltest

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// NS is a network namespace that lives as long as its test.
type NS struct {
	tb     testing.TB
	name   string
	handle netns.NsHandle
}

// NewNS makes a fresh namespace, loopback up, and moves the calling goroutine
// into it, locked to its thread, until the test ends. Goroutines that the test
// starts are elsewhere: they go through Do.
func NewNS(tb testing.TB) *NS {
	tb.Helper()
	ns := create(tb, "ns")
	ns.Enter()
	return ns
}

// create makes a namespace without staying in it.
func create(tb testing.TB, name string) *NS {
	tb.Helper()
	ns := &NS{tb: tb, name: name}
	var err error
	onOwnThread(func() {
		if ns.handle, err = netns.New(); err != nil {
			return
		}
		var lo netlink.Link
		if lo, err = netlink.LinkByName("lo"); err == nil {
			err = netlink.LinkSetUp(lo)
		}
	})
	if errors.Is(err, unix.EPERM) {
		Unable(tb, "making a network namespace needs root")
	}
	if err != nil {
		tb.Fatalf("make network namespace %s: %v", name, err)
	}
	tb.Cleanup(func() { _ = ns.handle.Close() })
	return ns
}

// onOwnThread runs f on a thread that dies afterwards, so that what f does to
// its thread (a changed namespace) cannot reach another goroutine.
func onOwnThread(f func()) {
	var wg sync.WaitGroup
	wg.Go(func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		f()
	})
	wg.Wait()
}

// Enter moves the calling goroutine into the namespace until the test ends.
func (ns *NS) Enter() {
	ns.tb.Helper()
	runtime.LockOSThread()
	before, err := netns.Get()
	if err != nil {
		ns.tb.Fatalf("open current network namespace: %v", err)
	}
	if err := netns.Set(ns.handle); err != nil {
		ns.tb.Fatalf("enter network namespace %s: %v", ns.name, err)
	}
	ns.tb.Cleanup(func() {
		defer func() { _ = before.Close() }()
		if err := netns.Set(before); err != nil {
			ns.tb.Errorf("leave network namespace %s: %v", ns.name, err)
			return // stays locked: the thread must not serve another goroutine
		}
		runtime.UnlockOSThread()
	})
}

// Do runs f inside the namespace on a thread of its own and waits for it.
// Sockets that f opens keep working outside. f must not call tb.FailNow.
func (ns *NS) Do(f func()) {
	ns.tb.Helper()
	var err error
	onOwnThread(func() {
		if err = netns.Set(ns.handle); err == nil {
			f()
		}
	})
	if err != nil {
		ns.tb.Fatalf("enter network namespace %s: %v", ns.name, err)
	}
}

// Run runs a command inside the namespace and returns what it printed; a
// command that fails or is not installed fails the test.
func (ns *NS) Run(name string, args ...string) string {
	ns.tb.Helper()
	var out []byte
	var err error
	ns.Do(func() { out, err = exec.Command(name, args...).CombinedOutput() })
	if errors.Is(err, exec.ErrNotFound) {
		Need(ns.tb, name)
	}
	if err != nil {
		ns.tb.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// Sysctl writes a value under /proc/sys; path has slashes, "net/ipv4/ip_forward".
func (ns *NS) Sysctl(path, value string) {
	ns.tb.Helper()
	var err error
	ns.Do(func() { err = os.WriteFile("/proc/sys/"+path, []byte(value), 0o644) })
	if err != nil {
		ns.tb.Fatalf("set sysctl %s: %v", path, err)
	}
}

// Handle is the open namespace, for libraries that take one.
func (ns *NS) Handle() int { return int(ns.handle) }

// DoUnprivileged is Do on a thread that has given up all its capabilities.
func (ns *NS) DoUnprivileged(f func()) {
	ns.tb.Helper()
	var err error
	ns.Do(func() {
		hdr := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var none [2]unix.CapUserData
		if err = unix.Capset(&hdr, &none[0]); err == nil {
			f()
		}
	})
	if err != nil {
		ns.tb.Fatalf("drop capabilities: %v", err)
	}
}
