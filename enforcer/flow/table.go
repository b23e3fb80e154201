package flow

import "time"

const (
	// chunk records are allocated at a time: growth copies none of them, and
	// pointers to a record stay valid for its life.
	chunk = 2048
	// minSlots is the size of an empty table's slot array.
	minSlots = 1024
	// secondChances bounds how many recently used records an eviction passes
	// over before it takes one anyway.
	secondChances = 8
)

// Timeouts say how long a flow may be silent before it is over; for ever, from 39 hours
// on.
type Timeouts struct {
	Opening, Established, Datagram, Closed time.Duration
}

// Table finds flows by key: open addressing over 8-byte slots (32 bits of hash,
// 32 bits of record number), records in pointer-free chunks. 10,000 flows cost
// 28-33 ns a look-up this way and 1 million 113 bytes each, against 67 ns and
// 160 bytes with a Go map (measured 2024, kernel facts section 2).
//
// It never holds more than its maximum of flows: a new one pushes out the one
// that has been silent longest, as far as that is cheap to know.
//
// Not safe for concurrent use.
type Table struct {
	seed    uint64
	max     int
	slots   []uint64 // power of two; 0 is empty
	used    int      // slots in use, aliases included
	flows   int
	chunks  []*[chunk]Record
	made    ID // records ever made; the next new one is made+1
	free    ID // list of removed records, by next
	aliases aliases
	lists   [classes]list
	timeout [classes]int64
	evicted uint64
	seen    uint32 // by Warm; says nothing
	// evict is called with a record that must make room, before it goes.
	evict func(ID, *Record)
}

// list is a queue of records by the time they were put in.
type list struct{ head, tail ID }

// NewTable makes a table of at most max flows. seed must be unpredictable on
// live input. evict may be nil.
func NewTable(maxFlows int, seed uint64, timeouts Timeouts, evict func(ID, *Record)) *Table {
	t := &Table{seed: seed, max: max(maxFlows, 1), slots: make([]uint64, minSlots), evict: evict}
	t.timeout = [classes]int64{
		Opening:     int64(timeouts.Opening),
		Established: int64(timeouts.Established),
		Datagram:    int64(timeouts.Datagram),
		Closed:      int64(timeouts.Closed),
	}
	return t
}

// Len is how many flows the table holds.
func (t *Table) Len() int { return t.flows }

// Bound is how many flows there may be from now on. Those that are too many stay until
// others come.
func (t *Table) Bound(flows int) { t.max = max(flows, 1) }

// Full says that another flow would have one evicted.
func (t *Table) Full() bool { return t.flows >= t.max }

// Evicted is how many flows had to make room for others.
func (t *Table) Evicted() uint64 { return t.evicted }

// At is the record with the given ID, which must be in the table. It stays
// valid until the record is removed.
func (t *Table) At(id ID) *Record {
	return &t.chunks[(id-1)/chunk][(id-1)%chunk]
}

// Find is the flow with key k, or 0. An alias leads to its flow.
func (t *Table) Find(k *Key) ID { return t.FindHash(k, t.Hash(k)) }

// Hash is what FindHash and Warm take of a key.
func (t *Table) Hash(k *Key) uint64 { return k.hash(t.seed) }

// FindHash is Find for a key whose Hash is known.
func (t *Table) FindHash(k *Key, hash uint64) ID {
	tag := uint32(hash)
	mask := uint32(len(t.slots) - 1)
	for i := tag & mask; ; i = (i + 1) & mask {
		slot := t.slots[i]
		if slot == 0 {
			return 0
		}
		if uint32(slot>>32) != tag {
			continue
		}
		id := ID(uint32(slot))
		if id&aliasBit != 0 {
			if a := t.aliases.at(id); a.Key.Same(k) {
				return a.flow
			}
		} else if t.At(id).Key.Same(k) {
			return id
		}
	}
}

// warmSlots is how many slots Warm looks at: with three of four in use half of the keys
// stand in the first, and most of the others among the next three.
const warmSlots = 4

// Warm reads what Find will read for the keys with these hashes, and notes in ids which
// flows they probably have, 0 where it does not know. No read waits for another
// key's, so the processor has many on their way at once; one look-up after the
// other waits for memory twice each (BenchmarkFind).
func (t *Table) Warm(hashes []uint64, ids []ID) {
	mask := uint32(len(t.slots) - 1)
	ids = ids[:len(hashes)]
	first := uint64(0)
	for _, h := range hashes { // before a branch waits for one of them
		first |= t.slots[uint32(h)&mask] | t.slots[(uint32(h)+warmSlots-1)&mask] // of two cache lines, for three in eight
	}
	for i, h := range hashes {
		// The slots that follow are in the same cache line, or the next. From the last to the
		// first and without a branch: in which one a key stands nobody can foretell.
		tag, id := uint32(h), ID(0)
		for at := uint32(warmSlots); at > 0; at-- {
			slot := t.slots[(tag+at-1)&mask]
			same := ID((uint64(uint32(slot>>32)^tag) - 1) >> 32) // all bits, or none
			id = id&^same | ID(slot)&same
		}
		if id&aliasBit != 0 {
			id = t.aliases.at(id).flow
		}
		ids[i] = id
	}
	t.seen = uint32(first) // so that the reads are not left out
	for ; len(ids) > 0; ids = ids[min(len(ids), warmRecords):] {
		t.warm(ids[:min(len(ids), warmRecords)])
	}
}

// warmRecords is how many records are read together.
const warmRecords = 32

// warm reads what every packet of a flow needs of its record. Where the records are is found
// out before: a processor looks some 250 instructions ahead of the one that waits, so the
// fewer there are between two reads the more of them are on their way (a sixth of what a packet
// costs among a million flows, 2026-11).
func (t *Table) warm(ids []ID) {
	var records [warmRecords]*Record
	n := 0
	for _, id := range ids {
		if id != 0 {
			records[n] = t.At(id)
			n++
		}
	}
	seen := uint32(0)
	for _, r := range records[:n] {
		seen |= uint32(r.Key.A[15]) | r.Tally // it lies in two cache lines
	}
	t.seen |= seen
}

// FindWarm is Find for a key with this hash, for which Warm noted an ID.
func (t *Table) FindWarm(k *Key, hash uint64, id ID) ID {
	if id == 0 {
		return t.FindHash(k, hash)
	}
	// It was removed meanwhile, and has no key, or has the hash by chance, or k is its alias.
	if !t.At(id).Key.Same(k) {
		return t.FindHash(k, hash)
	}
	return id
}

// Insert adds a flow with key k, which must not be in the table, and evicts
// another when there is no room.
func (t *Table) Insert(k *Key, class Class, now int64) ID {
	if t.flows >= t.max {
		t.evictOne(now)
	}
	id := t.add(k)
	r := t.At(id)
	r.FirstSeen, r.LastSeen = now, now
	r.setClass(class)
	t.push(id, r, now)
	t.flows++
	return id
}

// Remove takes flow id and its alias out of the table.
func (t *Table) Remove(id ID) {
	r := t.At(id)
	t.unlink(r)
	if a := t.AliasOf(r); a != nil {
		t.drop(&a.Key, t.aliases.of[id])
		t.aliases.remove(id)
	}
	t.drop(&r.Key, id)
	*r = Record{next: t.free}
	t.free = id
	t.flows--
}

// Move puts flow id at the tail of class's list.
func (t *Table) Move(id ID, class Class, now int64) {
	r := t.At(id)
	t.unlink(r)
	r.setClass(class)
	t.push(id, r, now)
}

// Oldest is the flow that was queued first in class's list, or 0.
func (t *Table) Oldest(class Class) ID { return t.lists[class].head }

// Expire calls end for flows that have been silent for longer than their
// class allows, at most limit of them, and says how many it called it for.
// end must Remove the flow or Move it.
//
// Lists are in order of queueing, not of last use: touching a flow costs
// nothing, and a flow that turns out to be in use goes to the tail again. A
// silent flow is therefore found after one timeout at the earliest and two at
// the latest.
func (t *Table) Expire(now int64, limit int, end func(ID, *Record)) (n int) {
	for c := range classes {
		for looked := 0; looked < limit && n < limit; looked++ {
			id := t.lists[c].head
			if id == 0 {
				break
			}
			r := t.At(id)
			if t.timeout[c] >= int64(maxAge) || int64(r.queued.since(now)) < t.timeout[c] {
				break
			}
			if now-r.LastSeen < t.timeout[c] {
				r.age(now)
				t.Move(id, c, now)
				continue
			}
			end(id, r)
			n++
		}
	}
	return n
}

// Each calls visit for every flow, in the order of the lists, until it returns
// false. visit may remove or move the flow it was called with.
func (t *Table) Each(visit func(ID, *Record) bool) {
	for c := range classes {
		last := t.lists[c].tail
		for id := t.lists[c].head; id != 0; {
			r := t.At(id)
			next := r.next
			if !visit(id, r) {
				return
			}
			if id == last {
				break
			}
			id = next
		}
	}
}

// Slice calls visit for the flows among n records from position from on, and
// returns the position to go on from, 0 at the end: a walk over the whole
// table in steps, with changes in between.
func (t *Table) Slice(from ID, n int, visit func(ID, *Record)) ID {
	for id := from + 1; id <= t.made; id++ {
		if n == 0 {
			return id - 1
		}
		n--
		if r := t.At(id); r.Has(live) {
			visit(id, r)
		}
	}
	return 0
}

// evictOne makes room: the flow at the head of a list, closed ones first, with
// a second chance for a few that were used since they were queued.
func (t *Table) evictOne(now int64) {
	for _, c := range [...]Class{Closed, Datagram, Opening, Established} {
		for chance := 0; t.lists[c].head != 0; chance++ {
			id := t.lists[c].head
			r := t.At(id)
			if r.queued.since(r.LastSeen) > 0 && chance < secondChances {
				t.Move(id, c, now)
				continue
			}
			t.evicted++
			if t.evict != nil {
				t.evict(id, r)
			}
			t.Remove(id)
			return
		}
	}
}
