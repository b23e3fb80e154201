package classify

import (
	"encoding/binary"
	"math/bits"
)

// addressSet says of an address that it was not added, or that it may have been: most
// addresses that flows go to were in no answer, and to find that out in a map of keys of
// 32 bytes was the dearest step of naming a flow (2026-11).
type addressSet struct {
	bits  []uint64 // a power of two of them
	shift int      // of a hash, to the number of a bit
	added int      // since it was empty
}

// bitsEach is how many bits the set has for each address that it may hold: of the
// others an eighth passes.
const bitsEach = 8

// newAddressSet makes a set for so many addresses.
func newAddressSet(room int) addressSet {
	width := max(bits.Len(uint(bitsEach*room-1)), 6)
	return addressSet{bits: make([]uint64, 1<<width/64), shift: 64 - width}
}

// full says that so many addresses were added, known ones again included, that it is time
// to begin anew.
func (s *addressSet) full() bool { return s.added > len(s.bits)*64/bitsEach*2 }

func (s *addressSet) clear() {
	clear(s.bits)
	s.added = 0
}

func (s *addressSet) add(a *[16]byte) {
	i := s.place(a)
	s.bits[i/64] |= 1 << (i % 64)
	s.added++
}

func (s *addressSet) has(a *[16]byte) bool {
	i := s.place(a)
	return s.bits[i/64]>>(i%64)&1 != 0
}

// place is an address's bit. Who chooses addresses that fall on one has look-ups made
// as if there were no set.
func (s *addressSet) place(a *[16]byte) uint64 {
	h := binary.LittleEndian.Uint64(a[:]) ^ binary.LittleEndian.Uint64(a[8:])
	return h * 0x9e3779b97f4a7c15 >> s.shift // Fibonacci hashing, TAOCP 6.4
}
