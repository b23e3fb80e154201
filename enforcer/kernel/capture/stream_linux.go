package capture

import (
	"errors"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/enforcer/kernel/internal/nfnl"
)

const (
	// maxNames bounds the interface names remembered; the numbers of
	// interfaces that come and go are never used again.
	maxNames = 1024

	// nameLife is how long an interface name is believed: interfaces are
	// renamed, rarely, and their number stays.
	nameLife = time.Second
)

// stream is what a socket of packets gives, message by message. It belongs to
// one goroutine.
type stream struct {
	sock  *nfnl.Socket
	rest  []byte // messages of the current datagram that message has not returned
	buf   []byte // backs rest
	next  []byte // backs the datagram that more read ahead
	ahead int    // bytes in next, 0 for none
	names map[uint32]device

	overruns atomic.Uint64
}

type device struct {
	name  string
	until int64 // nanoseconds since the epoch
}

func newStream(sock *nfnl.Socket) stream {
	return stream{sock: sock, buf: make([]byte, datagramBytes), next: make([]byte, datagramBytes), names: make(map[uint32]device)}
}

// message is the next one; a bare EAGAIN says that there is none. It is valid
// until the next call.
func (s *stream) message() (nfnl.Message, error) {
	for {
		if len(s.rest) > 0 {
			m, rest, ok := nfnl.Next(s.rest)
			if s.rest = rest; ok {
				return m, nil
			}
			continue
		}
		if s.ahead == 0 {
			n, err := s.read(s.buf)
			if err != nil {
				return nfnl.Message{}, err
			}
			s.rest = s.buf[:n]
			continue
		}
		s.buf, s.next = s.next, s.buf
		s.rest, s.ahead = s.buf[:s.ahead], 0
	}
}

// more reports whether message has something to return.
func (s *stream) more() bool {
	if len(s.rest) > 0 || s.ahead > 0 {
		return true
	}
	// Into the other buffer: what the last message said is still in use.
	n, err := s.read(s.next)
	if err != nil {
		return false
	}
	s.ahead = n
	return n > 0
}

// read is TryReceive that counts overruns and goes on.
func (s *stream) read(buf []byte) (int, error) {
	for {
		n, err := s.sock.TryReceive(buf)
		if errors.Is(err, unix.ENOBUFS) {
			s.overruns.Add(1)
			continue
		}
		return n, err
	}
}

// name is the interface's name, empty for one that is gone.
func (s *stream) name(index uint32, now int64) string {
	if index == 0 {
		return ""
	}
	if d, ok := s.names[index]; ok && now < d.until {
		return d.name
	}
	d := device{until: now + nameLife.Nanoseconds()}
	// Asked of our own socket, the answer is of its namespace, whatever thread
	// this runs on.
	if req, err := unix.NewIfreq("?"); err == nil {
		req.SetUint32(index)
		if unix.IoctlIfreq(s.sock.FD(), unix.SIOCGIFNAME, req) == nil {
			d.name = req.Name()
		}
	}
	if len(s.names) >= maxNames {
		clear(s.names)
	}
	s.names[index] = d
	return d.name
}
