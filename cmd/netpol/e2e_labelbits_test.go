package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/kernel/ct"
	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// labelledFlows is how many live connections carry the label that goes.
const labelledFlows = 1000

// TestLabelBitsAreNotReused: a label goes and another comes while a thousand
// connections carry the first, and the lock is of no help. No connection gets
// what the new label means.
func TestLabelBitsAreNotReused(t *testing.T) {
	lab := kerneltest.NewLab(t)
	s := newSite(t, lab.Router)
	old := func(label string) string {
		return fmt.Sprintf("policy %q {\n  criteria = \"dst_port == 7003\"\n  label    = %q\n}\n", label, label)
	}
	stop := func(label string) string {
		return fmt.Sprintf("policy %q {\n  criteria = \"dst_port == 7009\"\n  label    = %q\n  verdict  = \"drop\"\n}\n", label, label)
	}
	s.write("policies/zoom.netpol.hcl", old("old"))
	s.netpol(0, "apply", "--auto-approve", s.policies)
	oldBit := s.bit("old")
	s.echo(lab, 7003)
	flows := s.flows(lab, 7003, labelledFlows)
	if got := s.carry(oldBit); got != labelledFlows {
		t.Fatalf("%d connections carry the old label, want %d", got, labelledFlows)
	}

	// The lock says by hand that the bit is another label's: refused, with numbers.
	s.write("policies/zoom.netpol.hcl", stop("new"))
	s.write("policies/netpol.lock.hcl", fmt.Sprintf("label \"new\" {\n  bit = %d\n}\n", oldBit))
	s.wantText(s.netpol(1, "plan", s.policies), "error[NP0305]: Label bit is in force as another label",
		fmt.Sprintf(`The lock gives label "new" bit %d, which the policies in force on the router give to "old"; 1000 live connections carry it.`, oldBit),
		"They would be taken for", `Delete the line of "new" from netpol.lock.hcl`)

	// The lock is deleted: the router itself knows.
	if err := os.Remove(s.path("policies/netpol.lock.hcl")); err != nil {
		t.Fatal(err)
	}
	out := s.netpol(0, "apply", "--auto-approve", s.policies)
	s.wantText(out, fmt.Sprintf("bit %d is on 1000 live connections; apply clears it", oldBit), "Cleared labels and marks that no policy sets any more from 1000 open connections")
	if got := s.bit("new"); got == oldBit {
		t.Errorf("the new label has the old one's bit %d", got)
	}
	if got := s.carry(oldBit) + s.carry(s.bit("new")); got != 0 {
		t.Errorf("%d connections carry the old or the new label", got)
	}
	s.answered(flows)
	s.wantText(s.netpol(0, "apply", "--auto-approve", s.policies), "No changes.")

	// A bit that connections carry and nobody accounts for is passed over, and free
	// again when they are gone.
	if err := os.Remove(s.path("policies/netpol.lock.hcl")); err != nil {
		t.Fatal(err)
	}
	s.mark(flows[0], oldBit)
	s.write("policies/zoom.netpol.hcl", stop("new")+old("third"))
	s.wantText(s.netpol(0, "plan", s.policies), fmt.Sprintf("will be pinned in netpol.lock.hcl; bit %d is on 1 live connection", oldBit))
	s.netpol(0, "apply", "--auto-approve", s.policies)
	if s.bit("third") == oldBit {
		t.Error("a bit that a connection carries was given to a label")
	}
	s.ns.Run("conntrack", "-D", "-p", "udp", "--sport", fmt.Sprint(flows[0].LocalAddr().(*net.UDPAddr).Port))
	s.write("policies/zoom.netpol.hcl", stop("new")+old("third")+strings.Replace(stop("fourth"), "7009", "7010", 1))
	s.netpol(0, "apply", "--auto-approve", s.policies)
	if got := s.bit("fourth"); got != oldBit {
		t.Errorf("the free bit %d was not used: %d", oldBit, got)
	}
}

// TestStaleBitsOfRetiredLabels: what an apply that was killed has left behind, the
// next one finds by the lock.
func TestStaleBitsOfRetiredLabels(t *testing.T) {
	lab := kerneltest.NewLab(t)
	s := newSite(t, lab.Router)
	s.echo(lab, 7003)
	s.netpol(0, "apply", "--auto-approve", s.policies)
	bit := s.bit("zoom")
	s.write("policies/zoom.netpol.hcl", "policy \"other\" {\n  criteria = \"dst_port == 7003\"\n  label    = \"other\"\n}\n")
	s.netpol(0, "apply", "--auto-approve", s.policies)
	flows := s.flows(lab, 7003, 3)
	s.mark(flows[0], bit)
	s.wantText(s.netpol(0, "apply", "--auto-approve", s.policies), "No changes.", "Cleared labels and marks that no policy sets any more from 1 open connection")
	if stale, kept := s.carry(bit), s.carry(s.bit("other")); stale != 0 || kept != 3 {
		t.Errorf("%d connections carry the stale bit and %d the label in force, want 0 and 3", stale, kept)
	}
	// The label comes back: what carries its bit from elsewhere does not count.
	s.mark(flows[1], bit)
	s.write("policies/more.netpol.hcl", zoomPolicy)
	s.wantText(s.netpol(0, "apply", "--auto-approve", s.policies), "Cleared the bits of new labels from 1 open connection that carried them")
	if got := s.bit("zoom"); got != bit || s.carry(bit) != 0 {
		t.Errorf("zoom has bit %d, want %d, on %d connections, want 0", got, bit, s.carry(bit))
	}
}

// echo has a port of the server send back what comes.
func (s *site) echo(lab *kerneltest.Lab, port uint16) {
	s.t.Helper()
	var in net.PacketConn
	var err error
	lab.Server.Do(func() { in, err = net.ListenPacket("udp", netip.AddrPortFrom(lab.ServerAddr4, port).String()) })
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = in.Close() })
	go func() {
		buf := make([]byte, 100)
		for {
			n, from, err := in.ReadFrom(buf)
			if err != nil {
				return
			}
			_, _ = in.WriteTo(buf[:n], from)
		}
	}()
}

// flows opens so many connections to a port of the server that answers.
func (s *site) flows(lab *kerneltest.Lab, port uint16, n int) []net.Conn {
	s.t.Helper()
	var out []net.Conn
	for range n {
		var c net.Conn
		var err error
		lab.Client.Do(func() { c, err = net.Dial("udp", netip.AddrPortFrom(lab.ServerAddr4, port).String()) })
		if err != nil {
			s.t.Fatal(err)
		}
		s.t.Cleanup(func() { _ = c.Close() })
		out = append(out, c)
	}
	s.answered(out)
	return out
}

// answered fails unless every connection has its question answered.
func (s *site) answered(conns []net.Conn) {
	s.t.Helper()
	buf := make([]byte, 100)
	for i, c := range conns {
		_ = c.SetDeadline(time.Now().Add(patience))
		if _, err := c.Write([]byte{1}); err != nil {
			s.t.Fatalf("connection %d: %v", i, err)
		}
		if _, err := c.Read(buf); err != nil {
			s.t.Fatalf("connection %d: %v", i, err)
		}
	}
}

// carry is how many connections carry a bit.
func (s *site) carry(bit int) int {
	s.t.Helper()
	var census ct.Census
	var err error
	s.ns.Do(func() { census, err = ct.TakeCensus() })
	if err != nil {
		s.t.Fatal(err)
	}
	return census.Bits[bit]
}

// tuple is a connection of flows as it was opened.
func tuple(c net.Conn) flow.Tuple {
	from, to := netip.MustParseAddrPort(c.LocalAddr().String()), netip.MustParseAddrPort(c.RemoteAddr().String())
	return flow.Tuple{Proto: 17, Src: from.Addr(), SrcPort: from.Port(), Dst: to.Addr(), DstPort: to.Port()}
}

// marked is a connection's mark, without netpold's bit.
func (s *site) marked(c net.Conn) uint32 {
	s.t.Helper()
	var conn ct.Conn
	var err error
	s.ns.Do(func() {
		var client *ct.Client
		if client, err = ct.Open(); err == nil {
			conn, err = client.Get(tuple(c))
			_ = client.Close()
		}
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return conn.Mark &^ doneMark
}

// mark sets a label bit on a connection, as a stranger would.
func (s *site) mark(c net.Conn, bit int) {
	s.t.Helper()
	u := flow.Update{Tuple: tuple(c)}
	u.Labels[bit/8] = 1 << (bit % 8)
	u.LabelMask = u.Labels
	var err error
	s.ns.Do(func() {
		var w *ct.Writer
		if w, err = ct.NewWriter(); err == nil {
			err = errors.Join(w.Write(u), w.Close())
		}
	})
	if err != nil {
		s.t.Fatal(err)
	}
}
