package ct

import (
	"errors"
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/kernel/internal/nfnl"
)

// endsBuffer holds the announcements of some ten thousand connections that end at once. What finds no
// room is lost.
const endsBuffer = 4 << 20

// Ends hears which connections conntrack forgets, and what they have carried in all. The kernel
// announces those that began while somebody listened (net.netfilter.nf_conntrack_events, 2), at some
// 3 µs each on the forwarding path.
type Ends struct {
	file *os.File // the socket, in the runtime's poller: a thread that waited for it would be looked after
	in   []byte

	mu        sync.Mutex // guards listening
	listening bool
}

// OpenEnds makes one for the current network namespace, which does not listen yet. The caller must Close it.
func OpenEnds() (*Ends, error) {
	s, err := nfnl.Open(nfnl.Options{ReadBuffer: endsBuffer})
	if err != nil {
		return nil, fmt.Errorf("open conntrack events: %w", err)
	}
	return &Ends{file: os.NewFile(uintptr(s.FD()), "conntrack events"), in: make([]byte, receiveBytes)}, nil
}

// Listen begins or stops to listen. Safe for concurrent use.
func (e *Ends) Listen(on bool) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.listening == on {
		return nil
	}
	option := unix.NETLINK_DROP_MEMBERSHIP
	if on {
		option = unix.NETLINK_ADD_MEMBERSHIP
	}
	raw, err := e.file.SyscallConn() // Close may come first, and the number be somebody else's
	if err == nil {
		var failed error
		err = raw.Control(func(fd uintptr) {
			failed = unix.SetsockoptInt(int(fd), unix.SOL_NETLINK, option, unix.NFNLGRP_CONNTRACK_DESTROY)
		})
		err = errors.Join(err, failed)
	}
	if err != nil {
		return fmt.Errorf("listen for the end of connections: %w", err)
	}
	e.listening = on
	return nil
}

// Next waits for announcements and calls each for every one; the connection is valid during the call. It
// fails when Ends is closed, and for good. One goroutine calls it.
func (e *Ends) Next(each func(*flow.Connection)) error {
	n, err := e.file.Read(e.in)
	switch {
	case errors.Is(err, unix.ENOBUFS), errors.Is(err, unix.EINTR):
		return nil // some are lost: lists find them
	case err != nil:
		return fmt.Errorf("hear of the end of connections: %w", err)
	}
	for m, rest, ok := nfnl.Next(e.in[:n]); ok; m, rest, ok = nfnl.Next(rest) {
		if m.Type == msgDelete {
			c := parseConn(m.Data)
			each(&c.Connection)
		}
	}
	return nil
}

// Close ends Next.
func (e *Ends) Close() error { return e.file.Close() }
