package quic

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"math/rand/v2"
	"testing"
)

// TestAuthenticateIsHMAC holds authenticate against the library's, for every length up to a
// block's.
func TestAuthenticateIsHMAC(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	some := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(rnd.Uint32())
		}
		return b
	}
	for n := range sha256.BlockSize + 1 {
		key, message := some(sha256.BlockSize-n), some(n)
		mac := hmac.New(sha256.New, key)
		mac.Write(message)
		if got := authenticate(key, message); !bytes.Equal(got[:], mac.Sum(nil)) {
			t.Errorf("key of %d bytes, message of %d: got %x, want %x", len(key), n, got, mac.Sum(nil))
		}
	}
}
