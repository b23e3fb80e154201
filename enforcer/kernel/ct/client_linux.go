package ct

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/kernel/internal/nfnl"
)

// ErrNotFound says that conntrack has no such connection.
var ErrNotFound = errors.New("no such connection")

const (
	// answerTimeout bounds a kernel that does not answer; it answers within
	// the system call.
	answerTimeout = 5 * time.Second

	// receiveBytes holds any datagram of a dump: the kernel makes them as
	// large as the reader's buffer, at most 32 KiB.
	receiveBytes = 32 << 10
)

// Client asks conntrack. It is safe for concurrent use; a Dump keeps others
// waiting.
type Client struct {
	mu   sync.Mutex
	sock *nfnl.Socket
	seq  uint32
	out  []byte
	in   []byte
}

// Open makes a Client for the current network namespace. The caller must
// Close it.
func Open() (*Client, error) {
	sock, err := nfnl.Open(nfnl.Options{Acks: true, ReadBuffer: 1 << 20})
	if err != nil {
		return nil, fmt.Errorf("open conntrack client: %w", err)
	}
	return &Client{sock: sock, in: make([]byte, receiveBytes)}, nil
}

// Close releases the socket, after what is being asked was answered.
func (c *Client) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sock.Close()
}

// Get finds the connection that a tuple of either direction belongs to. The
// error is ErrNotFound if there is none.
func (c *Client) Get(t flow.Tuple) (Conn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var found Conn
	err := c.ask(msgGet, nfnl.FlagAck, family(t), func(b []byte) []byte { return appendTuple(b, ctaTupleOrig, t) },
		func(m nfnl.Message) error {
			found = parseConn(m.Data)
			return nil
		})
	if errors.Is(err, unix.ENOENT) {
		return Conn{}, ErrNotFound
	}
	if err != nil {
		return Conn{}, fmt.Errorf("conntrack get: %w", err)
	}
	return found, nil
}

// Original is the tuple of the direction that opened the connection: what
// brings the two directions of an address-translated connection together.
func (c *Client) Original(t flow.Tuple) (flow.Tuple, bool) {
	conn, err := c.Get(t)
	if err != nil {
		return flow.Tuple{}, false
	}
	return conn.Orig, true
}

// Dump calls each for every connection of the namespace, both families. It
// stops at the first error of each and returns it. Connections that come or
// go meanwhile may be missed. each must not call the Client.
func (c *Client) Dump(each func(Conn) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := c.ask(msgGet, nfnl.FlagDump, unix.AF_UNSPEC, nil, func(m nfnl.Message) error { return each(parseConn(m.Data)) })
	if err != nil {
		return fmt.Errorf("conntrack dump: %w", err)
	}
	return nil
}

// Connections calls each for every connection whose mark under mask is value,
// both families; an empty mask lets all by. The connection is valid during the
// call. Kernels filter while they list, so what is left out costs little. It
// stops at the first error of each and returns it.
func (c *Client) Connections(value, mask uint32, each func(*flow.Connection) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var body func([]byte) []byte
	if mask != 0 {
		body = func(b []byte) []byte {
			return nfnl.Uint32(nfnl.Uint32(b, ctaMark, value), ctaMarkMask, mask)
		}
	}
	var conn Conn // one for all: 490,000 a second leave no time for the collector
	err := c.ask(msgGet, nfnl.FlagDump, unix.AF_UNSPEC, body, func(m nfnl.Message) error {
		if conn = parseConn(m.Data); conn.Mark&mask != value&mask {
			return nil // a kernel that does not know the filter
		}
		return each(&conn.Connection)
	})
	if err != nil {
		return fmt.Errorf("conntrack dump: %w", err)
	}
	return nil
}

// ask sends one request and calls each for every answer up to the
// acknowledgement. After an error of each the rest is read and dropped.
func (c *Client) ask(msg, flags uint16, family uint8, body func([]byte) []byte, each func(nfnl.Message) error) error {
	c.seq++
	b, start := nfnl.Begin(c.out[:0], msg, nfnl.FlagRequest|flags, c.seq, family, 0)
	if body != nil {
		b = body(b)
	}
	c.out = nfnl.End(b, start)
	if err := c.sock.Send(c.out); err != nil {
		return err
	}
	var failed error
	for {
		n, err := c.sock.Receive(c.in, answerTimeout)
		if err != nil {
			return fmt.Errorf("netlink receive: %w", err)
		}
		for m, rest, ok := nfnl.Next(c.in[:n]); ok; m, rest, ok = nfnl.Next(rest) {
			if m.Seq != c.seq {
				continue
			}
			if errno, isError := m.Errno(); isError || m.IsDone() {
				return firstError(failed, errno|m.DumpErrno())
			}
			if failed == nil {
				failed = each(m)
			}
		}
	}
}

// firstError is the caller's error, else the kernel's.
func firstError(failed error, errno uint32) error {
	switch {
	case failed != nil:
		return failed
	case errno == uint32(unix.EPERM):
		return fmt.Errorf("%w: needs CAP_NET_ADMIN in this network namespace", unix.EPERM)
	case errno != 0:
		return unix.Errno(errno)
	}
	return nil
}
