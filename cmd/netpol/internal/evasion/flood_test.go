package evasion

import (
	"encoding/binary"
	"io"
	"net/netip"
	"runtime"
	"testing"

	"github.com/netpol/netpol/enforcer"
	"github.com/netpol/netpol/enforcer/dissect/all"
	"github.com/netpol/netpol/enforcer/packet"
	"github.com/netpol/netpol/policies"
)

// flood makes packets as they are asked for, and looks at the heap behind the
// last, while the engine still holds all that it holds.
type flood struct {
	packet func(i int) []byte
	n      int
	next   int
	atEnd  func()
}

// Next implements enforcer.Source.
func (f *flood) Next(raw *packet.Raw) error {
	if f.next == f.n {
		if f.atEnd != nil {
			f.atEnd()
		}
		return io.EOF
	}
	data := f.packet(f.next)
	f.next++
	// A packet in 10 µs: the flood is over before anything expires.
	*raw = packet.Raw{Data: data, LinkType: packet.LinkRaw, Timestamp: 1_700_000_000_000_000_000 + int64(f.next)*10_000, Length: len(data)}
	return nil
}

// source4 is the i-th of many clients.
func source4(i int) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], 0x0b000000+uint32(i))
	return netip.AddrFrom4(b)
}

// tcpFrom is a segment of client i's to the server.
func tcpFrom(i int, offset uint32, data []byte) []byte {
	g := segment{
		src: netip.AddrPortFrom(source4(i), 40000), dst: netip.AddrPortFrom(server4, 443),
		seq: 1000 + offset, ack: 1, flags: packet.ACK | packet.PSH, payload: data,
	}
	return header{src: source4(i), dst: server4, proto: packet.ProtoTCP}.around(g.bytes())
}

func udpFrom(i int, port uint16, data []byte) []byte {
	src, dst := netip.AddrPortFrom(source4(i), 40000), netip.AddrPortFrom(server4, port)
	return header{src: src.Addr(), dst: dst.Addr(), proto: packet.ProtoUDP}.around(datagram(src, dst, data))
}

// answerTo is a DNS answer to client i for a name and an address of its own.
func answerTo(i int) []byte {
	q := question(string([]byte{byte('a' + i%26), byte('a' + i/26%26), byte('a' + i/676%26), byte('a' + i/17576%26)}) + ".example.com")
	m := append(lookup(nil, q), 0xc0, 12, 0, 1, 0, 1, 0, 0, 14, 16, 0, 4)
	m = append(m, source4(i*7).AsSlice()...)
	m[2], m[3], m[7] = 0x81, 0x80, 1
	src, dst := netip.AddrPortFrom(server4, 53), netip.AddrPortFrom(source4(i), 40000)
	return header{src: src.Addr(), dst: dst.Addr(), proto: packet.ProtoUDP}.around(datagram(src, dst, m))
}

// floods are what fills each of the tables that senders can fill.
func floods() map[string]func(i int) []byte {
	beginning := append([]byte{22, 3, 1, 0x3f, 0xff, 1, 0, 0x3f, 0xfb, 3, 3}, make([]byte, 1300)...)
	beyond := make([]byte, 1400)
	hello := plain()
	fragment := make([]byte, 1200)
	return map[string]func(i int) []byte{
		"connections of nothing": func(i int) []byte { return udpFrom(i, 40001, []byte("x")) },
		"openings":               func(i int) []byte { return tcpFrom(i, 0, []byte{22}) },
		"hellos that never end":  func(i int) []byte { return tcpFrom(i, 0, beginning) },
		"gaps":                   func(i int) []byte { return tcpFrom(i/8, 4000*uint32(1+i%8), beyond) },
		"fragments": func(i int) []byte {
			h := header{src: source4(i), dst: server4, proto: packet.ProtoUDP, id: uint16(i), offset: 8 * (1 + i%7000), more: true}
			return h.around(fragment)
		},
		"DNS answers": func(i int) []byte {
			if i%2 == 0 {
				return udpFrom(i/2, 53, lookup(nil, question("a.example.com")))
			}
			return answerTo(i / 2)
		},
		"names of applications": func(i int) []byte { return tcpFrom(i, 0, hello) },
		"STUN":                  func(i int) []byte { return udpFrom(i, 3478, []byte("\x00\x01\x00\x00\x21\x12\xa4\x42abcdefghijkl")) },
	}
}

// play runs a flood of n packets and gives the heap and the figures at its end.
func (f *flood) play(tb testing.TB, cfg enforcer.Config) (heap uint64, stats enforcer.Stats) {
	tb.Helper()
	var engine *enforcer.Engine
	f.atEnd = func() {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		heap, stats = m.HeapAlloc, engine.Stats()
	}
	cfg.Source, cfg.Dissectors = f, all.Dissectors()
	engine, err := enforcer.New(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	if err := engine.Run(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	return heap, stats
}

// TestFloods: what senders can fill is bounded, says when it is full, and stays as
// large as it was however long the flood lasts.
func TestFloods(t *testing.T) {
	catalogue, err := policies.Catalogue()
	if err != nil {
		t.Fatal(err)
	}
	bundle, err := compileSet(catalogue)
	if err != nil {
		t.Fatal(err)
	}
	const growth = 2 << 20 // bytes that two floods may differ by, the collector's own doing
	for name, packet := range floods() {
		t.Run(name, func(t *testing.T) {
			cfg := enforcer.Config{Bundle: bundle, MaxFlows: 2048, MaxOpening: 512, MaxBuffers: 1 << 20, MaxNames: 512}
			short, _ := (&flood{packet: packet, n: 10_000}).play(t, cfg)
			long, s := (&flood{packet: packet, n: 40_000}).play(t, cfg)
			if long > short+growth {
				t.Errorf("the heap has %d KiB after four times the flood, %d before", long>>10, short>>10)
			}
			if s.Flows > 2048 || s.Opening > 512 || s.Buffered > 1<<20 || s.Names > 512 {
				t.Errorf("beyond the bounds: %d flows, %d openings, %d bytes, %d names", s.Flows, s.Opening, s.Buffered, s.Names)
			}
			if refused := s.FlowsEvicted + s.Cut + s.NoBuffer + s.Shed; refused == 0 && name != "fragments" {
				t.Errorf("nothing was refused, or nobody counted: %+v", s)
			}
		})
	}
}

// BenchmarkFloods is the heap of netpold's defaults behind half a million packets
// of each, above what it is without any.
func BenchmarkFloods(b *testing.B) {
	catalogue, err := policies.Catalogue()
	if err != nil {
		b.Fatal(err)
	}
	bundle, err := compileSet(catalogue)
	if err != nil {
		b.Fatal(err)
	}
	none, _ := (&flood{packet: floods()["STUN"], n: 1}).play(b, enforcer.Config{Bundle: bundle})
	for name, packet := range floods() {
		b.Run(name, func(b *testing.B) {
			var heap uint64
			for b.Loop() {
				heap, _ = (&flood{packet: packet, n: 500_000}).play(b, enforcer.Config{Bundle: bundle})
			}
			b.ReportMetric((float64(heap)-float64(none))/(1<<20), "MiB")
			b.ReportMetric(500_000*float64(b.N)/b.Elapsed().Seconds(), "packets/s")
		})
	}
}
