package nft

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang/fact"
)

// TestMarks holds the rules for marks, of some bits and of all, against what the
// comparison says of them.
func TestMarks(t *testing.T) {
	attr, _ := fact.Lookup("ct_mark")
	const own = 0x80000000
	tests := []struct {
		name   string
		mask   uint32
		ranges []ir.Interval
		most   int // rules, of either sign
	}{
		{"one", 0, []ir.Interval{{Low: 16, High: 16}}, 1},
		{"a range", 0, []ir.Interval{{Low: 5, High: 300}}, 48},
		{"lowest bits", 0xff, []ir.Interval{{Low: 16, High: 16}}, 1},
		{"highest bits", 0x7f000000, []ir.Interval{{Low: 0x01000000, High: 0x01000000}}, 1},
		{"bits apart", 0x105, []ir.Interval{{Low: 4, High: 5}, {Low: 0x100, High: 0x101}}, 8},
		{"two of a byte", 0xff, []ir.Interval{{Low: 16, High: 16}, {Low: 32, High: 32}}, 24},
	}
	for _, tt := range tests {
		for _, not := range []bool{false, true} {
			t.Run(map[bool]string{false: "", true: "not "}[not]+tt.name, func(t *testing.T) {
				c := &ir.Compare{Attr: attr, Op: ir.OpRange, Mask: tt.mask, Ranges: tt.ranges}
				tests := newPacketTests(Input{Settings: artifact.Settings{DoneMark: own}})
				rules := tests.mark(ir.Literal{Test: c, Not: not})
				if len(rules) > tt.most {
					t.Errorf("got %d rules, want at most %d", len(rules), tt.most)
				}
				random := rand.New(rand.NewPCG(1, 2))
				for i := range uint32(4096) {
					mark := i
					if i%2 == 1 {
						mark = random.Uint32() & random.Uint32() &^ own
					}
					holds := slices.ContainsFunc(tt.ranges, func(r ir.Interval) bool {
						v := c.Masked(int(mark))
						return r.Low <= v && v <= r.High
					})
					fits := 0
					for _, list := range rules {
						if !slices.ContainsFunc(list, func(m artifact.Match) bool { return (mark&m.Mask == m.Value) == m.Not }) {
							fits++
						}
					}
					if fits > 1 || (fits == 1) != (holds != not) {
						t.Fatalf("mark %#x: %d rules hold, want %v", mark, fits, holds != not)
					}
				}
			})
		}
	}
}
