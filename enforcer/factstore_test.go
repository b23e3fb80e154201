package enforcer

import (
	"net/netip"
	"reflect"
	"testing"

	"github.com/netpol/netpol/lang/fact"
)

// followed are facts that follow from others or take few values: a sender cannot
// make many sets of facts that differ in them alone.
var followed = map[string]bool{
	"Category": true, "ApplicationCategory": true, "ProtocolCategory": true, "DomainCategory": true, "NetworkCategory": true,
	"LocalNetworkCategory": true, "OtherNetworkCategory": true, "SrcNetworkCategory": true, "DstNetworkCategory": true,
	"By": true, "Brand": true, "Country": true, "Risks": true, "InterfaceOut": true,
}

// TestFactHashTellsWhatSendersChoose: facts that a sender can vary at will must not
// share a hash, or it could make one chain of all of them.
func TestFactHashTellsWhatSendersChoose(t *testing.T) {
	s := newFactStore()
	var zero fact.Facts
	empty, seen := s.hash(&zero), make(map[uint64]string)
	fields := reflect.TypeFor[fact.Facts]()
	for i := range fields.NumField() {
		var f fact.Facts
		v := reflect.ValueOf(&f).Elem().Field(i)
		switch v.Interface().(type) {
		case string:
			v.SetString("x")
		case netip.Addr:
			v.Set(reflect.ValueOf(netip.MustParseAddr("192.0.2.1")))
		default:
			continue
		}
		kept := f
		clearTuple(&kept)
		name := fields.Field(i).Name
		if kept == zero || followed[name] {
			continue
		}
		h := s.hash(&f)
		if h == empty || seen[h] != "" {
			t.Errorf("%s: its hash is that of facts without it, or of %q", name, seen[h])
		}
		seen[h] = name
	}
}

func TestFactStoreCountsUses(t *testing.T) {
	s := newFactStore()
	a := s.keep(&fact.Facts{Protocol: "tls", Hostname: "a.example", SrcPort: 1})
	b := s.keep(&fact.Facts{Protocol: "tls", Hostname: "a.example", SrcPort: 2})
	c := s.keep(&fact.Facts{Protocol: "tls", Hostname: "a.example", Category: "web"}) // the same hash
	if a != b || a == c {
		t.Fatalf("got %d, %d and %d, want the first two alike", a, b, c)
	}
	s.release(a)
	if got := s.get(b).Hostname; got != "a.example" {
		t.Errorf("hostname %q after one of two uses was released", got)
	}
	s.release(b)
	if got := s.get(c).Category; got != "web" {
		t.Errorf("category %q after another set was released", got)
	}
	if d := s.keep(&fact.Facts{Protocol: "dns"}); d != a {
		t.Errorf("got place %d, want the one that is free, %d", d, a)
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
