package sink

import (
	"net"
	"time"
)

// dial connects to a server by a transport: udp, tcp, or tls, which is TLS over TCP
// with the certificates of the sink.
func (r *runner) dial(transport, address string) (net.Conn, error) {
	if transport == "tls" {
		return dialTLS(&r.sink, address)
	}
	return net.DialTimeout(transport, address, dialLimit)
}

// A burst of datagrams fills the receiver's socket, which holds some hundred on a
// system with Linux's defaults (net.core.rmem_default), and the rest is lost.
const (
	burst = 16
	pause = time.Millisecond
)

// pacer lets datagrams go in bursts with pauses between them.
type pacer struct {
	n    int
	from time.Time
}

// wait waits before a datagram, if there were many.
func (p *pacer) wait() {
	now := time.Now()
	if p.n++; now.Sub(p.from) > pause {
		p.n, p.from = 1, now
	}
	if p.n > burst {
		time.Sleep(pause)
	}
}
