package enforcer

import (
	"os"
	"runtime/debug"
)

// What CollectLate sets: how much garbage there may be against what is in use, in
// percent, and how much there may be in all before it is looked for more often. Go
// collects nothing below 4 MiB at 100 percent, so nothing below 64 MiB here: a
// capture of 40,000 flows is read to its end without a look at the heap, which took 3 %
// of the time (2026-11).
const (
	latePercent = 1600
	lateBase    = 40 << 20 // bytes, of a catalogue, a program and what compiles them: netpol replay peaks at 95 MB so
	lateFlow    = 512      // and for each flow that may be tracked
)

// CollectLate has a process that reads captures and ends collect garbage late: most
// of what it allocates it keeps to the end of a file, and looking at it again and
// again takes a tenth of the time. GOGC and GOMEMLIMIT stand where they are set.
// maxFlows is Config.MaxFlows.
func CollectLate(maxFlows int) {
	if maxFlows == 0 {
		maxFlows = DefaultMaxFlows
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(latePercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(lateBase + lateFlow*int64(maxFlows))
	}
}

// seldomPercent has a heap of 10 MB, which is what netpold has without traffic,
// collected when 40 MB more were allocated, not 10.
const seldomPercent = 400

// CollectSeldom has a process collect garbage a quarter as often, for more memory.
// While it is collected, everybody waits for threads that wait for a processor as all
// others do, 20 ms and more on a busy machine: the tail that is left when the thread
// that reads packets is scheduled first (2026-11). GOGC stands where it is set.
func CollectSeldom() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(seldomPercent)
	}
}
