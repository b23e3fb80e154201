package aggregate

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
// for each key.
type table struct {
	seed   uint64
	limit  int
	chunks [][]row
	spare  [][]row // of an earlier table, to be used before others are made
	rows   int     // in use; the first has number 1
	slots  []slot
	heap   heap // empty while all keys have room
	evicts uint64
	ward   *ward // nil where health is not asked for
}

func newTable(limit int, seed uint64) *table {
	return &table{seed: seed, limit: limit, slots: make([]slot, leastSlots)}
}

func (t *table) at(i uint32) *row { return &t.chunks[(i-1)/rowChunk][(i-1)%rowChunk] }

// add counts for a key, and says which row it has.
func (t *table) add(k *key, d *Counts) (row uint32) {
	hash := uint32(k.hash(t.seed))
	if i := t.find(hash, k); i != 0 {
		t.at(i).counts.add(d)
		return i
	}
	if t.rows < t.limit {
		return t.insert(hash, k, d)
	}
	return t.replace(hash, k, d)
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

func (t *table) insert(hash uint32, k *key, d *Counts) uint32 {
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
		t.chunks = append(t.chunks, t.chunk())
	}
	t.rows++
	i := uint32(t.rows)
	*t.at(i) = row{key: *k, counts: *d}
	t.place(slot{hash, i})
	return i
}

// chunk is room for rows.
func (t *table) chunk() []row {
	if n := len(t.spare); n > 0 {
		c := t.spare[n-1]
		t.spare[n-1], t.spare = nil, t.spare[:n-1]
		return c
	}
	return make([]row, min(rowChunk, t.limit))
}

// replace gives the row of least weight to a key for which there is no room.
func (t *table) replace(hash uint32, k *key, d *Counts) uint32 {
	if len(t.heap) == 0 {
		t.heap = newHeap(t)
	}
	i := t.heap.least(t)
	r := t.at(i)
	t.evicts++
	t.drop(uint32(r.key.hash(t.seed)), i)
	if t.ward != nil {
		t.ward.leave(i)
	}
	*r = row{key: *k, counts: *d, missed: r.weight()}
	t.place(slot{hash, i})
	return i
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

// bound is the most that a key can have carried that is not in the table: 0 while
// all are.
func (t *table) bound() uint64 {
	if len(t.heap) == 0 {
		return 0
	}
	return t.at(t.heap.least(t)).weight()
}

// successor is an empty table for the next interval, with room for about as many keys.
func (t *table) successor() *table {
	slots := leastSlots
	for slots < len(t.slots) && slots*3/4 <= t.rows {
		slots *= 2
	}
	next := &table{seed: t.seed, limit: t.limit, spare: t.spare, slots: make([]slot, slots)}
	if t.ward != nil {
		next.ward = new(ward)
	}
	return next
}

// inherit takes over the memory of a table that is not needed any more, as much as was used.
func (t *table) inherit(old *table) {
	used := (old.rows + rowChunk - 1) / rowChunk
	have := len(t.chunks) + len(t.spare)
	t.spare = append(t.spare, old.chunks[:min(used, max(used-have, 0))]...)
	old.chunks, old.spare = nil, nil
}
