//go:build sink_websocket

package sink

import (
	"net"
	"sync"
	"sync/atomic"
)

// lobbySeats is how many connections may be there that are not clients yet. Each has requestTime.
const lobbySeats = 64

// lobby lets in so many connections at once and shuts the door on others: each is a file
// descriptor and a goroutine, and netpold needs descriptors for the kernel.
type lobby struct {
	net.Listener
	most   int64
	inside atomic.Int64
}

func (l *lobby) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if l.inside.Add(1) <= l.most {
			return &guest{Conn: conn, of: l}, nil
		}
		l.inside.Add(-1)
		conn.Close()
	}
}

// guest is a connection that a lobby let in.
type guest struct {
	net.Conn
	of   *lobby
	once sync.Once
}

func (g *guest) Close() error {
	g.once.Do(func() { g.of.inside.Add(-1) })
	return g.Conn.Close()
}
