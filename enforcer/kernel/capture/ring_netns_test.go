//go:build linux

package capture

import (
	"errors"
	"io"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
	"github.com/netpol/netpol/enforcer/packet"
)

// ringLab is a lab whose router's side of the client is read.
func ringLab(t *testing.T, cfg RingConfig) (*kerneltest.Lab, *Ring) {
	t.Helper()
	lab := kerneltest.NewLab(t)
	lab.Router.Enter()
	return lab, openRings(t, cfg).List()[0]
}

// openRings reads the router's side of the client in the thread's namespace.
func openRings(t *testing.T, cfg RingConfig) *Rings {
	t.Helper()
	cfg.Interface = kerneltest.ClientDevice
	g, err := OpenRings(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.Close() })
	return g
}

// collect counts the UDP packets of a port that come until none does for a
// while, and shows each to its caller.
func collect(t *testing.T, s *Ring, port uint16, each func(*packet.Raw, *packet.Parsed)) (n int) {
	t.Helper()
	var raw packet.Raw
	var p packet.Parsed
	for idle := 0; idle < 2; {
		err := s.Next(&raw)
		if errors.Is(err, packet.ErrIdle) {
			idle++
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		packet.Decode(&raw, &p)
		if p.Proto == packet.ProtoUDP && (p.SrcPort == port || p.DstPort == port) {
			n++
			if each != nil {
				each(&raw, &p)
			}
		}
	}
	return n
}

func TestRingReadsWhatPasses(t *testing.T) {
	lab, s := ringLab(t, RingConfig{})
	before := time.Now()
	client := exchange(t, lab, netip.AddrPortFrom(lab.ServerAddr4, 9), 300, 900)
	both := map[uint16]int{}
	n := collect(t, s, 9, func(raw *packet.Raw, p *packet.Parsed) {
		both[p.SrcPort]++
		if p.SrcPort == client.Port() && (len(p.Payload) != 900 || raw.Length != 14+20+8+900) {
			t.Errorf("payload of %d bytes, %d on the wire", len(p.Payload), raw.Length)
		}
		if at := time.Unix(0, raw.Timestamp); at.Before(before.Add(-time.Second)) || at.After(time.Now()) {
			t.Errorf("time %s", at)
		}
		if raw.Interface != kerneltest.ClientDevice {
			t.Errorf("interface %q", raw.Interface)
		}
	})
	if n != 600 || both[9] != 300 || both[client.Port()] != 300 {
		t.Errorf("got %d packets, %v, want 300 each way", n, both)
	}
	if st := s.Stats(); st.Lost != 0 || st.Packets < 600 {
		t.Errorf("stats: %+v", st)
	}
}

func TestRingLeavesOutWhatIsSent(t *testing.T) {
	lab, s := ringLab(t, RingConfig{Incoming: true})
	exchange(t, lab, netip.AddrPortFrom(lab.ServerAddr4, 9), 20, 100)
	if n := collect(t, s, 9, nil); n != 20 {
		t.Errorf("got %d packets, want the 20 that the client sent", n)
	}
}

// TestRingFirstPackets: both directions of a flow count together, flows count
// apart, and IPv6 and IPv4 alike.
func TestRingFirstPackets(t *testing.T) {
	const first = 10
	lab, s := ringLab(t, RingConfig{FirstPackets: first})
	want := 0
	for _, server := range []netip.Addr{lab.ServerAddr4, lab.ServerAddr6} {
		for range 3 { // of other ports
			exchange(t, lab, netip.AddrPortFrom(server, 9), 50, 100)
			want += first
		}
	}
	exchange(t, lab, netip.AddrPortFrom(lab.ServerAddr4, 9), 2, 100)
	want += 4
	if n := collect(t, s, 9, nil); n != want {
		t.Errorf("got %d packets, want %d", n, want)
	}
}

// TestRingSYNBeginsAnew: a tuple that is used again is a new flow.
func TestRingSYNBeginsAnew(t *testing.T) {
	lab, s := ringLab(t, RingConfig{FirstPackets: 2})
	segments := func(flags ...layers.TCP) {
		for _, tcp := range flags {
			tcp.SrcPort, tcp.DstPort = 40000, 80
			send(t, lab.Client, frame(t, lab, 0, &layers.IPv4{
				Version: 4, TTL: 64, Protocol: layers.IPProtocolTCP, SrcIP: lab.ClientAddr4.AsSlice(), DstIP: lab.ServerAddr4.AsSlice(),
			}, &tcp))
		}
	}
	segments(layers.TCP{SYN: true}, layers.TCP{ACK: true}, layers.TCP{ACK: true}, layers.TCP{ACK: true})
	segments(layers.TCP{SYN: true}, layers.TCP{ACK: true}, layers.TCP{ACK: true})
	var raw packet.Raw
	var p packet.Parsed
	got := 0
	for err := error(nil); !errors.Is(err, packet.ErrIdle); err = s.Next(&raw) {
		if packet.Decode(&raw, &p); p.Proto == packet.ProtoTCP {
			got++ // the server's resets are of the flow as well
		}
	}
	if got != 4 {
		t.Errorf("got %d segments, want the first 2 of each connection", got)
	}
}

// TestRingShowsTags: the kernel takes the outer tag out of a packet and says so
// beside it; what is read has it.
func TestRingShowsTags(t *testing.T) {
	for _, first := range []uint32{0, 5} {
		lab, s := ringLab(t, RingConfig{FirstPackets: first, Promiscuous: true})
		for _, tags := range []int{1, 2} {
			for range 8 {
				send(t, lab.Client, frame(t, lab, tags, &layers.IPv4{
					Version: 4, TTL: 64, Protocol: layers.IPProtocolUDP, SrcIP: lab.ClientAddr4.AsSlice(), DstIP: lab.ServerAddr4.AsSlice(),
				}, &layers.UDP{SrcPort: layers.UDPPort(1000 + tags), DstPort: 9}))
			}
		}
		want := map[uint16]int{1001: 8, 1002: 8}
		if first > 0 {
			want = map[uint16]int{1001: 5, 1002: 5}
		}
		got := map[uint16]int{}
		collect(t, s, 9, func(_ *packet.Raw, p *packet.Parsed) {
			got[p.SrcPort]++
			if p.VLAN != 7 {
				t.Errorf("VLAN %d, want 7", p.VLAN)
			}
		})
		if got[1001] != want[1001] || got[1002] != want[1002] {
			t.Errorf("first packets %d: got %v, want %v", first, got, want)
		}
	}
}

// TestRingOutlivesItsInterface: down and up, deleted and made anew.
func TestRingOutlivesItsInterface(t *testing.T) {
	lab, s := ringLab(t, RingConfig{Idle: 20 * time.Millisecond, Promiscuous: true})
	link := func() netlink.Link {
		l, err := netlink.LinkByName(kerneltest.ClientDevice)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	settle := func(reads func() bool) {
		t.Helper()
		var raw packet.Raw
		for end := time.Now().Add(3 * time.Second); !reads(); {
			if err := s.Next(&raw); err != nil && !errors.Is(err, packet.ErrIdle) {
				t.Fatal(err)
			}
			if time.Now().After(end) {
				t.Fatal("packets did not come back within 3 s")
			}
		}
	}
	must(netlink.LinkSetDown(link()))
	settle(func() bool { return s.rings.Outages() == 1 })
	must(netlink.LinkSetUp(link()))
	came := func() bool {
		before := s.Stats().Packets
		send(t, lab.Client, frame(t, lab, 0, &layers.IPv4{
			Version: 4, TTL: 64, Protocol: layers.IPProtocolUDP, SrcIP: lab.ClientAddr4.AsSlice(), DstIP: lab.ServerAddr4.AsSlice(),
		}, &layers.UDP{SrcPort: 1, DstPort: 9}))
		var raw packet.Raw
		_ = s.Next(&raw)
		return s.Stats().Packets > before
	}
	settle(came)

	must(netlink.LinkDel(link()))
	settle(func() bool { return s.rings.Outages() >= 2 })
	veth := &netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: kerneltest.ClientDevice}, PeerName: "eth0", PeerNamespace: netlink.NsFd(lab.Client.Handle())}
	must(netlink.LinkAdd(veth))
	must(netlink.LinkSetUp(link()))
	lab.Client.Do(func() {
		if peer, err := netlink.LinkByName("eth0"); err == nil {
			_ = netlink.LinkSetUp(peer)
		}
	})
	settle(came)
}

func TestRingCloseWakesNext(t *testing.T) {
	_, s := ringLab(t, RingConfig{Idle: time.Minute})
	done := make(chan error)
	go func() {
		var raw packet.Raw
		for {
			if err := s.Next(&raw); err != nil {
				done <- err
				return
			}
		}
	}()
	time.Sleep(20 * time.Millisecond)
	if err := s.rings.Close(); err != nil {
		t.Error(err)
	}
	select {
	case err := <-done:
		if !errors.Is(err, io.EOF) {
			t.Error(err)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("Next did not return")
	}
}

func TestRingRefusesWhatItCannotRead(t *testing.T) {
	kerneltest.NewNS(t)
	for _, cfg := range []RingConfig{{}, {Interface: "gone"}, {Interface: "lo", BlockBytes: 100}, {Interface: "lo", Blocks: 1 << 20}} {
		if s, err := OpenRings(cfg); err == nil {
			_ = s.Close()
			t.Errorf("%+v: no error", cfg)
		}
	}
}

// frame is a packet from the client to its router behind some VLAN tags, the
// outer one 7.
func frame(t *testing.T, lab *kerneltest.Lab, tags int, ip *layers.IPv4, l4 gopacket.SerializableLayer) []byte {
	t.Helper()
	eth := &layers.Ethernet{SrcMAC: net.HardwareAddr{2, 0, 0x5e, 0x10, 0, 1}, DstMAC: routerMAC(t, lab), EthernetType: layers.EthernetTypeIPv4}
	list := []gopacket.SerializableLayer{eth}
	for i := range tags {
		tag := &layers.Dot1Q{VLANIdentifier: uint16(7 + i), Type: layers.EthernetTypeIPv4}
		if i == 0 {
			eth.EthernetType = layers.EthernetTypeDot1Q
		} else {
			list[len(list)-1].(*layers.Dot1Q).Type = layers.EthernetTypeDot1Q
		}
		list = append(list, tag)
	}
	if l4, ok := l4.(interface {
		SetNetworkLayerForChecksum(gopacket.NetworkLayer) error
	}); ok {
		if err := l4.SetNetworkLayerForChecksum(ip); err != nil {
			t.Fatal(err)
		}
	}
	buf := gopacket.NewSerializeBuffer()
	list = append(list, ip, l4, gopacket.Payload("twelve bytes"))
	if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true}, list...); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func routerMAC(t *testing.T, lab *kerneltest.Lab) (mac net.HardwareAddr) {
	t.Helper()
	lab.Router.Do(func() {
		if l, err := netlink.LinkByName(kerneltest.ClientDevice); err == nil {
			mac = l.Attrs().HardwareAddr
		}
	})
	if mac == nil { // gone: whoever hears it may
		return net.HardwareAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	}
	return mac
}

// send puts a frame on the client's wire; a wire that is cut loses it.
func send(t *testing.T, from *kerneltest.NS, b []byte) {
	t.Helper()
	var err error
	from.Do(func() {
		var fd int
		if fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0); err != nil {
			return
		}
		defer func() { _ = unix.Close(fd) }()
		if l, lerr := netlink.LinkByName("eth0"); lerr == nil {
			_ = unix.Sendto(fd, b, 0, &unix.SockaddrLinklayer{Ifindex: l.Attrs().Index})
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}
