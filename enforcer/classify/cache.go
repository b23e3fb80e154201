package classify

// cache holds a fixed number of values that age; the clock algorithm makes
// room, so what is in use stays. Not safe for concurrent use.
type cache[K comparable, V any] struct {
	index   map[K]int32 // slot of each key
	slots   []slot[K, V]
	max     int // slots grow to max, then are reused
	hand    int // next slot that the clock looks at
	evicted uint64
}

type slot[K comparable, V any] struct {
	key     K
	value   V
	expires int64 // packet time, nanoseconds
	used    bool  // looked up since the hand last passed
}

func newCache[K comparable, V any](max int) cache[K, V] {
	return cache[K, V]{index: make(map[K]int32), max: max}
}

// put remembers a value until a time.
func (c *cache[K, V]) put(key K, value V, nowNanos, expires int64) {
	i, ok := c.index[key]
	if !ok {
		i = c.room(nowNanos)
		c.index[key] = i
	}
	c.slots[i] = slot[K, V]{key: key, value: value, expires: expires}
}

// get finds a value that is not out of date.
func (c *cache[K, V]) get(key K, nowNanos int64) (value V, ok bool) {
	i, ok := c.index[key]
	if !ok || c.slots[i].expires <= nowNanos {
		return value, false
	}
	c.slots[i].used = true
	return c.slots[i].value, true
}

// find is the slot of a key, nil where there is none or it is out of date. It is valid until the
// next put.
func (c *cache[K, V]) find(key K, nowNanos int64) *slot[K, V] {
	i, ok := c.index[key]
	if !ok || c.slots[i].expires <= nowNanos {
		return nil
	}
	return &c.slots[i]
}

// room finds a slot for a new key: a fresh one while there are some, then the
// next that is out of date or was not used since the hand's last round.
func (c *cache[K, V]) room(nowNanos int64) int32 {
	if len(c.slots) < c.max {
		c.slots = append(c.slots, slot[K, V]{})
		return int32(len(c.slots) - 1)
	}
	for {
		s := &c.slots[c.hand]
		at := c.hand
		c.hand = (c.hand + 1) % len(c.slots)
		if s.used && s.expires > nowNanos {
			s.used = false
			continue
		}
		delete(c.index, s.key)
		c.evicted++
		return int32(at)
	}
}
