package nftwatch

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/enforcer/kernel/internal/nfnl"
)

// Target is a table to watch.
type Target struct {
	Family, Table string
	// Sets, if there are any, are all that matters of the table: a change is what
	// takes one of them away, or elements out of it, or makes it anew.
	Sets []string
}

// Change is what one transaction did to one table.
type Change struct {
	Family, Table string
	// PID and Process are the thread that sent it, as the kernel names it; Command
	// is its command line if it still runs. Empty where the kernel does not say.
	PID     int
	Process string
	Command string
	// Messages counts what of it was about the table.
	Messages int
	// Removed says that the table is gone after it.
	Removed bool
	// Sets are those of the Target's that lost something.
	Sets []string
	// Lost says that the kernel could not deliver some announcements: anything may
	// have happened, and the other fields are empty.
	Lost bool
}

// readBuffer holds the announcements of a transaction of thousands of rules,
// which come at once.
const readBuffer = 4 << 20

// Attributes of a generation (enum nft_gen_attributes), and those that name the
// table in every message about a part of it, and the set in messages about sets.
const (
	attrProcPID  = 2 // NFTA_GEN_PROC_PID
	attrProcName = 3 // NFTA_GEN_PROC_NAME
	attrTable    = 1 // NFTA_TABLE_NAME, NFTA_CHAIN_TABLE, NFTA_RULE_TABLE, NFTA_SET_TABLE, ...
	attrSet      = 2 // NFTA_SET_NAME, NFTA_SET_ELEM_LIST_SET
)

// Watcher hears what happens to tables. One goroutine may use it; Wake is anybody's.
type Watcher struct {
	socket *nfnl.Socket
	file   *os.File // the socket, in the runtime's poller: a thread that waited for it would be looked after
	woken  atomic.Bool
	buf    []byte
	left   []byte // of the last datagram

	watched []watched
	ready   []Change // of the last transaction
}

// watched is a table and what the transaction at hand has done to it so far.
type watched struct {
	Target
	family   uint8
	messages int
	removed  bool
	lost     []string
}

// families are the numbers of the families that netpol's tables and sets may have.
func families() map[string]uint8 {
	return map[string]uint8{"inet": unix.NFPROTO_INET, "ip": unix.NFPROTO_IPV4, "ip6": unix.NFPROTO_IPV6}
}

// Open begins to listen in the network namespace of the calling thread. The
// caller must Close. It needs CAP_NET_ADMIN.
func Open(targets ...Target) (*Watcher, error) {
	w := &Watcher{buf: make([]byte, 1<<16)}
	if err := w.Watch(targets...); err != nil {
		return nil, err
	}
	s, err := nfnl.Open(nfnl.Options{ReadBuffer: readBuffer})
	if err != nil {
		return nil, fmt.Errorf("watch tables: %w", err)
	}
	if err := unix.SetsockoptInt(s.FD(), unix.SOL_NETLINK, unix.NETLINK_ADD_MEMBERSHIP, unix.NFNLGRP_NFTABLES); err != nil {
		_ = s.Close()
		return nil, fmt.Errorf("watch tables: join NFNLGRP_NFTABLES: %w", err)
	}
	w.socket, w.file = s, os.NewFile(uintptr(s.FD()), "announcements of nftables")
	return w, nil
}

// Watch goes over to other targets; each table is named once.
func (w *Watcher) Watch(targets ...Target) error {
	list := make([]watched, 0, len(targets))
	for _, t := range targets {
		number, ok := families()[t.Family]
		if !ok {
			return fmt.Errorf("watch table %s %s: unknown family", t.Family, t.Table)
		}
		list = append(list, watched{Target: t, family: number})
	}
	w.watched = list
	return nil
}

// Close stops listening.
func (w *Watcher) Close() error { return w.file.Close() }

// Wake makes a waiting Next, or the next that would wait, return at once.
func (w *Watcher) Wake() {
	w.woken.Store(true)
	_ = w.file.SetReadDeadline(time.Now()) // a Watcher that is closed waits for nothing
}

// Next returns the next change; ok is false when there was none within timeout, or
// before Wake.
func (w *Watcher) Next(timeout time.Duration) (c Change, ok bool, err error) {
	deadline := time.Now().Add(timeout)
	for {
		if len(w.ready) > 0 || w.next() {
			c, w.ready = w.ready[0], w.ready[1:]
			return c, true, nil
		}
		n, err := w.receive(deadline)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return Change{}, false, nil
		case errors.Is(err, unix.ENOBUFS):
			w.forget()
			return Change{Lost: true}, true, nil
		case err != nil:
			return Change{}, false, fmt.Errorf("watch tables: %w", err)
		}
		w.left = w.buf[:n]
	}
}

// receive reads a datagram, or waits for one.
func (w *Watcher) receive(deadline time.Time) (int, error) {
	if n, err := w.socket.TryReceive(w.buf); !errors.Is(err, unix.EAGAIN) {
		return n, err
	}
	if err := w.file.SetReadDeadline(deadline); err != nil {
		return 0, err
	}
	if w.woken.Swap(false) {
		return 0, os.ErrDeadlineExceeded
	}
	n, err := w.file.Read(w.buf)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		w.woken.Store(false)
	}
	return n, err
}

// next takes messages of the last datagram up to the end of a transaction that
// did something to a table.
func (w *Watcher) next() bool {
	for {
		m, rest, ok := nfnl.Next(w.left)
		if !ok {
			w.left = nil
			return false
		}
		w.left = rest
		if m.Type>>8 != unix.NFNL_SUBSYS_NFTABLES {
			continue
		}
		if kind := m.Type & 0xff; kind != unix.NFT_MSG_NEWGEN {
			w.note(kind, m)
			continue
		}
		if w.ended(m.Data); len(w.ready) > 0 {
			return true
		}
	}
}

// ended makes changes of what the transaction did.
func (w *Watcher) ended(generation []byte) {
	for i := range w.watched {
		t := &w.watched[i]
		if t.messages == 0 {
			continue
		}
		c := Change{Family: t.Family, Table: t.Table, Messages: t.messages, Removed: t.removed, Sets: t.lost}
		c.by(generation)
		w.ready = append(w.ready, c)
	}
	w.forget()
}

// forget begins a transaction.
func (w *Watcher) forget() {
	for i := range w.watched {
		t := &w.watched[i]
		t.messages, t.removed, t.lost = 0, false, nil
	}
}

// note remembers a message about a table.
func (w *Watcher) note(kind uint16, m nfnl.Message) {
	name := text(m.Data, attrTable)
	i := slices.IndexFunc(w.watched, func(t watched) bool { return t.family == m.Family && t.Table == name })
	if i < 0 {
		return
	}
	t := &w.watched[i]
	switch kind {
	case unix.NFT_MSG_NEWTABLE:
		t.removed = false
	case unix.NFT_MSG_DELTABLE:
		t.removed = true
		t.lost = t.Sets
	case unix.NFT_MSG_DELSET, unix.NFT_MSG_DELSETELEM, unix.NFT_MSG_NEWSET: // a new one has nothing in it yet
		if set := text(m.Data, attrSet); slices.Contains(t.Sets, set) && !slices.Contains(t.lost, set) {
			t.lost = append(slices.Clip(t.lost), set)
		}
	}
	if len(t.Sets) == 0 || len(t.lost) > 0 {
		t.messages++
	}
}

// text is a message's attribute; empty if it has none of the type.
func text(data []byte, attr uint16) string {
	for a, rest, ok := nfnl.NextAttr(data); ok; a, rest, ok = nfnl.NextAttr(rest) {
		if a.Type == attr {
			return a.String()
		}
	}
	return ""
}

// maxCommand bounds a command line, in bytes.
const maxCommand = 200

// by reads who sent the transaction.
func (c *Change) by(data []byte) {
	for a, rest, ok := nfnl.NextAttr(data); ok; a, rest, ok = nfnl.NextAttr(rest) {
		switch a.Type {
		case attrProcPID:
			c.PID = int(a.Uint32())
		case attrProcName:
			c.Process = a.String()
		}
	}
	if c.PID > 0 {
		line, _ := os.ReadFile("/proc/" + strconv.Itoa(c.PID) + "/cmdline") // it may be gone
		c.Command = strings.TrimSpace(strings.ReplaceAll(string(line[:min(len(line), maxCommand)]), "\x00", " "))
	}
}

// Present reports whether the table is there.
func Present(family, table string) (bool, error) {
	number, ok := families()[family]
	if !ok {
		return false, fmt.Errorf("look for table %s %s: unknown family", family, table)
	}
	s, err := nfnl.Open(nfnl.Options{})
	if err != nil {
		return false, fmt.Errorf("look for table %s %s: %w", family, table, err)
	}
	defer func() { _ = s.Close() }()
	msg, start := nfnl.Begin(nil, unix.NFNL_SUBSYS_NFTABLES<<8|unix.NFT_MSG_GETTABLE, nfnl.FlagRequest|nfnl.FlagAck, 1, number, 0)
	msg = nfnl.End(nfnl.String(msg, unix.NFTA_TABLE_NAME, table), start)
	if err := s.Send(msg); err != nil {
		return false, fmt.Errorf("look for table %s %s: %w", family, table, err)
	}
	buf := make([]byte, 1<<16)
	for {
		n, err := s.Receive(buf, answerTimeout)
		if err != nil {
			return false, fmt.Errorf("look for table %s %s: %w", family, table, err)
		}
		for m, rest, ok := nfnl.Next(buf[:n]); ok; m, rest, ok = nfnl.Next(rest) {
			errno, done := m.Errno()
			switch {
			case done && (errno == 0 || unix.Errno(errno) == unix.ENOENT):
				return errno == 0, nil
			case done:
				return false, fmt.Errorf("look for table %s %s: %w", family, table, unix.Errno(errno))
			}
		}
	}
}

// answerTimeout only bounds a broken kernel, which answers within the system call.
const answerTimeout = 5 * time.Second
