package record

import (
	"math/rand/v2"
	"testing"
)

// TestPlain holds the eight bytes at a time against each by itself, at every place.
func TestPlain(t *testing.T) {
	one := func(s string) int {
		for i := range len(s) {
			if c := s[i]; c < 0x20 || c >= 0x7f || c == '"' || c == '\\' {
				return i
			}
		}
		return len(s)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for c := range 256 {
		for length := range 20 {
			b := make([]byte, length)
			for i := range b {
				b[i] = byte(0x20 + rng.IntN(0x5f))
			}
			for at := range b {
				was := b[at]
				b[at] = byte(c)
				if got, want := plain(string(b)), one(string(b)); got != want {
					t.Fatalf("%q: got %d, want %d", b, got, want)
				}
				b[at] = was
			}
		}
	}
}
