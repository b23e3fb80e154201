package nftwatch

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/enforcer/kernel/internal/nfnl"
)

// Change is one transaction that touched the table.
type Change struct {
	// PID and Process are the thread that sent it, as the kernel names it; Command
	// is its command line if it still runs. Empty where the kernel does not say.
	PID     int
	Process string
	Command string
	// Messages counts what of it was about the table.
	Messages int
	// Removed says that the table is gone after it.
	Removed bool
	// Lost says that the kernel could not deliver some announcements: anything may
	// have happened, and the other fields are empty.
	Lost bool
}

// readBuffer holds the announcements of a transaction of thousands of rules,
// which come at once.
const readBuffer = 4 << 20

// Attributes of a generation (enum nft_gen_attributes), and the one that names
// the table in every message about a part of it.
const (
	attrProcPID  = 2 // NFTA_GEN_PROC_PID
	attrProcName = 3 // NFTA_GEN_PROC_NAME
	attrTable    = 1 // NFTA_TABLE_NAME, NFTA_CHAIN_TABLE, NFTA_RULE_TABLE, NFTA_SET_TABLE, ...
)

// Watcher hears what happens to a table. One goroutine may use it.
type Watcher struct {
	socket *nfnl.Socket
	family uint8
	table  string
	buf    []byte
	left   []byte // of the last datagram

	messages int
	removed  bool
}

// Open begins to listen in the network namespace of the calling thread. The
// caller must Close. It needs CAP_NET_ADMIN.
func Open(family, table string) (*Watcher, error) {
	number, ok := map[string]uint8{"inet": unix.NFPROTO_INET, "ip": unix.NFPROTO_IPV4, "ip6": unix.NFPROTO_IPV6}[family]
	if !ok {
		return nil, fmt.Errorf("watch table %s %s: unknown family", family, table)
	}
	s, err := nfnl.Open(nfnl.Options{ReadBuffer: readBuffer})
	if err != nil {
		return nil, fmt.Errorf("watch table %s %s: %w", family, table, err)
	}
	if err := unix.SetsockoptInt(s.FD(), unix.SOL_NETLINK, unix.NETLINK_ADD_MEMBERSHIP, unix.NFNLGRP_NFTABLES); err != nil {
		_ = s.Close()
		return nil, fmt.Errorf("watch table %s %s: join NFNLGRP_NFTABLES: %w", family, table, err)
	}
	return &Watcher{socket: s, family: number, table: table, buf: make([]byte, 1<<16)}, nil
}

// Close stops listening.
func (w *Watcher) Close() error { return w.socket.Close() }

// Next returns the next transaction that touched the table; ok is false when
// there was none within timeout.
func (w *Watcher) Next(timeout time.Duration) (c Change, ok bool, err error) {
	deadline := time.Now().Add(timeout)
	for {
		if c, ok := w.next(); ok {
			return c, true, nil
		}
		n, err := w.socket.Receive(w.buf, max(time.Until(deadline), 0))
		switch {
		case errors.Is(err, unix.EAGAIN):
			return Change{}, false, nil
		case errors.Is(err, unix.ENOBUFS):
			w.messages, w.removed = 0, false
			return Change{Lost: true}, true, nil
		case err != nil:
			return Change{}, false, fmt.Errorf("watch table %s: %w", w.table, err)
		}
		w.left = w.buf[:n]
	}
}

// next takes messages of the last datagram up to the end of a transaction that
// touched the table.
func (w *Watcher) next() (Change, bool) {
	for {
		m, rest, ok := nfnl.Next(w.left)
		if !ok {
			w.left = nil
			return Change{}, false
		}
		w.left = rest
		if m.Type>>8 != unix.NFNL_SUBSYS_NFTABLES {
			continue
		}
		kind := m.Type & 0xff
		if kind != unix.NFT_MSG_NEWGEN {
			w.note(kind, m)
			continue
		}
		c := Change{Messages: w.messages, Removed: w.removed}
		w.messages, w.removed = 0, false
		if c.Messages == 0 {
			continue
		}
		c.by(m.Data)
		return c, true
	}
}

// note remembers a message about the table.
func (w *Watcher) note(kind uint16, m nfnl.Message) {
	if m.Family != w.family || tableOf(m.Data) != w.table {
		return
	}
	w.messages++
	switch kind {
	case unix.NFT_MSG_NEWTABLE:
		w.removed = false
	case unix.NFT_MSG_DELTABLE:
		w.removed = true
	}
}

func tableOf(data []byte) string {
	for a, rest, ok := nfnl.NextAttr(data); ok; a, rest, ok = nfnl.NextAttr(rest) {
		if a.Type == attrTable {
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
	number, ok := map[string]uint8{"inet": unix.NFPROTO_INET, "ip": unix.NFPROTO_IPV4, "ip6": unix.NFPROTO_IPV6}[family]
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
