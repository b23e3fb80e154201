package classify

import (
	"fmt"
	"math"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang/fact"
)

// grown is a catalogue of n applications, each with as many names and networks
// as those of the standard catalogue have on average.
func grown(n int) *artifact.Catalogue {
	cat := &artifact.Catalogue{Protocols: []artifact.Protocol{{Tag: "stun", Category: "video"}, {Tag: "tls", Category: "web"}}}
	for i := range n {
		a := artifact.Application{Tag: fmt.Sprint("app-", i), Category: "messaging"}
		for j := range 16 {
			a.Domains = append(a.Domains, fmt.Sprintf("name%d.app%d.example", j, i))
		}
		for j := range 4 {
			a.Networks = append(a.Networks, netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(20 + i>>8), byte(i), byte(j << 6), 0}), 18))
		}
		cat.Applications = append(cat.Applications, a)
	}
	return cat
}

// batch is how many flows an iteration of BenchmarkGrowth names. The fastest
// iteration is reported beside the mean: it is the one that nothing disturbed.
const batch = 1000

// BenchmarkGrowth is what a flow costs with few and with many applications: by
// its host name, by its address, and by the socket of its client.
func BenchmarkGrowth(b *testing.B) {
	for _, n := range []int{50, 2000} {
		c, err := New(grown(n))
		if err != nil {
			b.Fatal(err)
		}
		names := NewNames(0, 1)
		last := byte((n - 1) & 255)
		server := netip.AddrFrom4([4]byte{byte(20 + (n-1)>>8), last, 1, 1})
		for _, bb := range []struct {
			name string
			in   fact.Facts
		}{
			{"name", flow(ipTCP, elsewhere, 443, "tls", fmt.Sprintf("www.name7.app%d.example", n-1))},
			{"unknown-name", flow(ipTCP, elsewhere, 443, "tls", "www.nobody.example")},
			{"address", flow(ipTCP, server, 443, "tls", "")},
			{"socket", flow(ipUDP, server, 3478, "stun", "")},
		} {
			b.Run(fmt.Sprintf("%s/applications=%d", bb.name, n), func(b *testing.B) {
				b.ReportAllocs()
				best := time.Duration(math.MaxInt64)
				for b.Loop() {
					start := time.Now()
					for range batch {
						f := bb.in
						c.Classify(&f, true, names, 0)
					}
					best = min(best, time.Since(start))
				}
				b.ReportMetric(float64(best.Nanoseconds())/batch, "best-ns/flow")
			})
		}
	}
}

// BenchmarkMemory is what the tables take.
func BenchmarkMemory(b *testing.B) {
	for _, n := range []int{50, 2000} {
		b.Run(fmt.Sprintf("applications=%d", n), func(b *testing.B) {
			cat := grown(n)
			var before, after runtime.MemStats
			var c *Classifier
			for b.Loop() {
				runtime.GC()
				runtime.ReadMemStats(&before)
				var err error
				if c, err = New(cat); err != nil {
					b.Fatal(err)
				}
				runtime.GC()
				runtime.ReadMemStats(&after)
			}
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/1024, "KiB")
			runtime.KeepAlive(c)
			runtime.KeepAlive(cat)
		})
	}
}
