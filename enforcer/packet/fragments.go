package packet

import (
	"bytes"
	"math"
	"slices"
)

const (
	// maxDatagrams and maxFragmentBytes bound what is kept of datagrams whose
	// fragments are not all there. Linux keeps 4 MiB of them (ipfrag_high_thresh).
	maxDatagrams     = 256
	maxFragmentBytes = 1 << 20
	// maxPieces is how many separate parts of one datagram are kept: those of 4
	// KiB in fragments of eight bytes, every second one first.
	maxPieces = 256
	// fragmentLife is how long a datagram's first fragment waits for the last,
	// in nanoseconds: Linux's net.ipv4.ipfrag_time.
	fragmentLife = 30e9
	maxDatagram  = 65535
)

// Fragments puts IP datagrams together. Live, the kernel does that before it
// shows a packet; captures have fragments. The zero value is ready. Not safe for
// concurrent use.
type Fragments struct {
	list  []*datagram // oldest first
	bytes int
}

// datagram is what is there of one.
type datagram struct {
	key    fragmentKey
	first  Parsed // headers, of the first that came
	raw    Raw    // likewise; without Data
	length int    // bytes on the wire, of all
	pieces []piece
	end    int // of the whole; 0 while the last fragment is missing
	begun  bool
	differ bool
}

// piece is a part that is there, from an offset on. What is kept is what came, not
// what it claims to be part of: an offset costs a sender nothing.
type piece struct {
	from int
	data []byte
}

func (p *piece) to() int { return p.from + len(p.data) }

// fragmentKey says which datagram a fragment belongs to (RFC 791, 3.2; RFC 8200,
// 4.5). The protocol is not IPv6's, but only makes two senders' less alike.
type fragmentKey struct {
	src, dst [16]byte
	id       uint32
	vlan     uint16
	proto    uint8
	version  uint8
}

// Len is how many datagrams wait.
func (f *Fragments) Len() int { return len(f.list) }

// Add takes the fragment p of raw in. True says that its datagram is whole now:
// p is that, as if it had come in one piece, and raw.Length counts all of it;
// p's slices are its own.
//
// Where fragments overlap, the bytes that came first count, as in TCP; receivers
// differ in that, so a datagram whose fragments contradict each other is Evasive.
func (f *Fragments) Add(raw *Raw, p *Parsed) (whole bool) {
	from, to := int(p.FragmentOffset), int(p.FragmentOffset)+len(p.body)
	key := fragmentKey{p.Src, p.Dst, p.FragmentID, p.VLAN, p.Proto, p.IPVersion}
	if p.IPVersion == 6 {
		key.proto = 0 // RFC 8200: the first fragment's counts
	}
	i := slices.IndexFunc(f.list, func(d *datagram) bool { return d.key == key })
	if from == to || to > maxDatagram {
		return false // nothing, or a datagram longer than any
	}
	if i < 0 {
		i = len(f.list)
		f.list = append(f.list, &datagram{key: key, first: *p, raw: *raw})
		f.list[i].raw.Data = nil
	}
	d := f.list[i]
	f.bytes -= d.bytes()
	d.add(from, to, p)
	f.bytes += d.bytes()
	d.length += raw.Length
	if !d.whole() {
		return false
	}
	f.remove(i)
	raw.Length = d.length
	d.emit(p)
	return true
}

// add puts a fragment in its place.
func (d *datagram) add(from, to int, p *Parsed) {
	if !p.MoreFragments {
		d.differ = d.differ || d.end != 0 && d.end != to
		if d.end == 0 {
			d.end = to
		}
	}
	if p.Fragment == FirstFragment && !d.begun {
		d.begun, d.first = true, *p
	}
	d.merge(from, p.body)
}

// merge puts bytes in their place, where nothing is yet. Pieces stand in order, and
// no two touch. What there is no room for is missing for ever, while the receiver
// may have it.
func (d *datagram) merge(from int, body []byte) {
	to := from + len(body)
	i := 0
	for i < len(d.pieces) && d.pieces[i].to() < from {
		i++
	}
	j := i
	for j < len(d.pieces) && d.pieces[j].from <= to {
		j++
	}
	if i == j {
		if len(d.pieces) == maxPieces {
			d.differ = true
			return
		}
		d.pieces = slices.Insert(d.pieces, i, piece{from, bytes.Clone(body)})
		return
	}
	whole := d.pieces[i]
	if from < whole.from {
		whole = piece{from, append(bytes.Clone(body[:whole.from-from]), whole.data...)}
	}
	for _, have := range d.pieces[i:j] {
		if have.from > whole.to() {
			whole.data = append(whole.data, body[whole.to()-from:have.from-from]...)
		}
		if have.from == whole.to() {
			whole.data = append(whole.data, have.data...)
		}
		at, upTo := max(from, have.from), min(to, have.to())
		d.differ = d.differ || at < upTo && !bytes.Equal(have.data[at-have.from:upTo-have.from], body[at-from:upTo-from])
	}
	if to > whole.to() {
		whole.data = append(whole.data, body[whole.to()-from:]...)
	}
	d.pieces = slices.Replace(d.pieces, i, j, whole)
}

// bytes is what the datagram holds.
func (d *datagram) bytes() (n int) {
	for i := range d.pieces {
		n += cap(d.pieces[i].data)
	}
	return n
}

// whole says that nothing is missing.
func (d *datagram) whole() bool {
	return d.end != 0 && d.begun && d.pieces[0].from == 0 && d.pieces[0].to() >= d.end
}

// emit makes p the datagram.
func (d *datagram) emit(p *Parsed) {
	*p = d.first
	p.Fragment, p.FragmentOffset, p.MoreFragments, p.FragmentID = NotFragment, 0, false, 0
	p.IPLength += d.end - len(p.body)
	d.decode(d.pieces[0].data[:d.end], p)
}

// decode reads the datagram, or its beginning, behind the headers that each
// fragment has.
func (d *datagram) decode(b []byte, p *Parsed) {
	p.Drop, p.Evasive, p.body = DropNone, d.differ, nil
	p.Payload, p.PayloadLength, p.SrcPort, p.DstPort = nil, 0, 0, 0
	if p.IPVersion == 6 {
		decodeExtensions(p.next, b, len(b), p)
		return
	}
	decodeL4(b, len(b), p)
}

func (f *Fragments) remove(i int) {
	f.bytes -= f.list[i].bytes()
	f.list = slices.Delete(f.list, i, i+1)
}

// Stale gives up the oldest datagram if it has waited too long for its last
// fragment, or too much is kept; now is packet time, math.MaxInt64 for the end.
// True with p.Drop unset says that its beginning was there: p is that, a first
// fragment. The caller asks until it says false.
func (f *Fragments) Stale(now int64, raw *Raw, p *Parsed) bool {
	if len(f.list) == 0 {
		return false
	}
	d := f.list[0]
	if len(f.list) <= maxDatagrams && f.bytes <= maxFragmentBytes && now != math.MaxInt64 && now-d.raw.Timestamp < fragmentLife {
		return false
	}
	f.remove(0)
	*raw = d.raw
	raw.Length = d.length
	if !d.begun || d.pieces[0].from != 0 {
		*p = Parsed{Drop: DropFragments}
		return true
	}
	*p = d.first
	d.decode(d.pieces[0].data, p)
	return true
}
