package record

import (
	"encoding/hex"
	"testing"
)

func TestAppendDigest(t *testing.T) {
	for n := range 256 {
		var d Digest
		for i := range d {
			d[i] = byte(n + 13*i)
		}
		if got, want := string(appendDigest(nil, d)), `"`+hex.EncodeToString(d[:])+`"`; got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
	}
}

func BenchmarkDigest(b *testing.B) {
	buf, d := make([]byte, 0, 64), Digest{1, 2, 3}
	for b.Loop() {
		buf = appendDigest(buf[:0], d)
	}
}
