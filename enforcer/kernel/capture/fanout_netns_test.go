//go:build linux

package capture

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
	"github.com/netpol/netpol/enforcer/packet"
)

// patience is how long a test waits for what must come, on a machine that does
// much else.
const patience = 60 * time.Second

// readers read all rings of an interface, a goroutine each, and note by which ring
// each marked packet came.
type readers struct {
	t     *testing.T
	lab   *kerneltest.Lab
	rings *Rings
	seq   uint32
	in    int // socket of the client's end; 0 before it is used
	out   int // of the router's

	mu   sync.Mutex
	came map[uint32][]int // by number of the packet
	pair map[uint32]int   // by number of the packet, its pair of hosts
}

// marked begins the last bytes of a packet that a test has made.
const marked = "netpol!!"

func newReaders(t *testing.T, cfg RingConfig) *readers {
	t.Helper()
	r := &readers{t: t, lab: kerneltest.NewLab(t), came: map[uint32][]int{}, pair: map[uint32]int{}}
	cfg.Interface, cfg.Promiscuous, cfg.Idle = kerneltest.ClientDevice, true, 20*time.Millisecond
	cfg.Socket = func() (fd int, err error) {
		r.lab.Router.Do(func() { fd, err = openPacketSocket() })
		return fd, err
	}
	var err error
	if r.rings, err = OpenRings(cfg); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i, ring := range r.rings.List() {
		all.Go(func() { r.read(i, ring) })
	}
	t.Cleanup(func() {
		if err := r.rings.Close(); err != nil {
			t.Error(err)
		}
		all.Wait()
	})
	return r
}

func (r *readers) read(i int, ring *Ring) {
	var raw packet.Raw
	var p packet.Parsed
	for {
		err := ring.Next(&raw)
		switch {
		case errors.Is(err, io.EOF):
			return
		case errors.Is(err, packet.ErrIdle):
			continue
		case err != nil:
			r.t.Error(err)
			return
		}
		end := len(raw.Data) - 4
		packet.Decode(&raw, &p)
		if end < len(marked) || string(raw.Data[end-len(marked):end]) != marked || p.Proto == packet.ProtoICMP || p.Proto == packet.ProtoICMPv6 {
			continue // of the router's own
		}
		r.mu.Lock()
		n := binary.BigEndian.Uint32(raw.Data[end:])
		r.came[n] = append(r.came[n], i)
		r.mu.Unlock()
	}
}

// send puts a packet between two hosts on the wire, from the client's end or out of
// the router's, and returns its number.
func (r *readers) send(pair int, back bool, tags int, list ...gopacket.SerializableLayer) uint32 {
	r.t.Helper()
	r.seq++
	r.mu.Lock()
	r.pair[r.seq] = pair
	r.mu.Unlock()
	eth := &layers.Ethernet{SrcMAC: net.HardwareAddr{2, 0, 0x5e, 0x10, 0, 1}, DstMAC: net.HardwareAddr{2, 0, 0x5e, 0x10, 0, 2}, EthernetType: layers.EthernetTypeIPv4}
	if _, ok := list[0].(*layers.IPv6); ok {
		eth.EthernetType = layers.EthernetTypeIPv6
	}
	head := []gopacket.SerializableLayer{eth}
	for range tags {
		head = append(head, &layers.Dot1Q{VLANIdentifier: 7, Type: eth.EthernetType})
	}
	for i := range tags {
		if i == 0 {
			eth.EthernetType = layers.EthernetTypeDot1Q
		} else {
			head[i].(*layers.Dot1Q).Type = layers.EthernetTypeDot1Q
		}
	}
	buf := gopacket.NewSerializeBuffer()
	mark := gopacket.Payload(binary.BigEndian.AppendUint32([]byte("padding of a small frame, "+marked), r.seq))
	if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true}, append(append(head, list...), mark)...); err != nil {
		r.t.Fatal(err)
	}
	if back {
		r.put(&r.out, r.lab.Router, kerneltest.ClientDevice, buf.Bytes())
	} else {
		r.put(&r.in, r.lab.Client, "eth0", buf.Bytes())
	}
	return r.seq
}

// put sends a frame by a device; one that is not there loses it.
func (r *readers) put(fd *int, ns *kerneltest.NS, device string, b []byte) {
	ns.Do(func() {
		if *fd == 0 { // closing one waits for the whole kernel
			made, err := openPacketSocket()
			if err != nil {
				r.t.Error(err)
				return
			}
			*fd = made
			r.t.Cleanup(func() { _ = unix.Close(made) })
		}
		if l, err := netlink.LinkByName(device); err == nil {
			_ = unix.Sendto(*fd, b, 0, &unix.SockaddrLinklayer{Ifindex: l.Attrs().Index})
		}
	})
}

// ping is a plain datagram of a pair.
func (r *readers) ping(pair int) uint32 {
	return r.send(pair, false, 0, pairIPv4(pair, false), &layers.UDP{SrcPort: 1000, DstPort: 9})
}

func pairIPv4(pair int, back bool) *layers.IPv4 {
	ip := &layers.IPv4{Version: 4, TTL: 64, Protocol: layers.IPProtocolUDP, SrcIP: net.IP{10, 1, byte(pair / 8), byte(pair)}, DstIP: net.IP{203, 0, 113, byte(pair % 8)}}
	if back {
		ip.SrcIP, ip.DstIP = ip.DstIP, ip.SrcIP
	}
	return ip
}

func pairIPv6(pair int, back bool, next layers.IPProtocol) *layers.IPv6 {
	at := func(net string, host byte) net.IP {
		a := netip.MustParseAddr(net).As16()
		a[15] = host
		return a[:]
	}
	ip := &layers.IPv6{Version: 6, HopLimit: 64, NextHeader: next, SrcIP: at("fd00:1::", byte(pair)), DstIP: at("2001:db8:9::", byte(pair))}
	if back {
		ip.SrcIP, ip.DstIP = ip.DstIP, ip.SrcIP
	}
	return ip
}

// until waits until something holds.
func (r *readers) until(what string, ok func() bool) {
	r.t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			r.t.Fatalf("not within %s: %s", patience, what)
		}
	}
}

func (r *readers) read1(n uint32) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.came[n]) > 0
}

// anySince says that a packet was read of those with higher numbers.
func (r *readers) anySince(n uint32) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for came := range r.came {
		if came > n {
			return true
		}
	}
	return false
}

// check says that each packet came once at most, and all of a pair by one ring. It
// returns how many rings had any.
func (r *readers) check() (busy int) {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	by, rings := map[int]int{}, map[int]bool{}
	for n, came := range r.came {
		if len(came) != 1 {
			r.t.Errorf("packet %d came by %v, want once", n, came)
		}
		first, ok := by[r.pair[n]]
		if ok && first != came[0] {
			r.t.Errorf("pair %d came by %d and %d", r.pair[n], first, came[0])
		}
		by[r.pair[n]], rings[came[0]] = came[0], true
	}
	return len(rings)
}

// TestFanoutKeepsPairsTogether: of each two hosts both directions, all ports,
// fragments first and later, tagged and not, come by one ring, each packet once,
// and pairs are shared out.
func TestFanoutKeepsPairsTogether(t *testing.T) {
	for _, cfg := range []RingConfig{{Workers: 4}, {Workers: 3, FirstPackets: 100}} {
		t.Run(fmt.Sprintf("%d workers, first %d", cfg.Workers, cfg.FirstPackets), func(t *testing.T) {
			r := newReaders(t, cfg)
			if got := len(r.rings.List()); got != cfg.Workers {
				t.Fatalf("%d rings: %v", got, r.rings.Alone())
			}
			const pairs = 64
			for pair := range pairs {
				for _, back := range []bool{false, true} {
					for tags := range 3 {
						for port := range 3 {
							r.send(pair, back, tags, pairIPv4(pair, back), &layers.UDP{SrcPort: layers.UDPPort(1000 + port), DstPort: layers.UDPPort(2000 + pair)})
						}
					}
					first, later := pairIPv4(pair, back), pairIPv4(pair, back)
					first.Flags, later.FragOffset = layers.IPv4MoreFragments, 100
					r.send(pair, back, 0, first, &layers.UDP{SrcPort: 1000, DstPort: 9})
					r.send(pair, back, 0, later)
					r.send(pairs+pair, back, 0, pairIPv6(pair, back, layers.IPProtocolUDP), &layers.UDP{SrcPort: 1000, DstPort: 9})
					r.send(pairs+pair, back, 0, pairIPv6(pair, back, layers.IPProtocolIPv6Fragment), gopacket.Payload{17, 0, 3, 0x20, 0, 0, 0, 1}) // offset 100
				}
				// More at once than a veth's queue takes would be lost before they are shown.
				r.until("all packets", func() bool { r.mu.Lock(); defer r.mu.Unlock(); return len(r.came) == int(r.seq) })
			}
			if busy := r.check(); busy != cfg.Workers {
				t.Errorf("%d rings of %d had packets", busy, cfg.Workers)
			}
			if st := r.rings.Stats(); st.Lost != 0 || st.Packets < uint64(r.seq) {
				t.Errorf("stats: %+v, want at least %d packets and none lost", st, r.seq)
			}
		})
	}
}

// TestFanoutCountsLossesByRing: what finds a ring full is counted there.
func TestFanoutCountsLossesByRing(t *testing.T) {
	lab := kerneltest.NewLab(t)
	lab.Router.Enter()
	g := openRings(t, RingConfig{Workers: 2, Blocks: 2, BlockBytes: 128 << 10, Wait: time.Millisecond, Idle: 10 * time.Millisecond})
	r := &readers{t: t, lab: lab, rings: g, came: map[uint32][]int{}, pair: map[uint32]int{}}
	stats := func() [2]RingStats { return [2]RingStats{g.List()[0].Stats(), g.List()[1].Stats()} }
	var raw packet.Raw
	drain := func(i int) {
		for {
			if err := g.List()[i].Next(&raw); errors.Is(err, packet.ErrIdle) {
				return
			} else if err != nil {
				t.Fatal(err)
			}
		}
	}
	// One pair of hosts, which goes to one ring.
	big := gopacket.Payload(make([]byte, 1200))
	r.until("a loss", func() bool {
		for range 500 {
			r.send(1, false, 0, pairIPv4(1, false), &layers.UDP{SrcPort: 1, DstPort: 9}, big)
		}
		s := stats()
		return max(s[0].Lost, s[1].Lost) > 100
	})
	full := 0
	if s := stats(); s[1].Lost > s[0].Lost {
		full = 1
	}
	lost := stats()[full].Lost
	// The router's answers to forged senders may come by the other ring; they are few.
	if other := stats()[1-full]; other.Lost >= lost {
		t.Errorf("the other ring has lost %d, this one %d", other.Lost, lost)
	}
	drain(full)
	if got := stats()[full]; got.Lost < lost || got.Packets == 0 {
		t.Errorf("after reading: %+v, want %d lost or more", got, lost)
	}
}

// TestFanoutLeavesOutWhatIsSent: in the kernel, so that it takes no room.
func TestFanoutLeavesOutWhatIsSent(t *testing.T) {
	r := newReaders(t, RingConfig{Workers: 2, Incoming: true, Blocks: 8, BlockBytes: 128 << 10})
	for pair := range 8 {
		for range 20 {
			r.send(pair, true, 0, pairIPv4(pair, true), &layers.UDP{SrcPort: 9, DstPort: 1000})
		}
	}
	sent := r.seq
	r.until("a packet", func() bool { r.ping(1); return r.anySince(sent) })
	for n := uint32(1); n <= sent; n++ {
		if r.read1(n) {
			t.Fatal("what was sent was read")
		}
	}
	r.rings.mu.Lock()
	defer r.rings.mu.Unlock()
	for i, one := range r.rings.list {
		st, err := unix.GetsockoptTpacketStatsV3(one.socket.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
		if err != nil || st.Packets >= sent/2 {
			t.Errorf("ring %d: the kernel has shown it %d packets, %v", i, st.Packets, err)
		}
	}
}

// TestFanoutFollowsItsInterface: what happens to an interface happens to all of its
// rings, and none reads what bears another name.
func TestFanoutFollowsItsInterface(t *testing.T) {
	for _, workers := range []int{1, 3} {
		t.Run(fmt.Sprintf("%d workers", workers), func(t *testing.T) {
			followInterface(t, newReaders(t, RingConfig{Workers: workers, FirstPackets: 1000}))
		})
	}
}

func followInterface(t *testing.T, r *readers) {
	ip := func(args ...string) { t.Helper(); r.lab.Router.Run("ip", append([]string{"link"}, args...)...) }
	says := func(want string) {
		t.Helper()
		r.until(want, func() bool {
			err := r.rings.Missing()
			return err == nil && want == "" || err != nil && err.Error() == want
		})
	}
	come := func() {
		t.Helper()
		for pair := range 24 {
			before := r.seq
			r.until("packets", func() bool { r.ping(pair); return r.anySince(before) })
		}
		r.check()
	}
	come()
	ip("set", "lan0", "down")
	says("the interface lan0 is down")
	ip("set", "lan0", "up")
	says("")
	come()

	ip("set", "lan0", "down")
	ip("set", "lan0", "name", "old0")
	says("there is no interface lan0")
	r.until("rings given back", func() bool {
		r.rings.mu.Lock()
		defer r.rings.mu.Unlock()
		for _, one := range r.rings.list {
			if one.socket != nil {
				return false
			}
		}
		return true
	})
	ip("set", "old0", "up")
	stray := r.seq
	r.ping(1)
	// Another takes the name, over which nothing comes, and gives it back.
	ip("add", "lan0", "type", "bridge")
	ip("set", "lan0", "up")
	says("")
	r.ping(2)
	ip("del", "lan0")
	says("there is no interface lan0")
	ip("set", "old0", "down")
	ip("set", "old0", "name", "lan0")
	ip("set", "lan0", "up")
	says("")
	unread := r.seq
	come()
	for n := stray + 1; n <= unread; n++ {
		if r.read1(n) {
			t.Error("what bore another name was read")
		}
	}

	ip("del", "lan0") // and its peer with it
	says("there is no interface lan0")
	r.lab.Router.Do(func() {
		veth := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: kerneltest.ClientDevice}, PeerName: "eth0", PeerNamespace: netlink.NsFd(r.lab.Client.Handle())}
		if err := netlink.LinkAdd(veth); err != nil {
			t.Error(err)
		}
	})
	r.lab.Client.Run("ip", "link", "set", "eth0", "up")
	says("the interface lan0 is down")
	ip("set", "lan0", "up")
	says("")
	come()
	if got := r.rings.Outages(); got != 4 {
		t.Errorf("%d outages, want 4: down, renamed, the other deleted, deleted", got)
	}
}

// TestRingsRefuse: what cannot be read is an error that says why.
func TestRingsRefuse(t *testing.T) {
	kerneltest.NewNS(t)
	for _, tt := range []struct {
		cfg  RingConfig
		want string
	}{
		{RingConfig{Interface: "gone"}, "open packet ring on gone: no such interface: no such device"},
		{RingConfig{Interface: "lo", Workers: 65}, "open packet ring: 65 workers: at most 64 read an interface"},
	} {
		g, err := OpenRings(tt.cfg)
		if err == nil {
			_ = g.Close()
		}
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
}
