package aggregate

import (
	"math/rand/v2"
	"net/netip"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/telemetry/record"
	"github.com/netpol/netpol/lang/fact"
)

// closed are the records of an interval.
func closed(a *Account) (list []record.Aggregate) {
	a.Close(record.Aggregate{}, func(r *record.Aggregate) {
		c := *r
		c.Rows = append([]record.AggregateRow(nil), r.Rows...)
		list = append(list, c)
	})
	return list
}

// TestEveryDimension says that each dimension comes back as it went in, and that
// what is not asked for tells nothing apart.
func TestEveryDimension(t *testing.T) {
	f := fact.Facts{
		Protocol: "tls", Category: "voip", LocalIP: netip.MustParseAddr("192.168.1.2"), OtherIP: netip.MustParseAddr("2001:db8::1"),
		LocalMAC: "02:ab:00:00:00:0f", LocalPort: 65535, OtherPort: 443, IPProtocol: 6, IPVersion: 4, VLANID: 4094, Interface: "lan0",
		OtherType: fact.OtherLocal,
	}
	s := Sample{Facts: &f, Application: "zoom", Brand: "zoom-inc", Policies: []string{"late", "first"}, Counts: Counts{1, 2, 3, 4, 1}}
	a := New(artifact.Aggregate{
		Name: "all", By: artifact.Dimensions(), Top: 10, Keys: 10, Policies: []string{"first", "late"},
		Groups: []artifact.AggregateGroup{{Name: "none", MACs: []string{"02:00:00:00:00:01"}}, {Name: "lan", Networks: []netip.Prefix{netip.MustParsePrefix("192.168.1.0/24")}}},
	}, 1)
	a.Add(&s)
	want := record.AggregateRow{
		ApplicationName: "zoom", BrandName: "zoom-inc", ProtocolName: "tls", Category: "voip", LocalIP: f.LocalIP, LocalMAC: f.LocalMAC, LocalPort: 65535,
		OtherIP: f.OtherIP, OtherPort: 443, IPProtocol: 6, IPVersion: 4, VLANID: 4094, Interface: "lan0", Policy: "first",
		AddressGroup: "lan", Sum: record.Sum{LocalBytes: 1, LocalPackets: 2, OtherBytes: 3, OtherPackets: 4, FlowCount: 1}, OtherIsLocal: true,
	}
	if diff := cmp.Diff([]record.AggregateRow{want}, closed(a)[0].Rows, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, by := range artifact.Dimensions() {
		one := New(artifact.Aggregate{By: []string{by}, Top: 10, Keys: 10, Groups: []artifact.AggregateGroup{{Name: "lan", MACs: []string{f.LocalMAC}}}}, 1)
		one.Add(&s)
		other := Sample{Facts: &fact.Facts{}, Counts: Counts{LocalBytes: 1}}
		one.Add(&other)
		if rows := closed(one)[0].Rows; len(rows) != 2 {
			t.Errorf("by %s: got %v, want two rows", by, rows)
		}
	}
	none := New(artifact.Aggregate{Top: 10, Keys: 10}, 1)
	none.Add(&s)
	none.Add(&s)
	if rows := closed(none)[0].Rows; len(rows) != 1 || rows[0].LocalBytes != 2 {
		t.Errorf("by nothing: got %v, want one row", rows)
	}
}

// zipf are hosts, a few of which carry most.
func zipf(n int, keys uint64) []Sample {
	z := rand.NewZipf(rand.New(rand.NewPCG(1, 2)), 1.2, 1, keys-1)
	out := make([]Sample, n)
	facts := make([]fact.Facts, n)
	for i := range out {
		k := z.Uint64()
		facts[i] = fact.Facts{LocalIP: netip.AddrFrom4([4]byte{10, byte(k >> 16), byte(k >> 8), byte(k)}), Protocol: "tls"}
		out[i] = Sample{Facts: &facts[i], Application: "zoom", Counts: Counts{LocalBytes: 40 + k%1400, LocalPackets: 1, OtherBytes: k % 7, Flows: 1}}
	}
	return out
}

// TestSummary fills tables beyond their limits: sums stay exact, what a row says is
// at most what was, by no more than its error, and no key that carried more than the
// record's error is missing.
func TestSummary(t *testing.T) {
	samples := zipf(200_000, 20_000)
	exact := map[netip.Addr]uint64{}
	var total Counts
	for i := range samples {
		exact[samples[i].Facts.LocalIP] += samples[i].Counts.bytes()
		total.add(&samples[i].Counts)
	}
	for _, limit := range []int{16, 100, 1000, 5000, 1 << 20} {
		a := New(artifact.Aggregate{By: []string{"local_ip"}, Top: limit, Keys: limit}, 7)
		for range 2 { // the second interval in used memory
			for i := range samples {
				a.Add(&samples[i])
			}
			evicted := a.Evicted()
			list := closed(a)
			if got := list[0]; got.Total != sumOf(&total) || got.Exact != (limit >= len(exact)) || got.Exact != (evicted == 0) || got.Exact != (got.Error == 0) {
				t.Fatalf("%d keys: got %+v, evicted %d", limit, got, evicted)
			}
			sum := Counts{}
			there := map[netip.Addr]bool{}
			for _, part := range list {
				for _, r := range part.Rows {
					sum.add(&Counts{r.LocalBytes, r.LocalPackets, r.OtherBytes, r.OtherPackets, r.FlowCount})
					there[r.LocalIP] = true
					if is, was := r.LocalBytes+r.OtherBytes, exact[r.LocalIP]; is > was || is+r.Error < was {
						t.Fatalf("%d keys: %s carried %d, got %d with an error of %d", limit, r.LocalIP, was, is, r.Error)
					}
				}
			}
			o := list[0].Other
			sum.add(&Counts{o.LocalBytes, o.LocalPackets, o.OtherBytes, o.OtherPackets, o.FlowCount})
			if sum != total {
				t.Errorf("%d keys: rows and other are %+v, want %+v", limit, sum, total)
			}
			for ip, bytes := range exact {
				if bytes > list[0].Error && !there[ip] {
					t.Errorf("%d keys: %s carried %d and is missing; the error is %d", limit, ip, bytes, list[0].Error)
				}
			}
		}
	}
}

// TestTop says that rows come in order, the largest first, in parts.
func TestTop(t *testing.T) {
	a := New(artifact.Aggregate{By: []string{"local_ip"}, Top: 300, Keys: 50_000}, 7)
	samples := zipf(100_000, 20_000)
	for i := range samples {
		a.Add(&samples[i])
	}
	list := closed(a)
	if len(list) != 3 || list[2].Part != 3 || list[2].Parts != 3 || len(list[2].Rows) != 300-2*rowsPerRecord {
		t.Fatalf("got %d parts, %+v", len(list), list[len(list)-1])
	}
	last := ^uint64(0)
	for _, part := range list {
		for _, r := range part.Rows {
			if n := r.LocalBytes + r.OtherBytes; n > last {
				t.Fatalf("%d after %d", n, last)
			} else {
				last = n
			}
		}
	}
	if empty := closed(a); len(empty) != 1 || len(empty[0].Rows) != 0 || empty[0].Total != (record.Sum{}) || !empty[0].Exact {
		t.Errorf("got %+v, want an interval of nothing", empty)
	}
}

func TestNoAllocations(t *testing.T) {
	samples := zipf(1000, 100)
	for name, keys := range map[string]int{"with room": 1000, "without": 20} {
		a := New(artifact.Aggregate{By: []string{"application", "local_ip", "protocol"}, Top: 10, Keys: keys}, 7)
		add := func() {
			for i := range samples {
				a.Add(&samples[i])
			}
		}
		add()
		if n := testing.AllocsPerRun(10, add); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// TestMillionKeys holds the memory of a million keys to 200 MB.
func TestMillionKeys(t *testing.T) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	a := New(artifact.Aggregate{By: []string{"local_ip", "application"}, Top: 1000, Keys: 1_000_000}, 7)
	f := fact.Facts{}
	s := Sample{Facts: &f, Application: "zoom", Counts: Counts{LocalBytes: 1}}
	for i := range 1_100_000 {
		f.LocalIP = netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		s.Counts.LocalBytes = uint64(i)
		a.Add(&s)
	}
	list := closed(a)
	runtime.GC()
	runtime.ReadMemStats(&after)
	if used := after.HeapAlloc - before.HeapAlloc; used > 200<<20 {
		t.Errorf("%d MB", used>>20)
	} else {
		t.Logf("%d MB", used>>20)
	}
	runtime.KeepAlive(a)
	if list[0].Keys != 1_000_000 || list[0].Exact {
		t.Errorf("got %+v", list[0])
	}
}

// TestTakenIsTold ends an interval and goes on with the next while the first is told, step by step: neither
// knows of the other, whose memory is used again.
func TestTakenIsTold(t *testing.T) {
	a := New(artifact.Aggregate{By: []string{"local_ip"}, Top: 1000, Keys: 5000}, 7)
	samples := zipf(200_000, 20_000)
	var want []record.Aggregate
	for range 3 {
		for i := range samples {
			a.Add(&samples[i])
		}
		c := a.Take(record.Aggregate{})
		var got []record.Aggregate
		tell := func(r *record.Aggregate) {
			one := *r
			one.Rows = append([]record.AggregateRow(nil), r.Rows...)
			got = append(got, one)
		}
		b := New(artifact.Aggregate{By: []string{"local_ip"}, Top: 1000, Keys: 5000}, 7)
		for i, more := 0, true; more; i++ {
			more = c.Step(tell)
			a.Add(&samples[i])
			b.Add(&samples[i])
		}
		c.Return()
		if len(got) != got[0].Parts || want != nil && !cmp.Equal(want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })) {
			t.Fatalf("got %d parts, and another interval than the first", len(got))
		}
		want = got
		if diff := cmp.Diff(closed(b), closed(a), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
			t.Fatalf("what came meanwhile: -want +got:\n%s", diff)
		}
	}
}

func BenchmarkTake(b *testing.B) {
	a := New(artifact.Aggregate{By: []string{"local_ip"}, Top: 1000, Keys: 1 << 20}, 7)
	f := fact.Facts{}
	s := Sample{Facts: &f, Counts: Counts{LocalBytes: 1}}
	for b.Loop() {
		b.StopTimer()
		for i := range 1 << 20 {
			f.LocalIP = netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
			a.Add(&s)
		}
		b.StartTimer()
		c := a.Take(record.Aggregate{})
		b.StopTimer()
		c.Finish(func(*record.Aggregate) {})
		c.Return()
		b.StartTimer()
	}
}

func BenchmarkAdd(b *testing.B) {
	for name, c := range map[string]struct {
		keys, limit int
	}{"1k": {1000, 1 << 16}, "1M": {1 << 20, 1 << 20}, "full": {1 << 17, 1 << 16}, "1M full": {1 << 21, 1 << 20}} {
		b.Run(name, func(b *testing.B) {
			a := New(artifact.Aggregate{By: []string{"application", "protocol", "local_ip"}, Top: 1000, Keys: c.limit}, 7)
			samples := make([]Sample, 1<<21)
			facts := make([]fact.Facts, len(samples))
			rng := rand.New(rand.NewPCG(1, 2))
			for i := range samples {
				k := rng.IntN(c.keys)
				facts[i] = fact.Facts{LocalIP: netip.AddrFrom4([4]byte{10, byte(k >> 16), byte(k >> 8), byte(k)}), Protocol: "tls"}
				samples[i] = Sample{Facts: &facts[i], Application: "zoom", Counts: Counts{LocalBytes: 1000, LocalPackets: 2, Flows: 1}}
			}
			for i := range samples {
				a.Add(&samples[i])
			}
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				a.Add(&samples[i&(len(samples)-1)])
			}
		})
	}
}

// TestUnspecifiedAddress: hosts that ask whether their address is anybody's (RFC 4862, 5.4.2) have "::",
// which is not the same as no address.
func TestUnspecifiedAddress(t *testing.T) {
	a := New(artifact.Aggregate{By: []string{"local_ip", "other_ip"}, Top: 10, Keys: 10}, 7)
	for _, ip := range []string{"::", "0.0.0.0", "2001:db8::1"} {
		f := &fact.Facts{LocalIP: netip.MustParseAddr(ip), OtherIP: netip.MustParseAddr(ip)}
		a.Add(&Sample{Facts: f, Counts: Counts{LocalBytes: 1}})
		for _, row := range closed(a)[0].Rows {
			if row.LocalIP != f.LocalIP || row.OtherIP != f.OtherIP {
				t.Errorf("%s became %v and %v", ip, row.LocalIP, row.OtherIP)
			}
		}
	}
}
