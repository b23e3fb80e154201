package enforcer

import (
	"fmt"
	"sync"
	"testing"
)

// TestBusyLaneUsesWhatOthersLeave: it gets all that is common, never another's part,
// and gives back what it uses no more.
func TestBusyLaneUsesWhatOthersLeave(t *testing.T) {
	const bound, lanes = 1 << 16, 4
	b, own := newBudget(bound, lanes)
	busy, calm := &lease{of: b, own: own, has: own}, &lease{of: b, own: own, has: own}
	for used := 0; used <= bound; used += batch {
		if busy.fit(used); busy.has < used && b.free.Load() > 0 {
			t.Fatalf("%d in use, %d leased, %d left", used, busy.has, b.free.Load())
		}
	}
	if want := bound - (lanes-1)*own; busy.has != want {
		t.Errorf("the busy lane has %d, want %d", busy.has, want)
	}
	if got := calm.fit(own); got != own {
		t.Errorf("a lane that needs more when all is leased has %d, want its %d", got, own)
	}
	busy.fit(own)
	if got := calm.fit(3 * own); got < 3*own {
		t.Errorf("after the flood it may use %d, want %d", got, 3*own)
	}
	busy.fit(0)
	calm.fit(0)
	if sum := busy.has + calm.has + 2*own + int(b.free.Load()); sum != bound {
		t.Errorf("%d in all, want %d", sum, bound)
	}
}

// TestLeasesNeverExceedTheBound: however many ask at once.
func TestLeasesNeverExceedTheBound(t *testing.T) {
	for _, bound := range []int{1, 7, 100, 1 << 16} {
		const lanes = 4
		b, own := newBudget(bound, lanes)
		leases := make([]lease, lanes)
		var all sync.WaitGroup
		for i := range leases {
			leases[i] = lease{of: b, own: own, has: own}
			all.Go(func() {
				for used := range 1000 {
					leases[i].fit(used * bound / 1000)
				}
			})
		}
		all.Wait()
		sum := int(b.free.Load())
		for _, l := range leases {
			sum += l.has
		}
		if sum != max(bound, own*lanes) {
			t.Errorf("of %d: %d leased and left", bound, sum)
		}
	}
}

// TestFlowsOfOneLaneFillTheTable: one worker of two has all connections, more than
// its even share, and evicts none while the other has none.
func TestFlowsOfOneLaneFillTheTable(t *testing.T) {
	const bound, flows = 4096, 2800
	busy := newScript()
	for i := range flows {
		busy.udp(liveConn(fmt.Sprintf("192.168.1.2:%d", 10000+i), "203.0.113.9:9000"), client, "?")
	}
	var e *Engine
	done := func() bool { return e.Stats().FlowsSeen == flows }
	crewOf(t, &e, func(c *Config) { c.MaxFlows, c.MaxOpening = bound, bound }, busy.idle(), newScript().until(done).idle())
	if s := e.Stats(); s.FlowsSeen != flows || s.FlowsEvicted != 0 {
		t.Errorf("%d flows, %d evicted; want %d and none", s.FlowsSeen, s.FlowsEvicted, flows)
	}
}
