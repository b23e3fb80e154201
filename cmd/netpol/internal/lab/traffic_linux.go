package lab

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// How much each conversation says, and how fast: enough packets after the
// telling first ones that the effect of a label shows on the wire.
const (
	rounds   = 20
	interval = 25 * time.Millisecond
	patience = 20 * time.Second // bounds every conversation as a whole
)

// Traffic holds conversations between the two ends of a topology.
type Traffic struct {
	topology *Topology
	ca       *authority
	closers  []func() error
	wg       sync.WaitGroup
}

// NewTraffic opens a server for each conversation. The caller must Close it.
// The topology must have been AssignedFor the same conversations.
func NewTraffic(t *Topology, conversations []Conversation) (*Traffic, error) {
	ca, err := newAuthority()
	if err != nil {
		return nil, err
	}
	tr := &Traffic{topology: t, ca: ca}
	for _, c := range conversations {
		if err := tr.serve(c); err != nil {
			return nil, errors.Join(fmt.Errorf("serve %s: %w", c.Server, err), tr.Close())
		}
	}
	return tr, nil
}

// Close stops the servers and waits for them.
func (tr *Traffic) Close() error {
	var errs []error
	for _, c := range tr.closers {
		errs = append(errs, c())
	}
	tr.wg.Wait()
	return errors.Join(errs...)
}

// serve opens the conversation's server end in the server's namespace.
func (tr *Traffic) serve(c Conversation) error {
	if c.Kind.UDP() {
		var conn *net.UDPConn
		err := tr.topology.Server.Do(func() (err error) {
			conn, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(c.Server))
			return err
		})
		if err != nil {
			return err
		}
		tr.closers = append(tr.closers, conn.Close)
		tr.wg.Go(func() { answerDatagrams(conn, c) })
		return nil
	}
	config, err := tr.serverTLS(c)
	if err != nil {
		return err
	}
	var listener net.Listener
	err = tr.topology.Server.Do(func() (err error) {
		listener, err = net.ListenTCP("tcp", net.TCPAddrFromAddrPort(c.Server))
		return err
	})
	if err != nil {
		return err
	}
	tr.closers = append(tr.closers, listener.Close)
	tr.wg.Go(func() { acceptStreams(listener, config, c) })
	return nil
}

func (tr *Traffic) serverTLS(c Conversation) (*tls.Config, error) {
	if c.Kind != KindTLS {
		return nil, nil
	}
	cert, err := tr.ca.issue(c.Host)
	if err != nil {
		return nil, err
	}
	return &tls.Config{Certificates: []tls.Certificate{cert}, MaxVersion: c.MaxTLS, NextProtos: []string{"http/1.1"}}, nil
}

// Play holds the conversations, look-ups first as a client would, the others
// side by side, and returns when all are over.
func (tr *Traffic) Play(ctx context.Context, conversations []Conversation) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var lookups, others []Conversation
	for _, c := range conversations {
		if c.Kind == KindDNS {
			lookups = append(lookups, c)
			continue
		}
		others = append(others, c)
	}
	return errors.Join(tr.playAll(ctx, lookups), tr.playAll(ctx, others))
}

func (tr *Traffic) playAll(ctx context.Context, conversations []Conversation) error {
	errs := make([]error, len(conversations))
	var wg sync.WaitGroup
	for i, c := range conversations {
		wg.Go(func() {
			if err := tr.hold(ctx, c); err != nil {
				errs[i] = fmt.Errorf("%s (%s): %w", c.About, c.Server, err)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// hold is the client's end of one conversation.
func (tr *Traffic) hold(ctx context.Context, c Conversation) error {
	conn, err := tr.dial(ctx, c)
	if err != nil {
		return err
	}
	defer conn.Close()
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return err
		}
	}
	if c.Kind == KindTLS {
		secure := tls.Client(conn, &tls.Config{ServerName: c.Host, RootCAs: tr.ca.roots, MaxVersion: c.MaxTLS, NextProtos: []string{"http/1.1"}})
		if err := secure.HandshakeContext(ctx); err != nil {
			return err
		}
		return ask(ctx, secure, c)
	}
	return ask(ctx, conn, c)
}

// dial opens the client's socket in the client's namespace. A literal address
// is dialled on the calling thread, which Do depends on.
func (tr *Traffic) dial(ctx context.Context, c Conversation) (net.Conn, error) {
	dialer := net.Dialer{Control: reuseAddress}
	network := "tcp"
	if c.Kind.UDP() {
		network = "udp"
		dialer.LocalAddr = net.UDPAddrFromAddrPort(c.Client)
	} else {
		dialer.LocalAddr = net.TCPAddrFromAddrPort(c.Client)
	}
	var conn net.Conn
	err := tr.topology.Client.Do(func() (err error) {
		conn, err = dialer.DialContext(ctx, network, c.Server.String())
		return err
	})
	return conn, err
}

// reuseAddress lets a second round use the ports of the first.
func reuseAddress(_, _ string, raw syscall.RawConn) error {
	var opt error
	err := raw.Control(func(fd uintptr) {
		opt = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	})
	return errors.Join(err, opt)
}

// pause waits one interval, or less if the conversation is called off.
func pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(interval):
		return nil
	}
}

// seeded gives each end of each conversation its own payload, the same in
// every run.
func seeded(end netip.AddrPort) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(end.String())) // never fails
	return rand.New(rand.NewPCG(h.Sum64(), 1))
}
