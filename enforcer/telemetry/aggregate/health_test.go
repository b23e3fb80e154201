package aggregate

import (
	"math/rand/v2"
	"net/netip"
	"runtime"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/slab"
	"github.com/netpol/netpol/enforcer/telemetry/record"
	"github.com/netpol/netpol/lang/fact"
)

func TestBucketOf(t *testing.T) {
	for micros, want := range map[uint32]int{0: 0, 1: 0, 2: 4, 3: 7, 4: 8, 5: 10, 1 << 10: 40, 1<<10 + 1: 41, 1217: 41, 1218: 42, 1 << 31: 124, 1<<32 - 1: 124} {
		if got := bucketOf(micros); got != want {
			t.Errorf("%d: bucket %d, want %d", micros, got, want)
		}
	}
}

// TestPercentiles says that percentiles are as near as is promised, of few times and of many, put together in
// any way.
func TestPercentiles(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{1, 2, 7, 8, 9, 20, 1000, 50_000} {
		var all slab.Slab[buckets]
		var parts [3]sketch
		times := make([]uint32, n)
		for i := range times {
			times[i] = uint32(rng.ExpFloat64()*30_000) + 1
			parts[rng.IntN(3)].add(times[i], &all)
		}
		s := &parts[0]
		s.join(&parts[1], &all)
		s.join(&parts[2], &all)
		slices.Sort(times)
		var sum uint64
		for _, micros := range times {
			sum += uint64(micros)
		}
		if s.sum != sum || int(s.count) != n || s.min != times[0] || s.max != times[n-1] {
			t.Errorf("%d times: got %+v", n, s)
		}
		percent := []int{1, 50, 95, 99, 100}
		got := make([]uint32, len(percent))
		b := s.counts(&all)
		s.quantiles(&b, percent, got)
		for i, p := range percent {
			want := float64(times[rank(uint32(n), p)-1])
			if d := float64(got[i]) - want; n <= few && d != 0 && s.buckets == 0 || d < -want*0.09-1 || d > want*0.09+1 {
				t.Errorf("%d times: percentile %d is %d, want %v", n, p, got[i], want)
			}
		}
	}
}

// fares is a sample of a host's health.
func fares(host byte, bytes uint64, micros ...uint32) *Sample {
	h := &Health{}
	h.Figures[Measured], h.Figures[MeasuredPackets], h.Figures[TCPPackets], h.Figures[OtherRetrans] = 1, 10, 10, uint64(host)
	for _, m := range micros {
		h.Times = append(h.Times, Time{Of: RTTServer, Micros: m})
	}
	return &Sample{Facts: &fact.Facts{LocalIP: netip.AddrFrom4([4]byte{10, 0, 0, host})}, Counts: Counts{LocalBytes: bytes, Flows: 1}, Health: h}
}

// TestHealth says that rows, what is not told and the whole agree, also of keys that made room, and that those
// of whom nothing was measured have none.
func TestHealth(t *testing.T) {
	a := New(artifact.Aggregate{By: []string{"local_ip"}, Top: 2, Keys: 3, Health: true}, 1)
	for range 2 {
		a.Add(fares(1, 1000, 100, 200, 300))
		a.Add(fares(2, 900, 50))
		a.Add(fares(3, 1, 7, 7, 7, 7, 7, 7, 7, 7, 9))
		a.Add(fares(4, 2, 1000)) // takes the place of 3
		healthy := fares(5, 5000)
		healthy.Health = nil
		a.Add(healthy) // takes the place of 4
		got := closed(a)[0]
		times := func(count, sum, least, most, p50, p99 uint64, first int, b ...uint64) *record.Times {
			return &record.Times{Count: count, Sum: sum, Mean: sum / count, Min: least, Max: most, P50: p50, P95: p99, P99: p99, FirstBucket: first, Buckets: b}
		}
		health := func(flows, retrans uint64, rtt *record.Times) *record.Health {
			return &record.Health{FlowCount: flows, Packets: 10 * flows, TCP: record.HealthTCP{Packets: 10 * flows, Retrans: retrans, OtherRetrans: retrans}, RTTServer: rtt}
		}
		want := []*record.Health{
			nil,
			health(1, 1, times(3, 600, 100, 300, 200, 300, 27, 1, 0, 0, 0, 1, 0, 1)),
			health(3, 9, times(11, 1115, 7, 1000, 7, 1000, 12, 8, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)),
			health(4, 10, times(14, 1715, 7, 1000, 7, 1000, 12, 8, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 1)),
		}
		if diff := cmp.Diff(want, []*record.Health{got.Rows[0].Health, got.Rows[1].Health, got.Other.Health, got.Total.Health}); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}
}

// TestHealthAllocatesNothing says that a sample of a key that is there takes no memory.
func TestHealthAllocatesNothing(t *testing.T) {
	a := New(artifact.Aggregate{By: []string{"local_ip"}, Top: 2, Keys: 100, Health: true}, 1)
	samples := make([]*Sample, 100)
	for i := range samples {
		samples[i] = fares(byte(i), 100, 10, 20)
	}
	add := func() {
		for _, s := range samples {
			a.Add(s)
		}
	}
	for range 10 {
		add()
	}
	if n := testing.AllocsPerRun(10, add); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestHealthOfManyKeys holds the memory of as many keys as there may be, each with two connections of TCP a
// minute, and that of keys of which nothing was measured.
func TestHealthOfManyKeys(t *testing.T) {
	for _, tt := range []struct {
		name     string
		measured bool
		most     uint64
	}{{"measured", true, 45 << 20}, {"not measured", false, 16 << 20}} {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		a := New(artifact.Aggregate{By: []string{"local_ip"}, Top: 1000, Keys: 65_536, Health: true}, 7)
		f := fact.Facts{}
		s := Sample{Facts: &f, Counts: Counts{LocalBytes: 1}}
		if tt.measured {
			s.Health = &Health{Times: []Time{{Of: RTTServer, Micros: 9}, {Of: RTTClient, Micros: 9}, {Of: AppResponse, Micros: 9}, {Of: TLSHandshake, Micros: 9}}}
		}
		for i := range 2 * 65_536 {
			f.LocalIP = netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})
			a.Add(&s)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		used := after.HeapAlloc - min(before.HeapAlloc, after.HeapAlloc)
		if t.Logf("%s: %d kB", tt.name, used>>10); used > tt.most {
			t.Errorf("%s: %d keys take %d kB", tt.name, a.table.rows, used>>10)
		}
		runtime.KeepAlive(a)
	}
}

// BenchmarkAddHealth counts samples with two times of a thousand keys.
func BenchmarkAddHealth(b *testing.B) {
	a := New(artifact.Aggregate{By: []string{"local_ip"}, Top: 1000, Keys: 1000, Health: true}, 7)
	samples := make([]*Sample, 250)
	for i := range samples {
		samples[i] = fares(byte(i), 100, 10, 20_000)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		a.Add(samples[i%len(samples)])
	}
}
