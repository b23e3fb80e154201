package flow

import (
	"encoding/binary"
	"math/bits"
	"net/netip"

	"github.com/netpol/netpol/enforcer/packet"
)

// Key names a connection whichever way a packet of it goes: the two ends are
// in byte order of address, then port. It holds no pointers, so a table of
// keys costs the garbage collector nothing.
type Key struct {
	A, B         [16]byte
	APort, BPort uint16 // both the identifier for ICMP queries
	VLAN         uint16
	Proto        uint8
	IPVersion    uint8
}

// SetTo makes k the key of the flow that p belongs to. fromB says that p went from
// B to A. It reads and writes words, in their order at once, because what has just been written
// in parts waits when it is read as a whole: to copy one key twice took 15 ns of a packet's 110,
// and addresses in halves 5 of 60 (2026-11).
func (k *Key) SetTo(p *packet.Parsed) (fromB bool) {
	src, dst := p.SrcPort, p.DstPort
	if p.ICMPQuery() {
		src, dst = p.ICMPID, p.ICMPID
	}
	k.VLAN, k.Proto, k.IPVersion = p.VLAN, p.Proto, p.IPVersion
	a, b := wordsOf(&p.Src), wordsOf(&p.Dst)
	if a.after(b, src, dst) {
		b.put(&k.A)
		a.put(&k.B)
		k.APort, k.BPort = dst, src
		return true
	}
	a.put(&k.A)
	b.put(&k.B)
	k.APort, k.BPort = src, dst
	return false
}

// words are an address as a processor reads it.
type words struct{ first, second uint64 }

func wordsOf(a *[16]byte) words {
	return words{binary.LittleEndian.Uint64(a[:]), binary.LittleEndian.Uint64(a[8:])}
}

func (w words) put(a *[16]byte) {
	binary.LittleEndian.PutUint64(a[:], w.first)
	binary.LittleEndian.PutUint64(a[8:], w.second)
}

// after says that the first end comes after the second, in byte order. bytes.Compare on
// sixteen bytes is a call, and half of a packet's key was that.
func (w words) after(o words, port, oPort uint16) bool {
	if w.first != o.first {
		return bits.ReverseBytes64(w.first) > bits.ReverseBytes64(o.first)
	}
	if w.second != o.second {
		return bits.ReverseBytes64(w.second) > bits.ReverseBytes64(o.second)
	}
	return port > oPort
}

// KeyOfTuple is the key of the flow with the given tuple outside any VLAN, as
// conntrack knows it. fromB says that the tuple's source is B.
func KeyOfTuple(t Tuple) (k Key, fromB bool) {
	version := uint8(6)
	if t.Src.Unmap().Is4() {
		version = 4
	}
	k = Key{
		A: t.Src.As16(), B: t.Dst.As16(), APort: t.SrcPort, BPort: t.DstPort,
		Proto: t.Proto, IPVersion: version,
	}
	if t.Proto == packet.ProtoICMP || t.Proto == packet.ProtoICMPv6 {
		k.APort, k.BPort = t.ICMPID, t.ICMPID
	}
	return k, k.order()
}

// order puts the ends into canonical order and says whether it swapped them.
func (k *Key) order() bool {
	if !wordsOf(&k.A).after(wordsOf(&k.B), k.APort, k.BPort) {
		return false
	}
	k.A, k.B = k.B, k.A
	k.APort, k.BPort = k.BPort, k.APort
	return true
}

// Same says that two keys are equal, by words: == calls a comparison of memory.
func (k *Key) Same(o *Key) bool {
	return binary.LittleEndian.Uint64(k.A[:]) == binary.LittleEndian.Uint64(o.A[:]) &&
		binary.LittleEndian.Uint64(k.A[8:]) == binary.LittleEndian.Uint64(o.A[8:]) &&
		binary.LittleEndian.Uint64(k.B[:]) == binary.LittleEndian.Uint64(o.B[:]) &&
		binary.LittleEndian.Uint64(k.B[8:]) == binary.LittleEndian.Uint64(o.B[8:]) &&
		k.tail() == o.tail()
}

// tail is all but the addresses, as one number.
func (k *Key) tail() uint64 {
	return uint64(k.APort) | uint64(k.BPort)<<16 | uint64(k.VLAN)<<32 | uint64(k.Proto)<<48 | uint64(k.IPVersion)<<56
}

// Ends gives both ends, the source of the direction first.
func (k *Key) Ends(fromB bool) (src, dst netip.AddrPort) {
	a := netip.AddrPortFrom(packet.Addr(k.A, k.IPVersion), k.APort)
	b := netip.AddrPortFrom(packet.Addr(k.B, k.IPVersion), k.BPort)
	if fromB {
		return b, a
	}
	return a, b
}

// hash mixes the 40 bytes of k with a secret seed: without one, a sender could
// choose addresses that all fall on one slot (Suricata CVE-2024-47187).
// The folded multiplication is wyhash's.
func (k *Key) hash(seed uint64) uint64 {
	const m1, m2, m3 = 0xa0761d6478bd642f, 0xe7037ed1a0b428db, 0x8ebc6af09c88c6e3
	h := fold(binary.LittleEndian.Uint64(k.A[:])^seed, binary.LittleEndian.Uint64(k.A[8:])^m1)
	h = fold(binary.LittleEndian.Uint64(k.B[:])^h, binary.LittleEndian.Uint64(k.B[8:])^m2)
	return fold(k.tail()^h, m3^seed)
}

func fold(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}
