//go:build linux

package capture

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	emit "github.com/netpol/netpol/compiler/emit/nft"
	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/kernel/ct"
	"github.com/netpol/netpol/enforcer/kernel/internal/nfnl"
	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
	"github.com/netpol/netpol/enforcer/kernel/nft"
	"github.com/netpol/netpol/enforcer/packet"
)

const queue = 200

// Labels of the held flows: the last shares no turn with the first.
var holdLabels = []artifact.Label{{Name: "np-hold", Bit: 0}, {Name: "a", Bit: 1}, {Name: "b", Bit: 127}}

// holdLab is a lab whose router holds every flow, and the source that reads it.
func holdLab(t *testing.T, waiting int) (*kerneltest.Lab, *Live) {
	t.Helper()
	lab := kerneltest.NewLab(t)
	lab.Router.Enter()
	rs := emit.Emit(emit.Input{
		Settings:  artifact.Settings{LogGroup: group, InspectPacket: 8, DoneMark: 1 << 31, HoldQueue: queue, HoldPackets: waiting},
		InitLabel: holdLabels[0], Labels: holdLabels, Hold: emit.Hold{Open: holdLabels[0], Mark: 0x50},
		Decisions: []emit.Decision{{Any: []ir.Conjunction{{}}, Effect: artifact.Effect{Labels: []int{0}}}},
	})
	if err := nft.Apply(&rs); err != nil {
		t.Fatal(err)
	}
	lab.Router.Run("nft", "add element inet netpol np_hold_alive { ipv4 timeout 1h, ipv6 timeout 1h }")
	live, err := OpenLive(LiveConfig{Groups: []uint16{group}, Queue: QueueConfig{First: queue, Packets: waiting, Mark: artifact.DefaultHoldMark}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = live.Close() })
	return lab, live
}

// next is the next packet, whatever it takes.
func next(t *testing.T, live *Live) packet.Raw {
	t.Helper()
	var r packet.Raw
	for deadline := time.Now().Add(time.Minute); ; {
		err := live.Next(&r)
		if err == nil {
			r.Data = append([]byte(nil), r.Data...)
			return r
		}
		if !errors.Is(err, packet.ErrIdle) || time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

func udpServer(t *testing.T, ns *kerneltest.NS, at netip.AddrPort) net.PacketConn {
	t.Helper()
	var in net.PacketConn
	var err error
	ns.Do(func() { in, err = net.ListenPacket("udp", at.String()) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close() })
	return in
}

// A packet waits until it is released, and what is said then stands on its
// connection, also on one that conntrack has not confirmed; labels of several
// groups and marks of others included.
func TestHeldPacketWaitsAndIsTold(t *testing.T) {
	lab, live := holdLab(t, 8)
	for _, addr := range []netip.Addr{lab.ServerAddr4, lab.ServerAddr6} {
		server := netip.AddrPortFrom(addr, 4000)
		in := udpServer(t, lab.Server, server)
		var out net.Conn
		var err error
		lab.Client.Do(func() { out, err = net.Dial("udp", server.String()) })
		if err != nil {
			t.Fatal(err)
		}
		defer out.Close()
		if _, err := out.Write([]byte("first")); err != nil {
			t.Fatal(err)
		}
		r := next(t, live)
		if !r.Ticket.New || r.Direction != packet.DirOriginal || r.Interface != kerneltest.ClientDevice || r.Missed {
			t.Errorf("got %+v, want a new flow's packet from the client", r)
		}
		_ = in.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		if _, _, err := in.ReadFrom(make([]byte, 10)); err == nil {
			t.Fatal("the packet did not wait")
		}
		release := flow.Release{Ticket: r.Ticket, Mark: 0x50, Done: true}
		release.Labels[0], release.Labels[15] = 2, 128
		if err := live.Release([]flow.Release{release}); err != nil {
			t.Fatal(err)
		}
		var again packet.Raw
		if err := live.Next(&again); !errors.Is(err, packet.ErrIdle) { // the turns are made in here
			t.Fatalf("got %v and %+v, want nothing to read", err, again)
		}
		_ = in.SetReadDeadline(time.Now().Add(time.Minute))
		if _, _, err := in.ReadFrom(make([]byte, 10)); err != nil {
			t.Fatal(err)
		}
		listing := lab.Router.Run("conntrack", "-L", "-f", map[bool]string{true: "ipv4", false: "ipv6"}[addr.Is4()], "-p", "udp", "-o", "xml")
		if want := fmt.Sprintf("<mark>%d</mark>", uint32(1<<31|0x50)); !strings.Contains(listing, want) {
			t.Errorf("no %s in %s", want, listing)
		}
		if got := labelsOf(t, addr); got != [16]byte{0: 3, 15: 128} {
			t.Errorf("the connection has the labels %x", got)
		}
	}
	if s := live.Stats().Queue; s.Held != 2 || s.Told != 2 || s.Stray != 0 || s.Refused != 0 || s.Late != 0 {
		t.Errorf("got %+v, want two held and told", s)
	}
}

// A verdict that the kernel did not take, because it was short of memory, is given again: the packet would wait for
// ever.
func TestVerdictIsGivenAgain(t *testing.T) {
	lab, live := holdLab(t, 8)
	server := netip.AddrPortFrom(lab.ServerAddr4, 4000)
	in := udpServer(t, lab.Server, server)
	lab.Client.Do(func() {
		out, err := net.Dial("udp", server.String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = out.Close() })
		if _, err := out.Write([]byte("first")); err != nil {
			t.Fatal(err)
		}
	})
	r := next(t, live)
	sock := live.queue.sock
	refuses, err := nfnl.Open(nfnl.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_ = refuses.Close()
	live.queue.sock = refuses
	err = live.Release([]flow.Release{{Ticket: r.Ticket}})
	live.queue.sock = sock
	if err == nil {
		t.Fatal("a closed socket takes verdicts")
	}
	if err := live.Next(&r); !errors.Is(err, packet.ErrIdle) {
		t.Fatalf("got %v, want nothing to read", err)
	}
	_ = in.SetReadDeadline(time.Now().Add(5 * time.Second))
	if _, _, err := in.ReadFrom(make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
}

// What does not fit passes, and is copied instead.
func TestFullQueueLetsPass(t *testing.T) {
	lab, live := holdLab(t, 2)
	server := netip.AddrPortFrom(lab.ServerAddr4, 4000)
	in := udpServer(t, lab.Server, server)
	const flows = 5
	for range flows {
		lab.Client.Do(func() {
			out, err := net.Dial("udp", server.String())
			if err != nil {
				t.Error(err)
				return
			}
			defer out.Close()
			_, _ = out.Write([]byte("x"))
		})
	}
	_ = in.SetReadDeadline(time.Now().Add(time.Minute))
	for range flows - 2 {
		if _, _, err := in.ReadFrom(make([]byte, 10)); err != nil {
			t.Fatal(err)
		}
	}
	var held []flow.Release
	missed := 0
	for range flows {
		r := next(t, live)
		if r.Missed {
			missed++
		} else {
			held = append(held, flow.Release{Ticket: r.Ticket})
		}
	}
	if len(held) != 2 || missed != flows-2 {
		t.Errorf("%d held and %d copied, want 2 and %d", len(held), missed, flows-2)
	}
	if err := live.Release(held); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, _, err := in.ReadFrom(make([]byte, 10)); err != nil {
			t.Fatal(err)
		}
	}
}

// Closing lets go on what waits.
func TestCloseReleases(t *testing.T) {
	lab, live := holdLab(t, 8)
	server := netip.AddrPortFrom(lab.ServerAddr4, 4000)
	in := udpServer(t, lab.Server, server)
	lab.Client.Do(func() {
		if out, err := net.Dial("udp", server.String()); err == nil {
			_, _ = out.Write([]byte("x"))
			_ = out.Close()
		}
	})
	for !live.Pending() {
		time.Sleep(time.Millisecond)
	}
	if err := live.Close(); err != nil {
		t.Fatal(err)
	}
	_ = in.SetReadDeadline(time.Now().Add(time.Minute))
	if _, _, err := in.ReadFrom(make([]byte, 10)); err != nil {
		t.Error(err)
	}
}

func TestBusyQueueIsExplained(t *testing.T) {
	kerneltest.NewNS(t)
	first, err := OpenQueue(QueueConfig{First: 5, Packets: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if _, err := OpenQueue(QueueConfig{First: 10, Packets: 1}); !errors.Is(err, ErrQueueBusy) || !strings.Contains(err.Error(), "nfqueue 10") {
		t.Errorf("got %v, want a busy queue by its number", err)
	}
}

func TestHoldingAllocatesNothing(t *testing.T) {
	lab, live := holdLab(t, 1024)
	server := netip.AddrPortFrom(lab.ServerAddr4, 4000)
	udpServer(t, lab.Server, server)
	var out net.Conn
	var err error
	lab.Client.Do(func() { out, err = net.Dial("udp", server.String()) })
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	var r packet.Raw
	list := make([]flow.Release, 1)
	const packets = 30
	for range packets {
		if _, err := out.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	n := testing.AllocsPerRun(packets-2, func() {
		if err := live.Next(&r); err != nil {
			t.Fatal(err)
		}
		list[0] = flow.Release{Ticket: r.Ticket, Done: true}
		if err := live.Release(list); err != nil {
			t.Error(err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations a packet, want 0", n)
	}
}

// labelsOf are the labels of the connection to an address.
func labelsOf(t *testing.T, addr netip.Addr) (labels [16]byte) {
	t.Helper()
	client, err := ct.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	if err := client.Dump(func(c ct.Conn) error {
		if c.Orig.Dst == addr {
			labels = c.Labels
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return labels
}

// FuzzFillHeld: a held packet is the kernel's bytes around a stranger's.
func FuzzFillHeld(f *testing.F) {
	f.Add([]byte{11, 0, 1, 0, 0, 0, 0, 1, 8, 0, 0, 0, 8, 0, 10, 0, 0x45, 0, 0, 40})
	f.Fuzz(func(t *testing.T, b []byte) {
		q := Queue{stream: newStream(&nfnl.Socket{})}
		var r packet.Raw
		if q.fill(&r, b) && (r.Ticket.ID == 0 || r.Length < len(r.Data) || r.Timestamp == 0) {
			t.Fatalf("bad packet %+v", r)
		}
	})
}

// A source that is closed answers, and touches no descriptor that may be another's
// by now.
func TestClosedLiveIsHarmless(t *testing.T) {
	_, live := holdLab(t, 8)
	if err := live.Close(); err != nil {
		t.Fatal(err)
	}
	var r packet.Raw
	if err := live.Next(&r); !errors.Is(err, io.EOF) {
		t.Errorf("got %v, want the end", err)
	}
	if live.Pending() || live.Release([]flow.Release{{}}) != nil || live.Close() != nil {
		t.Error("a closed source does something")
	}
	if live.wake != -1 || live.Stats().Queue.Held != 0 {
		t.Errorf("wake is %d, stats %+v", live.wake, live.Stats())
	}
}
