package flow

import (
	"fmt"
	"runtime"
	"testing"
)

// BenchmarkInsert fills a table; a flow's memory is that of its record and its share
// of the slots, of which there are twice as many as there are flows, or less.
func BenchmarkInsert(b *testing.B) {
	for _, n := range []int{10_000, 1_000_000} {
		b.Run(fmt.Sprintf("flows=%d", n), func(b *testing.B) {
			var before, after runtime.MemStats
			var table *Table
			for b.Loop() {
				runtime.GC()
				runtime.ReadMemStats(&before)
				table = NewTable(n, 1, Timeouts{}, nil)
				for i := range n {
					table.Insert(key(uint32(i)), Datagram, 0)
				}
				runtime.GC()
				runtime.ReadMemStats(&after)
			}
			b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(n), "B/flow")
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/flow")
			runtime.KeepAlive(table)
		})
	}
}

// BenchmarkCollect is what the collector does with a table: records hold no
// pointers, so it does not look at them.
func BenchmarkCollect(b *testing.B) {
	for _, n := range []int{10_000, 1_000_000} {
		b.Run(fmt.Sprintf("flows=%d", n), func(b *testing.B) {
			table := NewTable(n, 1, Timeouts{}, nil)
			for i := range n {
				table.Insert(key(uint32(i)), Datagram, 0)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			for b.Loop() {
				runtime.GC()
			}
			runtime.ReadMemStats(&after)
			cycles := float64(after.NumGC - before.NumGC)
			b.ReportMetric(float64(after.PauseTotalNs-before.PauseTotalNs)/cycles, "ns-pause/op")
			runtime.KeepAlive(table)
		})
	}
}
