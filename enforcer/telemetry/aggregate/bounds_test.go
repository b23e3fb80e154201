package aggregate

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/telemetry/record"
	"github.com/netpol/netpol/lang/fact"
)

// streams are what senders may do to a table of so many keys: the key and the bytes of each
// of n samples.
func streams(keys, n int) map[string]func(i int, r *rand.Rand) (key int, bytes uint64) {
	return map[string]func(int, *rand.Rand) (int, uint64){
		"one key more than there is room for, in turn": func(i int, _ *rand.Rand) (int, uint64) { return i % (keys + 1), 100 },
		"each key once":     func(i int, _ *rand.Rand) (int, uint64) { return i, 1 },
		"larger each time":  func(i int, _ *rand.Rand) (int, uint64) { return i % (3 * keys), uint64(i) },
		"smaller each time": func(i int, _ *rand.Rand) (int, uint64) { return i % (3 * keys), uint64(n - i) },
		"a large one behind many small ones": func(i int, _ *rand.Rand) (int, uint64) {
			if i > n-10 {
				return 1 << 20, 1 << 40
			}
			return i, 60
		},
		"a large one that is pushed out and comes again": func(i int, _ *rand.Rand) (int, uint64) {
			if i%(keys+2) == 0 {
				return 1 << 20, 1000
			}
			return i, 999
		},
		"packets without bytes": func(i int, _ *rand.Rand) (int, uint64) { return i % (2 * keys), uint64(i % 2) },
		"by chance":             func(_ int, r *rand.Rand) (int, uint64) { return r.IntN(4 * keys), r.Uint64N(1500) },
	}
}

func hostOf(key int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(key >> 16), byte(key >> 8), byte(key)})
}

// TestBoundsHold holds what records say of keys for which there was no room against what each
// key has carried, over several intervals, each of which is told while the next is counted.
func TestBoundsHold(t *testing.T) {
	const n = 3000
	for _, keys := range []int{1, 2, 16, 257} {
		for _, top := range []int{0, 1, keys} {
			for name, sample := range streams(keys, n) {
				t.Run(fmt.Sprintf("%d keys, top %d, %s", keys, top, name), func(t *testing.T) {
					r := rand.New(rand.NewPCG(uint64(keys), uint64(top)))
					a := New(artifact.Aggregate{By: []string{"local_ip"}, Top: top, Keys: keys}, r.Uint64())
					var before *Closed
					var carried map[netip.Addr]Counts
					for range 3 {
						now := map[netip.Addr]Counts{}
						for i := range n {
							key, bytes := sample(i, r)
							c := Counts{LocalBytes: bytes / 3, OtherBytes: bytes - bytes/3, LocalPackets: 1, OtherPackets: uint64(i % 3), Flows: 1}
							a.Add(&Sample{Facts: &fact.Facts{LocalIP: hostOf(key)}, Counts: c})
							sum := now[hostOf(key)]
							sum.add(&c)
							now[hostOf(key)] = sum
							if i == n/2 {
								check(t, before, carried, keys, top)
							}
						}
						before, carried = a.Take(record.Aggregate{}), now
					}
					check(t, before, carried, keys, top)
				})
			}
		}
	}
}

// check tells an interval and holds it against what was carried; nil is none.
func check(t *testing.T, c *Closed, carried map[netip.Addr]Counts, keys, top int) {
	t.Helper()
	if c == nil {
		return
	}
	defer c.Return()
	var total, rows Counts
	for _, one := range carried {
		total.add(&one)
	}
	told := map[netip.Addr]bool{}
	least := ^uint64(0)
	var last record.Aggregate
	c.Finish(func(r *record.Aggregate) {
		last = *r
		for i := range r.Rows {
			row := &r.Rows[i]
			was, size := carried[row.LocalIP], row.LocalBytes+row.OtherBytes
			if told[row.LocalIP] || size > least || size > was.bytes() || was.bytes() > size+row.Error || row.FlowCount > was.Flows {
				t.Fatalf("row %+v, of %+v, after one of %d bytes", row, was, least)
			}
			told[row.LocalIP], least = true, size
			rows.add(&Counts{row.LocalBytes, row.LocalPackets, row.OtherBytes, row.OtherPackets, row.FlowCount})
		}
	})
	rest := total
	rest.sub(&rows)
	if last.Total != sumOf(&total) || last.Other != sumOf(&rest) {
		t.Fatalf("total %+v and other %+v, want %+v and %+v", last.Total, last.Other, total, rest)
	}
	if want := min(len(carried), keys); last.Keys != want || len(told) != min(top, want) || last.Exact != (len(carried) <= keys) {
		t.Fatalf("%d keys, %d rows, exact %v, of %d", last.Keys, len(told), last.Exact, len(carried))
	}
	if last.Error > total.bytes()/uint64(keys) || last.Exact && last.Error != 0 {
		t.Fatalf("error_bytes %d of %d bytes, %d keys", last.Error, total.bytes(), keys)
	}
	for host, one := range carried {
		if top == keys && !told[host] && one.bytes() > last.Error {
			t.Fatalf("%s carried %d bytes and is not there, error_bytes %d", host, one.bytes(), last.Error)
		}
	}
}
