package main

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/kernel/ct"
	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// watchClasses is another's table behind netpol's: it remembers the priorities that
// packets left with, by their ports.
const watchClasses = `
table inet watch {
	set seen {
		typeof th sport . th dport . meta priority
		flags dynamic
		size 4096
	}
	chain last {
		type filter hook postrouting priority 300; policy accept;
		meta l4proto { tcp, udp } update @seen { th sport . th dport . meta priority }
	}
}
`

// TestRandomPoliciesOnTheRouter: random policy sets, real connections through a real
// kernel with netpold beside it, and what the policies plainly say. Connections of the
// set before are held against the new one as well. NETPOL_ROUNDS does more.
func TestRandomPoliciesOnTheRouter(t *testing.T) {
	lab := kerneltest.NewLab(t)
	s := newSite(t, lab.Router)
	s.installEnforcer()
	swallow(t, lab.Server)
	lab.Router.Run("nft", watchClasses)
	r := &rig{site: s, lab: lab, rng: rand.New(rand.NewPCG(21, 42)), taps: map[*kerneltest.NS]int{}}
	rounds := 6
	if n, err := strconv.Atoi(os.Getenv("NETPOL_ROUNDS")); err == nil {
		rounds = n
	}
	if n, err := strconv.ParseUint(os.Getenv("NETPOL_SEED"), 10, 64); err == nil {
		r.rng = rand.New(rand.NewPCG(n, 42))
	}
	for _, ns := range []*kerneltest.NS{lab.Client, lab.Server} {
		r.taps[ns] = tap(t, ns)
		for _, port := range []int{53, 7000, 7001, 7002, 7003, 7004, 7005, guardPort} {
			echo(t, ns, port)
		}
	}
	s.netpol(0, "apply", "--auto-approve", s.policies)
	s.startEnforcer("--log-level", "warn")
	var old []*trial
	before := ""
	for round := range rounds {
		set := randomSet(r.rng)
		s.write("policies/zoom.netpol.hcl", set.text())
		s.netpol(0, "apply", "--auto-approve", s.policies)
		r.captured = strings.Contains(lab.Router.Run("nft", "list", "chains"), "np_capture")
		var fresh []*trial
		for range 10 {
			fresh = append(fresh, r.open())
		}
		for _, x := range fresh {
			r.hold(x, &set, fmt.Sprintf("round %d", round))
		}
		timed := strings.Contains(set.text(), "schedule =")
		for _, x := range old {
			x.old, x.keeps = true, timed
			r.hold(x, &set, fmt.Sprintf("round %d, a connection of the round before", round))
		}
		if t.Failed() {
			t.Fatalf("the policies were\n%s\nand before\n%s", set.text(), before)
		}
		before = set.text()
		// Of what netpold has not seen begin it decides less.
		old = slices.DeleteFunc(fresh, func(x *trial) bool { return x.ended || !set.all })
	}
}

const guardPort = 65000

// rig is the lab with what looks at it.
type rig struct {
	*site
	lab  *kerneltest.Lab
	rng  *rand.Rand
	taps map[*kerneltest.NS]int
	port uint16
	// captured says that the policies need netpold.
	captured bool
}

// trial is a connection.
type trial struct {
	plainFlow
	from, to *kerneltest.NS
	udp      *net.UDPConn
	tcp      net.Conn
	ended    bool // nothing is to be had of it in the next round
	reset    bool // it was reset, so that no packet comes any more that could write a label or a mark
	old      bool // it began under other policies, which may not have needed netpold
	// keeps says that it may have labels and marks of earlier policies: those stay that
	// packets may set by the policies of now, which ask for the time.
	keeps bool
}

// tap receives all packets that come to a host.
func tap(t *testing.T, ns *kerneltest.NS) int {
	t.Helper()
	fd, err := -1, error(nil)
	const all = unix.ETH_P_ALL<<8&0xff00 | unix.ETH_P_ALL>>8
	ns.Do(func() {
		if fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, all); err == nil {
			_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 8<<20)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return fd
}

// echo answers datagrams with others that mean nothing.
func echo(t *testing.T, ns *kerneltest.NS, port int) {
	t.Helper()
	var c *net.UDPConn
	var err error
	ns.Do(func() { c, err = net.ListenUDP("udp", &net.UDPAddr{Port: port}) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	go func() {
		buf := make([]byte, 2048)
		for {
			n, from, err := c.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			_, _ = c.WriteToUDPAddrPort(bytes.Repeat([]byte{0xa7}, n), from)
		}
	}()
}

// open opens a connection at random and sends what netpold needs to name it.
func (r *rig) open() *trial {
	x := &trial{from: r.lab.Client, to: r.lab.Server}
	x.in, x.proto = kerneltest.ClientDevice, "udp"
	near, far := r.lab.ClientAddr4, r.lab.ServerAddr4
	if r.rng.IntN(2) == 0 {
		near, far = r.lab.ClientAddr6, r.lab.ServerAddr6
	}
	name := []string{"zoom.us", "netflix.com", "example.org", "example.net"}[r.rng.IntN(4)]
	if r.rng.IntN(3) == 0 {
		x.proto, x.hello = "tcp", name
		r.openTLS(x, near, far)
		return x
	}
	x.dst = netip.AddrPortFrom(far, uint16(7000+r.rng.IntN(6)))
	first := bytes.Repeat([]byte{0xa5}, 40)
	switch r.rng.IntN(4) {
	case 0: // the server opens
		x.from, x.to, x.in = x.to, x.from, kerneltest.ServerDevice
		near, x.dst = far, netip.AddrPortFrom(near, x.dst.Port())
	case 1, 2:
		x.dst, x.asked, first = netip.AddrPortFrom(far, 53), name, question(name)
	}
	r.port++
	x.src = netip.AddrPortFrom(near, 20000+r.port)
	if r.rng.IntN(3) == 0 {
		x.tos = uint8(1+r.rng.IntN(63)) << 2
	}
	var err error
	x.from.Do(func() {
		x.udp, err = net.DialUDP("udp", net.UDPAddrFromAddrPort(x.src), net.UDPAddrFromAddrPort(x.dst))
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { x.udp.Close() })
	setTOS(x.udp, x.src.Addr(), x.tos)
	for range 10 {
		_, _ = x.udp.Write(first) // may be the error that answered the one before
		time.Sleep(time.Millisecond)
	}
	return x
}

func setTOS(c *net.UDPConn, of netip.Addr, tos uint8) {
	raw, err := c.SyscallConn()
	if err == nil {
		_ = raw.Control(func(fd uintptr) {
			if of.Is4() {
				_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_TOS, int(tos))
			} else {
				_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_TCLASS, int(tos))
			}
		})
	}
}

// openTLS opens a connection, as far as policies let it, and says hello.
func (r *rig) openTLS(x *trial, near, far netip.Addr) {
	r.port++
	x.src, x.dst = netip.AddrPortFrom(near, 20000+r.port), netip.AddrPortFrom(far, 443)
	d := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(x.src), Timeout: 150 * time.Millisecond}
	x.from.Do(func() { x.tcp, _ = d.Dial("tcp", x.dst.String()) })
	if x.tcp == nil {
		return
	}
	r.t.Cleanup(func() { x.tcp.Close() })
	_, _ = x.tcp.Write(helloOf(r.t, x.hello))
}

// swallow takes connections to the port of TLS and answers what comes by them with
// what is no TLS.
func swallow(t *testing.T, ns *kerneltest.NS) {
	t.Helper()
	var l net.Listener
	var err error
	ns.Do(func() { l, err = net.Listen("tcp", ":443") })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				_, _ = io.Copy(c, c)
				c.Close()
			}()
		}
	}()
}

// hold holds a connection against the policies. What is not so at once may become so:
// netpold needs its time.
func (r *rig) hold(x *trial, set *plainSet, what string) {
	want := set.of(&x.plainFlow, x.tos)
	x.ended = x.udp == nil && (want.stopped || x.tcp == nil)
	var got string
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if got = r.differs(x, &want); got == "" {
			return
		}
		if time.Now().After(deadline) {
			entry, _ := r.entry(x)
			names, _ := os.ReadFile(r.path("etc/connlabel.conf"))
			r.t.Errorf("%s: %v\nwant %+v\ngot %s, with labels %v and mark %#x of\n%s", what, &x.plainFlow, want, got, bits(entry.Labels), entry.Mark, names)
			r.t.Logf("netpold has\n%s", r.ask("flows", "--json", fmt.Sprintf("src_port == %d", x.src.Port())))
			return
		}
	}
}

// differs says how a connection and its next packet differ from what is wanted.
func (r *rig) differs(x *trial, want *effect) string {
	if x.udp == nil && x.tcp == nil {
		if !want.stopped {
			return "it could not be opened"
		}
		return ""
	}
	r.lab.Router.Run("nft", "flush", "set", "inet", "watch", "seen")
	tos, arrived := r.probe(x)
	entry, err := r.entry(x)
	if err == nil {
		if r.captured && !x.old && entry.Mark&doneMark == 0 {
			return "it is not decided"
		}
		if mark := entry.Mark &^ (doneMark | quietMark); mark != want.mark && !x.keeps && !x.reset {
			return fmt.Sprintf("mark %#x", mark)
		}
		var labels []string
		for _, l := range []string{"a", "b", "c"} {
			if bit := r.bitOrNone(l); bit >= 0 && entry.Has(bit) {
				labels = append(labels, l)
			}
		}
		if !slices.Equal(labels, want.labels) && !x.keeps && !x.reset {
			return fmt.Sprintf("labels %v", labels)
		}
	}
	if arrived == want.stopped {
		return fmt.Sprintf("its packet arrived: %v (%v)", arrived, err)
	}
	if want.stopped {
		return ""
	}
	if tos>>2 != want.dscp {
		return fmt.Sprintf("code point %d", tos>>2)
	}
	if err != nil {
		return err.Error()
	}
	seen := r.lab.Router.Run("nft", "list", "set", "inet", "watch", "seen")
	key := fmt.Sprintf("%d . %d . ", x.src.Port(), x.dst.Port())
	for _, class := range []string{"1:10", "1:20"} {
		if has := strings.Contains(seen, key+class); has != (want.class == class) {
			return fmt.Sprintf("priority %s: %v in %s", class, has, seen)
		}
	}
	return ""
}

// bitOrNone is the label's bit, or -1.
func (r *rig) bitOrNone(label string) int {
	data, err := os.ReadFile(r.path("etc/connlabel.conf"))
	if err != nil {
		r.t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		var bit int
		var name string
		if n, _ := fmt.Sscan(line, &bit, &name); n == 2 && name == label {
			return bit
		}
	}
	return -1
}

func (r *rig) entry(x *trial) (c ct.Conn, err error) {
	proto := uint8(unix.IPPROTO_UDP)
	if x.proto == "tcp" {
		proto = unix.IPPROTO_TCP
	}
	r.lab.Router.Do(func() {
		var client *ct.Client
		if client, err = ct.Open(); err != nil {
			return
		}
		defer client.Close()
		c, err = client.Get(flow.Tuple{Proto: proto, Src: x.src.Addr(), SrcPort: x.src.Port(), Dst: x.dst.Addr(), DstPort: x.dst.Port()})
	})
	return c, err
}

// probe sends a packet of the connection, and another that always passes behind it.
func (r *rig) probe(x *trial) (tos uint8, arrived bool) {
	if x.udp != nil {
		if _, err := x.udp.Write([]byte("probe")); err != nil {
			_, _ = x.udp.Write([]byte("probe"))
		}
	} else {
		_, err := x.tcp.Write([]byte("probe"))
		x.reset = err != nil
	}
	r.port++
	guard := netip.AddrPortFrom(x.src.Addr(), 20000+r.port)
	x.from.Do(func() {
		c, err := net.DialUDP("udp", net.UDPAddrFromAddrPort(guard), net.UDPAddrFromAddrPort(netip.AddrPortFrom(x.dst.Addr(), guardPort)))
		if err != nil {
			r.t.Fatal(err)
		}
		_, _ = c.Write([]byte("guard"))
		c.Close()
	})
	buf := make([]byte, 4096)
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		n, from, err := unix.Recvfrom(r.taps[x.to], buf, unix.MSG_DONTWAIT)
		if err != nil {
			time.Sleep(time.Millisecond)
			continue
		}
		if l, ok := from.(*unix.SockaddrLinklayer); !ok || l.Pkttype == unix.PACKET_OUTGOING {
			continue
		}
		src, dst, packetTOS, ok := headers(buf[:n])
		switch {
		case !ok:
		case src == guard:
			return tos, arrived
		case src == x.src && dst == x.dst:
			tos, arrived = packetTOS, true
		}
	}
	r.t.Fatal("the guard did not arrive")
	return 0, false
}

// headers reads addresses, ports and the traffic class of TCP and UDP without options.
func headers(b []byte) (src, dst netip.AddrPort, tos uint8, ok bool) {
	if len(b) < 44 {
		b = append(slices.Clone(b), make([]byte, 44)...)
	}
	var from, to netip.Addr
	var ports []byte
	switch b[0] >> 4 {
	case 4:
		from, to = netip.AddrFrom4([4]byte(b[12:])), netip.AddrFrom4([4]byte(b[16:]))
		tos, ports = b[1], b[int(b[0]&15)*4:]
	case 6:
		from, to = netip.AddrFrom16([16]byte(b[8:])), netip.AddrFrom16([16]byte(b[24:]))
		tos, ports = b[0]<<4|b[1]>>4, b[40:]
	default:
		return src, dst, 0, false
	}
	port := func(b []byte) uint16 { return uint16(b[0])<<8 | uint16(b[1]) }
	return netip.AddrPortFrom(from, port(ports)), netip.AddrPortFrom(to, port(ports[2:])), tos, true
}
