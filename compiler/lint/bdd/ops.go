package bdd

// And is the intersection.
func (b *Builder) And(x, y Node) Node {
	switch {
	case x == False || y == False:
		return False
	case x == True || x == y:
		return y
	case y == True:
		return x
	case x > y:
		x, y = y, x
	}
	return b.binary(opAnd, x, y, b.And)
}

// Or is the union.
func (b *Builder) Or(x, y Node) Node {
	switch {
	case x == True || y == True:
		return True
	case x == False || x == y:
		return y
	case y == False:
		return x
	case x > y:
		x, y = y, x
	}
	return b.binary(opOr, x, y, b.Or)
}

// Diff is what is in x and not in y.
func (b *Builder) Diff(x, y Node) Node {
	switch {
	case x == False || y == True || x == y:
		return False
	case y == False:
		return x
	}
	return b.binary(opDiff, x, y, b.Diff)
}

// Not is the complement.
func (b *Builder) Not(x Node) Node { return b.Diff(True, x) }

func (b *Builder) binary(o op, x, y Node, f func(x, y Node) Node) Node {
	if r, ok := b.cachedResult(o, x, y); ok {
		return r
	}
	if b.step() {
		return False
	}
	level, x0, x1, y0, y1 := b.split(x, y)
	low := f(x0, y0)
	return b.remember(o, x, y, b.Make(int(level), low, f(x1, y1)))
}

// step takes a step; true when there are none left.
func (b *Builder) step() bool {
	b.work += nodeStep
	return b.tired()
}

// Overlaps says whether x and y have a vector in common. It makes no nodes.
func (b *Builder) Overlaps(x, y Node) bool {
	switch {
	case x == False || y == False:
		return false
	case x == True || y == True || x == y:
		return true
	case x > y:
		x, y = y, x
	}
	if r, ok := b.cachedResult(opOverlaps, x, y); ok {
		return r == True
	}
	if b.step() {
		return false
	}
	_, x0, x1, y0, y1 := b.split(x, y)
	return b.rememberBool(opOverlaps, x, y, b.Overlaps(x0, y0) || b.Overlaps(x1, y1))
}

// Within says whether all of x is in y. It makes no nodes.
func (b *Builder) Within(x, y Node) bool {
	switch {
	case x == False || y == True || x == y:
		return true
	case x == True || y == False:
		return false
	}
	if r, ok := b.cachedResult(opWithin, x, y); ok {
		return r == True
	}
	if b.step() {
		return false
	}
	_, x0, x1, y0, y1 := b.split(x, y)
	return b.rememberBool(opWithin, x, y, b.Within(x0, y0) && b.Within(x1, y1))
}

func (b *Builder) rememberBool(o op, x, y Node, holds bool) bool {
	r := False
	if holds {
		r = True
	}
	b.remember(o, x, y, r)
	return holds
}

// Exists is x with the variables of vars, a conjunction of Vars, forgotten.
func (b *Builder) Exists(x, vars Node) Node {
	if x == False || x == True {
		return x
	}
	level := b.nodes[x].level
	for vars != True && b.nodes[vars].level < level {
		vars = b.nodes[vars].high
	}
	if vars == True {
		return x
	}
	if r, ok := b.cachedResult(opExists, x, vars); ok {
		return r
	}
	if b.step() {
		return False
	}
	n := b.nodes[x]
	low, high := b.Exists(n.low, vars), b.Exists(n.high, vars)
	r := False
	if b.nodes[vars].level == level {
		r = b.Or(low, high)
	} else {
		r = b.Make(int(level), low, high)
	}
	return b.remember(opExists, x, vars, r)
}

// First finds a vector of x: values[level] is true where the variable must be
// 1; it prefers 0, upper variables first. False has none.
func (b *Builder) First(x Node, levels int) (values []bool, ok bool) {
	values = make([]bool, levels)
	return values, b.Choose(x, values, func(int) bool { return false })
}

// Choose moves values into x by asking choose at each variable that matters;
// where one side is empty the other is taken, and what does not matter stays as
// it is. It returns false for False.
func (b *Builder) Choose(x Node, values []bool, choose func(level int) bool) bool {
	for x != True && x != False {
		n := b.nodes[x]
		values[n.level] = n.low == False || n.high != False && choose(int(n.level))
		x = n.low
		if values[n.level] {
			x = n.high
		}
	}
	return x == True
}

// Children takes a set that is neither False nor True apart: the variable that
// it tests first, and what is left where that is 0 and where it is 1.
func (b *Builder) Children(x Node) (level int, low, high Node) {
	n := b.nodes[x]
	return int(n.level), n.low, n.high
}

// Holds says whether a vector is in x.
func (b *Builder) Holds(x Node, values []bool) bool {
	for x != True && x != False {
		n := &b.nodes[x]
		b.work++
		x = n.low
		if values[n.level] {
			x = n.high
		}
	}
	return x == True
}

// Interval is the numbers Low..High, both included.
type Interval struct{ Low, High int }

// Numbers is the set of vectors whose bits at levels, most significant first,
// make a number inside one of the sorted, disjoint intervals. Levels ascend.
func (b *Builder) Numbers(levels []int, in []Interval) Node {
	return b.numbers(levels, 0, 1<<len(levels), in)
}

// numbers builds the numbers from..from+size-1.
func (b *Builder) numbers(levels []int, from, size int, in []Interval) Node {
	for len(in) > 0 && in[0].High < from {
		in = in[1:]
	}
	switch {
	case len(in) == 0 || in[0].Low >= from+size:
		return False
	case in[0].Low <= from && in[0].High >= from+size-1:
		return True
	}
	half := size / 2
	low := b.numbers(levels[1:], from, half, in)
	return b.Make(levels[0], low, b.numbers(levels[1:], from+half, half, in))
}

// Equal is the set of vectors where the numbers at two rows of levels are the
// same. The rows are equally long, ascend, and are interleaved.
func (b *Builder) Equal(x, y []int) Node {
	r := True
	for i := len(x) - 1; i >= 0; i-- {
		upper, lower := x[i], y[i]
		if upper > lower {
			upper, lower = lower, upper
		}
		one := b.Make(lower, False, r)
		zero := b.Make(lower, r, False)
		r = b.Make(upper, zero, one)
	}
	return r
}
