package quic

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
)

const (
	sampleLen = 16 // of header protection (RFC 9001 section 5.4.3)
	keyLen    = 16 // AEAD_AES_128_GCM, the cipher of all Initial packets
	ivLen     = 12
	tagLen    = 16
)

// keys open one side's Initial packets.
type keys struct {
	aead cipher.AEAD
	hp   cipher.Block
	iv   [ivLen]byte
}

// Sides of a connection in the key schedule (RFC 9001 section 5.2).
const (
	clientIn = "client in"
	serverIn = "server in"
)

// initialKeys derives the keys of a side from the destination connection id of
// the client's first Initial (RFC 9001 section 5.2).
func initialKeys(f family, dcid []byte, side string) (*keys, bool) {
	initial := authenticate([]byte(f.salt), dcid) // HKDF-Extract (RFC 5869 section 2.2)
	secret := expandLabel(&initial, side, sha256.Size)
	key := expandLabel(&secret, f.labels.key, keyLen)
	hp := expandLabel(&secret, f.labels.hp, keyLen)
	iv := expandLabel(&secret, f.labels.iv, ivLen)
	block, err := aes.NewCipher(key[:keyLen])
	if err != nil {
		return nil, false
	}
	k := new(keys)
	copy(k.iv[:], iv[:])
	if k.aead, err = cipher.NewGCM(block); err != nil {
		return nil, false
	}
	if k.hp, err = aes.NewCipher(hp[:keyLen]); err != nil {
		return nil, false
	}
	return k, true
}

// digest is what SHA-256 gives.
type digest = [sha256.Size]byte

// expandLabel is HKDF-Expand-Label with an empty context (RFC 8446 section 7.1), of
// which the first n bytes count, at most those of one digest.
func expandLabel(secret *digest, label string, n int) digest {
	info := make([]byte, 0, sha256.BlockSize)
	info = append(info, byte(n>>8), byte(n), byte(len("tls13 ")+len(label)))
	info = append(info, "tls13 "...)
	info = append(info, label...)
	info = append(info, 0, 1) // no context, and the first block's number (RFC 5869 section 2.3)
	return authenticate(secret[:], info)
}

// authenticate is HMAC-SHA256 (RFC 2104 section 2) of a message with a key, neither longer
// than a block. crypto/hmac and crypto/hkdf keep a state for messages of any length: for
// these they made 47 of the 51 allocations that keys took, and more than half of the time
// (BenchmarkInitialKeys, 2026-11).
func authenticate(key, message []byte) digest {
	const ipad, opad = 0x36, 0x5c
	var inner [2 * sha256.BlockSize]byte
	var outer [sha256.BlockSize + sha256.Size]byte
	copy(inner[:], key)
	copy(outer[:], key)
	for i := range sha256.BlockSize {
		inner[i] ^= ipad
		outer[i] ^= opad
	}
	n := copy(inner[sha256.BlockSize:], message)
	sum := sha256.Sum256(inner[:sha256.BlockSize+n])
	copy(outer[sha256.BlockSize:], sum[:])
	return sha256.Sum256(outer[:])
}

// open removes header protection and decrypts (RFC 9001 sections 5.3 and
// 5.4). It returns the frames in scratch's memory or new; ok is false when the
// packet is not authentic.
func (k *keys) open(h *longHeader, scratch []byte) (frames []byte, ok bool) {
	if len(h.packet) < h.number+minPayload {
		return nil, false
	}
	var mask [aes.BlockSize]byte
	k.hp.Encrypt(mask[:], h.packet[h.number+4:h.number+4+sampleLen])
	first := h.packet[0] ^ mask[0]&0x0f
	n := int(first&3) + 1 // length of the packet number

	// The associated data is the header in the clear; the datagram itself
	// belongs to the capture and stays as it is.
	header := append(make([]byte, 0, 128), h.packet[:h.number+n]...)
	header[0] = first
	nonce := k.iv
	var number uint32
	for i := range n {
		header[h.number+i] ^= mask[1+i]
		number = number<<8 | uint32(header[h.number+i])
	}
	for i := range 4 {
		nonce[ivLen-1-i] ^= byte(number >> (8 * i))
	}
	frames, err := k.aead.Open(scratch[:0], nonce[:], h.packet[h.number+n:], header)
	return frames, err == nil
}
