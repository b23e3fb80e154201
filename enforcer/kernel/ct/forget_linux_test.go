package ct

import "testing"

func TestWrittenByPolicies(t *testing.T) {
	for _, tt := range []struct {
		name  string
		mark  uint32
		marks []Mark
		want  uint32
	}{
		{"one", 0x13, []Mark{{Value: 0x10, Mask: 0xf0}}, 0x10},
		{"another value", 0x23, []Mark{{Value: 0x10, Mask: 0xf0}}, 0},
		{"all bits, and another's", 0x3, []Mark{{Value: 0x5, Mask: 0xffffffff}}, 0},
		{"all bits", 0x5, []Mark{{Value: 0x5, Mask: 0xffffffff}}, 0x5},
		{"zeros say nothing", 0x3, []Mark{{Value: 0, Mask: 0xff}}, 0},
		{"the second has the bits that the first has left", 0x14, []Mark{{Value: 0x4, Mask: 0xee}, {Value: 0x14, Mask: 0x9f}}, 0x14},
		{"the second alone", 0x94, []Mark{{Value: 0x4, Mask: 0xee}, {Value: 0x94, Mask: 0x9f}}, 0x94},
		{"bits of the first are not asked of the second", 0x44, []Mark{{Value: 0x4, Mask: 0xf}, {Value: 0x4f, Mask: 0xff}}, 0x44},
		{"a part", 0x10, []Mark{{Value: 0x14, Mask: 0x1c, Part: true}}, 0x10},
		{"more than the value", 0x18, []Mark{{Value: 0x14, Mask: 0x1c, Part: true}}, 0},
	} {
		if got := written(tt.mark, tt.marks); got != tt.want {
			t.Errorf("%s: got %#x, want %#x", tt.name, got, tt.want)
		}
	}
}
