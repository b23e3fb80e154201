package faults

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/kernel/ct"
	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// doneMark is netpold's bit of the mark, unless the netpol block says otherwise.
const doneMark = 0x80000000

// Host names of connections: one that the policies know, one of nobody's.
const (
	zoomName  = "us04web.zoom.us"
	otherName = "www.example.org"
)

// world is a host between a client and a server that answers.
type world struct {
	*host
	lab    *kerneltest.Lab
	config *tls.Config // the server's
}

func newWorld(t *trial) *world {
	t.Helper()
	lab := kerneltest.NewLab(t)
	w := &world{host: newHost(t, lab.Router), lab: lab}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	w.config = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	w.serve(443, func(conn net.Conn) net.Conn { return tls.Server(conn, w.config) })
	w.serve(plainPort, func(conn net.Conn) net.Conn { return conn })
	return w
}

// plainPort is where the server speaks no TLS.
const plainPort = 7

// serve has the server answer whatever it reads with one byte.
func (w *world) serve(port uint16, wrap func(net.Conn) net.Conn) {
	w.Helper()
	var l net.Listener
	var err error
	w.lab.Server.Do(func() { l, err = net.Listen("tcp", fmt.Sprintf(":%d", port)) })
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				conn := wrap(conn)
				buf := make([]byte, 1<<16)
				for {
					if _, err := conn.Read(buf); err != nil {
						return
					}
					if _, err := conn.Write(buf[:1]); err != nil {
						return
					}
				}
			}()
		}
	}()
}

// dial opens a connection from the client.
func (w *world) dial(port uint16) (net.Conn, error) {
	w.Helper()
	var conn net.Conn
	var err error
	to := netip.AddrPortFrom(w.lab.ServerAddr4, port)
	w.lab.Client.Do(func() { conn, err = net.DialTimeout("tcp", to.String(), patience) })
	return conn, err
}

// open opens a connection to a host name, and keeps it.
func (w *world) open(name string) net.Conn {
	w.Helper()
	return w.openAt(443, name)
}

// openAt is open at another port.
func (w *world) openAt(port uint16, name string) net.Conn {
	w.Helper()
	conn := w.connect(port)
	w.handshake(conn, name)
	return conn
}

// connect opens a connection that says nothing.
func (w *world) connect(port uint16) net.Conn {
	w.Helper()
	conn, err := w.dial(port)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { conn.Close() })
	return &talk{Conn: conn}
}

// talk is a connection that may begin to speak TLS.
type talk struct {
	net.Conn
	tls *tls.Conn
}

// handshake says hello.
func (w *world) handshake(conn net.Conn, name string) {
	w.Helper()
	t := conn.(*talk)
	t.tls = tls.Client(t.Conn, &tls.Config{ServerName: name, InsecureSkipVerify: true})
	_ = t.SetDeadline(time.Now().Add(patience))
	if err := t.tls.Handshake(); err != nil {
		w.Fatal(err)
	}
}

// say sends something and waits for the answer.
func say(conn net.Conn, what []byte) error {
	_ = conn.SetDeadline(time.Now().Add(patience))
	if t, ok := conn.(*talk); ok && t.tls != nil {
		conn = t.tls
	}
	if _, err := conn.Write(what); err != nil {
		return err
	}
	_, err := conn.Read(make([]byte, 64))
	return err
}

// ping sends something that tells nothing.
func (w *world) ping(conn net.Conn) {
	w.Helper()
	if err := say(conn, []byte{0}); err != nil {
		w.Error(err)
	}
}

// state is what conntrack has of a connection; ok is false when it has none.
func (w *world) state(conn net.Conn) (c ct.Conn, ok bool) {
	w.Helper()
	local := conn.LocalAddr().(*net.TCPAddr).AddrPort()
	remote := conn.RemoteAddr().(*net.TCPAddr).AddrPort()
	var err error
	w.ns.Do(func() {
		var client *ct.Client
		if client, err = ct.Open(); err != nil {
			return
		}
		defer client.Close()
		c, err = client.Get(flow.Tuple{Proto: 6, Src: local.Addr(), SrcPort: local.Port(), Dst: remote.Addr(), DstPort: remote.Port()})
	})
	return c, err == nil
}

// Bits of the labels that somePolicies has.
const (
	zoomBit = 0
	mailBit = 1
)

func (w *world) labelled(conn net.Conn, bit int) bool {
	c, ok := w.state(conn)
	return ok && c.Has(bit)
}

func (w *world) decided(conn net.Conn) bool {
	c, ok := w.state(conn)
	return ok && c.Mark&doneMark != 0
}

// bulk sends datagrams of one connection from the client to the server until stop
// is called, which tells how many did not arrive.
func (w *world) bulk() (stop func() (sent, lost int64)) {
	w.Helper()
	var out net.Conn
	payload := make([]byte, 1000)
	return w.datagrams(9000, func(to string) (err error) {
		if out == nil {
			out, err = net.Dial("udp", to)
		}
		if err == nil {
			_, err = out.Write(payload)
		}
		return err
	})
}

// datagrams has the client send to a port of the server's, one datagram each
// millisecond, until stop is called, which tells how many did not arrive.
func (w *world) datagrams(port uint16, send func(to string) error) (stop func() (sent, lost int64)) {
	w.Helper()
	var in net.PacketConn
	var err error
	w.lab.Server.Do(func() { in, err = net.ListenPacket("udp", fmt.Sprintf(":%d", port)) })
	if err != nil {
		w.Fatal(err)
	}
	_ = in.(*net.UDPConn).SetReadBuffer(8 << 20)
	var sent, got atomic.Int64
	go func() {
		buf := make([]byte, 2000)
		for {
			if _, _, err := in.ReadFrom(buf); err != nil {
				return
			}
			got.Add(1)
		}
	}()
	end := make(chan struct{})
	var sending sync.WaitGroup
	to := netip.AddrPortFrom(w.lab.ServerAddr4, port).String()
	sending.Go(func() {
		w.lab.Client.Do(func() {
			for {
				select {
				case <-end:
					return
				case <-time.After(time.Millisecond):
					if send(to) == nil {
						sent.Add(1)
					}
				}
			}
		})
	})
	return func() (int64, int64) {
		close(end)
		sending.Wait()
		for deadline := time.Now().Add(w.slack(2 * time.Second)); got.Load() < sent.Load() && time.Now().Before(deadline); {
			time.Sleep(10 * time.Millisecond)
		}
		in.Close()
		return sent.Load(), sent.Load() - got.Load()
	}
}

// shortFlows opens connections one after another until stop is called, which
// tells how many there were and how many failed.
func (w *world) shortFlows() (stop func() (made, failed int64)) {
	w.Helper()
	var made, failed atomic.Int64
	end := make(chan struct{})
	var making sync.WaitGroup
	making.Go(func() {
		for {
			select {
			case <-end:
				return
			default:
			}
			made.Add(1)
			conn, err := w.dial(plainPort)
			if err == nil {
				err = say(conn, []byte("hello"))
				conn.Close()
			}
			if err != nil {
				failed.Add(1)
			}
		}
	})
	return func() (int64, int64) {
		close(end)
		making.Wait()
		return made.Load(), failed.Load()
	}
}

// marked are the packets whose code point was set.
func (w *world) marked() (n uint64) {
	w.Helper()
	for _, c := range w.live().Chains {
		for _, r := range c.Rules {
			if strings.HasPrefix(c.Name, "np_dscp") {
				n += r.Packets
			}
		}
	}
	return n
}
