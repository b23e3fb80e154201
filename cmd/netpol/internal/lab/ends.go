package lab

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
)

// maxDatagram holds the largest datagram the lab sends.
const maxDatagram = 2048

// errShort is an answer that is not what the lab's own server sends.
var errShort = errors.New("unexpected answer")

// ask speaks the client's part on an open connection.
func ask(ctx context.Context, conn net.Conn, c Conversation) error {
	switch c.Kind {
	case KindTLS, KindHTTP:
		return askHTTP(ctx, conn, c.Host)
	case KindBitTorrent:
		return askPeer(ctx, conn)
	case KindDNS:
		return exchange(conn, dnsQuery(c.Host, c.Answer))
	case KindZoomMedia, KindSTUN, KindDHT, KindNoise:
		rng := seeded(c.Client)
		for i := range rounds {
			var b []byte
			switch c.Kind {
			case KindSTUN:
				b = stunRequest(i)
			case KindDHT:
				b = []byte(dhtPing)
			case KindZoomMedia:
				b = zoomMedia(i, false, rng)
			default:
				b = appendRandom(nil, 120, rng)
			}
			if err := exchange(conn, b); err != nil {
				return err
			}
			if err := pause(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// exchange sends one datagram and waits for its answer.
func exchange(conn net.Conn, request []byte) error {
	if _, err := conn.Write(request); err != nil {
		return err
	}
	_, err := conn.Read(make([]byte, maxDatagram))
	return err
}

func askHTTP(ctx context.Context, conn net.Conn, host string) error {
	r := bufio.NewReader(conn)
	for i := range rounds {
		if _, err := fmt.Fprintf(conn, "GET /%d HTTP/1.1\r\nHost: %s\r\nUser-Agent: netpol-lab\r\n\r\n", i, host); err != nil {
			return err
		}
		line, err := r.ReadString('\n')
		if err != nil {
			return err
		}
		if line != httpStatus {
			return fmt.Errorf("%w: %q", errShort, line)
		}
		if _, err := r.Discard(len(httpAnswer) - len(httpStatus)); err != nil {
			return err
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
	return nil
}

func askPeer(ctx context.Context, conn net.Conn) error {
	if _, err := conn.Write(torrentHandshake("c")); err != nil {
		return err
	}
	if _, err := io.ReadFull(conn, make([]byte, len(torrentHandshake("s")))); err != nil {
		return err
	}
	for range rounds {
		if _, err := conn.Write(torrentInterested); err != nil {
			return err
		}
		if _, err := io.ReadFull(conn, make([]byte, len(torrentUnchoke))); err != nil {
			return err
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
	return nil
}

// What every web server of the lab answers.
const (
	httpStatus = "HTTP/1.1 200 OK\r\n"
	httpAnswer = httpStatus + "Content-Type: text/plain\r\nContent-Length: 6\r\n\r\nnetpol"
)

// answerDatagrams is a UDP server: one datagram back for each that comes. It
// ends when the socket is closed.
func answerDatagrams(conn *net.UDPConn, c Conversation) {
	rng := seeded(c.Server)
	buf := make([]byte, maxDatagram)
	for i := 0; ; i++ {
		n, from, err := conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		var b []byte
		switch c.Kind {
		case KindDNS:
			b = dnsAnswer(buf[:n], c.Answer)
		case KindSTUN:
			b = stunResponse(buf[:n], netip.AddrPortFrom(from.Addr().Unmap(), from.Port()))
		case KindDHT:
			b = []byte(dhtPong)
		case KindZoomMedia:
			b = zoomMedia(i, true, rng)
		default:
			b = appendRandom(nil, 120, rng)
		}
		if _, err := conn.WriteToUDPAddrPort(b, from); err != nil {
			return
		}
	}
}

// acceptStreams is a TCP server. It ends when the listener is closed; each
// connection ends when the client closes it.
func acceptStreams(listener net.Listener, config *tls.Config, c Conversation) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		if config != nil {
			conn = tls.Server(conn, config)
		}
		go func() {
			defer conn.Close()
			if c.Kind == KindBitTorrent {
				answerPeer(conn)
				return
			}
			answerHTTP(conn)
		}()
	}
}

// answerHTTP answers each request; an empty line ends one.
func answerHTTP(conn net.Conn) {
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		if lines.Text() != "" {
			continue
		}
		if _, err := io.WriteString(conn, httpAnswer); err != nil {
			return
		}
	}
}

func answerPeer(conn net.Conn) {
	if _, err := io.ReadFull(conn, make([]byte, len(torrentHandshake("c")))); err != nil {
		return
	}
	if _, err := conn.Write(torrentHandshake("s")); err != nil {
		return
	}
	for {
		if _, err := io.ReadFull(conn, make([]byte, len(torrentInterested))); err != nil {
			return
		}
		if _, err := conn.Write(torrentUnchoke); err != nil {
			return
		}
	}
}
