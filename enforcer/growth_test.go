package enforcer

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/packet"
	"github.com/netpol/netpol/enforcer/telemetry/record"
)

// crowd is a Source of flows that differ in their client: a SYN and a hello each, and
// full packets of flows that are decided. It costs little, and allocates nothing.
type crowd struct {
	todo  []crowdPacket
	bytes [aheadPackets][]byte
	now   int64 // nanoseconds since the Unix epoch
	host  string
	half  int // bytes of a payload that its dissector wants more of
}

type crowdPacket struct {
	client uint32
	kind   crowdKind
}

type crowdKind uint8

const (
	crowdSYN crowdKind = iota
	crowdHello
	crowdHalf // of a hello
	crowdBulk
	crowdDatagram // of a protocol over UDP that takes three
)

func newCrowd(host string) *crowd {
	c := &crowd{now: 1_700_000_000e9, host: host, half: 517 / 2} // what most hellos were padded to (RFC 7685)
	for i := range c.bytes {
		c.bytes[i] = make([]byte, 1500)
	}
	return c
}

func (c *crowd) Next(raw *packet.Raw) error {
	if len(c.todo) == 0 {
		return io.EOF
	}
	c.write(raw, 0)
	return nil
}

func (c *crowd) NextBatch(raws []packet.Raw) (int, error) {
	if len(c.todo) == 0 {
		return 0, io.EOF
	}
	n := min(len(raws), len(c.todo))
	for i := range n {
		c.write(&raws[i], i)
	}
	return n, nil
}

// write makes the next packet: IPv4 (RFC 791) and TCP (RFC 9293) headers without
// options, and checksums that nobody asks for.
func (c *crowd) write(raw *packet.Raw, buffer int) {
	const syn, ack, ip, tcp = 0x02, 0x10, 20, 20
	p := c.todo[0]
	c.todo = c.todo[1:]
	c.now += 1000
	b := c.bytes[buffer]
	seq, flags, size := uint32(1001), byte(ack), len(b)-ip-tcp
	switch payload := b[ip+tcp:]; p.kind {
	case crowdSYN:
		seq, flags, size = 1000, syn, 0
	case crowdHello:
		size = copy(payload, "HELLO ")
		size += copy(payload[size:], c.host)
		size += copy(payload[size:], "\n")
	case crowdHalf:
		copy(payload, "HELLO ")
		size = c.half
	case crowdBulk:
	case crowdDatagram:
		size = c.half
	}
	b[0], b[8], b[9] = 0x45, 64, packet.ProtoTCP
	binary.BigEndian.PutUint16(b[2:], uint16(ip+tcp+size))
	binary.BigEndian.PutUint32(b[12:], 10<<24|p.client>>8)
	binary.BigEndian.PutUint32(b[16:], 0xc6336401) // 198.51.100.1
	binary.BigEndian.PutUint16(b[20:], uint16(40000+p.client&0xff))
	binary.BigEndian.PutUint16(b[22:], 443)
	binary.BigEndian.PutUint32(b[24:], seq)
	b[32], b[33] = tcp/4<<4, flags
	if p.kind == crowdDatagram {
		b[9] = packet.ProtoUDP
		binary.BigEndian.PutUint16(b[24:], uint16(tcp+size)) // RFC 768; what was TCP's is part of the payload
	}
	*raw = packet.Raw{Data: b[:ip+tcp+size], LinkType: packet.LinkRaw, Timestamp: c.now, Length: ip + tcp + size}
}

// play has a worker take the packets in, as its loop does.
func (c *crowd) play(tb testing.TB, w *worker, todo []crowdPacket) {
	c.todo = todo
	for n := batch - 1; len(c.todo) > 0 || w.ahead.at < w.ahead.n; {
		got, err := w.next(batch - n%batch)
		if err != nil {
			tb.Fatal(err)
		}
		if n += got; n%batch == 0 {
			w.between()
		}
	}
}

// opened are the packets that open n flows, from one on.
func (c *crowd) opened(from uint32, n int, last crowdKind) (list []crowdPacket) {
	for i := range uint32(n) {
		list = append(list, crowdPacket{from + i, crowdSYN}, crowdPacket{from + i, last})
	}
	return list
}

func crowded(tb testing.TB, b *artifact.Bundle, maxFlows int) (*crowd, *worker) {
	tb.Helper()
	c := newCrowd("us04.zoom.us")
	e, err := New(Config{Source: c, Outlets: &printed{}, Dissectors: dissectors(), Bundle: b, MaxFlows: maxFlows, MaxOpening: 1 << 20, MaxBuffers: 1 << 30})
	if err != nil {
		tb.Fatal(err)
	}
	return c, newWorker(e, 0)
}

// printed writes records as JSON, for nobody.
type printed struct{ buf []byte }

func (*printed) Use([]artifact.Sink) {}

func (p *printed) Offer(_ int, r record.Record) (taken bool) {
	p.buf = r.AppendJSON(p.buf[:0])
	return true
}

func (*printed) Losses(int) uint64 { return 0 }

// recorded is a bundle with a sink that takes the ends of flows.
func recorded(tb testing.TB) *artifact.Bundle {
	b := bundle(tb, zoomPolicy())
	b.Sinks = []artifact.Sink{{Name: "all", Kind: artifact.SinkStdout, Records: []string{record.KindFlowEnd.String()}}}
	return b
}

// manyPolicies is a bundle of n policies that no flow of a crowd meets, and one that
// all do.
func manyPolicies(tb testing.TB, n int) *artifact.Bundle {
	b := bundle(tb, zoomPolicy())
	for i := range n - 1 {
		b.Policies = append(b.Policies, artifact.Policy{Name: fmt.Sprint("p", i)})
		b.Program.Effects = append(b.Program.Effects, artifact.Effect{})
		b.Program.Clauses = append(b.Program.Clauses, artifact.Clause{
			Policy: i + 1, If: []artifact.Literal{artifact.Literal(len(b.Program.Tests))}, // found by its host name
		})
		b.Program.Tests = append(b.Program.Tests, textTest("hostname", fmt.Sprintf("host%d.example", i)))
	}
	return b
}

// manyApplications is a bundle whose catalogue has n applications.
func manyApplications(tb testing.TB, n int) *artifact.Bundle {
	b := bundle(tb, zoomPolicy())
	for i := range n - len(b.Catalogue.Applications) {
		a := artifact.Application{Tag: fmt.Sprint("app", i), Category: "web"}
		for k := range 16 {
			a.Domains = append(a.Domains, fmt.Sprintf("name%d.app%d.example", k, i))
		}
		for k := range 4 {
			a.Networks = append(a.Networks, netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(20 + i>>8), byte(i), byte(k << 6), 0}), 18))
		}
		b.Catalogue.Applications = append(b.Catalogue.Applications, a)
	}
	return b
}

// growthRound is how many packets or flows are measured at once. The fastest round is
// reported beside the mean: it is the one that nothing disturbed.
const growthRound = 4096

// BenchmarkGrowth is what a packet of a decided flow, and a flow from its first packet to
// its eviction, cost the engine, by how many flows there are, without records and
// with one of each flow's end, how many policies and how many applications.
func BenchmarkGrowth(b *testing.B) {
	for _, n := range []int{10_000, 100_000, 1_000_000} {
		c, w := crowded(b, bundle(b, zoomPolicy()), n)
		growth(b, fmt.Sprintf("flows=%d", n), c, w, n)
	}
	for _, n := range []int{10_000, 1_000_000} {
		c, w := crowded(b, recorded(b), n)
		growth(b, fmt.Sprintf("recorded=%d", n), c, w, n)
	}
	for _, n := range []int{1, 100, 10_000} {
		c, w := crowded(b, manyPolicies(b, n), 10_000)
		growth(b, fmt.Sprintf("policies=%d", n), c, w, 10_000)
	}
	for _, n := range []int{50, 2000} {
		c, w := crowded(b, manyApplications(b, n), 10_000)
		growth(b, fmt.Sprintf("applications=%d", n), c, w, 10_000)
	}
}

func growth(b *testing.B, name string, c *crowd, w *worker, flows int) {
	next := uint32(0)
	for int(next) < flows {
		c.play(b, w, c.opened(next, growthRound, crowdHello))
		next += growthRound
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	b.Run(name+"/packet", func(b *testing.B) {
		measureRounds(b, "packet", func() []crowdPacket {
			list := make([]crowdPacket, growthRound)
			for i := range list {
				list[i] = crowdPacket{next - 1 - uint32(rnd.IntN(min(flows, w.table.Len()))), crowdBulk}
			}
			return list
		}, func(list []crowdPacket) { c.play(b, w, list) })
	})
	b.Run(name+"/flow", func(b *testing.B) {
		measureRounds(b, "flow", func() []crowdPacket {
			list := c.opened(next, growthRound, crowdHello)
			next += growthRound
			return list
		}, func(list []crowdPacket) { c.play(b, w, list) })
	})
	if w.stats.Completed != uint64(next) || w.stats.FlowsSeen != w.stats.Completed {
		b.Fatalf("%d flows of %d, %d decided", w.stats.FlowsSeen, next, w.stats.Completed)
	}
}

// measureRounds times rounds, and not what prepares them, and counts what they allocate.
func measureRounds(b *testing.B, unit string, prepare func() []crowdPacket, play func([]crowdPacket)) {
	best, mallocs, rounds := time.Duration(math.MaxInt64), uint64(0), 0
	var before, after runtime.MemStats
	for b.Loop() {
		list := prepare()
		runtime.ReadMemStats(&before)
		start := time.Now()
		play(list)
		best = min(best, time.Since(start))
		runtime.ReadMemStats(&after)
		mallocs += after.Mallocs - before.Mallocs
		rounds++
	}
	b.ReportMetric(0, "ns/op") // that of preparing, too
	b.ReportMetric(float64(best.Nanoseconds())/growthRound, "best-ns/"+unit)
	b.ReportMetric(float64(mallocs)/float64(rounds)/growthRound, "allocs/"+unit)
}

// held is what n flows keep of the heap, each, that end with a packet of a kind and what
// then does; it may be nil.
func (c *crowd) held(tb testing.TB, w *worker, n int, last crowdKind, then func(*worker)) float64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for from := 0; from < n; from += growthRound {
		list := c.opened(uint32(from), min(growthRound, n-from), last)
		if last == crowdDatagram {
			list = slices.DeleteFunc(list, func(p crowdPacket) bool { return p.kind == crowdSYN })
		}
		c.play(tb, w, list)
	}
	c.todo = nil
	if then != nil {
		then(w)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if got := w.table.Len(); got != n {
		tb.Fatalf("%d flows, want %d", got, n)
	}
	runtime.KeepAlive(w)
	return float64(after.HeapAlloc-before.HeapAlloc) / float64(n)
}

// BenchmarkFlowMemory is what a flow keeps of the heap: one that is decided, one whose replies bear
// other addresses besides, and those of which more is wanted: of a hello in two segments, of one whose first segment is
// full, after one datagram, and after one that is as long as those of QUIC (RFC 9000, 14.1).
func BenchmarkFlowMemory(b *testing.B) {
	for _, bb := range []struct {
		name    string
		last    crowdKind
		half, n int
		then    func(*worker)
	}{
		{"decided", crowdHello, 0, 1_000_000, nil},
		{"translated", crowdHello, 0, 1_000_000, translate},
		{"undecided", crowdHalf, 517 / 2, 50_000, nil},
		{"undecided-segment", crowdHalf, 1460, 50_000, nil},
		{"undecided-datagram", crowdDatagram, 160, 50_000, nil},
		{"undecided-initial", crowdDatagram, 1200, 50_000, nil},
	} {
		b.Run(bb.name, func(b *testing.B) {
			var each float64
			for b.Loop() {
				c, w := crowded(b, bundle(b, zoomPolicy()), bb.n)
				c.half = bb.half
				each = c.held(b, w, bb.n, bb.last, bb.then)
			}
			b.ReportMetric(each, "B/flow")
		})
	}
}

// translate gives each flow an alias.
func translate(w *worker) {
	w.table.Each(func(id flow.ID, r *flow.Record) bool {
		k := r.Key
		k.VLAN++
		return w.table.Alias(&k, id, false)
	})
}

// TestUndecidedFlowsAreSmall holds what a flow costs while more of it is wanted below
// the budget, with its bytes: 10,000 connections that begin at once take less than 15 MB,
// on a router that may have 64. Measured on 2026-11-22: 616 bytes both.
func TestUndecidedFlowsAreSmall(t *testing.T) {
	const n, budget = 20_000, 1500
	for name, last := range map[string]crowdKind{"half a hello": crowdHalf, "a datagram": crowdDatagram} {
		c, w := crowded(t, bundle(t, zoomPolicy()), n)
		if got := c.held(t, w, n, last, nil); got > budget {
			t.Errorf("a flow with %s takes %.0f bytes, want at most %d", name, got, budget)
		}
		if w.openings.Used() != n {
			t.Errorf("%s: %d flows are undecided, want all %d", name, w.openings.Used(), n)
		}
	}
}

// TestGrowthAllocatesNothing: packets of decided flows cost no memory, however many flows
// there are, and new flows none once as many have been before.
func TestGrowthAllocatesNothing(t *testing.T) {
	c, w := crowded(t, bundle(t, zoomPolicy()), 1000)
	c.play(t, w, c.opened(0, 3000, crowdHello))
	bulk := make([]crowdPacket, 500)
	for i := range bulk {
		bulk[i] = crowdPacket{2999 - uint32(i), crowdBulk}
	}
	if n := testing.AllocsPerRun(10, func() { c.play(t, w, bulk) }); n != 0 {
		t.Errorf("%v allocations for %d packets of decided flows, want 0", n, len(bulk))
	}
	next := uint32(3000)
	fresh := make([]crowdPacket, 0, 2*100)
	if n := testing.AllocsPerRun(10, func() {
		fresh = append(fresh[:0], c.opened(next, 100, crowdHello)...)
		next += 100
		c.play(t, w, fresh)
	}); n > 100*1.5 {
		t.Errorf("%v allocations for 100 flows, want one each, their name, and the list's", n)
	}
	if w.stats.Completed != uint64(next) {
		t.Errorf("%d flows decided of %d", w.stats.Completed, next)
	}
}
