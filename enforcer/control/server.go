package control

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/netpol/netpol/enforcer/unixsocket"
)

const (
	// maxClients bounds the connections served at once.
	maxClients = 64
	// idleLimit is how long a client may take for its next request, and
	// writeLimit how long to take in an answer.
	idleLimit  = 10 * time.Second
	writeLimit = 10 * time.Second
	// acceptPause follows an accept that failed, for want of descriptors
	// mostly: others will be given back.
	acceptPause = 50 * time.Millisecond
)

// Faults of Serve and of requests.
var (
	// ErrServed says that another netpold answers on the socket.
	ErrServed = errors.New("another netpold answers there")

	errBusy     = errors.New("too many clients")
	errTooLong  = errors.New("request is too long")
	errNotJSON  = errors.New("request is not a JSON object")
	errProtocol = errors.New("the two programs are of different versions: install the same netpol and netpold")
)

// Serve answers requests on a unix socket at path until ctx ends, and removes
// it then. A socket that a dead process left behind is replaced; one that is
// answered is ErrServed.
func Serve(ctx context.Context, path string, h Handler) error {
	l, err := unixsocket.Listen(path, 0o600)
	if errors.Is(err, unixsocket.ErrAnswered) {
		err = ErrServed
	}
	if err != nil {
		return fmt.Errorf("serve control socket %s: %w", path, err)
	}
	s := &server{handler: h, conns: make(map[net.Conn]struct{})}
	stop := context.AfterFunc(ctx, func() {
		l.Close()
		s.closeAll()
	})
	defer stop()
	err = s.accept(l)
	l.Close()
	s.closeAll()
	s.wg.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return fmt.Errorf("serve control socket %s: %w", path, err)
}

// server is the state of one Serve.
type server struct {
	handler Handler
	wg      sync.WaitGroup

	mu     sync.Mutex // guards what follows
	conns  map[net.Conn]struct{}
	closed bool
}

func (s *server) accept(l net.Listener) error {
	for {
		conn, err := l.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return err
			}
			time.Sleep(acceptPause)
			continue
		}
		if err := s.add(conn); err != nil {
			refuse(conn, err)
			continue
		}
		s.wg.Add(1)
		go func() {
			defer s.wg.Done()
			defer s.remove(conn)
			s.serve(conn)
		}()
	}
}

// add takes a connection in, if there is room.
func (s *server) add(conn net.Conn) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return net.ErrClosed
	}
	if len(s.conns) >= maxClients {
		return errBusy
	}
	s.conns[conn] = struct{}{}
	return nil
}

func (s *server) remove(conn net.Conn) {
	s.mu.Lock()
	delete(s.conns, conn)
	s.mu.Unlock()
	conn.Close()
}

func (s *server) closeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for conn := range s.conns {
		conn.Close()
	}
}

// refuse says why and hangs up, without waiting for the client.
func refuse(conn net.Conn, why error) {
	conn.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
	json.NewEncoder(conn).Encode(answer{Version: Version, Error: why.Error()})
	conn.Close()
}

// serve answers one client's requests until it hangs up, is too slow or says
// what makes no sense.
func (s *server) serve(conn net.Conn) {
	in := bufio.NewReaderSize(conn, maxRequest)
	out := bufio.NewWriter(conn)
	for {
		conn.SetReadDeadline(time.Now().Add(idleLimit))
		line, err := in.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			refuse(conn, errTooLong)
			return
		case err != nil:
			return
		}
		reply := s.answer(line)
		conn.SetWriteDeadline(time.Now().Add(writeLimit))
		if err := json.NewEncoder(out).Encode(reply); err != nil {
			return
		}
		if err := out.Flush(); err != nil {
			return
		}
	}
}

func (a *answer) fault(err error) {
	if err != nil {
		a.Error = err.Error()
	}
}

var errQuestion = errors.New("overview: a question and a program are needed, of a dimension and an order that there are")

// overview fills in the answer to a question.
func (a *answer) overview(h Handler, r *request) error {
	q := r.Question
	if q == nil || r.Where == nil || !q.Order.Valid() || q.By != "" && !q.By.Valid() {
		return errQuestion
	}
	for _, part := range q.Within {
		if !part.By.Valid() {
			return errQuestion
		}
	}
	q.Flows, q.Rows = min(max(q.Flows, 0), MaxFlows), min(max(q.Rows, 0), MaxFlows)
	out, err := h.Overview(*q, r.Where)
	a.Overview = &out
	return err
}

// answer does what a request line asks for.
func (s *server) answer(line []byte) (a answer) {
	a.Version = Version
	var r request
	if err := json.Unmarshal(line, &r); err != nil {
		a.Error = errNotJSON.Error()
		return a
	}
	if r.Version != Version {
		a.Error = errProtocol.Error()
		return a
	}
	switch r.Op {
	case opStatus:
		status := s.handler.Status()
		a.Status = &status
	case opReload:
		status, err := s.handler.Reload()
		a.Status = &status
		if err != nil {
			a.Error = err.Error()
		}
	case opFlows:
		a.Flows = s.handler.Flows(min(max(r.Max, 0), MaxFlows))
	case opOverview:
		a.fault(a.overview(s.handler, &r))
	case opRelease:
		a.fault(s.handler.Release())
	case opAdopt:
		a.fault(s.handler.Adopt())
	case opChanges:
		a.Changes = s.handler.Changes()
	case opTrySinks:
		a.Trials = s.handler.TrySinks(r.Names)
	case opWhy:
		if r.Tuple == nil {
			a.Error = "why: no tuple"
			return a
		}
		if why, ok := s.handler.Why(*r.Tuple); ok {
			a.Why = &why
		}
	default:
		a.Error = unknownRequest(r.Op)
	}
	return a
}

// unknownRequest is the answer to a request of a client that is newer than the server.
func unknownRequest(o op) string { return fmt.Sprintf("unknown request %q", string(o)) }
