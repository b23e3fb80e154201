package fact

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"
	"net/netip"
	"slices"
)

// places is a set of attributes that are packed, by their place.
type places [(keptAttributes + 63) / 64]uint64

// Packed is what Facts knows, without what the flow's record has (OfRecord): which
// attributes are known, and their values alone. A struct of all is 1.3 kB, of which
// most flows fill a tenth. The zero value knows nothing, and then it has no memory of
// its own. Not safe for concurrent use.
type Packed struct {
	known places
	texts []string
	rest  []byte   // numbers and addresses, in the order of their places
	short [16]byte // where rest is, as long as it is no longer: of most flows it is ten bytes
}

// Pack replaces what p holds by what f knows. It reuses p's memory, which is room
// for everything from the first time on: p is meant to be used again.
func (p *Packed) Pack(f *Facts) {
	if cap(p.texts) < keptTexts {
		p.texts = make([]string, keptTexts)
	}
	n := 0
	p.known, n, p.rest = gather(f, (*[keptTexts]string)(p.texts[:keptTexts]), p.rest[:0])
	p.texts = p.texts[:n]
}

// Unpack makes f what was packed; the attributes of the record are not known in it.
// It allocates nothing, but for an address with a zone.
func (p *Packed) Unpack(f *Facts) {
	*f = Facts{}
	if !p.Empty() {
		scatter(f, p.known, p.texts, p.rest)
	}
}

// Copy makes p the same as from, in memory that is no larger than it must be, or in
// that which p has already. p must not be moved afterwards.
func (p *Packed) Copy(from *Packed) {
	p.known = from.known
	if cap(p.texts) < len(from.texts) {
		p.texts = make([]string, 0, len(from.texts))
	}
	p.texts = append(p.texts[:0], from.texts...)
	if cap(p.rest) < len(p.short) {
		p.rest = p.short[:0]
	}
	p.rest = append(p.rest[:0], from.rest...)
}

// Clear has p know nothing. It keeps its memory, without what its texts refer to.
func (p *Packed) Clear() {
	clear(p.texts)
	p.known, p.texts, p.rest = places{}, p.texts[:0], p.rest[:0]
}

// Empty says that nothing is known.
func (p *Packed) Empty() bool { return p.known == places{} }

// Equal says that p and o know the same.
func (p *Packed) Equal(o *Packed) bool {
	return p.known == o.known && string(p.rest) == string(o.rest) && slices.Equal(p.texts, o.texts)
}

// Hash is of which attributes are known and of the values that senders choose. Those
// that follow from them, or take few values, are left out: hashing all took five times
// as long. All of its bits are good ones.
func (p *Packed) Hash(seed maphash.Seed) (h uint64) {
	i := 0
	for word, known := range p.known {
		h = (h ^ known) * hashPrime
		for texts := known & textPlaces[word]; texts != 0; texts &= texts - 1 {
			if freePlaces[word]&(texts&-texts) != 0 {
				h = (bits.RotateLeft64(h, 9) ^ maphash.String(seed, p.texts[i])) * hashPrime
			}
			i++
		}
	}
	if len(p.rest) > 0 {
		h = (bits.RotateLeft64(h, 9) ^ maphash.Bytes(seed, p.rest)) * hashPrime
	}
	return h ^ h>>32
}

// hashPrime is 2^64 divided by the golden ratio, made odd (Knuth, TAOCP 6.4).
const hashPrime = 0x9e3779b97f4a7c15

// Protocol is what Facts.Protocol was.
func (p *Packed) Protocol() string { return p.text(atProtocol) }

// Named says that a host name or an application is known.
func (p *Packed) Named() bool {
	return p.known[atHostname/64]&(1<<(atHostname%64)) != 0 || p.known[atApplication/64]&(1<<(atApplication%64)) != 0
}

// text is the value of a text at a place.
func (p *Packed) text(place int) string {
	word, bit := place/64, uint64(1)<<(place%64)
	if p.known[word]&bit == 0 {
		return ""
	}
	n := bits.OnesCount64(p.known[word] & textPlaces[word] & (bit - 1))
	for i := range word {
		n += bits.OnesCount64(p.known[i] & textPlaces[i])
	}
	return p.texts[n]
}

func appendNumber(b []byte, n int) []byte { return binary.AppendVarint(b, int64(n)) }

func number(b []byte) (n int, rest []byte) {
	v, size := binary.Varint(b)
	return int(v), b[size:]
}

// appendAddr appends an address: its length, and its bytes with the zone, if it has one.
func appendAddr(b []byte, a netip.Addr) []byte {
	start := len(b)
	b = append(b, 0, 0)
	b, _ = a.AppendBinary(b) // never fails
	binary.BigEndian.PutUint16(b[start:], uint16(len(b)-start-2))
	return b
}

func addr(b []byte) (a netip.Addr, rest []byte) {
	end := 2 + int(binary.BigEndian.Uint16(b))
	_ = a.UnmarshalBinary(b[2:end]) // appendAddr wrote it
	return a, b[end:]
}
