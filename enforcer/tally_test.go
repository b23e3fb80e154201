package enforcer

import (
	"math"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/lang/fact"
)

// TestFactsThatChangeAreNotKept: what differs from flow to flow, or from one
// reading to the next, must not be stored with what does not.
func TestFactsThatChangeAreNotKept(t *testing.T) {
	for _, a := range fact.Attributes {
		if a.From == "dissect" || !a.FromHeaders() && a.From != "conntrack" && a.From != "clock" && a.Name != "duration" {
			continue
		}
		f := fact.Facts{}
		switch v := reflect.ValueOf(&f).Elem().FieldByName(a.Field); v.Interface().(type) {
		case int:
			v.SetInt(7)
		case string:
			v.SetString("x")
		case bool:
			v.SetBool(true)
		case netip.Addr:
			v.Set(reflect.ValueOf(netip.MustParseAddr("192.0.2.1")))
		}
		if newFactStore().keep(&f, 0) != 0 {
			t.Errorf("%s is kept", a.Name)
		}
	}
}

// TestFastFlows: past the largest number that criteria write, a rate is that.
func TestFastFlows(t *testing.T) {
	y := tally{rate: [2]uint64{3 << 30, 3 << 30}, counts: [2]flow.Counts{{Bytes: 1 << 63}, {Bytes: 1<<63 - 1}}}
	got := y.measure(0)
	if want := [3]int{math.MaxInt32, math.MaxInt32, math.MaxInt32}; got.rate != want {
		t.Errorf("rates %v, want %v", got.rate, want)
	}
	if want := [3]int{math.MaxInt, math.MaxInt, math.MaxInt}; got.bytes != want {
		t.Errorf("bytes %v, want %v", got.bytes, want)
	}
}

func TestTallyRead(t *testing.T) {
	const second, born = int64(time.Second), int64(100 * time.Second)
	type step struct {
		at    int64 // seconds after the flow's birth
		bytes uint64
		want  int // bytes a second
	}
	for _, tt := range []struct {
		name  string
		steps []step
	}{
		{"steady", []step{{5, 5000, 1000}, {10, 10000, 1000}}},
		{"born just before a reading: the interval counts", []step{{1, 5000, 1000}, {6, 5000, 0}}},
		{"a reading was missed: the time since the last counts", []step{{5, 0, 0}, {15, 10000, 1000}}},
		{"two readings at once", []step{{5, 5000, 1000}, {5, 10000, 1000}}},
		{"the kernel's entry is another one, with less", []step{{5, 50000, 10000}, {10, 100, 0}, {15, 5100, 1000}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var y tally
			for _, s := range tt.steps {
				y.counts[1].Bytes = s.bytes
				y.read(born+s.at*second, born, 5*time.Second)
				if got := y.measure(born); got.rate[returned] != s.want || got.rate[sent] != 0 || got.rate[total] != s.want || got.duration != int(s.at) {
					t.Errorf("after %d s: %+v, want %d bytes a second", s.at, got, s.want)
				}
			}
		})
	}
}

// readings makes a worker that knows n decided flows, and conntrack's entries
// of them.
func readings(tb testing.TB, n int) (*worker, []flow.Connection) {
	tb.Helper()
	b := bundle(tb, zoomPolicy(), over("total_rate", 1_000_000))
	b.Program.Reads = []string{"application", "total_rate"}
	e, err := New(Config{Source: newScript(), Dissectors: dissectors(), Bundle: b, Live: true, MaxFlows: n})
	if err != nil {
		tb.Fatal(err)
	}
	w := newWorker(e, 0)
	var list []flow.Connection
	for i := range n {
		c := old("192.168.1.2:40000", "198.51.100.1:443", doneMark, 100, 1)
		a := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		c.Orig.Src, c.Reply.Dst = a, a
		list = append(list, c)
		w.adopt(&list[i], w.clock.now)
	}
	return w, list
}

func TestReadingCostsNoMemory(t *testing.T) {
	w, list := readings(t, 10)
	at := w.clock.now
	if n := testing.AllocsPerRun(100, func() {
		at += int64(DefaultInterval)
		for i := range list {
			list[i].Returned.Bytes += 1000
			w.readConnection(&list[i], at)
		}
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func BenchmarkReading(b *testing.B) {
	w, list := readings(b, 100_000)
	at, i := w.clock.now, 0
	b.ReportAllocs()
	for b.Loop() {
		if i++; i == len(list) {
			i, at = 0, at+int64(DefaultInterval)
		}
		list[i].Returned.Bytes += 1000
		w.readConnection(&list[i], at)
	}
}
