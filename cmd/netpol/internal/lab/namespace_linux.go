package lab

import (
	"errors"
	"fmt"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// errClosed is what Do returns once the namespace is gone.
var errClosed = errors.New("namespace is closed")

// Namespace is a network namespace held by one locked OS thread. Sockets that
// Do's function opens, and processes it starts, belong to the namespace;
// goroutines it starts do not.
type Namespace struct {
	Name  string
	file  *os.File // keeps the namespace alive and names it to netlink
	calls chan func()
	done  chan struct{}
}

// NewNamespace makes an empty network namespace. The caller must Close it.
func NewNamespace(name string) (*Namespace, error) {
	ns := &Namespace{Name: name, calls: make(chan func()), done: make(chan struct{})}
	ready := make(chan error)
	go ns.run(ready)
	if err := <-ready; err != nil {
		return nil, fmt.Errorf("create namespace %s: %w", name, err)
	}
	return ns, nil
}

// run is the namespace's thread. It never unlocks, so that the thread ends
// with the goroutine and cannot serve anybody else in the wrong namespace.
func (ns *Namespace) run(ready chan<- error) {
	runtime.LockOSThread()
	err := unix.Unshare(unix.CLONE_NEWNET)
	if err == nil {
		ns.file, err = os.Open(fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid()))
	}
	ready <- err
	if err != nil {
		return
	}
	for {
		select {
		case f := <-ns.calls:
			f()
		case <-ns.done:
			return
		}
	}
}

// Do runs f on the namespace's thread and returns its error.
func (ns *Namespace) Do(f func() error) error {
	result := make(chan error, 1)
	select {
	case ns.calls <- func() { result <- f() }:
		return <-result
	case <-ns.done:
		return errClosed
	}
}

// Close lets the namespace go; the kernel removes it, with its interfaces, when
// the last socket in it is closed.
func (ns *Namespace) Close() error {
	close(ns.done)
	return ns.file.Close()
}
