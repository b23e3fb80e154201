//go:build linux

package packetsim

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/kernel/ct"
	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
	"github.com/netpol/netpol/enforcer/kernel/nft"
)

// TestTheKernelAgrees sends packets through random tables in a real kernel and
// through the simulation, and compares what came through, with which code
// point, and what stands on the connection afterwards.
func TestTheKernelAgrees(t *testing.T) {
	lab := kerneltest.NewLab(t)
	lab.Router.Sysctl("net/netfilter/nf_conntrack_acct", "1")
	lab.Router.Enter()
	client, err := ct.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	rng := rand.New(rand.NewPCG(11, 12))
	k := &kernel{t: t, lab: lab, client: client}
	seen := map[Verdict]int{}
	marked, labelled := 0, 0
	for round := range 40 {
		rs := randomTable(rng)
		for i := range rs.Sets {
			if rs.Sets[i], err = rs.Sets[i].At(time.Now()); err != nil {
				t.Fatal(err)
			}
		}
		if err := nft.Apply(&rs); err != nil {
			t.Fatalf("apply: %v\n%+v", err, rs)
		}
		for range 3 {
			conn := k.open(rng)
			for packet := range 5 {
				x := k.send(rng, conn, New(&rs), fmt.Sprintf("round %d, packet %d", round, packet))
				seen[x.Verdict]++
				if x.DSCP != nil {
					marked++
				}
			}
			conn.close()
			if conn.sim.Labels != [16]byte{} {
				labelled++
			}
		}
	}
	if seen[Pass] < 20 || seen[Drop] < 20 || seen[Reject] < 5 || marked < 20 || labelled < 20 {
		t.Errorf("the tables do too little: %v, %d marked, %d connections labelled", seen, marked, labelled)
	}
}

// kernel is the lab with its sockets.
type kernel struct {
	t      *testing.T
	lab    *kerneltest.Lab
	client *ct.Client
	port   uint16 // the next client's
}

// connection is a pair of sockets and what the simulation makes of them.
type connection struct {
	near, far *net.UDPConn // at the client, at the server
	guard     [2]*net.UDPConn
	tuple     flow.Tuple
	sim       Connection
}

// Ports of the server. Packets to guardPort pass every table and come after the
// packet that is looked at: when one has arrived, that has arrived or never
// will.
const (
	guardPort = 65000
	lowPort   = 7000
	ports     = 8
)

func (k *kernel) open(rng *rand.Rand) *connection {
	from, to := k.lab.ClientAddr4, k.lab.ServerAddr4
	if rng.IntN(2) == 0 {
		from, to = k.lab.ClientAddr6, k.lab.ServerAddr6
	}
	k.port++
	near := netip.AddrPortFrom(from, 30000+k.port)
	far := netip.AddrPortFrom(to, lowPort+uint16(rng.IntN(ports)))
	c := &connection{tuple: flow.Tuple{Src: near.Addr(), Dst: far.Addr(), SrcPort: near.Port(), DstPort: far.Port(), Proto: unix.IPPROTO_UDP}}
	c.near, c.far = k.socket(k.lab.Client, near), k.socket(k.lab.Server, far)
	c.guard = [2]*net.UDPConn{k.socket(k.lab.Client, netip.AddrPortFrom(from, guardPort)), k.socket(k.lab.Server, netip.AddrPortFrom(to, guardPort))}
	return c
}

func (c *connection) close() {
	for _, s := range []*net.UDPConn{c.near, c.far, c.guard[0], c.guard[1]} {
		_ = s.Close()
	}
}

// socket is one that tells the code point of what it receives.
func (k *kernel) socket(ns *kerneltest.NS, at netip.AddrPort) *net.UDPConn {
	var s *net.UDPConn
	var err error
	ns.Do(func() {
		s, err = net.ListenUDP("udp", net.UDPAddrFromAddrPort(at))
	})
	if err != nil {
		k.t.Fatal(err)
	}
	raw, err := s.SyscallConn()
	if err == nil {
		err = raw.Control(func(fd uintptr) {
			if at.Addr().Is4() {
				_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_RECVTOS, 1)
			} else {
				_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_RECVTCLASS, 1)
			}
		})
	}
	if err != nil {
		k.t.Fatal(err)
	}
	return s
}

// send sends a packet both ways and compares.
func (k *kernel) send(rng *rand.Rand, c *connection, table *Table, what string) Result {
	t := k.t
	t.Helper()
	if c.sim.Confirmed && rng.IntN(4) == 0 {
		k.enforce(rng, c)
	}
	p := &Packet{
		Direction: Original, Protocol: unix.IPPROTO_UDP, Src: c.tuple.Src, Dst: c.tuple.Dst, SrcPort: c.tuple.SrcPort, DstPort: c.tuple.DstPort,
		In: kerneltest.ClientDevice, Out: kerneltest.ServerDevice, Time: time.Now(),
	}
	from, to, guards := c.near, c.far, [2]*net.UDPConn{c.guard[0], c.guard[1]}
	if c.sim.Confirmed && rng.IntN(2) == 0 {
		p.Direction = Reply
		p.Src, p.Dst, p.SrcPort, p.DstPort, p.In, p.Out = p.Dst, p.Src, p.DstPort, p.SrcPort, p.Out, p.In
		from, to, guards = to, from, [2]*net.UDPConn{guards[1], guards[0]}
	}
	payload := make([]byte, 1+rng.IntN(400))
	p.Size = uint64(len(payload)) + 8 + 20
	if !p.Src.Is4() {
		p.Size += 20
	}
	if !c.sim.Confirmed {
		c.sim = Connection{} // nothing is left of a packet that was stopped
	}
	want, err := table.Send(&c.sim, p)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	arrived, tos := k.transmit(from, to, guards, payload)
	if arrived != (want.Verdict == Pass) {
		t.Fatalf("%s: arrived %v, simulated verdict %d by %v in\n%s", what, arrived, want.Verdict, want.Rules, k.lab.Router.Run("nft", "list", "table", "inet", "netpol"))
	}
	if dscp := uint8(0); arrived {
		if want.DSCP != nil {
			dscp = *want.DSCP
		}
		if tos>>2 != dscp {
			t.Fatalf("%s: code point %d, simulated %d by %v", what, tos>>2, dscp, want.Rules)
		}
	}
	k.compare(c, what, want)
	return want
}

// transmit sends a packet and, after it, one that always passes.
func (k *kernel) transmit(from, to *net.UDPConn, guards [2]*net.UDPConn, payload []byte) (arrived bool, tos byte) {
	k.t.Helper()
	for _, x := range []struct {
		from, to *net.UDPConn
		payload  []byte
	}{{from, to, payload}, {guards[0], guards[1], []byte("g")}} {
		if _, err := x.from.WriteToUDPAddrPort(x.payload, x.to.LocalAddr().(*net.UDPAddr).AddrPort()); err != nil {
			if _, err = x.from.WriteToUDPAddrPort(x.payload, x.to.LocalAddr().(*net.UDPAddr).AddrPort()); err != nil {
				k.t.Fatal(err) // once may be the answer to an earlier packet that was rejected
			}
		}
	}
	_ = guards[1].SetReadDeadline(time.Now().Add(time.Minute))
	if _, _, err := guards[1].ReadFromUDPAddrPort(make([]byte, 8)); err != nil {
		k.t.Fatalf("the guard did not arrive: %v", err)
	}
	n, oob, err := receive(to)
	if err != nil || n != len(payload) {
		return false, 0
	}
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		k.t.Fatal(err)
	}
	for _, m := range messages {
		if m.Header.Type == unix.IP_TOS || m.Header.Type == unix.IPV6_TCLASS {
			tos = m.Data[0]
		}
	}
	return true, tos
}

// receive takes a packet that is there, and does not wait for one.
func receive(from *net.UDPConn) (n int, oob []byte, err error) {
	raw, err := from.SyscallConn()
	if err != nil {
		return 0, nil, err
	}
	oob = make([]byte, 128)
	var oobn int
	var failed error
	err = raw.Control(func(fd uintptr) {
		n, oobn, _, _, failed = unix.Recvmsg(int(fd), make([]byte, 2048), oob, unix.MSG_DONTWAIT)
	})
	return n, oob[:oobn], errors.Join(err, failed)
}

// enforce writes on the connection what an enforcer would.
func (k *kernel) enforce(rng *rand.Rand, c *connection) {
	u := flow.Update{Tuple: c.tuple, Mark: rng.Uint32() & 0xf, MarkMask: 0xf}
	for i := range 2 {
		u.Labels[i], u.LabelMask[i] = byte(rng.Uint32()), byte(rng.Uint32())
		u.Labels[i] &= u.LabelMask[i]
		c.sim.Labels[i] = c.sim.Labels[i]&^u.LabelMask[i] | u.Labels[i]
	}
	c.sim.Mark = c.sim.Mark&^u.MarkMask | u.Mark
	w, err := ct.NewWriter()
	if err == nil {
		if err = w.Write(u); err == nil {
			err = w.Close()
		}
	}
	if err != nil {
		k.t.Fatal(err)
	}
}

// compare holds the kernel's entry against the simulated one.
func (k *kernel) compare(c *connection, what string, r Result) {
	k.t.Helper()
	entry, err := k.client.Get(c.tuple)
	if !c.sim.Confirmed {
		if err == nil {
			k.t.Fatalf("%s: the kernel has %+v, the simulation none", what, entry)
		}
		return
	}
	if err != nil {
		k.t.Fatalf("%s: %v, simulated %+v by %v", what, err, c.sim, r.Rules)
	}
	if entry.Labels != c.sim.Labels || entry.Mark != c.sim.Mark {
		k.t.Fatalf("%s: the kernel has labels %x mark %#x, the simulation %x %#x by %v", what, entry.Labels, entry.Mark, c.sim.Labels, c.sim.Mark, r.Rules)
	}
}
