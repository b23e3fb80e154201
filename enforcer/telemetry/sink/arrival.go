package sink

import (
	"errors"
	"net"
	"time"
)

var errServerClosed = errors.New("the server has closed the connection")

// arrival is a connection to a server that never says anything: what the kernel takes of a
// write may go to one that is not there any more, so a write is done when the server's kernel
// has all of it.
type arrival struct {
	net.Conn               // its Write is not to be used
	gone     chan struct{} // closed when the server has ended the connection
	why      error         // valid once gone is closed
}

// newArrival watches a connection. The caller must Close it.
func newArrival(conn net.Conn) *arrival {
	s := &arrival{Conn: conn, gone: make(chan struct{})}
	go s.listen()
	return s
}

func (s *arrival) listen() {
	defer close(s.gone)
	var buf [512]byte
	for {
		if _, err := s.Read(buf[:]); err != nil {
			s.why = errServerClosed
			if op := (*net.OpError)(nil); errors.As(err, &op) {
				s.why = err // it says how
			}
			return
		}
	}
}

// arrivalSoon and arrivalLate are how long it takes between two looks whether the server has what was
// written: an answer takes less on a local network, and more on others.
const (
	arrivalSoon = 200 * time.Microsecond
	arrivalLate = 20 * time.Millisecond
)

// Write writes b, and waits until the server's kernel has it. After an error nobody knows
// what of it has arrived.
func (s *arrival) Write(b []byte) (int, error) {
	end := time.Now().Add(writeLimit)
	if err := s.ended(); err != nil {
		return 0, err
	}
	if err := s.SetWriteDeadline(end); err != nil {
		return 0, err
	}
	if _, err := s.Conn.Write(b); err != nil {
		return 0, err
	}
	for wait := arrivalSoon; ; wait = min(2*wait, arrivalLate) {
		switch waiting, err := unacknowledged(s.Conn); {
		case err != nil:
			return 0, err
		case waiting == 0:
			return len(b), nil
		case time.Now().After(end):
			return 0, errors.New("the server takes nothing")
		}
		select {
		case <-s.gone:
			return 0, s.why
		case <-time.After(wait):
		}
	}
}

// ended is why the connection is over, nil while it is not known to be.
func (s *arrival) ended() error {
	select {
	case <-s.gone:
		return s.why
	default:
		return nil
	}
}
