package aggregate

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
)

// key is a row's dimensions, packed: two addresses, words as their places in
// Words, and numbers. What an aggregate does not ask for is zero in all of its
// keys. It holds no pointers, so that a million of them cost the garbage collector
// nothing.
type key [keyWords]uint64

// Places in a key.
const (
	keyLocalIP     = iota // 16 bytes, big endian
	_                     //
	keyOtherIP            // 16 bytes, big endian
	_                     //
	keyApplication        // and protocol in the low half
	keyCategory           // and interface
	keyPolicy             // and address group
	keyMAC                // 48 bits, the VLAN in the low 16
	keyNumbers            // local port, other port, IP protocol, IP version, whether the other side is local
	keyWords
)

// Bits of keyNumbers.
const (
	shiftLocalPort = 48
	shiftOtherPort = 32
	shiftProtocol  = 16
	shiftVersion   = 8
	otherIsLocal   = 1
	unspecified    = 2 // the local address is "::", and not none; one bit further, the other side's
)

func (k *key) setAddr(at int, a netip.Addr) {
	if !a.IsValid() {
		return
	}
	if a == netip.IPv6Unspecified() {
		k[keyNumbers] |= unspecified << (at / keyOtherIP)
		return
	}
	b := a.As16()
	k[at], k[at+1] = binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])
}

func (k *key) addr(at int) netip.Addr {
	switch {
	case k[at]|k[at+1] != 0:
	case k[keyNumbers]&(unspecified<<(at/keyOtherIP)) != 0:
		return netip.IPv6Unspecified()
	default:
		return netip.Addr{}
	}
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], k[at])
	binary.BigEndian.PutUint64(b[8:], k[at+1])
	return netip.AddrFrom16(b).Unmap()
}

// hash mixes a key with a secret seed: senders choose addresses and ports, and
// must not choose which keys share a slot. The folded multiplication is wyhash's.
func (k *key) hash(seed uint64) uint64 {
	const m1, m2, m3 = 0xa0761d6478bd642f, 0xe7037ed1a0b428db, 0x8ebc6af09c88c6e3
	h := fold(k[0]^seed, k[1]^m1)
	h = fold(k[2]^h, k[3]^m2)
	h = fold(k[4]^h, k[5]^m3)
	h = fold(k[6]^h, k[7]^m1)
	return fold(k[8]^h, m2^seed)
}

func fold(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}
