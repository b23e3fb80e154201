package artifact

import (
	"math/rand/v2"
	"testing"
)

// holdMarks are masks of every width, at both ends and between.
var holdMarks = []HoldMark{DefaultHoldMark, 0xff000000, 0xc0000000, 0xff, 0x3, 0xf00, 0x3fc000, 0x18000}

// What Tell says, the rules of ToldLabel, ToldMark and ToldDone read, and no other
// does; none of it looks like a packet that is judged.
func TestToldIsReadByItsRules(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for i := range 1000 {
		m := holdMarks[i%len(holdMarks)]
		var want [16]byte
		for range rng.IntN(6) {
			bit := rng.IntN(128)
			want[bit/8] |= 1 << (bit % 8)
		}
		wantMark, wantDone := uint32(0), rng.IntN(2) == 0
		if rng.IntN(3) == 0 {
			wantMark = rng.Uint32()
		}
		marks := m.Tell(nil, want, wantMark, wantDone)
		if len(marks) > ToldTurns {
			t.Fatalf("%d turns, want at most %d", len(marks), ToldTurns)
		}
		var labels [16]byte
		var mark uint32
		done := false
		for _, told := range marks {
			if told&m.Mask() != m.Told() {
				t.Fatalf("%#x is no mark of a packet that is told in %#x", told, m)
			}
			for bit := range 128 {
				if mask, value := m.ToldLabel(bit); told&mask == value {
					labels[bit/8] |= 1 << (bit % 8)
				}
			}
			for bit := range 32 {
				if mask, value := m.ToldMark(bit); told&mask == value {
					mark |= 1 << bit
				}
			}
			if mask, value := m.ToldDone(); told&mask == value {
				done = true
			}
		}
		if labels != want || mark != wantMark || done != wantDone {
			t.Fatalf("%x, %#x, %v are read as %x, %#x, %v", want, wantMark, wantDone, labels, mark, done)
		}
	}
	if marks := DefaultHoldMark.Tell(nil, [16]byte{1}, 0, true); len(marks) != 1 {
		t.Errorf("a label and the done mark take %d turns, want one", len(marks))
	}
	if marks := DefaultHoldMark.Tell(nil, [16]byte{}, 0, false); len(marks) != 0 {
		t.Errorf("nothing takes %d turns", len(marks))
	}
}
