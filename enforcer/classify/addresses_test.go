package classify

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/netpol/netpol/enforcer/dissect"
)

// numbered is the address 10.0.0.0 plus n.
func numbered(n uint32) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], 10<<24+n)
	return netip.AddrFrom4(b)
}

func TestAddressSetHasWhatWasAdded(t *testing.T) {
	const room = 1000
	rnd := rand.New(rand.NewPCG(1, 2))
	s := newAddressSet(room)
	for range room {
		a := numbered(rnd.Uint32N(1 << 24)).As16()
		if s.add(&a); !s.has(&a) {
			t.Fatalf("%v was added and is not there", a)
		}
	}
	passed := 0
	for i := range uint32(10 * room) {
		a := numbered(1<<24 + i).As16()
		if s.has(&a) {
			passed++
		}
	}
	if passed > 10*room/5 {
		t.Errorf("%d of %d others pass, want an eighth", passed, 10*room)
	}
}

// TestNamesForgetOldAddresses has many more answers come than there is room for: those
// that are held are found, and the set of addresses does not fill up.
func TestNamesForgetOldAddresses(t *testing.T) {
	const room = 64
	names, client := NewNames(room, 1), netip.MustParseAddr("192.0.2.1")
	for i := range uint32(50 * room) {
		names.Learn(client, dissect.NameBinding{Name: "host.example", Addr: numbered(i), TTL: 60}, int64(i))
		if _, ok := names.Lookup(client, numbered(i), int64(i)); !ok {
			t.Fatalf("the answer with %v is not known", numbered(i))
		}
	}
	s := &names.stripes[0]
	for key := range s.answers.index {
		if !s.told.has(&key.server) {
			t.Errorf("an answer with %v is held and not found", netip.AddrFrom16(key.server))
		}
	}
	if s.told.added > 3*room {
		t.Errorf("%d addresses in a set for %d", s.told.added, room)
	}
}
