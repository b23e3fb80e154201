package aggregate

import (
	"cmp"
	"math/bits"
	"slices"
)

// Counts are what flows have carried in an interval, by the side that sent it.
// Bytes are counted from the IP header on.
type Counts struct {
	LocalBytes, LocalPackets, OtherBytes, OtherPackets uint64
	Flows                                              uint64 // that carried any of it
}

func (c *Counts) add(d *Counts) {
	c.LocalBytes += d.LocalBytes
	c.LocalPackets += d.LocalPackets
	c.OtherBytes += d.OtherBytes
	c.OtherPackets += d.OtherPackets
	c.Flows += d.Flows
}

func (c *Counts) sub(d *Counts) {
	c.LocalBytes -= d.LocalBytes
	c.LocalPackets -= d.LocalPackets
	c.OtherBytes -= d.OtherBytes
	c.OtherPackets -= d.OtherPackets
	c.Flows -= d.Flows
}

func (c *Counts) bytes() uint64 { return c.LocalBytes + c.OtherBytes }

// row is a key with its counters.
type row struct {
	key    key
	counts Counts
	// missed bounds what the key may have carried before it was in the table.
	missed uint64
	place  uint32 // in the heap, while there is one
}

// weight is the most that a row's key can have carried.
func (r *row) weight() uint64 { return r.missed + r.counts.bytes() }

// slot is a place of the hash table: the low bits of the hash, and the row's
// number; 0 is none.
type slot struct{ hash, row uint32 }

// rowChunk rows are allocated at a time, so that growth copies none.
const rowChunk = 4096

// leastSlots is what a table begins with: a power of two.
const leastSlots = 1024

// table is counters by key, at most so many keys. Its memory is some 150 bytes
// for each key that it has held at once; it keeps that for the next interval.
type table struct {
	seed   uint64
	limit  int
	chunks [][]row
	rows   int // in use; the first has number 1
	slots  []slot
	heap   []uint32 // rows, the least weight first; empty while all keys have room
	gone   Counts   // of keys that made room
	evicts uint64
	picked []uint32 // scratch of top
}

func newTable(limit int, seed uint64) *table {
	return &table{seed: seed, limit: limit, slots: make([]slot, leastSlots)}
}

func (t *table) at(i uint32) *row { return &t.chunks[(i-1)/rowChunk][(i-1)%rowChunk] }

// add counts for a key.
func (t *table) add(k *key, d *Counts) {
	hash := uint32(k.hash(t.seed))
	if i := t.find(hash, k); i != 0 {
		r := t.at(i)
		r.counts.add(d)
		if len(t.heap) > 0 {
			t.settle(int(r.place))
		}
		return
	}
	if t.rows < t.limit {
		t.insert(hash, k, d)
		return
	}
	t.replace(hash, k, d)
}

func (t *table) find(hash uint32, k *key) uint32 {
	mask := uint32(len(t.slots) - 1)
	for at := hash & mask; ; at = (at + 1) & mask {
		s := t.slots[at]
		if s.row == 0 || s.hash == hash && t.at(s.row).key == *k {
			return s.row
		}
	}
}

// place puts a row that is not there into the slots.
func (t *table) place(s slot) {
	mask := uint32(len(t.slots) - 1)
	at := s.hash & mask
	for t.slots[at].row != 0 {
		at = (at + 1) & mask
	}
	t.slots[at] = s
}

func (t *table) insert(hash uint32, k *key, d *Counts) {
	if t.rows*4 >= len(t.slots)*3 {
		old := t.slots
		t.slots = make([]slot, 2*len(old))
		for _, s := range old {
			if s.row != 0 {
				t.place(s)
			}
		}
	}
	if t.rows == len(t.chunks)*rowChunk {
		t.chunks = append(t.chunks, make([]row, min(rowChunk, t.limit)))
	}
	t.rows++
	i := uint32(t.rows)
	*t.at(i) = row{key: *k, counts: *d}
	t.place(slot{hash, i})
}

// replace gives the row of least weight to a key for which there is no room.
func (t *table) replace(hash uint32, k *key, d *Counts) {
	if len(t.heap) == 0 {
		t.heapify()
	}
	i := t.heap[0]
	r := t.at(i)
	t.evicts++
	t.gone.add(&r.counts)
	t.drop(uint32(r.key.hash(t.seed)), i)
	*r = row{key: *k, counts: *d, missed: r.weight()}
	t.place(slot{hash, i})
	t.settle(0)
}

// drop takes a row out of the slots, and moves those up that it kept from their
// own places.
func (t *table) drop(hash, i uint32) {
	mask := uint32(len(t.slots) - 1)
	at := hash & mask
	for t.slots[at].row != i {
		at = (at + 1) & mask
	}
	for next := (at + 1) & mask; t.slots[next].row != 0; next = (next + 1) & mask {
		home := t.slots[next].hash & mask
		if (next-home)&mask >= (next-at)&mask {
			t.slots[at] = t.slots[next]
			at = next
		}
	}
	t.slots[at] = slot{}
}

// heapify begins to order rows by weight.
func (t *table) heapify() {
	for i := range t.rows {
		t.heap = append(t.heap, uint32(i+1))
		t.at(uint32(i + 1)).place = uint32(i)
	}
	for i := len(t.heap)/2 - 1; i >= 0; i-- {
		t.settle(i)
	}
}

// settle moves a row whose weight has grown to its place in the heap.
func (t *table) settle(i int) {
	row := t.heap[i]
	weight := t.at(row).weight()
	for {
		least := 2*i + 1
		if least >= len(t.heap) {
			break
		}
		light := t.at(t.heap[least]).weight()
		if least+1 < len(t.heap) {
			if other := t.at(t.heap[least+1]).weight(); other < light {
				least, light = least+1, other
			}
		}
		if weight <= light {
			break
		}
		t.heap[i] = t.heap[least]
		t.at(t.heap[i]).place = uint32(i)
		i = least
	}
	t.heap[i] = row
	t.at(row).place = uint32(i)
}

// bound is the most that a key can have carried that is not in the table: 0 while
// all are.
func (t *table) bound() uint64 {
	if len(t.heap) == 0 {
		return 0
	}
	return t.at(t.heap[0]).weight()
}

// top are the rows that carried most, the most first. Valid until the table is
// used again.
func (t *table) top(n int) []uint32 {
	less := func(a, b uint32) int {
		x, y := t.at(a), t.at(b)
		if c := cmp.Compare(y.counts.bytes(), x.counts.bytes()); c != 0 {
			return c
		}
		return slices.Compare(x.key[:], y.key[:])
	}
	t.picked = t.picked[:0]
	least := uint64(0) // of those that were kept, once there are enough
	for i := range t.rows {
		if t.at(uint32(i+1)).counts.bytes() < least {
			continue
		}
		t.picked = append(t.picked, uint32(i+1))
		if len(t.picked) >= 2*n && len(t.picked) >= rowChunk {
			slices.SortFunc(t.picked, less)
			t.picked = t.picked[:n]
			least = t.at(t.picked[n-1]).counts.bytes()
		}
	}
	slices.SortFunc(t.picked, less)
	return t.picked[:min(n, len(t.picked))]
}

// reset empties the table. Memory that the last interval did not need is given
// back.
func (t *table) reset() {
	used := (t.rows + rowChunk - 1) / rowChunk
	if keep := 2 * max(used, 1); len(t.chunks) > keep {
		clear(t.chunks[keep:])
		t.chunks = t.chunks[:keep]
	}
	if want := max(leastSlots, 1<<bits.Len(uint(2*t.rows))); len(t.slots) > 2*want {
		t.slots = make([]slot, want)
	} else {
		clear(t.slots)
	}
	t.rows, t.heap, t.gone, t.evicts = 0, t.heap[:0], Counts{}, 0
}
