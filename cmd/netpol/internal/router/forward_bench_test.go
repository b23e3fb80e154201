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
// by the number of policies: of a connection without a label, and of one with a
// label that a code point goes by. A client sends small UDP packets through the
// router to a server that drops them; with veth the sender's thread does the
// router's work as well, so its CPU time is the sender's, which is the same for
// all, and the router's. The variants take turns; what is reported is the median
// of the rounds, and its ratio to the set that has one policy of each kind.
//
//	go test -run '^$' -bench Forward -benchtime 1x ./cmd/netpol/internal/router
func BenchmarkForward(b *testing.B) {
	const rounds, packets = 31, 20_000
	lab := kerneltest.NewLab(b)
	lab.Router.Sysctl("net/netfilter/nf_conntrack_acct", "1")
	lab.Server.Run("nft", "table inet sink { chain c { type filter hook prerouting priority -300; udp dport 9 drop; }; }")
	var variants []*variant
	for _, n := range []int{0, 1, 5, 100, 1000} {
		variants = append(variants, newVariant(b, lab, n, false))
		if n > 0 {
			variants = append(variants, newVariant(b, lab, n, true))
		}
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
	base := map[bool]float64{}
	for _, v := range variants {
		ns := v.median()
		if v.policies == kinds {
			base[v.labelled] = ns
		}
		b.ReportMetric(ns, v.name()+"-ns/packet")
		if v.policies > kinds {
			b.ReportMetric(ns/base[v.labelled], v.name()+"-ratio")
		}
	}
}

// variant is a router's table and a connection through it.
type variant struct {
	policies int
	labelled bool
	lab      *kerneltest.Lab
	rules    *artifact.Ruleset // nil for none
	conn     *net.UDPConn
	writer   *ct.Writer
	update   flow.Update
	ns       []float64
}

func (v *variant) name() string {
	if v.policies == 0 {
		return "no-table"
	}
	what := "unlabelled"
	if v.labelled {
		what = "labelled"
	}
	return fmt.Sprintf("%d-%s", v.policies, what)
}

func newVariant(b *testing.B, lab *kerneltest.Lab, n int, labelled bool) *variant {
	b.Helper()
	v := &variant{policies: n, labelled: labelled, lab: lab}
	if n > 0 {
		bundle := compileMany(b, n)
		v.rules = &bundle.Ruleset
		v.update.Mark, v.update.MarkMask = bundle.Settings.DoneMark, bundle.Settings.DoneMark
		if labelled {
			for _, l := range bundle.Labels {
				if l.Name == carrier(n) {
					v.update.Labels[l.Bit/8] |= 1 << (l.Bit % 8)
					v.update.LabelMask[l.Bit/8] |= 1 << (l.Bit % 8)
				}
			}
		}
	}
	var err error
	lab.Client.Do(func() {
		v.conn, err = net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(lab.ServerAddr4, 9)))
	})
	if err == nil {
		lab.Router.Do(func() { v.writer, err = ct.NewWriter() })
	}
	if err != nil {
		b.Fatal(err)
	}
	v.update.Tuple = tupleOfUDP(v.conn)
	b.Cleanup(func() { _ = v.conn.Close(); _ = v.writer.Close() })
	return v
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
	var err error
	v.lab.Router.Do(func() {
		if v.rules == nil {
			err = nft.Delete("inet", "netpol")
			return
		}
		if err = nft.Apply(v.rules); err != nil {
			return
		}
	})
	if err != nil {
		b.Fatal(err)
	}
	packet := make([]byte, 18)
	if _, err := v.conn.Write(packet); err != nil {
		b.Fatal(err)
	}
	if v.rules != nil {
		if err := errors.Join(v.writer.Write(v.update), v.writer.Flush()); err != nil {
			b.Fatal(err)
		}
	}
	raw, err := v.conn.SyscallConn()
	if err != nil {
		b.Fatal(err)
	}
	err = raw.Control(func(fd uintptr) {
		for range packets / 10 {
			_, _ = unix.Write(int(fd), packet)
		}
		before := threadTime()
		for range packets {
			_, _ = unix.Write(int(fd), packet)
		}
		v.ns = append(v.ns, float64(threadTime()-before)/float64(packets))
	})
	if err != nil {
		b.Fatal(err)
	}
}

func (v *variant) median() float64 {
	slices.Sort(v.ns)
	return v.ns[len(v.ns)/2]
}

// threadTime is the CPU time of this thread, softirqs on it included.
func threadTime() time.Duration {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t)
	return time.Duration(t.Nano())
}
