package sink

import (
	"context"
	"errors"
	"net"
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
	l      net.Listener
	wg     sync.WaitGroup
	ctx    context.Context
	cancel context.CancelFunc

	mu      sync.Mutex // guards what follows
	clients map[*client]struct{}
	broken  error // accepting has ended
}

type client struct {
	conn  net.Conn
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
	var l net.Listener
	var err error
	if r.sink.Kind == artifact.SinkUnix {
		l, err = unixsocket.Listen(r.sink.Path, socketMode)
	} else {
		l, err = net.Listen("tcp", r.sink.Address)
	}
	if err != nil {
		return nil, err
	}
	t := &listener{runner: r, l: l, clients: make(map[*client]struct{})}
	t.ctx, t.cancel = context.WithCancel(context.Background())
	t.wg.Go(t.accept)
	return t, nil
}

func (t *listener) accept() {
	for {
		conn, err := t.l.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			t.mu.Lock()
			t.broken = err
			t.mu.Unlock()
			return
		case err != nil:
			time.Sleep(acceptPause)
			continue
		}
		t.welcome(conn)
	}
}

// welcome takes a client in, if there is room.
func (t *listener) welcome(conn net.Conn) {
	c := &client{conn: conn, queue: newQueue(t.runner.sink.Queue, false), gone: make(chan struct{})}
	t.mu.Lock()
	full := len(t.clients) >= maxClients || t.ctx.Err() != nil
	if !full {
		t.clients[c] = struct{}{}
	}
	t.mu.Unlock()
	log := t.runner.config.Log.With("sink", *t.runner.name.Load(), "client", peer(conn))
	if full {
		log.Warn("client of sink refused: there are too many", "clients", maxClients)
		conn.Close()
		return
	}
	t.runner.clients.Add(1)
	log.Info("client of sink connected")
	t.wg.Go(func() {
		err := t.serve(c)
		t.mu.Lock()
		delete(t.clients, c)
		t.mu.Unlock()
		t.runner.clients.Add(-1)
		log.Info("client of sink gone", "why", err)
	})
	t.wg.Go(func() { t.watch(c) })
}

// watch notices a client that hangs up while there is nothing to send. What
// clients send is not read: it could be anything.
func (t *listener) watch(c *client) {
	var b [512]byte
	for {
		if _, err := c.conn.Read(b[:]); err != nil {
			c.leave()
			return
		}
	}
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
			if _, full := c.queue.counts(); full > 0 {
				return errSlow
			}
			return errors.New("hung up")
		case <-t.ctx.Done():
			return c.send(c.queue.take(spare), closeLimit/2)
		}
		spare = c.queue.take(spare)
		if err := c.send(spare, writeLimit); err != nil {
			if _, full := c.queue.counts(); full > 0 {
				return errSlow
			}
			return err
		}
	}
}

func (c *client) send(lines []byte, limit time.Duration) error {
	if len(lines) == 0 {
		return nil
	}
	if err := c.conn.SetWriteDeadline(time.Now().Add(limit)); err != nil {
		return err
	}
	_, err := c.conn.Write(lines)
	return err
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
	}
	for c := range t.clients {
		if !c.queue.putLines(lines) {
			t.runner.slow.Add(1)
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
	t.mu.Unlock()
	t.cancel()
	t.wg.Wait()
	return err
}
