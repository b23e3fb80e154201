package flow

// add makes a record for k and enters it into the slots.
func (t *Table) add(k *Key) ID {
	id := t.free
	if id != 0 {
		t.free = t.At(id).next
	} else {
		if int(t.made) == len(t.chunks)*chunk {
			t.chunks = append(t.chunks, new([chunk]Record))
		}
		t.made++
		id = t.made
	}
	*t.At(id) = Record{Key: *k, Flags: live}
	t.enter(k, id)
	return id
}

// enter has key k lead to a record or an alias.
func (t *Table) enter(k *Key, id ID) {
	if (t.used+1)*4 > len(t.slots)*3 {
		t.grow()
	}
	t.place(k.hash(t.seed)<<32 | uint64(id))
	t.used++
}

// place puts a slot value into the first free slot from its home on.
func (t *Table) place(slot uint64) {
	mask := uint32(len(t.slots) - 1)
	i := uint32(slot>>32) & mask
	for t.slots[i] != 0 {
		i = (i + 1) & mask
	}
	t.slots[i] = slot
}

func (t *Table) grow() {
	old := t.slots
	t.slots = make([]uint64, 2*len(old))
	clear(t.slots) // a page of memory that is read before it is written faults twice
	for _, slot := range old {
		if slot != 0 {
			t.place(slot)
		}
	}
}

// drop has key k lead to id no more and closes the gap that its slot leaves, so that no
// tombstones pile up (Knuth, TAOCP 6.4, algorithm R).
func (t *Table) drop(k *Key, id ID) {
	mask := uint32(len(t.slots) - 1)
	tag := uint32(k.hash(t.seed))
	i := tag & mask
	for t.slots[i] != uint64(tag)<<32|uint64(id) {
		i = (i + 1) & mask
	}
	for j := i; ; {
		j = (j + 1) & mask
		slot := t.slots[j]
		if slot == 0 {
			break
		}
		home := uint32(slot>>32) & mask
		if (j-home)&mask >= (j-i)&mask {
			t.slots[i] = slot
			i = j
		}
	}
	t.slots[i] = 0
	t.used--
}

// push puts the record at the tail of its class's list.
func (t *Table) push(id ID, r *Record, now int64) {
	l := &t.lists[r.Class()]
	r.prev, r.next, r.queued = l.tail, 0, instantOf(now)
	if l.tail == 0 {
		l.head = id
	} else {
		t.At(l.tail).next = id
	}
	l.tail = id
}

// unlink takes the record out of its class's list.
func (t *Table) unlink(r *Record) {
	l := &t.lists[r.Class()]
	if r.prev == 0 {
		l.head = r.next
	} else {
		t.At(r.prev).next = r.next
	}
	if r.next == 0 {
		l.tail = r.prev
	} else {
		t.At(r.next).prev = r.prev
	}
	r.prev, r.next = 0, 0
}
