//go:build linux

package nft

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	emit "github.com/netpol/netpol/compiler/emit/nft"
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/kernel/ct"
	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// effectsLab is a lab whose router runs one effect on label 9, and a writer
// of labels there.
func effectsLab(t *testing.T, e emit.Effect) (*kerneltest.Lab, *ct.Writer) {
	t.Helper()
	e.Label = artifact.Label{Name: "it", Bit: 9}
	rs := emit.Emit(emit.Input{
		Settings:  artifact.Settings{LogGroup: 4788, InspectPacket: 8, DoneMark: 0x80000000, Priority: 10},
		InitLabel: artifact.Label{Name: "np-seen"}, Effects: []emit.Effect{e},
	})
	lab := kerneltest.NewLab(t)
	lab.Router.Enter()
	if err := Apply(&rs); err != nil {
		t.Fatal(err)
	}
	w, err := ct.NewWriter()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	return lab, w
}

// pair makes a UDP client and server at both ends of the lab.
func pair(t *testing.T, lab *kerneltest.Lab, server netip.Addr) (net.PacketConn, net.Conn, flow.Tuple) {
	t.Helper()
	var in net.PacketConn
	var out net.Conn
	var err error
	lab.Server.Do(func() { in, err = net.ListenPacket("udp", netip.AddrPortFrom(server, 0).String()) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close() })
	lab.Client.Do(func() { out, err = net.Dial("udp", in.LocalAddr().String()) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = out.Close() })
	return in, out, tupleOf(out, syscall.IPPROTO_UDP)
}

func tupleOf(c net.Conn, proto uint8) flow.Tuple {
	src, dst := netip.MustParseAddrPort(c.LocalAddr().String()), netip.MustParseAddrPort(c.RemoteAddr().String())
	return flow.Tuple{Src: src.Addr(), Dst: dst.Addr(), SrcPort: src.Port(), DstPort: dst.Port(), Proto: proto}
}

// arrives sends one datagram and reports whether it came through.
func arrives(t *testing.T, in net.PacketConn, out net.Conn, wait time.Duration) bool {
	t.Helper()
	_, _ = out.Write([]byte("x")) // an error here is that of an earlier packet
	_ = in.SetReadDeadline(time.Now().Add(wait))
	_, _, err := in.ReadFrom(make([]byte, 8))
	return err == nil
}

func label(t *testing.T, w *ct.Writer, tuple flow.Tuple) {
	t.Helper()
	var u flow.Update
	u.Tuple = tuple
	u.Labels[1], u.LabelMask[1] = 1<<1, 1<<1
	if err := w.Write(u); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if s := w.Stats(); s.NoRoom+s.Gone+s.Invalid+s.Failed+s.Denied != 0 {
		t.Fatalf("label not written: %+v", s)
	}
}

// A labelled flow leaves the router with the new code point, ECN bits
// untouched and the checksum right; an unlabelled one as it came.
func TestDSCPOnTheWire(t *testing.T) {
	cs5 := uint8(40)
	lab, w := effectsLab(t, emit.Effect{DSCP: &cs5})
	lab.Client.Run("nft", "table inet bits { chain c { type filter hook output priority 0; ip ecn set ect0; ip6 ecn set ect0; }; }")
	lab.Server.Run("nft", `table inet seen { chain c { type filter hook prerouting priority 0;
		ip dscp cs5 ip ecn ect0 counter comment "marked4"; ip dscp cs0 udp dport != 0 counter comment "plain4";
		ip6 dscp cs5 ip6 ecn ect0 counter comment "marked6"; ip6 dscp cs0 udp dport != 0 counter comment "plain6"; }; }`)
	for version, server := range map[int]netip.Addr{4: lab.ServerAddr4, 6: lab.ServerAddr6} {
		in, out, tuple := pair(t, lab, server)
		if !arrives(t, in, out, 5*time.Second) {
			t.Fatal("first packet lost")
		}
		label(t, w, tuple)
		for range 2 {
			if !arrives(t, in, out, 5*time.Second) {
				t.Fatal("labelled packet lost")
			}
		}
		seen := lab.Server.Run("nft", "list", "ruleset")
		for comment, packets := range map[string]int{fmt.Sprintf("marked%d", version): 2, fmt.Sprintf("plain%d", version): 1} {
			if !hasCounter(seen, comment, packets) {
				t.Errorf("want %d packets at %s:\n%s", packets, comment, seen)
			}
		}
	}
}

func hasCounter(listing, comment string, packets int) bool {
	for line := range strings.Lines(listing) {
		if strings.Contains(line, `"`+comment+`"`) {
			return strings.Contains(line, fmt.Sprintf("packets %d ", packets))
		}
	}
	return false
}

func TestDropOnTheWire(t *testing.T) {
	lab, w := effectsLab(t, emit.Effect{Verdict: "drop"})
	in, out, tuple := pair(t, lab, lab.ServerAddr4)
	other, otherOut, _ := pair(t, lab, lab.ServerAddr6)
	if !arrives(t, in, out, 5*time.Second) {
		t.Fatal("first packet lost")
	}
	label(t, w, tuple)
	if arrives(t, in, out, 100*time.Millisecond) {
		t.Error("a packet of a dropped flow came through")
	}
	if !arrives(t, other, otherOut, 5*time.Second) {
		t.Error("another flow is dropped too")
	}
}

func TestRejectOnTheWire(t *testing.T) {
	lab, w := effectsLab(t, emit.Effect{Verdict: "reject"})
	for name, server := range map[string]netip.Addr{"ipv4": lab.ServerAddr4, "ipv6": lab.ServerAddr6} {
		t.Run("udp "+name, func(t *testing.T) {
			in, out, tuple := pair(t, lab, server)
			if !arrives(t, in, out, 5*time.Second) {
				t.Fatal("first packet lost")
			}
			label(t, w, tuple)
			if arrives(t, in, out, 50*time.Millisecond) {
				t.Error("a packet of a rejected flow came through")
			}
			_ = out.SetReadDeadline(time.Now().Add(5 * time.Second))
			_, err := out.Read(make([]byte, 8))
			if !errors.Is(err, syscall.EHOSTUNREACH) && !errors.Is(err, syscall.EACCES) {
				t.Errorf("client reads %v, want what ICMP says of prohibition", err)
			}
		})
		t.Run("tcp "+name, func(t *testing.T) { rejectTCP(t, lab, w, server, false) })
		t.Run("tcp whose server speaks next "+name, func(t *testing.T) { rejectTCP(t, lab, w, server, true) })
	}
}

// rejectTCP labels a connection for rejection. Either end must find it reset,
// whichever sends next: in TLS the client has said what betrays it, and waits.
func rejectTCP(t *testing.T, lab *kerneltest.Lab, w *ct.Writer, server netip.Addr, serverNext bool) {
	var ln net.Listener
	var client, accepted net.Conn
	var err error
	lab.Server.Do(func() { ln, err = net.Listen("tcp", netip.AddrPortFrom(server, 0).String()) })
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	lab.Client.Do(func() { client, err = net.Dial("tcp", ln.Addr().String()) })
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	if accepted, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = accepted.Close() }()
	label(t, w, tupleOf(client, syscall.IPPROTO_TCP))
	next, ends := client, map[string]net.Conn{"client": client}
	if serverNext {
		next, ends["server"] = accepted, accepted
	}
	if _, err := next.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	for name, end := range ends {
		_ = end.SetReadDeadline(time.Now().Add(5 * time.Second))
		if _, err := end.Read(make([]byte, 8)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("%s reads %v, want a reset", name, err)
		}
	}
}
