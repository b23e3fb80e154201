package bdd

import "math"

// Node is a set of bit vectors. Nodes belong to the Builder that made them;
// equal sets of one Builder are equal Nodes.
type Node int32

// The empty set and the set of everything.
const (
	False Node = 0
	True  Node = 1
)

// node tests one variable: low are the vectors where it is 0.
type node struct {
	level     int32
	low, high Node
	next      int32 // in the same bucket of the unique table
}

// leafLevel is below every variable.
const leafLevel = math.MaxInt32

// Builder makes sets. It is not safe for concurrent use.
type Builder struct {
	nodes    []node
	buckets  []int32 // heads of the unique table's chains; 0 is empty
	cache    []cached
	limit    int
	overflow bool
	work     int // steps so far
	maxWork  int // 0: as many as it takes
}

// cached is a result that was computed before.
type cached struct {
	op      op
	a, b, r Node
}

type op uint8

const (
	opNone op = iota
	opAnd
	opOr
	opDiff
	opOverlaps
	opWithin
	opExists
)

const (
	firstBuckets = 1 << 12 // doubled as nodes come
	cacheEntries = 1 << 16 // 1 MiB; more was no faster with 1,000 policies (2026-11)
)

// New makes a Builder that stops making nodes at limit, about 20 bytes each.
func New(limit int) *Builder {
	return &Builder{
		nodes:   []node{{level: leafLevel}, {level: leafLevel}},
		buckets: make([]int32, firstBuckets),
		cache:   make([]cached, cacheEntries),
		limit:   limit,
	}
}

// Overflowed says that the limit on nodes was reached since the last Release, or
// that the work granted is used up: the results since then are worthless.
func (b *Builder) Overflowed() bool { return b.overflow || b.tired() }

// Work is how many steps have been taken: nodes that vectors were led
// through, and more for pairs of nodes that were looked at. It is the same on every
// machine; a step takes 10 to 20 ns (measured 2026-11).
func (b *Builder) Work() int { return b.work }

// Spend counts steps that a caller takes beside the diagrams.
func (b *Builder) Spend(steps int) { b.work += steps }

// nodeStep is what a pair of nodes costs, in nodes that a vector is led through.
const nodeStep = 4

// Grant allows so many more steps from now on; 0 is as many as it takes.
func (b *Builder) Grant(steps int) {
	if b.tired() {
		clear(b.cache) // what was computed since the work ran out is wrong
	}
	b.maxWork = 0
	if steps > 0 {
		b.maxWork = b.work + steps
	}
}

func (b *Builder) tired() bool { return b.maxWork > 0 && b.work > b.maxWork }

// Size is the number of nodes that exist.
func (b *Builder) Size() int { return len(b.nodes) }

// Limit is the number of nodes that may exist.
func (b *Builder) Limit() int { return b.limit }

// SetLimit sets the number of nodes that may exist.
func (b *Builder) SetLimit(limit int) { b.limit = limit }

// Mark is a point to Release to.
func (b *Builder) Mark() int { return len(b.nodes) }

// Release forgets every node made after the mark, and the overflow.
func (b *Builder) Release(mark int) {
	if mark == len(b.nodes) && !b.overflow {
		return // whatever is cached is made of nodes that stay
	}
	// A chain's head is its newest node, so undoing in reverse order only ever
	// takes heads off.
	for i := len(b.nodes) - 1; i >= mark; i-- {
		n := b.nodes[i]
		b.buckets[b.bucket(n.level, n.low, n.high)] = n.next
	}
	b.nodes = b.nodes[:mark]
	clear(b.cache)
	b.overflow = false
}

// Var is the set of vectors whose variable level is 1.
func (b *Builder) Var(level int) Node { return b.Make(level, False, True) }

// Make is the set of vectors that are in low where the variable is 0, and in
// high where it is 1. Both may test only variables of greater levels.
func (b *Builder) Make(level int, low, high Node) Node {
	if low == high {
		return low
	}
	l := int32(level)
	bucket := b.bucket(l, low, high)
	for i := b.buckets[bucket]; i != 0; i = b.nodes[i].next {
		if n := b.nodes[i]; n.level == l && n.low == low && n.high == high {
			return Node(i)
		}
	}
	if len(b.nodes) >= b.limit {
		b.overflow = true
		return False
	}
	b.work += nodeStep // it goes to places in memory that nothing has been at
	id := int32(len(b.nodes))
	b.nodes = append(b.nodes, node{l, low, high, b.buckets[bucket]})
	b.buckets[bucket] = id
	if len(b.nodes) > len(b.buckets) {
		b.grow()
	}
	return Node(id)
}

func (b *Builder) bucket(level int32, low, high Node) uint32 {
	return hash(uint32(level), uint32(low), uint32(high)) & uint32(len(b.buckets)-1)
}

// hash mixes three words; the constants are those of xxHash's 32-bit form.
func hash(a, b, c uint32) uint32 {
	h := a*2654435761 ^ b*2246822519 ^ c*3266489917
	h ^= h >> 15
	h *= 2246822519
	return h ^ h>>13
}

// grow doubles the unique table. Nodes go in oldest first, which keeps the
// newest at the head.
func (b *Builder) grow() {
	b.buckets = make([]int32, 2*len(b.buckets))
	for i := 2; i < len(b.nodes); i++ {
		n := &b.nodes[i]
		bucket := b.bucket(n.level, n.low, n.high)
		n.next = b.buckets[bucket]
		b.buckets[bucket] = int32(i)
	}
}

func (b *Builder) slot(o op, x, y Node) *cached {
	return &b.cache[hash(uint32(o), uint32(x), uint32(y))&(cacheEntries-1)]
}

func (b *Builder) cachedResult(o op, x, y Node) (Node, bool) {
	c := b.slot(o, x, y)
	return c.r, c.op == o && c.a == x && c.b == y
}

func (b *Builder) remember(o op, x, y, r Node) Node {
	*b.slot(o, x, y) = cached{o, x, y, r}
	return r
}

// split returns the upper level of two nodes and their halves there.
func (b *Builder) split(x, y Node) (level int32, x0, x1, y0, y1 Node) {
	nx, ny := &b.nodes[x], &b.nodes[y]
	x0, x1, y0, y1 = x, x, y, y
	level = min(nx.level, ny.level)
	if nx.level == level {
		x0, x1 = nx.low, nx.high
	}
	if ny.level == level {
		y0, y1 = ny.low, ny.high
	}
	return level, x0, x1, y0, y1
}
