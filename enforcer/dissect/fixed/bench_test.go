package fixed

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/netpol/netpol/enforcer/dissect/dissecttest"
	"github.com/netpol/netpol/lang/fact"
)

func BenchmarkNoMatch(b *testing.B) {
	d := New()
	tcp := dissecttest.TCP(443, dissecttest.Client("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")).Whole()
	udp := dissecttest.UDP(443, dissecttest.Client("\xc3\x00\x00\x00\x01\x08abcdefgh")).Whole()
	var f fact.Facts
	b.Run("tcp", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			d.Dissect(tcp, &f)
		}
	})
	b.Run("udp", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			d.Dissect(udp, &f)
		}
	})
}

// BenchmarkNoMatchCold is what bytes that are nobody's cost in a capture, where nothing of the table is in a
// cache when an opening comes. The quickest quarter's slowest is reported: the others were disturbed.
func BenchmarkNoMatchCold(b *testing.B) {
	d := New()
	noise := rand.New(rand.NewPCG(1, 2))
	caches := make([]byte, 1<<20)
	for name, flow := range map[string]func(uint16, ...dissecttest.Packet) dissecttest.Flow{"tcp": dissecttest.TCP, "udp": dissecttest.UDP} {
		b.Run(name, func(b *testing.B) {
			var took []time.Duration
			for b.Loop() {
				opening := make([]byte, 40+noise.IntN(600))
				for i := range opening {
					opening[i] = byte(noise.Uint32())
				}
				w := flow(33333, dissecttest.Client(string(opening))).Whole()
				for i := 0; i < len(caches); i += 64 {
					caches[i]++
				}
				var f fact.Facts
				begun := time.Now()
				d.Dissect(w, &f)
				took = append(took, time.Since(begun))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/4].Nanoseconds()), "ns/look")
		})
	}
}
