package classify

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/netpol/netpol/enforcer/dissect"
)

func addr(i int) netip.Addr {
	return netip.AddrFrom4([4]byte{198, 18, byte(i >> 8), byte(i)})
}

func TestNamesIsBounded(t *testing.T) {
	const limit = 64
	n := NewNames(limit, 1)
	for i := range 10 * limit {
		n.Learn(client, dissect.NameBinding{Name: fmt.Sprint("host", i, ".example"), Addr: addr(i), TTL: 300}, 0)
	}
	if n.Len() != limit || n.Evicted() != 9*limit {
		t.Errorf("%d held, %d evicted; want %d and %d", n.Len(), n.Evicted(), limit, 9*limit)
	}
}

func TestNamesKeepsWhatIsUsed(t *testing.T) {
	const limit = 16
	n := NewNames(limit, 1)
	n.Learn(client, dissect.NameBinding{Name: "kept.example", Addr: elsewhere, TTL: 300}, 0)
	for i := range 20 * limit {
		n.Learn(client, dissect.NameBinding{Name: "passing.example", Addr: addr(i), TTL: 300}, 0)
		if _, ok := n.Lookup(client, elsewhere, 0); !ok {
			t.Fatalf("the answer in use was evicted after %d others", i+1)
		}
	}
}

func TestNamesLastAnswerWins(t *testing.T) {
	n := NewNames(4, 1)
	n.Learn(client, dissect.NameBinding{Name: "old.example", Addr: elsewhere, TTL: 60}, 0)
	n.Learn(client, dissect.NameBinding{Name: "new.example", Addr: elsewhere, TTL: 60}, 1)
	if got, _ := n.Lookup(client, elsewhere, 2); got != "new.example" || n.Len() != 1 {
		t.Errorf("got %q of %d answers, want new.example of 1", got, n.Len())
	}
}

func TestNamesLife(t *testing.T) {
	tests := []struct {
		name string
		ttl  uint32
		age  time.Duration
		ok   bool
	}{
		{"floor", 0, 30*time.Minute - 1, true},
		{"after the floor", 0, 30 * time.Minute, false},
		{"its own TTL", 7200, 2*time.Hour - 1, true},
		{"after its TTL", 7200, 2 * time.Hour, false},
		{"ceiling", 1<<32 - 1, 24*time.Hour - 1, true},
		{"after the ceiling", 1<<32 - 1, 24 * time.Hour, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := NewNames(4, 1)
			n.Learn(client, dissect.NameBinding{Name: "a.example", Addr: elsewhere, TTL: tt.ttl}, 1000)
			if _, ok := n.Lookup(client, elsewhere, 1000+int64(tt.age)); ok != tt.ok {
				t.Errorf("got %v, want %v", ok, tt.ok)
			}
		})
	}
}

func TestNamesIgnoresNonsense(t *testing.T) {
	n := NewNames(4, 1)
	n.Learn(netip.Addr{}, dissect.NameBinding{Name: "a.example", Addr: elsewhere}, 0)
	n.Learn(client, dissect.NameBinding{Name: "a.example"}, 0)
	n.Learn(client, dissect.NameBinding{Addr: elsewhere}, 0)
	n.Learn(client, dissect.NameBinding{Name: strings.Repeat("a", 254), Addr: elsewhere}, 0)
	if n.Len() != 0 {
		t.Errorf("%d answers held, want none", n.Len())
	}
	if _, ok := n.Lookup(client, netip.Addr{}, 0); ok {
		t.Error("a name for no address")
	}
}

func TestNamesMapsIPv4(t *testing.T) {
	n := NewNames(4, 1)
	n.Learn(client, dissect.NameBinding{Name: "a.example", Addr: elsewhere}, 0)
	if _, ok := n.Lookup(netip.AddrFrom16(client.As16()), netip.AddrFrom16(elsewhere.As16()), 0); !ok {
		t.Error("an IPv4-mapped address is another key")
	}
}

func TestNamesLookupDoesNotAllocate(t *testing.T) {
	n := NewNames(4, 1)
	n.Learn(client, dissect.NameBinding{Name: "a.example", Addr: elsewhere}, 0)
	if got := testing.AllocsPerRun(100, func() { n.Lookup(client, elsewhere, 0) }); got != 0 {
		t.Errorf("%v allocations, want 0", got)
	}
}

func BenchmarkNames(b *testing.B) {
	n := NewNames(4096, 1)
	for i := range 4096 {
		n.Learn(client, dissect.NameBinding{Name: "a.example", Addr: addr(i), TTL: 300}, 0)
	}
	b.Run("lookup", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			n.Lookup(client, addr(i&4095), 0)
		}
	})
	b.Run("learn", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			n.Learn(client, dissect.NameBinding{Name: "a.example", Addr: addr(i & 65535), TTL: 300}, 0)
		}
	})
}
