package capture

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/netpol/netpol/enforcer/packet"
)

// benchCapture writes a classic capture of TCP segments, half of them full and half
// acknowledgements or small, as bulk traffic has them.
func benchCapture(b *testing.B, packets int) (path string, size int64) {
	b.Helper()
	rnd := rand.New(rand.NewPCG(1, 2))
	out := pcapFile(b, 1)
	for i := range packets {
		payload := rnd.IntN(200)
		if i%2 == 0 {
			payload = 1460
		}
		frame := make([]byte, 14+20+20+payload)
		frame[12], frame[14], frame[23], frame[46] = 8, 0x45, packet.ProtoTCP, 5<<4
		binary.BigEndian.PutUint16(frame[16:], uint16(len(frame)-14))
		binary.BigEndian.PutUint32(frame[26:], 10<<24|uint32(i%1000))
		binary.BigEndian.PutUint32(frame[30:], 192<<24|168<<16)
		binary.BigEndian.PutUint16(frame[34:], uint16(i%1000))
		binary.BigEndian.PutUint16(frame[36:], 443)
		var head [pcapRecord]byte
		binary.LittleEndian.PutUint32(head[:], uint32(i/1000))
		binary.LittleEndian.PutUint32(head[8:], uint32(len(frame)))
		binary.LittleEndian.PutUint32(head[12:], uint32(len(frame)))
		out = append(append(out, head[:]...), frame...)
	}
	path = filepath.Join(b.TempDir(), "bench.pcap")
	if err := os.WriteFile(path, out, 0o600); err != nil {
		b.Fatal(err)
	}
	return path, int64(len(out))
}

// BenchmarkFileAndDecode reads a capture of 200,000 packets that the page cache
// holds, and decodes each.
func BenchmarkFileAndDecode(b *testing.B) {
	const packets = 200_000
	path, size := benchCapture(b, packets)
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		s := NewFiles([]string{path})
		var raw packet.Raw
		var p packet.Parsed
		n := 0
		for s.Next(&raw) == nil {
			packet.Decode(&raw, &p)
			if p.Drop != packet.DropNone {
				b.Fatal("a packet is dropped:", p.Drop)
			}
			n++
		}
		if n != packets {
			b.Fatal(n, errors.Join(s.Close()))
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/packets, "ns/packet")
}
