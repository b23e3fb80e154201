package flow

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/netpol/netpol/enforcer/packet"
)

func key(n uint32) *Key {
	k := Key{Proto: 6, IPVersion: 4, APort: 1000, BPort: 443}
	binary.BigEndian.PutUint32(k.A[12:], n)
	k.B[15] = 1
	return &k
}

func TestKeyBothWays(t *testing.T) {
	at := func(s string) [16]byte { return netip.MustParseAddr(s).As16() }
	tests := []struct {
		name     string
		one, two packet.Parsed
		same     bool
	}{
		{
			"reply",
			packet.Parsed{Proto: 6, IPVersion: 4, Src: at("10.0.0.1"), Dst: at("10.0.0.2"), SrcPort: 9, DstPort: 8},
			packet.Parsed{Proto: 6, IPVersion: 4, Src: at("10.0.0.2"), Dst: at("10.0.0.1"), SrcPort: 8, DstPort: 9},
			true,
		},
		{
			"same address, ports swapped",
			packet.Parsed{Proto: 17, IPVersion: 4, Src: at("10.0.0.1"), Dst: at("10.0.0.1"), SrcPort: 9, DstPort: 8},
			packet.Parsed{Proto: 17, IPVersion: 4, Src: at("10.0.0.1"), Dst: at("10.0.0.1"), SrcPort: 8, DstPort: 9},
			true,
		},
		{"other vlan", packet.Parsed{Proto: 6, VLAN: 1}, packet.Parsed{Proto: 6, VLAN: 2}, false},
		{"other protocol", packet.Parsed{Proto: 6}, packet.Parsed{Proto: 17}, false},
		{"ping and answer", packet.Parsed{Proto: 1, ICMPType: 8, ICMPID: 5}, packet.Parsed{Proto: 1, ICMPType: 0, ICMPID: 5}, true},
		{"two pings", packet.Parsed{Proto: 1, ICMPType: 8, ICMPID: 5}, packet.Parsed{Proto: 1, ICMPType: 8, ICMPID: 6}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var a, b Key
			a.SetTo(&tt.one)
			b.SetTo(&tt.two)
			if (a == b) != tt.same {
				t.Errorf("got %+v and %+v, want same %v", a, b, tt.same)
			}
		})
	}
}

func TestTupleRoundTrip(t *testing.T) {
	tests := []Tuple{
		{Src: netip.MustParseAddr("10.0.0.9"), Dst: netip.MustParseAddr("10.0.0.1"), SrcPort: 40000, DstPort: 443, Proto: 6},
		{Src: netip.MustParseAddr("2001:db8::1"), Dst: netip.MustParseAddr("2001:db8::2"), SrcPort: 5, DstPort: 6, Proto: 17},
		{Src: netip.MustParseAddr("10.0.0.1"), Dst: netip.MustParseAddr("10.0.0.9"), Proto: 1, ICMPType: 8, ICMPID: 7},
	}
	for _, want := range tests {
		k, fromB := KeyOfTuple(want)
		r := Record{Key: k}
		r.SetICMP(want.ICMPType, want.ICMPCode)
		if fromB {
			r.Set(ClientIsB)
		}
		if diff := cmp.Diff(want, r.Tuple(), cmpopts.EquateComparable(netip.Addr{})); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}
}

// TestTableAgainstMap plays random inserts, removals and aliases against a Go
// map, which cannot be wrong.
func TestTableAgainstMap(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	table := NewTable(1<<20, 42, Timeouts{}, nil)
	model := map[Key]ID{}
	aliases := map[ID]Key{}
	for range 40000 {
		k := key(rnd.Uint32N(3000))
		id := table.Find(k)
		if want := model[*k]; id != want {
			t.Fatalf("Find: got %d, want %d", id, want)
		}
		switch {
		case id == 0:
			model[*k] = table.Insert(k, Class(rnd.UintN(uint(classes))), 1)
		case rnd.UintN(2) == 0:
			main := table.At(id).Key
			table.Remove(id)
			delete(model, main)
			if other, ok := aliases[id]; ok {
				delete(model, other)
				delete(aliases, id)
			}
		default:
			other := key(3000 + rnd.Uint32N(3000))
			if table.Alias(other, id, false) {
				if _, taken := model[*other]; taken {
					t.Fatal("alias of a taken key")
				}
				model[*other], aliases[id] = id, *other
			}
			if a := table.AliasOf(table.At(id)); (a != nil) != (aliases[id] != Key{}) || a != nil && a.Key != aliases[id] {
				t.Fatalf("AliasOf: got %+v, want %+v", a, aliases[id])
			}
		}
	}
	if got, want := table.Len(), len(model)-len(aliases); got != want {
		t.Errorf("got %d flows, want %d", got, want)
	}
	seen := 0
	table.Each(func(ID, *Record) bool { seen++; return true })
	sliced := 0
	for from := ID(0); ; {
		if from = table.Slice(from, 7, func(ID, *Record) { sliced++ }); from == 0 {
			break
		}
	}
	if seen != table.Len() || sliced != table.Len() {
		t.Errorf("Each saw %d and Slice %d of %d flows", seen, sliced, table.Len())
	}
}

func TestTableExpire(t *testing.T) {
	second := int64(time.Second)
	table := NewTable(10, 1, Timeouts{Datagram: 30 * time.Second, Established: time.Hour}, nil)
	idle := table.Insert(key(1), Datagram, 0)
	busy := table.Insert(key(2), Datagram, 0)
	long := table.Insert(key(3), Established, 0)
	table.At(busy).LastSeen = 25 * second

	var ended []ID
	end := func(id ID, _ *Record) { ended = append(ended, id); table.Remove(id) }
	table.Expire(29*second, 100, end)
	if ended != nil {
		t.Fatalf("ended %v before the timeout", ended)
	}
	table.Expire(31*second, 100, end)
	if diff := cmp.Diff([]ID{idle}, ended); diff != "" {
		t.Errorf("at 31 s, -want +got:\n%s", diff)
	}
	table.Expire(90*second, 100, end)
	if diff := cmp.Diff([]ID{idle, busy}, ended); diff != "" {
		t.Errorf("at 90 s, -want +got:\n%s", diff)
	}
	if table.Find(key(3)) != long {
		t.Error("the established flow is gone")
	}
}

// TestExpireAfterDays has a flow that is in use for longer than a Tick can tell, beside
// one whose class has no timeout.
func TestExpireAfterDays(t *testing.T) {
	const day = int64(24 * time.Hour)
	table := NewTable(10, 1, Timeouts{Established: time.Hour, Datagram: 1 << 62}, nil)
	busy, kept := table.Insert(key(1), Established, 0), table.Insert(key(2), Datagram, 0)
	ended := ID(0)
	for now := int64(0); now < 10*day; now += day / 48 {
		if now < 7*day {
			table.At(busy).LastSeen = now
		}
		table.Expire(now, 10, func(id ID, _ *Record) {
			if ended = id; now < 7*day || now > 7*day+day/12 {
				t.Errorf("flow %d ended after %v", id, time.Duration(now))
			}
			table.Remove(id)
		})
	}
	if ended != busy || table.Find(key(2)) != kept {
		t.Errorf("flow %d ended, want %d; the other is %d, want %d", ended, busy, table.Find(key(2)), kept)
	}
}

func TestInstantSince(t *testing.T) {
	at := int64(1_700_000_000e9)
	for _, ago := range []time.Duration{0, 1, 65535, time.Millisecond, time.Hour, 39 * time.Hour, -1, -time.Second} {
		if got := instantOf(at - int64(ago)).since(at); got != ago {
			t.Errorf("got %v, want %v", got, ago)
		}
	}
}

func TestTableEvicts(t *testing.T) {
	var gone []Key
	table := NewTable(100, 1, Timeouts{}, func(_ ID, r *Record) { gone = append(gone, r.Key) })
	first := table.Insert(key(0), Established, 0)
	for i := range uint32(1000) {
		table.Insert(key(i+1), Datagram, int64(i+1))
	}
	if table.Len() != 100 || table.Evicted() != 901 || len(gone) != 901 {
		t.Errorf("got %d flows, %d evicted, %d told", table.Len(), table.Evicted(), len(gone))
	}
	if table.Find(key(0)) != first {
		t.Error("a spray of datagrams pushed out the TCP connection")
	}
	if gone[0] != *key(1) {
		t.Error("the oldest datagram flow should go first")
	}
}

func TestTableNoAllocs(t *testing.T) {
	table := NewTable(1000, 1, Timeouts{}, nil)
	for i := range uint32(1000) {
		table.Insert(key(i), Datagram, 0)
	}
	k, i := key(5), uint32(1000)
	if n := testing.AllocsPerRun(1000, func() {
		table.Find(k)
		i++
		table.Insert(key(i), Datagram, int64(i))
	}); n > 1 { // the key of the test itself
		t.Errorf("got %v allocations, want none beyond the test's key", n)
	}
}

func BenchmarkFind(b *testing.B) {
	for _, n := range []int{10_000, 100_000, 1_000_000} {
		table := NewTable(n, 99, Timeouts{}, nil)
		for i := range n {
			table.Insert(key(uint32(i)), Datagram, 0)
		}
		rnd := rand.New(rand.NewPCG(5, 6))
		keys := make([]*Key, 1<<16)
		for i := range keys {
			keys[i] = key(uint32(rnd.IntN(n)))
		}
		b.Run(fmt.Sprintf("one/flows=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if table.Find(keys[i%len(keys)]) == 0 {
					b.Fatal("not found")
				}
			}
		})
		b.Run(fmt.Sprintf("batch/flows=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			var hashes [16]uint64
			var ids [16]ID
			for i := 0; b.Loop(); i++ {
				at := i % len(hashes)
				if at == 0 {
					for j := range hashes {
						hashes[j] = table.Hash(keys[(i+j)%len(keys)])
					}
					table.Warm(hashes[:], ids[:])
				}
				if table.FindWarm(keys[i%len(keys)], hashes[at], ids[at]) == 0 {
					b.Fatal("not found")
				}
			}
		})
	}
}

// TestKeyOrderAndSame holds the comparisons by words against those by bytes.
func TestKeyOrderAndSame(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	few := func() (a [16]byte) {
		for i := range a {
			a[i] = byte(rnd.IntN(2) * 255)
		}
		return a
	}
	for range 20_000 {
		k := Key{A: few(), B: few(), APort: uint16(rnd.IntN(2)), BPort: uint16(rnd.IntN(2)), VLAN: uint16(rnd.IntN(2))}
		if rnd.IntN(2) == 0 {
			k.B = k.A
		}
		c := bytes.Compare(k.A[:], k.B[:])
		if want := c > 0 || c == 0 && k.APort > k.BPort; wordsOf(&k.A).after(wordsOf(&k.B), k.APort, k.BPort) != want {
			t.Fatalf("%+v: the first end is not after the second as it should be, %v", k, want)
		}
		other := k
		if !k.Same(&other) {
			t.Fatalf("%+v is not the same as itself", k)
		}
		switch rnd.IntN(4) {
		case 0:
			other.A[rnd.IntN(16)] ^= 1
		case 1:
			other.B[rnd.IntN(16)] ^= 1
		case 2:
			other.Proto ^= 1
		case 3:
			other.IPVersion ^= 4
		}
		if k.Same(&other) {
			t.Fatalf("%+v and %+v are the same", k, other)
		}
	}
}

// TestWarmIsNoPromise finds flows by IDs that Warm noted before the table changed.
func TestWarmIsNoPromise(t *testing.T) {
	table := NewTable(100, 7, Timeouts{}, nil)
	hashes, ids := make([]uint64, 3), make([]ID, 3)
	for i := range hashes {
		hashes[i] = table.Hash(key(uint32(i)))
	}
	table.Warm(hashes, ids)
	if ids[0] != 0 || ids[1] != 0 || ids[2] != 0 {
		t.Fatalf("an empty table gives %v", ids)
	}
	removed, kept := table.Insert(key(0), Datagram, 0), table.Insert(key(1), Datagram, 0)
	found := func(i uint32) ID { return table.FindWarm(key(i), hashes[i], ids[i]) }
	if got := [...]ID{found(0), found(1), found(2)}; got != [...]ID{removed, kept, 0} {
		t.Errorf("flows made after Warm: got %v", got)
	}
	table.Warm(hashes, ids)
	if ids[0] != removed || ids[1] != kept || ids[2] != 0 {
		t.Errorf("got %v, want %d, %d and none", ids, removed, kept)
	}
	table.Remove(removed)
	if got := found(0); got != 0 {
		t.Errorf("found %d, which was removed", got)
	}
	reused := table.Insert(key(2), Datagram, 0)
	if got := [...]ID{found(0), found(1), found(2)}; got != [...]ID{0, kept, reused} {
		t.Errorf("a record that is another flow's now: got %v", got)
	}
	if !table.Alias(key(0), kept, false) || found(0) != kept {
		t.Errorf("alias: got %d, want %d", found(0), kept)
	}
	if table.Warm(hashes, ids); ids[0] != kept || found(0) != kept {
		t.Errorf("alias: Warm notes %d and %d is found, want %d", ids[0], found(0), kept)
	}
}
