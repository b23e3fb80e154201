package router

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/compiler"
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/kernel/ct"
	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
	"github.com/netpol/netpol/enforcer/kernel/nft"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/policies"
)

// BenchmarkForward measures what a packet of a decided connection costs a router
// by the number of policies, beside a router that only tracks connections: of a
// connection without a label, and of one with a label that a code point goes by. A
// client sends small UDP packets through the router to a server that drops them; with
// veth the sender's thread does the router's work as well, so its CPU time is the
// sender's, which is the same for all, and the router's. Each variant has a lab of its
// own, and they take turns every 150 packets, so that what else runs on the machine
// meets all of them. What is reported is the median, and the median of what a
// turn costs more than that of the router that only tracks.
//
//	go test -run '^$' -bench Forward -benchtime 1x ./cmd/netpol/internal/router
func BenchmarkForward(b *testing.B) {
	const rounds, packets = 4000, 150
	variants := []*variant{newVariant(b, 0, false)}
	for _, n := range []int{1, 5, 100, 1000} {
		variants = append(variants, newVariant(b, n, false), newVariant(b, n, true))
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for range b.N {
		for range rounds {
			for _, v := range variants {
				v.measure(b, packets)
			}
		}
	}
	b.ReportMetric(0, "ns/op")
	for _, v := range variants {
		b.ReportMetric(median(v.ns), v.name()+"-ns/packet")
		if v.policies == 0 {
			continue
		}
		more := make([]float64, len(v.ns))
		for i, ns := range v.ns {
			more[i] = ns - variants[0].ns[i]
		}
		b.ReportMetric(median(more), v.name()+"-more-ns/packet")
	}
}

// variant is a router with a table and a connection through it.
type variant struct {
	policies int
	labelled bool
	conn     *net.UDPConn
	ns       []float64
}

func (v *variant) name() string {
	if v.policies == 0 {
		return "tracked"
	}
	what := "unlabelled"
	if v.labelled {
		what = "labelled"
	}
	return fmt.Sprintf("%d-%s", v.policies, what)
}

func newVariant(b *testing.B, n int, labelled bool) *variant {
	b.Helper()
	lab := kerneltest.NewLab(b)
	lab.Router.Sysctl("net/netfilter/nf_conntrack_acct", "1")
	lab.Router.Run("nft", "table inet track { chain c { type filter hook forward priority 0; ct state invalid counter; }; }")
	lab.Server.Run("nft", "table inet sink { chain c { type filter hook prerouting priority -300; udp dport 9 drop; }; }")
	v := &variant{policies: n, labelled: labelled}
	var err error
	lab.Client.Do(func() {
		v.conn, err = net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(lab.ServerAddr4, 9)))
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = v.conn.Close() })
	if n > 0 {
		bundle := compileMany(b, n)
		lab.Router.Do(func() { err = nft.Apply(&bundle.Ruleset) })
		v.send(b, 1)
		if err == nil {
			lab.Router.Do(func() { err = decide(bundle, v) })
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	return v
}

// decide writes what netpold would.
func decide(bundle *artifact.Bundle, v *variant) error {
	u := flow.Update{Tuple: tupleOfUDP(v.conn), Mark: bundle.Settings.OwnMark(), MarkMask: bundle.Settings.OwnMark()}
	for _, l := range bundle.Labels {
		if v.labelled && l.Name == carrier(v.policies) {
			u.Mark = bundle.Settings.DoneMark
			u.Labels[l.Bit/8] |= 1 << (l.Bit % 8)
			u.LabelMask[l.Bit/8] |= 1 << (l.Bit % 8)
		}
	}
	w, err := ct.NewWriter()
	if err != nil {
		return err
	}
	return errors.Join(w.Write(u), w.Close())
}

// carrier is the label of the measured connection: one that a code point goes
// by, and of many the one in the middle.
func carrier(n int) string {
	switch n {
	case 1:
		return "app-0"
	case kinds:
		return "np-dscp-cs1"
	}
	return "np-dscp-af13"
}

func tupleOfUDP(c *net.UDPConn) flow.Tuple {
	src, dst := netip.MustParseAddrPort(c.LocalAddr().String()), netip.MustParseAddrPort(c.RemoteAddr().String())
	return flow.Tuple{Src: src.Addr(), Dst: dst.Addr(), SrcPort: src.Port(), DstPort: dst.Port(), Proto: unix.IPPROTO_UDP}
}

// compileMany compiles realistic policies on applications.
func compileMany(b *testing.B, n int) *artifact.Bundle {
	b.Helper()
	cat, err := policies.Catalogue()
	if err != nil {
		b.Fatal(err)
	}
	p, diags := lang.Parse(map[string][]byte{"a.netpol.hcl": []byte(manyPolicies(cat, n))}, lang.Options{})
	bundle, more := compiler.Compile(p, compiler.Options{Catalogue: cat})
	if diags.Extend(more); diags.HasErrors() {
		b.Fatal(diags)
	}
	return bundle
}

// kinds is how many effects manyPolicies has in turn.
const kinds = 5

// manyPolicies label, mark, classify, stop and limit applications, each about
// as often as another, with as many different labels as a connection has room for
// (128). A single one labels and marks.
func manyPolicies(cat *artifact.Catalogue, n int) string {
	var b strings.Builder
	codes := []string{"cs1", "cs2", "cs3", "cs4", "cs5", "cs6", "ef", "af11", "af12", "af13", "af21", "af22", "af23", "af31", "af32", "af33", "af41", "af42", "af43", "le"}
	for i := range n {
		app := cat.Applications[i%len(cat.Applications)].Tag
		fmt.Fprintf(&b, "policy \"p%d\" {\n  criteria = \"app == '%s' && dst_port != %d\"\n", i, app, 20000+i)
		round := i / kinds
		if n == 1 {
			b.WriteString("  label = \"app-0\"\n  dscp = \"cs1\"\n}\n")
			break
		}
		switch i % kinds {
		case 0:
			fmt.Fprintf(&b, "  label = \"app-%d\"\n", round%40)
		case 1:
			fmt.Fprintf(&b, "  dscp = %q\n", codes[round%len(codes)])
		case 2:
			fmt.Fprintf(&b, "  priority = \"1:%x\"\n", 0x10+round%30)
		case 3:
			fmt.Fprintf(&b, "  verdict = %q\n", []string{"accept", "drop", "reject"}[round%3])
		case 4:
			if round < 20 {
				b.WriteString("  rate = \"900Mbit/s\"\n")
			} else {
				b.WriteString("  label = \"app-1\"\n")
			}
		}
		b.WriteString("}\n")
	}
	return b.String()
}

// measure sends packets and notes the CPU time of one.
func (v *variant) measure(b *testing.B, packets int) {
	b.Helper()
	v.send(b, packets/8) // the caches are another variant's
	v.ns = append(v.ns, float64(v.send(b, packets))/float64(packets))
}

func (v *variant) send(b *testing.B, packets int) (took time.Duration) {
	b.Helper()
	raw, err := v.conn.SyscallConn()
	if err != nil {
		b.Fatal(err)
	}
	packet := make([]byte, 18)
	if err := raw.Control(func(fd uintptr) {
		before := threadTime()
		for range packets {
			_, _ = unix.Write(int(fd), packet)
		}
		took = threadTime() - before
	}); err != nil {
		b.Fatal(err)
	}
	return took
}

func median(list []float64) float64 {
	list = slices.Clone(list)
	slices.Sort(list)
	return list[len(list)/2]
}

// threadTime is the CPU time of this thread, softirqs on it included.
func threadTime() time.Duration {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t)
	return time.Duration(t.Nano())
}
