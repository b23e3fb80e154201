package sink

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"sync"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/unixsocket"
)

const (
	// maxClients bounds the connections to one sink; each may have a queue.
	maxClients = 64
	// writeLimit is how long a client may take for what it is sent at a time.
	writeLimit = 10 * time.Second
	// socketMode lets the socket's owner and group read.
	socketMode = 0o660
	// acceptPause follows an accept that failed, for want of descriptors mostly.
	acceptPause = 50 * time.Millisecond
)

// listener sends records to everybody who is connected. One who does not keep
// up is let go.
type listener struct {
	runner *runner
	packer packer
	l      net.Listener
	most   int // clients
	says   chatter
	wg     sync.WaitGroup
	ctx    context.Context
	cancel context.CancelFunc

	mu      sync.Mutex // guards what follows
	clients map[*client]struct{}
	broken  error // accepting has ended
}

// remote is the connection of a client.
type remote interface {
	// send gives it whole records, and fails when that takes longer than limit.
	send(records []byte, limit time.Duration) error
	// wait returns once it has hung up. What clients send is not looked at: it could be
	// anything.
	wait()
	// bye ends a connection that has been sent everything.
	bye()
	Close() error
}

// socket is a client of a unix or TCP socket.
type socket struct{ net.Conn }

func (s socket) send(records []byte, limit time.Duration) error {
	if err := s.SetWriteDeadline(time.Now().Add(limit)); err != nil {
		return err
	}
	_, err := s.Write(records)
	return err
}

func (s socket) wait() {
	var b [512]byte
	for {
		if _, err := s.Read(b[:]); err != nil {
			return
		}
	}
}

func (socket) bye() {}

type client struct {
	conn  remote
	queue *queue
	gone  chan struct{} // closed when nothing is sent to it any more
	once  sync.Once
}

func (c *client) leave() {
	c.once.Do(func() {
		close(c.gone)
		c.conn.Close()
	})
}

func (r *runner) listen() (target, error) {
	p, err := newPacker(r.sink.Compression())
	if err != nil {
		return nil, err
	}
	var l net.Listener
	if r.sink.Kind == artifact.SinkUnix {
		l, err = unixsocket.Listen(r.sink.Path, socketMode)
	} else {
		l, err = net.Listen("tcp", r.sink.Address)
	}
	if err != nil {
		return nil, err
	}
	t := newListener(r, l, maxClients)
	t.packer = p
	t.wg.Go(t.accept)
	return t, nil
}

func newListener(r *runner, l net.Listener, most int) *listener {
	t := &listener{runner: r, l: l, most: most, clients: make(map[*client]struct{})}
	t.ctx, t.cancel = context.WithCancel(context.Background())
	return t
}

func (t *listener) accept() {
	for {
		conn, err := t.l.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			t.breaks(err)
			return
		case err != nil:
			time.Sleep(acceptPause)
			continue
		}
		t.welcome(socket{conn}, peer(conn))
	}
}

// breaks says that nobody can connect any more.
func (t *listener) breaks(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.broken = err
}

// enter has close wait for who asks to become a client, until wg.Done; false says
// that there is no room.
func (t *listener) enter() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.full() {
		return false
	}
	t.wg.Add(1)
	return true
}

// full says that there is no room for a client; t.mu is held.
func (t *listener) full() bool { return len(t.clients) >= t.most || t.ctx.Err() != nil }

// welcome takes a client in, if there is room.
func (t *listener) welcome(conn remote, name string) {
	c := &client{conn: conn, queue: newQueue(t.runner.sink.Queue, false), gone: make(chan struct{})}
	t.mu.Lock()
	full := t.full()
	if !full {
		t.clients[c] = struct{}{}
	}
	t.mu.Unlock()
	log := t.runner.config.Log.With("sink", *t.runner.name.Load(), "client", name)
	if full {
		t.says.log(log, slog.LevelWarn, "client of sink refused: there are too many", "clients", t.most)
		conn.Close()
		return
	}
	t.runner.clients.Add(1)
	t.runner.joined.Add(1)
	t.says.log(log, slog.LevelInfo, "client of sink connected")
	t.wg.Go(func() {
		err := t.serve(c)
		t.mu.Lock()
		delete(t.clients, c)
		t.mu.Unlock()
		if errors.Is(err, errSlow) {
			t.runner.slow.Add(1)
		}
		t.runner.clients.Add(-1)
		t.says.log(log, slog.LevelInfo, "client of sink gone", "why", err)
	})
	t.wg.Go(func() { // it may hang up while there is nothing to send
		c.conn.wait()
		c.leave()
	})
}

// errSlow says that a client did not take what it was sent in time.
var errSlow = errors.New("too slow")

// serve sends a client what waits for it, and returns why it no longer does.
func (t *listener) serve(c *client) error {
	defer c.leave()
	var spare []byte
	for {
		select {
		case <-c.queue.wake:
		case <-c.gone:
			return c.farewell(errors.New("hung up"))
		case <-t.ctx.Done():
			err := c.send(c.queue.take(spare), closeLimit/2)
			c.conn.bye()
			return err
		}
		spare = c.queue.take(spare)
		if err := c.send(spare, writeLimit); err != nil {
			return c.farewell(err)
		}
	}
}

// farewell is why a client is sent nothing more: its queue was full, it took longer than writeLimit for what it
// was sent, or what is given.
func (c *client) farewell(err error) error {
	if _, full := c.queue.counts(); full > 0 || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		return errSlow
	}
	return err
}

func (c *client) send(lines []byte, limit time.Duration) error {
	if len(lines) == 0 {
		return nil
	}
	return c.conn.send(lines, limit)
}

// write gives lines to all clients. It waits for none.
func (t *listener) write(lines []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.broken != nil {
		return 0, t.broken
	}
	if len(t.clients) == 0 {
		t.runner.unheard.Add(t.runner.count(lines))
		return len(lines), nil
	}
	out, err := packed(t.packer, lines)
	if err != nil {
		return 0, err
	}
	for c := range t.clients {
		if !c.queue.putLines(out) {
			c.leave()
		}
	}
	return len(lines), nil
}

func (t *listener) close() error {
	err := t.l.Close()
	t.mu.Lock()
	for c := range t.clients {
		c.queue.rouse()
	}
	t.cancel()
	t.mu.Unlock()
	t.wg.Wait()
	return err
}
