package enforcer

import (
	"math/rand/v2"
	"strconv"
	"testing"

	"github.com/netpol/netpol/lang/fact"
)

func TestFactStoreCountsUses(t *testing.T) {
	s := newFactStore()
	known := func(i uint32) (f fact.Facts) {
		s.at(i).Unpack(&f)
		return f
	}
	a := s.keep(&fact.Facts{Protocol: "tls", Hostname: "a.example", SrcPort: 1}, 0)
	b := s.keep(&fact.Facts{Protocol: "tls", Hostname: "a.example", SrcPort: 2}, 0)
	c := s.keep(&fact.Facts{Protocol: "tls", Hostname: "a.example", Category: "web"}, a)
	d := s.keep(&fact.Facts{Protocol: "tls", Hostname: "a.example", Category: "mail"}, c) // the same hash
	if a != b || a == c || c == d {
		t.Fatalf("got %d, %d, %d and %d, want the first two alike", a, b, c, d)
	}
	s.release(a)
	if got := known(b).Hostname; got != "a.example" {
		t.Errorf("hostname %q after one of two uses was released", got)
	}
	s.release(b)
	s.release(c)
	if got := known(d).Category; got != "mail" {
		t.Errorf("category %q after other sets were released", got)
	}
	before := s.version(c)
	if e := s.keep(&fact.Facts{Protocol: "dns"}, 0); e != c {
		t.Errorf("got place %d, want the one that is free, %d", e, c)
	}
	if s.version(c) == before {
		t.Error("another set has the index and the version of one that is gone")
	}
}

// TestFactStoreUsesItsMemoryAgain: sets that come and go, of which no two are alike, cost
// nothing but their texts, however large the ones before them were.
func TestFactStoreUsesItsMemoryAgain(t *testing.T) {
	s := newFactStore()
	f := fact.Facts{Protocol: "dns", Category: "network", Complete: true, Confidence: 100}
	n, last := 0, uint32(0)
	again := func() {
		f.DNSHostname = someHosts[n%len(someHosts)]
		n++
		i := s.keep(&f, last)
		s.release(last)
		last = i
	}
	for range 2 * len(someHosts) {
		again()
	}
	if got := testing.AllocsPerRun(100, again); got != 0 {
		t.Errorf("%v allocations to keep a set and release one, want 0", got)
	}
	if s.items.Made() > 4 {
		t.Errorf("%d places for two sets at a time", s.items.Made()-1)
	}
}

var someHosts = [...]string{"a.example", "b.example", "c.example", "d.example", "e.example"}

// TestManyFactSets: chains, places and texts hold as sets come and go at random.
func TestManyFactSets(t *testing.T) {
	s := newFactStore()
	rnd := rand.New(rand.NewPCG(1, 2))
	held := make(map[uint32][]fact.Facts)
	for range 20_000 {
		f := fact.Facts{Hostname: someHosts[rnd.IntN(len(someHosts))], Category: strconv.Itoa(rnd.IntN(50)), TLSVersion: rnd.IntN(3), Evasive: rnd.IntN(2) != 0}
		if rnd.IntN(3) != 0 {
			i := s.keep(&f, 0)
			held[i] = append(held[i], f)
			continue
		}
		for i, list := range held { // any one
			var got fact.Facts
			if s.at(i).Unpack(&got); got != list[0] || got != list[len(list)-1] {
				t.Fatalf("place %d: got %+v, want %+v", i, got, list[0])
			}
			s.release(i)
			if held[i] = list[1:]; len(list) == 1 {
				delete(held, i)
			}
			break
		}
	}
	if len(s.heads) == minHeads {
		t.Errorf("%d sets at once have not made the index grow", s.used())
	}
	for i, list := range held {
		for range list {
			s.release(i)
		}
	}
	if s.used() != 0 {
		t.Errorf("%d sets are left after the last release", s.used())
	}
	for _, i := range s.heads {
		if i != 0 {
			t.Errorf("set %d is in a chain after the last release", i)
		}
	}
}

func TestMACTable(t *testing.T) {
	table := newMACTable()
	mac := func(n byte) [6]byte { return [6]byte{2, 0, 0, 0, 0, n} }
	first := table.of(mac(1))
	for n := byte(1); n < 9; n++ {
		if i := table.of(mac(n)); i == 0 || table.of(mac(n)) != i {
			t.Errorf("address %d: another index the second time", n)
		}
	}
	if table.of(mac(1)) != first {
		t.Error("the first address has another index after others")
	}
	if table.of([6]byte{}) != 0 || table.of([6]byte{1}) != 0 {
		t.Error("no address, or a group's, has an index")
	}
}
