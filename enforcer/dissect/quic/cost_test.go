package quic

import (
	"testing"
	"time"

	"github.com/netpol/netpol/enforcer/dissect/dissecttest"
)

// costly are flows of packets that are what they seem: opening one costs keys, and
// its bytes a cipher.
func costly(t testing.TB) []dissecttest.Costly {
	h := rfcHello(t)
	var bytewise, acks []byte
	for i := len(h) - 1; i > 0; i-- { // the first byte never comes
		bytewise = append(bytewise, crypto(h, i, i+1)...)
	}
	for len(acks) < 3000 {
		acks = append(acks, frameACK, 0x40, 0x50, 0x00, 0x10, 0x00)
		for range 16 {
			acks = append(acks, 0, 0)
		}
	}
	id := func(i int) string { return "connection" + string(rune('A'+i)) }
	var keys, repeated, large, foreign []byte
	for i := range maxInitials {
		keys = append(keys, packet{dcid: id(i), frames: []byte{framePing}}.encode(t)...)
		repeated = append(repeated, packet{dcid: id(i % maxConnections), number: uint32(i), frames: bytewise}.encode(t)...)
		large = append(large, packet{dcid: id(i % maxConnections), number: uint32(i), frames: acks, size: 3900}.encode(t)...)
		foreign = append(foreign, packet{dcid: id(i % maxConnections), key: "others", number: uint32(i), frames: acks, size: 3900}.encode(t)...)
	}
	flow := func(name string, b []byte) dissecttest.Costly {
		var packets []dissecttest.Packet
		for at := 0; at < 9*1400; at += 1400 { // as many as are kept, and the newest
			packets = append(packets, dissecttest.Client(b[:min(len(b), 1400)]))
		}
		packets[0] = dissecttest.Client(b[:min(len(b), dissecttest.MaxShown)])
		return dissecttest.Costly{Name: name, In: dissecttest.UDP(443, packets...)}
	}
	return []dissecttest.Costly{
		flow("16 key sets", keys), flow("frames of a byte", repeated), flow("acknowledgements", large),
		flow("packets of nobody's keys", foreign),
	}
}

// TestCostIsBounded: keys and ciphers do not add up; see package all for the
// bound.
func TestCostIsBounded(t *testing.T) {
	for _, in := range costly(t) {
		if cost := dissecttest.Cost(New(), in.In, 9); cost > 30*time.Millisecond {
			t.Errorf("%s: %s", in.Name, cost)
		}
	}
}

// BenchmarkWorst measures them; the least of some times is what counts.
func BenchmarkWorst(b *testing.B) {
	for _, in := range costly(b) {
		b.Run(in.Name, func(b *testing.B) {
			best := time.Hour
			for b.Loop() {
				best = min(best, dissecttest.Cost(New(), in.In, 9))
			}
			b.ReportMetric(float64(best.Microseconds()), "µs/64KiB")
		})
	}
}

// BenchmarkInitialKeys is what a flow of QUIC costs before its first byte is read.
func BenchmarkInitialKeys(b *testing.B) {
	fam, _ := familyOf(version1)
	id := []byte("8bytesid")
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := initialKeys(fam, id, clientIn); !ok {
			b.Fatal("no keys")
		}
	}
}
