package artifact

import (
	"math/rand/v2"
	"testing"
)

// What Told says, the rules of ToldLabel, ToldMark and ToldDone read, and no other
// does; none of it looks like a packet that is judged.
func TestToldIsReadByItsRules(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		var want [16]byte
		for range rng.IntN(6) {
			bit := rng.IntN(128)
			want[bit/8] |= 1 << (bit % 8)
		}
		wantMark, wantDone := uint32(0), rng.IntN(2) == 0
		if rng.IntN(3) == 0 {
			wantMark = rng.Uint32()
		}
		marks := Told(nil, want, wantMark, wantDone)
		if len(marks) > ToldTurns {
			t.Fatalf("%d turns, want at most %d", len(marks), ToldTurns)
		}
		var labels [16]byte
		var mark uint32
		done := false
		for _, m := range marks {
			if m&HoldMask != HoldTold || m>>24 != HoldTold>>24 {
				t.Fatalf("%#x is no mark of a packet that is told", m)
			}
			for bit := range 128 {
				if mask, value := ToldLabel(bit); m&mask == value {
					labels[bit/8] |= 1 << (bit % 8)
				}
			}
			for bit := range 32 {
				if mask, value := ToldMark(bit); m&mask == value {
					mark |= 1 << bit
				}
			}
			if mask, value := ToldDone(); m&mask == value {
				done = true
			}
		}
		if labels != want || mark != wantMark || done != wantDone {
			t.Fatalf("%x, %#x, %v are read as %x, %#x, %v", want, wantMark, wantDone, labels, mark, done)
		}
	}
	if marks := Told(nil, [16]byte{1}, 0, true); len(marks) != 1 {
		t.Errorf("a label and the done mark take %d turns, want one", len(marks))
	}
	if marks := Told(nil, [16]byte{}, 0, false); len(marks) != 0 {
		t.Errorf("nothing takes %d turns", len(marks))
	}
}
