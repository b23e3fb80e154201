//go:build linux

package capture

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/compiler/artifact"
	emit "github.com/netpol/netpol/compiler/emit/nft"
	"github.com/netpol/netpol/enforcer/kernel/internal/nfnl"
	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
	"github.com/netpol/netpol/enforcer/packet"
)

const (
	group   = 77
	budget  = 4    // packets that the kernel shows: four times InspectPacket
	snaplen = 8192 // of the capture rules, compiler/emit/nft
)

// captureLab is a lab whose router logs the first packets of each flow, and a
// source that reads them.
func captureLab(t *testing.T, cfg NFLogConfig) (*kerneltest.Lab, *NFLog) {
	t.Helper()
	lab := kerneltest.NewLab(t)
	text := emit.Text(emit.Emit(emit.Input{
		Settings:  artifact.Settings{LogGroup: group, InspectPacket: budget / 4, DoneMark: 0x80000000},
		InitLabel: artifact.Label{Name: "np-seen"},
	}), nil)
	lab.Router.Enter()
	lab.Router.Run("nft", string(text))
	cfg.Group = group
	s, err := OpenNFLog(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return lab, s
}

// exchange is a UDP conversation: rounds of one question and one answer.
func exchange(t *testing.T, lab *kerneltest.Lab, server netip.AddrPort, rounds, size int) (client netip.AddrPort) {
	t.Helper()
	var in net.PacketConn
	var out net.Conn
	var err error
	lab.Server.Do(func() { in, err = net.ListenPacket("udp", server.String()) })
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close() }()
	lab.Client.Do(func() { out, err = net.Dial("udp", in.LocalAddr().String()) })
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = out.Close() }()
	deadline := time.Now().Add(5 * time.Second)
	_, _ = in.SetReadDeadline(deadline), out.SetReadDeadline(deadline)
	buf := make([]byte, 65536)
	for range rounds {
		if _, err := out.Write(bytes.Repeat([]byte{'q'}, size)); err != nil {
			t.Fatal(err)
		}
		_, from, err := in.ReadFrom(buf)
		if err == nil {
			_, err = in.WriteTo([]byte("answer"), from)
		}
		if err == nil {
			_, err = out.Read(buf)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return netip.MustParseAddrPort(out.LocalAddr().String())
}

// neighbour is the hardware address of the host behind an interface of the
// router.
func neighbour(t *testing.T, lab *kerneltest.Lab, device string) (mac string) {
	t.Helper()
	host := lab.Client
	if device == kerneltest.ServerDevice {
		host = lab.Server
	}
	host.Do(func() {
		list, err := net.Interfaces()
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range list {
			if i.Flags&net.FlagLoopback == 0 && len(i.HardwareAddr) == 6 {
				mac = i.HardwareAddr.String()
			}
		}
	})
	return mac
}

// readAll reads what is there, ICMPv6 (neighbour discovery) left out.
func readAll(t *testing.T, s *NFLog) []packet.Raw {
	t.Helper()
	var all []packet.Raw
	for {
		var r packet.Raw
		err := s.Next(&r)
		if errors.Is(err, packet.ErrIdle) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		if r.Data[0]>>4 == 6 && r.Data[6] == unix.IPPROTO_ICMPV6 {
			continue
		}
		r.Data = bytes.Clone(r.Data)
		all = append(all, r)
	}
}

func TestFirstPacketsWithDirection(t *testing.T) {
	lab, s := captureLab(t, NFLogConfig{})
	for name, server := range map[string]netip.Addr{"ipv4": lab.ServerAddr4, "ipv6": lab.ServerAddr6} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			exchange(t, lab, netip.AddrPortFrom(server, 9000), 10, 1000)
			got := readAll(t, s)
			if len(got) != budget {
				t.Fatalf("%d packets of 20 read, want the first %d", len(got), budget)
			}
			header := map[bool]int{true: 28, false: 48}[server.Is4()]
			for i, r := range got {
				want := packet.Raw{LinkType: packet.LinkRaw, Direction: packet.DirOriginal, Interface: kerneltest.ClientDevice, Length: header + 1000}
				if i%2 == 1 {
					want.Direction, want.Interface, want.Length = packet.DirReply, kerneltest.ServerDevice, header+len("answer")
				}
				if r.LinkType != want.LinkType || r.Direction != want.Direction || r.Interface != want.Interface || r.Length != want.Length {
					t.Errorf("packet %d: link %d direction %d interface %q length %d, want %+v", i, r.LinkType, r.Direction, r.Interface, r.Length, want)
				}
				if mac := net.HardwareAddr(r.SourceMAC[:]).String(); mac != neighbour(t, lab, want.Interface) {
					t.Errorf("packet %d: from %s, want %s, the host behind %s", i, mac, neighbour(t, lab, want.Interface), want.Interface)
				}
				if at := time.Unix(0, r.Timestamp); at.Before(start.Add(-time.Second)) || at.After(time.Now().Add(time.Second)) {
					t.Errorf("packet %d: timestamp %v", i, at)
				}
			}
		})
	}
	if st := s.Stats(); st.Lost != 0 || st.Packets < 2*budget {
		t.Errorf("stats %+v", st)
	}
}

func TestDNSAnswersAreAlwaysLogged(t *testing.T) {
	lab, s := captureLab(t, NFLogConfig{})
	exchange(t, lab, netip.AddrPortFrom(lab.ServerAddr4, 53), 10, 30)
	replies := 0
	for _, r := range readAll(t, s) {
		if r.Direction == packet.DirReply {
			replies++
		}
	}
	if replies != 10 {
		t.Errorf("%d answers read, want all 10, each once", replies)
	}
}

func TestDoneMarkStopsLogging(t *testing.T) {
	lab, s := captureLab(t, NFLogConfig{})
	lab.Router.Run("nft", "table inet before { chain c { type filter hook prerouting priority -170; ct mark set 0x80000001; }; }")
	exchange(t, lab, netip.AddrPortFrom(lab.ServerAddr4, 9000), 3, 10)
	if got := readAll(t, s); len(got) != 0 {
		t.Errorf("%d packets of a marked flow read", len(got))
	}
}

func TestUntrackedAndLoopbackStayUnseen(t *testing.T) {
	lab, s := captureLab(t, NFLogConfig{})
	lab.Router.Run("nft", "table inet raw { chain c { type filter hook prerouting priority -300; udp dport 9000 notrack; udp sport 9000 notrack; }; }")
	exchange(t, lab, netip.AddrPortFrom(lab.ServerAddr4, 9000), 3, 10)
	in, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close() }()
	if _, err := in.WriteTo([]byte("self"), in.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	if got := readAll(t, s); len(got) != 0 {
		t.Errorf("%d packets read: %+v", len(got), got)
	}
}

// Traffic of the router itself is captured too, both ways.
func TestLocalTraffic(t *testing.T) {
	lab, s := captureLab(t, NFLogConfig{})
	local := *lab
	local.Client = lab.Router
	exchange(t, &local, netip.AddrPortFrom(lab.ServerAddr4, 9000), 1, 10)
	got := readAll(t, s)
	if len(got) != 2 || got[0].Direction != packet.DirOriginal || got[1].Direction != packet.DirReply ||
		got[0].Interface != kerneltest.ServerDevice || got[1].Interface != kerneltest.ServerDevice {
		t.Errorf("read %+v, want one packet out and one in, both at %s", got, kerneltest.ServerDevice)
	}
}

func TestSnaplenCutsDataNotLength(t *testing.T) {
	lab, s := captureLab(t, NFLogConfig{})
	for _, dev := range []struct {
		ns   *kerneltest.NS
		name string
	}{{lab.Client, "eth0"}, {lab.Router, kerneltest.ClientDevice}, {lab.Router, kerneltest.ServerDevice}, {lab.Server, "eth0"}} {
		dev.ns.Run("ip", "link", "set", dev.name, "mtu", "9500")
	}
	const payload = snaplen + 1000
	exchange(t, lab, netip.AddrPortFrom(lab.ServerAddr4, 9000), 1, payload)
	got := readAll(t, s)
	if len(got) != 2 || len(got[0].Data) != snaplen || got[0].Length != payload+28 {
		t.Fatalf("%d packets; first has %d bytes of %d, want %d of %d",
			len(got), len(got[0].Data), got[0].Length, snaplen, payload+28)
	}
}

// A full buffer loses log messages, never traffic, and the loss is exact.
func TestLossIsCounted(t *testing.T) {
	lab, s := captureLab(t, NFLogConfig{ReadBuffer: 4096})
	const flows = 50
	for n := range flows {
		exchange(t, lab, netip.AddrPortFrom(lab.ServerAddr4, uint16(9000+n)), 2, 200)
	}
	first := readAll(t, s)
	exchange(t, lab, netip.AddrPortFrom(lab.ServerAddr4, 9999), 1, 10) // shows the gap
	last := readAll(t, s)
	st := s.Stats()
	if want := uint64(flows*budget + 2); st.Lost == 0 || st.Overruns == 0 || st.Lost+uint64(len(first)+len(last)) != want {
		t.Errorf("read %d and %d, stats %+v: read and lost should add up to %d", len(first), len(last), st, want)
	}
}

func TestThreshold(t *testing.T) {
	lab, s := captureLab(t, NFLogConfig{Threshold: 32})
	for n := range 20 {
		exchange(t, lab, netip.AddrPortFrom(lab.ServerAddr4, uint16(9000+n)), 1, 10)
	}
	if got := readAll(t, s); len(got) != 40 {
		t.Errorf("%d packets read, want 40", len(got))
	}
}

func TestPendingReadsAhead(t *testing.T) {
	lab, s := captureLab(t, NFLogConfig{})
	if s.Pending() {
		t.Error("pending before any packet")
	}
	exchange(t, lab, netip.AddrPortFrom(lab.ServerAddr4, 9000), 1, 100)
	var r packet.Raw
	if err := s.Next(&r); err != nil {
		t.Fatal(err)
	}
	before := bytes.Clone(r.Data)
	for range 2 { // asking again reads nothing more
		if !s.Pending() {
			t.Error("the answer is not pending")
		}
	}
	if !bytes.Equal(before, r.Data) {
		t.Error("Pending changed the packet at hand")
	}
	if err := s.Next(&r); err != nil || r.Direction != packet.DirReply {
		t.Errorf("second packet: direction %d, %v", r.Direction, err)
	}
	if s.Pending() {
		t.Error("pending after the last packet")
	}
}

func TestCloseEndsNext(t *testing.T) {
	kerneltest.NewNS(t)
	s, err := OpenNFLog(NFLogConfig{Group: group, Idle: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() {
		var r packet.Raw
		done <- s.Next(&r)
	}()
	time.Sleep(20 * time.Millisecond) // Next is most likely waiting; either way it must end
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-done:
		if !errors.Is(err, io.EOF) {
			t.Errorf("Next returned %v, want EOF", err)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("Next still waits after Close")
	}
	var r packet.Raw
	if err := s.Next(&r); !errors.Is(err, io.EOF) {
		t.Errorf("Next after Close: %v, want EOF", err)
	}
	if s.Pending() || s.Close() != nil {
		t.Error("Pending after Close, or a second Close failed")
	}
	again, err := OpenNFLog(NFLogConfig{Group: group})
	if err != nil {
		t.Fatalf("the group is not free after Close: %v", err)
	}
	_ = again.Close()
}

func TestOpenErrors(t *testing.T) {
	ns := kerneltest.NewNS(t)
	s, err := OpenNFLog(NFLogConfig{Group: group})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if _, err := OpenNFLog(NFLogConfig{Group: group}); !errors.Is(err, ErrGroupBusy) || !strings.Contains(err.Error(), fmt.Sprint(group)) {
		t.Errorf("second reader: %v, want ErrGroupBusy and the group", err)
	}
	ns.DoUnprivileged(func() { _, err = OpenNFLog(NFLogConfig{Group: group + 1}) })
	if !errors.Is(err, unix.EPERM) || !strings.Contains(err.Error(), "CAP_NET_ADMIN") {
		t.Errorf("without capability: %v", err)
	}
}

func TestNextAllocatesNothing(t *testing.T) {
	lab, s := captureLab(t, NFLogConfig{})
	const flows = 60
	for n := range flows {
		exchange(t, lab, netip.AddrPortFrom(lab.ServerAddr4, uint16(9000+n)), 2, 100)
	}
	var r packet.Raw
	if err := s.Next(&r); err != nil { // learns the interface's name
		t.Fatal(err)
	}
	if err := s.Next(&r); err != nil {
		t.Fatal(err)
	}
	n := testing.AllocsPerRun(100, func() {
		if !s.Pending() {
			t.Error("ran out of packets")
		}
		if err := s.Next(&r); err != nil {
			t.Error(err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations a packet, want 0", n)
	}
}

// FuzzFill: a logged packet is the kernel's bytes around a stranger's.
func FuzzFill(f *testing.F) {
	f.Add([]byte{8, 0, 12, 0, 0, 0, 0, 1, 8, 0, 9, 0, 0x45, 0, 0, 40}, uint32(0))
	f.Add([]byte{6, 0, 10, 0, 'r', 0, 0, 0, 20, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1}, uint32(9))
	f.Fuzz(func(t *testing.T, b []byte, expect uint32) {
		s := NFLog{stream: newStream(&nfnl.Socket{}), expect: expect}
		var r packet.Raw
		if s.fill(&r, b) && (len(r.Data) == 0 || r.Length < len(r.Data) || r.Timestamp == 0) {
			t.Fatalf("bad packet %+v", r)
		}
	})
}
