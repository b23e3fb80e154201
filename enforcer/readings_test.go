package enforcer

import (
	"strings"
	"testing"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/telemetry/record"
	"github.com/netpol/netpol/lang/fact"
)

// TestRemovedEntriesCount has somebody remove a connection's entry from conntrack, which then counts anew:
// what a record says of the connection, and what is owed to aggregates, is what all entries had, each once.
func TestRemovedEntriesCount(t *testing.T) {
	b := aggregated(t, artifact.Aggregate{Name: "hosts", By: []string{"local_ip"}, Keys: 2})
	e, err := New(Config{Source: newScript(), Dissectors: dissectors(), Bundle: b, Outlets: &outlet{}})
	if err != nil {
		t.Fatal(err)
	}
	w := newWorker(e, 0)
	c := connect("192.168.1.2:40000", "198.51.100.1:443")
	s := aligned().call(c, "us04.zoom.us")
	for s.Next(w.raw) == nil {
		w.packet()
	}
	tuple := c.tuple()
	r := w.table.At(w.known(&tuple))
	w.billing.open = false // what is owed is added up here
	seen := w.tallies.At(r.Tally).owed()
	owed := seen[0].Packets + seen[1].Packets
	for _, step := range []struct {
		what          string
		entry         uint32
		packets, want uint64
		over          bool
	}{
		{"the first reading", 1, 100, 101, false},
		{"another entry, with less", 2, 7, 108, false},
		{"the same, with more", 2, 110, 211, false},
		{"another entry, with more", 3, 200, 411, false},
		{"its end is announced", 3, 250, 461, true},
		{"a list from before that", 3, 240, 461, false},
		{"another entry, with as much", 4, 250, 711, false},
		{"an announcement that comes late", 3, 250, 711, true},
		{"the entry goes on", 4, 251, 712, false},
		{"its end is announced again", 4, 251, 712, true},
		{"one with its number", 4, 7, 719, false},
		{"one with its number and less, before the end is announced", 4, 3, 722, false},
		{"the announcement", 4, 7, 722, true},
		{"the entry goes on", 4, 9, 728, false},
		{"one with its number and more, before the end is announced", 4, 20, 739, false},
		{"the announcement", 4, 9, 748, true},
		{"the entry goes on", 4, 21, 749, false},
		{"its end is announced", 4, 22, 750, true},
		{"the end of another that nobody has read", 5, 6, 756, true},
		{"one with that number", 5, 40, 796, false},
		{"its end, when packets have shown that there is another", 5, 41, 797, true},
		{"that one", 5, 50, 847, false},
		{"a list from before packets have shown another", 5, 50, 847, false},
		{"that one", 6, 50, 897, false},
		{"a list from before packets have shown another, which it has", 6, 3, 900, false},
	} {
		var at int64 // of the list
		read := flow.Connection{ID: step.entry, Mark: doneMark, Orig: tuple, Reply: reversed(tuple), Sent: flow.Counts{Packets: step.packets, Bytes: 100 * step.packets}}
		if r.LastSeen = w.clock.now; step.entry == 1 {
			read.Returned = flow.Counts{Packets: 1, Bytes: 100} // which was seen
		}
		if strings.Contains(step.what, "packets have shown") {
			w.tallies.At(r.Tally).newAt = w.clock.now
		}
		if step.over {
			w.over(&read)
		} else {
			if at = w.clock.now + 1; strings.HasPrefix(step.what, "a list from before") {
				at = w.clock.now - 1
			}
			w.readConnection(&read, at)
		}
		var got record.Counters
		w.counters(&got, r, &fact.Facts{Origin: fact.OriginLocal})
		for _, side := range w.tallies.At(r.Tally).owed() {
			owed += side.Packets
		}
		if got.TotalPackets != step.want || got.TotalBytes != 100*step.want || owed != step.want {
			t.Fatalf("%s: %d packets of %d bytes, %d owed, want %d", step.what, got.TotalPackets, got.TotalBytes, owed, step.want)
		}
	}
}
