//go:build linux

package ct

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// labelRule switches conntrack and labels on for traffic that comes in.
const labelRule = "table inet t { chain init { ct label set 0; }; chain c { type filter hook prerouting priority 0; ct state new counter; }; }"

// udpPair sends a datagram from client to server through the lab's router
// and back, and returns the tuple of the client's direction.
func udpPair(t *testing.T, lab *kerneltest.Lab, server netip.Addr) flow.Tuple {
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
	buf := make([]byte, 8)
	deadline := time.Now().Add(5 * time.Second)
	_ = in.SetReadDeadline(deadline)
	_ = out.SetReadDeadline(deadline)
	if _, err = out.Write([]byte("ask")); err != nil {
		t.Fatal(err)
	}
	_, from, err := in.ReadFrom(buf)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = in.WriteTo([]byte("answer"), from); err != nil {
		t.Fatal(err)
	}
	if _, err = out.Read(buf); err != nil {
		t.Fatal(err)
	}
	src, dst := netip.MustParseAddrPort(out.LocalAddr().String()), netip.MustParseAddrPort(out.RemoteAddr().String())
	return flow.Tuple{Src: src.Addr(), Dst: dst.Addr(), SrcPort: src.Port(), DstPort: dst.Port(), Proto: protoUDP}
}

func reversed(t flow.Tuple) flow.Tuple {
	t.Src, t.Dst, t.SrcPort, t.DstPort = t.Dst, t.Src, t.DstPort, t.SrcPort
	return t
}

// open makes a lab with labels on, enters its router and opens both clients.
func open(t *testing.T, ruleset string) (*kerneltest.Lab, *Writer, *Client) {
	t.Helper()
	lab := kerneltest.NewLab(t)
	lab.Router.Enter()
	lab.Router.Run("nft", ruleset)
	w, err := NewWriter()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	c, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return lab, w, c
}

func bit(n int) [16]byte {
	var b [16]byte
	b[n/8] = 1 << (n % 8)
	return b
}

func write(t *testing.T, w *Writer, updates ...flow.Update) {
	t.Helper()
	for _, u := range updates {
		if err := w.Write(u); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
}

func TestWriteLabelsAndMark(t *testing.T) {
	lab, w, c := open(t, labelRule)
	for name, server := range map[string]netip.Addr{"ipv4": lab.ServerAddr4, "ipv6": lab.ServerAddr6} {
		for _, direction := range []string{"original", "reply"} {
			t.Run(name+" by "+direction, func(t *testing.T) {
				orig := udpPair(t, lab, server)
				key := orig
				if direction == "reply" {
					key = reversed(orig)
				}
				write(t, w, flow.Update{Tuple: key, Labels: bit(5), LabelMask: bit(5), Mark: 0x10, MarkMask: 0xf0})
				// Another owner's bits stay.
				write(t, w, flow.Update{Tuple: key, Labels: bit(127), LabelMask: bit(127), Mark: 0xfff, MarkMask: 0x0f})
				got, err := c.Get(key)
				if err != nil {
					t.Fatal(err)
				}
				if !got.Has(5) || !got.Has(127) || got.Has(6) || got.Mark != 0x1f {
					t.Errorf("labels %x mark %#x, want bits 5 and 127, mark 0x1f", got.Labels, got.Mark)
				}
				if diff := cmp.Diff(orig, got.Orig, compareAddr); diff != "" {
					t.Errorf("original tuple (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(reversed(orig), got.Reply, compareAddr); diff != "" {
					t.Errorf("reply tuple (-want +got):\n%s", diff)
				}
				write(t, w, flow.Update{Tuple: key, LabelMask: bit(5)})
				if got, _ := c.Get(key); got.Has(5) || !got.Has(127) {
					t.Errorf("labels after clearing bit 5: %x", got.Labels)
				}
			})
		}
	}
	if s := w.Stats(); s.Gone+s.NoRoom+s.Denied+s.Invalid+s.Failed != 0 || s.Updates != 12 {
		t.Errorf("stats %+v", s)
	}
}

// The conntrack tool must see what we wrote under the same name.
func TestConntrackToolAgrees(t *testing.T) {
	lab, w, _ := open(t, labelRule)
	orig := udpPair(t, lab, lab.ServerAddr4)
	write(t, w, flow.Update{Tuple: orig, Labels: bit(5), LabelMask: bit(5), Mark: 3, MarkMask: 3})
	// The tool takes names from a fixed path; a private /etc gives it ours.
	out := lab.Router.Run("unshare", "-m", "sh", "-c", `mount -t tmpfs tmpfs /etc && mkdir /etc/xtables &&
		echo "5 zoom" >/etc/xtables/connlabel.conf && conntrack -L -o extended,labels 2>/dev/null`)
	for _, want := range []string{"labels=zoom", "mark=3", fmt.Sprintf("sport=%d", orig.SrcPort)} {
		if !strings.Contains(out, want) {
			t.Errorf("no %s in conntrack -L:\n%s", want, out)
		}
	}
}

func TestWriterBatches(t *testing.T) {
	lab, w, c := open(t, labelRule)
	orig := udpPair(t, lab, lab.ServerAddr4)
	before := w.Stats().Batches
	for n := range batchSize {
		if err := w.Write(flow.Update{Tuple: orig, Labels: bit(n), LabelMask: bit(n)}); err != nil {
			t.Fatal(err)
		}
	}
	if got := w.Stats().Batches - before; got != 1 {
		t.Errorf("%d system calls for a full batch, want 1 without Flush", got)
	}
	got, err := c.Get(orig)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 128 {
		if !got.Has(n) {
			t.Errorf("label %d is not set: %x", n, got.Labels)
		}
	}
}

// An update that comes before the connection is tried again without anybody
// calling Flush.
func TestUnknownConnectionIsRetried(t *testing.T) {
	lab, w, c := open(t, labelRule)
	w.waiting.delays = [5]time.Duration{time.Millisecond, 50 * time.Millisecond, 2 * time.Second}
	orig := udpPair(t, lab, lab.ServerAddr4)
	lab.Router.Run("conntrack", "-D", "-p", "udp")
	write(t, w, flow.Update{Tuple: orig, Labels: bit(9), LabelMask: bit(9)})
	if _, err := c.Get(orig); !errors.Is(err, ErrNotFound) {
		t.Fatalf("connection before it is there: %v", err)
	}
	lab.Router.Run("conntrack", "-I", "-s", orig.Src.String(), "-d", orig.Dst.String(), "-p", "udp",
		"--sport", fmt.Sprint(orig.SrcPort), "--dport", fmt.Sprint(orig.DstPort), "-t", "30")
	waitFor(t, "label 9", func() bool {
		got, err := c.Get(orig)
		return err == nil && got.Has(9)
	})
	if s := w.Stats(); s.Retries == 0 || s.Gone != 0 {
		t.Errorf("stats %+v, want retries and nothing gone", s)
	}
}

// TestRetryDoesNotUndo: an update that is tried again says nothing any more of what a later one of the same
// connection has said, whether that was sent after it or with it.
func TestRetryDoesNotUndo(t *testing.T) {
	lab, w, c := open(t, labelRule)
	w.waiting.delays = [5]time.Duration{300 * time.Millisecond, time.Hour, time.Hour}
	orig := udpPair(t, lab, lab.ServerAddr4)
	lab.Router.Run("conntrack", "-D", "-p", "udp")
	both := bit(9)
	both[10/8] |= bit(10)[10/8]
	write(t, w,
		flow.Update{Tuple: orig, Labels: bit(11), LabelMask: bit(11), Mark: 1, MarkMask: 7},
		flow.Update{Tuple: orig, Labels: bit(9), LabelMask: both, Mark: 2, MarkMask: 3})
	lab.Router.Run("conntrack", "-I", "-s", orig.Src.String(), "-d", orig.Dst.String(), "-p", "udp",
		"--sport", fmt.Sprint(orig.SrcPort), "--dport", fmt.Sprint(orig.DstPort), "-t", "30", "-m", "7")
	write(t, w, flow.Update{Tuple: orig, Labels: bit(10), LabelMask: both})
	waitFor(t, "label 11", func() bool {
		got, err := c.Get(orig)
		return err == nil && got.Has(11)
	})
	if got, err := c.Get(orig); err != nil || got.Has(9) || !got.Has(10) || got.Mark != 2 {
		t.Errorf("labels %x, mark %d, %v; want label 10 without 9, and mark 2", got.Labels, got.Mark, err)
	}
	if s := w.Stats(); s.Retries != 2 || w.waiting.n != 0 {
		t.Errorf("stats %+v, %d waiting; want two retries", s, w.waiting.n)
	}
}

func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	for range 1000 {
		if done() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("%s: not within 5 s", what)
}

func TestGoneIsCounted(t *testing.T) {
	_, w, _ := open(t, labelRule)
	for n := range 3 {
		u := flow.Update{Tuple: tuples()["tcp4"], MarkMask: 1}
		u.Tuple.SrcPort = uint16(n)
		write(t, w, u)
	}
	waitFor(t, "all given up", func() bool { return w.Stats().Gone == 3 })
	if s := w.Stats(); s.Retries != 15 {
		t.Errorf("stats %+v, want 5 retries for each of 3 updates", s)
	}
}

// TestPatienceIsBounded: of more connections that are never there than patientLimit some are given up early, and all in the
// end; nothing of that counts as lost.
func TestPatienceIsBounded(t *testing.T) {
	_, w, _ := open(t, labelRule)
	w.waiting.delays = [5]time.Duration{0, 0, 0, time.Hour, time.Hour}
	for n := range patientLimit + 100 {
		u := flow.Update{Tuple: tuples()["udp6"], MarkMask: 1}
		u.Tuple.SrcPort = uint16(n)
		if err := w.Write(u); err != nil {
			t.Fatal(err)
		}
	}
	write(t, w)
	const first = 3 * (patientLimit + 100)
	waitFor(t, "the first tries", func() bool {
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		s := w.Stats()
		return s.Gone == 100 && s.Retries == first
	})
	if w.waiting.n != patientLimit || len(w.waiting.of) != patientLimit || w.Lost() != 0 {
		t.Errorf("%d of %d connections wait, %d are lost; want %d", w.waiting.n, len(w.waiting.of), w.Lost(), patientLimit)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if s := w.Stats(); s.Gone != 100 || s.Retries != first+patientLimit {
		t.Errorf("stats %+v, want one more try of each at the end", s)
	}
}

func TestRetryQueueIsBounded(t *testing.T) {
	_, w, _ := open(t, labelRule)
	w.waiting.delays = [5]time.Duration{time.Hour}
	for n := range retryLimit + 100 {
		u := flow.Update{Tuple: tuples()["udp6"], MarkMask: 1}
		u.Tuple.SrcPort = uint16(n)
		if err := w.Write(u); err != nil {
			t.Fatal(err)
		}
	}
	write(t, w)
	if s := w.Stats(); s.Dropped != 100 || w.waiting.n != retryLimit {
		t.Errorf("stats %+v, %d waiting", s, w.waiting.n)
	}
}

// A connection born before any label rule has no room for labels, ever; its
// mark must be written all the same.
func TestFlowThatPredatesLabels(t *testing.T) {
	lab, w, c := open(t, "table inet t { chain c { type filter hook prerouting priority 0; ct state new counter; }; }")
	orig := udpPair(t, lab, lab.ServerAddr4)
	write(t, w, flow.Update{Tuple: orig, Labels: bit(1), LabelMask: bit(1), Mark: 0x80000000, MarkMask: 0x80000000})
	got, err := c.Get(orig)
	if err != nil {
		t.Fatal(err)
	}
	if s := w.Stats(); got.Mark != 0x80000000 || got.HasLabels || s.NoRoom != 1 || s.Retries != 1 {
		t.Errorf("mark %#x labels %v, stats %+v", got.Mark, got.HasLabels, s)
	}
}

func TestBadTuplesAreCounted(t *testing.T) {
	_, w, _ := open(t, labelRule)
	write(t, w,
		flow.Update{MarkMask: 1},
		flow.Update{Tuple: flow.Tuple{Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("2001:db8::1"), Proto: 6}, MarkMask: 1},
		flow.Update{Tuple: flow.Tuple{Src: netip.MustParseAddr("192.0.2.1"), Dst: netip.MustParseAddr("192.0.2.2"), Proto: 1, ICMPType: 99}, MarkMask: 1},
		flow.Update{Tuple: tuples()["tcp4"]}, // empty masks: not sent
	)
	waitFor(t, "all counted", func() bool { s := w.Stats(); return s.Gone+s.Invalid+s.Failed == 3 })
	if s := w.Stats(); s.Updates != 3 {
		t.Errorf("stats %+v, want 3 updates", s)
	}
}

func TestICMPAndSCTPTuples(t *testing.T) {
	lab, w, c := open(t, labelRule)
	insert := func(args ...string) {
		lab.Router.Run("conntrack", append([]string{"-I", "-t", "60", "-u", "SEEN_REPLY"}, args...)...)
	}
	insert("-s", "192.0.2.1", "-d", "198.51.100.1", "-p", "sctp", "--sport", "40000", "--dport", "443", "--state", "ESTABLISHED", "--orig-vtag", "1", "--reply-vtag", "2")
	insert("-s", "192.0.2.1", "-d", "198.51.100.1", "-p", "icmp", "--icmp-type", "8", "--icmp-code", "0", "--icmp-id", "77")
	insert("-s", "2001:db8::1", "-d", "2001:db8::2", "-p", "icmpv6", "--icmpv6-type", "128", "--icmpv6-code", "0", "--icmpv6-id", "77")
	insert("-s", "192.0.2.1", "-d", "198.51.100.1", "-p", "50")
	for _, name := range []string{"sctp4", "icmp", "icmp6", "esp"} {
		key := tuples()[name]
		write(t, w, flow.Update{Tuple: key, Mark: 5, MarkMask: 7})
		got, err := c.Get(key)
		if err != nil || got.Mark != 5 {
			t.Errorf("%s: mark %d, %v", name, got.Mark, err)
		}
		if diff := cmp.Diff(key, got.Orig, compareAddr); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// With source NAT the reply comes to the router's address: its own tuple
// finds the connection, and Original says who opened it.
func TestOriginalThroughNAT(t *testing.T) {
	lab, _, c := open(t, labelRule)
	lab.Router.Run("nft", "table ip nat { chain p { type nat hook postrouting priority 100; oifname wan0 masquerade; }; }")
	orig := udpPair(t, lab, lab.ServerAddr4)
	conn, err := c.Get(orig)
	if err != nil {
		t.Fatal(err)
	}
	if conn.Reply.Dst == orig.Src {
		t.Fatalf("no address translation: %+v", conn)
	}
	got, ok := c.Original(conn.Reply)
	if diff := cmp.Diff(orig, got, compareAddr); !ok || diff != "" {
		t.Errorf("Original of the reply, %v (-want +got):\n%s", ok, diff)
	}
	if _, ok := c.Original(tuples()["tcp4"]); ok {
		t.Error("Original of an unknown connection")
	}
}

func TestDump(t *testing.T) {
	lab, _, c := open(t, labelRule)
	want := map[flow.Tuple]bool{udpPair(t, lab, lab.ServerAddr4): true, udpPair(t, lab, lab.ServerAddr6): true}
	got := make(map[flow.Tuple]bool)
	if err := c.Dump(func(c Conn) error {
		if want[c.Orig] {
			got[c.Orig] = true
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, compareAddr); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	stop := errors.New("enough")
	calls := 0
	if err := c.Dump(func(Conn) error { calls++; return stop }); !errors.Is(err, stop) || calls != 1 {
		t.Errorf("stopped dump: %v after %d calls", err, calls)
	}
	if _, err := c.Get(tuples()["tcp4"]); !errors.Is(err, ErrNotFound) {
		t.Errorf("Get after a stopped dump: %v", err)
	}
}

func TestCloseFlushes(t *testing.T) {
	lab, w, c := open(t, labelRule)
	u := flow.Update{Tuple: udpPair(t, lab, lab.ServerAddr4), Labels: bit(5), LabelMask: bit(5)}
	if err := w.Write(u); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Close(), w.Close()); err != nil {
		t.Fatal(err)
	}
	if got, err := c.Get(u.Tuple); err != nil || !got.Has(5) {
		t.Errorf("labels after Close: %x, %v", got.Labels, err)
	}
	if err := w.Write(u); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Write after Close: %v, want ErrClosed", err)
	}
}

func TestMissingCapabilityIsNamed(t *testing.T) {
	ns := kerneltest.NewNS(t)
	var err error
	ns.DoUnprivileged(func() { _, err = NewWriter() })
	if !errors.Is(err, unix.EPERM) || !strings.Contains(err.Error(), "CAP_NET_ADMIN") {
		t.Errorf("got %v, want CAP_NET_ADMIN in it", err)
	}
}

func TestWriterAllocatesNothing(t *testing.T) {
	lab, w, _ := open(t, labelRule)
	u := flow.Update{Tuple: udpPair(t, lab, lab.ServerAddr4), Labels: bit(1), LabelMask: bit(1), MarkMask: 1}
	n := testing.AllocsPerRun(100, func() {
		for range batchSize + 1 {
			_ = w.Write(u)
		}
		_ = w.Flush()
	})
	if n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func BenchmarkWrite(b *testing.B) {
	kerneltest.NewNS(b)
	w, err := NewWriter()
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = w.Close() }()
	w.waiting.delays = [5]time.Duration{time.Hour}
	u := flow.Update{Tuple: tuples()["udp6"], Labels: bit(1), LabelMask: bit(1), MarkMask: 1}
	b.ReportAllocs()
	for b.Loop() {
		_ = w.Write(u) // worst case: refused, as no connection is there
	}
}

func TestForgetClearsOnlyItsBits(t *testing.T) {
	lab, w, c := open(t, labelRule)
	ours, theirs := udpPair(t, lab, lab.ServerAddr4), udpPair(t, lab, lab.ServerAddr6)
	both := bit(5)
	both[15] = 0x80
	write(t, w,
		flow.Update{Tuple: ours, Labels: both, LabelMask: both, Mark: 0x80000001, MarkMask: 0x80000001},
		flow.Update{Tuple: theirs, Labels: bit(127), LabelMask: bit(127), Mark: 1, MarkMask: 1})
	n, err := Forget(bit(5), 0x80000000)
	if err != nil || n != 1 {
		t.Errorf("forgot %d connections, %v; want 1", n, err)
	}
	for name, key := range map[string]flow.Tuple{"ours": ours, "theirs": theirs} {
		if got, err := c.Get(key); err != nil || got.Labels != bit(127) || got.Mark != 1 {
			t.Errorf("%s: labels %x mark %#x, %v; want bit 127 and mark 1 left", name, got.Labels, got.Mark, err)
		}
	}
}
