package bdd

import (
	"testing"

	"pgregory.net/rapid"
)

const testLevels = 6

// table is the plain form of a set: its truth table over testLevels variables.
type table uint64

func variable(level int) table {
	var t table
	for v := range 64 {
		if v>>(testLevels-1-level)&1 == 1 {
			t |= 1 << v
		}
	}
	return t
}

// TestAgainstTruthTables holds every operation against truth tables.
func TestAgainstTruthTables(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := New(1 << 20)
		nodes, tables := []Node{False, True}, []table{0, ^table(0)}
		for level := range testLevels {
			nodes, tables = append(nodes, b.Var(level)), append(tables, variable(level))
		}
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			i := rapid.IntRange(0, len(nodes)-1).Draw(t, "i")
			j := rapid.IntRange(0, len(nodes)-1).Draw(t, "j")
			x, y, tx, ty := nodes[i], nodes[j], tables[i], tables[j]
			switch rapid.IntRange(0, 4).Draw(t, "op") {
			case 0:
				nodes, tables = append(nodes, b.And(x, y)), append(tables, tx&ty)
			case 1:
				nodes, tables = append(nodes, b.Or(x, y)), append(tables, tx|ty)
			case 2:
				nodes, tables = append(nodes, b.Diff(x, y)), append(tables, tx&^ty)
			case 3:
				nodes, tables = append(nodes, b.Not(x)), append(tables, ^tx)
			case 4:
				level := rapid.IntRange(0, testLevels-1).Draw(t, "level")
				nodes, tables = append(nodes, b.Exists(x, b.Var(level))), append(tables, forget(tx, level))
			}
			if got, want := b.Overlaps(x, y), tx&ty != 0; got != want {
				t.Fatalf("Overlaps: got %v, want %v", got, want)
			}
			if got, want := b.Within(x, y), tx&^ty == 0; got != want {
				t.Fatalf("Within: got %v, want %v", got, want)
			}
		}
		for i := range nodes {
			for j := range nodes {
				if (nodes[i] == nodes[j]) != (tables[i] == tables[j]) {
					t.Fatalf("equal sets must be equal nodes: %d and %d, %x and %x", nodes[i], nodes[j], tables[i], tables[j])
				}
			}
			checkFirst(t, b, nodes[i], tables[i])
		}
	})
}

func forget(x table, level int) table {
	bit := 1 << (testLevels - 1 - level)
	var out table
	for v := range 64 {
		if x>>v&1 == 1 {
			out |= 1<<v | 1<<(v^bit)
		}
	}
	return out
}

func checkFirst(t *rapid.T, b *Builder, x Node, want table) {
	values, ok := b.First(x, testLevels)
	if ok != (want != 0) {
		t.Fatalf("First of %x: got %v", want, ok)
	}
	v := 0
	for level, bit := range values {
		if bit {
			v |= 1 << (testLevels - 1 - level)
		}
	}
	if ok && want>>v&1 == 0 {
		t.Fatalf("First of %x gave %d, which is not in it", want, v)
	}
	values = make([]bool, testLevels)
	if b.Choose(x, values, func(int) bool { return rapid.Bool().Draw(t, "bit") }) && !b.Holds(x, values) {
		t.Fatalf("Choose of %x gave %v, which is not in it", want, values)
	}
}

func TestNumbers(t *testing.T) {
	cases := []struct {
		name string
		in   []Interval
		want table
	}{
		{"none", nil, 0},
		{"all", []Interval{{0, 63}}, ^table(0)},
		{"one", []Interval{{5, 5}}, 1 << 5},
		{"two stretches", []Interval{{1, 3}, {60, 63}}, 0b1110 | 0xf<<60},
	}
	b := New(1 << 20)
	levels := []int{0, 1, 2, 3, 4, 5}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			x := b.Numbers(levels, c.in)
			var got table
			for v := range 64 {
				point := b.Numbers(levels, []Interval{{v, v}})
				if b.Overlaps(x, point) {
					got |= 1 << v
				}
			}
			if got != c.want {
				t.Errorf("got %x, want %x", got, c.want)
			}
		})
	}
}

func TestEqual(t *testing.T) {
	b := New(1 << 20)
	x, y := []int{0, 2, 4}, []int{1, 3, 5}
	equal := b.Equal(x, y)
	for i := range 8 {
		for j := range 8 {
			point := b.And(b.Numbers(x, []Interval{{i, i}}), b.Numbers(y, []Interval{{j, j}}))
			if got := b.Overlaps(equal, point); got != (i == j) {
				t.Errorf("%d and %d: got %v", i, j, got)
			}
		}
	}
}

func TestReleaseForgetsAndKeeps(t *testing.T) {
	b := New(1 << 20)
	kept := b.And(b.Var(0), b.Var(1))
	mark := b.Mark()
	x := True
	for level := 2; level < 5000; level++ { // the unique table grows meanwhile
		x = b.Make(level%1000+2, False, b.Var(level+2000))
	}
	_ = x
	b.Release(mark)
	if b.Size() != mark {
		t.Errorf("size: got %d, want %d", b.Size(), mark)
	}
	if again := b.And(b.Var(0), b.Var(1)); again != kept {
		t.Errorf("a kept set got another number: %d, want %d", again, kept)
	}
	if b.Size() != mark {
		t.Errorf("a kept set was made twice: size %d, want %d", b.Size(), mark)
	}
}

func TestLimitIsReported(t *testing.T) {
	b := New(100)
	x := False
	for level := 0; level < 40; level += 2 {
		x = b.Or(x, b.And(b.Var(level), b.Var(39-level)))
	}
	if !b.Overflowed() {
		t.Error("the limit was passed without a word")
	}
	if b.Size() > 100 {
		t.Errorf("size: got %d, want at most 100", b.Size())
	}
	b.Release(2)
	if b.Overflowed() {
		t.Error("Release keeps the overflow")
	}
}
