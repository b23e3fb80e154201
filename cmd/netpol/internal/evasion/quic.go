package evasion

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// A QUIC version's numbers for Initial packets (RFC 9001, 5; RFC 9369, 3).
type quicVersion struct {
	number         uint32
	salt           string
	key, iv, hp    string // labels
	initial, retry byte   // packet types
	zeroRTT        byte
}

func quic1() quicVersion {
	return quicVersion{
		number: 1,
		salt:   "\x38\x76\x2c\xf7\xf5\x59\x34\xb3\x4d\x17\x9a\xe6\xa4\xc8\x0c\xad\xcc\xbb\x7f\x0a",
		key:    "quic key", iv: "quic iv", hp: "quic hp", initial: 0, zeroRTT: 1, retry: 3,
	}
}

func quic2() quicVersion {
	return quicVersion{
		number: 0x6b3343cf,
		salt:   "\x0d\xed\xe3\xde\xf7\x00\xa6\xdb\x81\x93\x81\xbe\x6e\x26\x9d\xcb\xf9\xbd\x2e\xd9",
		key:    "quicv2 key", iv: "quicv2 iv", hp: "quicv2 hp", initial: 1, zeroRTT: 2, retry: 0,
	}
}

// expand is HKDF-Expand-Label (RFC 8446, 7.1).
func expand(secret []byte, label string, length int) []byte {
	info := []byte{byte(length >> 8), byte(length), byte(6 + len(label))}
	info = append(append(info, "tls13 "+label...), 0)
	out, err := hkdf.Expand(sha256.New, secret, string(info), length)
	if err != nil {
		panic(fmt.Sprintf("expand %s: %v", label, err)) // a length that is too great: our mistake
	}
	return out
}

// initial is a client's Initial packet.
type initial struct {
	version quicVersion
	dcid    string
	token   string
	number  uint32
	frames  []byte
	size    int // the frames are padded to this
}

// encode protects the packet (RFC 9001, 5.2 to 5.4).
func (p initial) encode() []byte {
	v := p.version
	if v.number == 0 {
		v = quic1()
	}
	secret, err := hkdf.Extract(sha256.New, []byte(p.dcid), []byte(v.salt))
	if err != nil {
		panic(fmt.Sprintf("derive keys: %v", err)) // SHA-256 is always there
	}
	secret = expand(secret, "client in", 32)
	for len(p.frames) < max(p.size, 4) {
		p.frames = append(p.frames, 0) // PADDING
	}
	b := []byte{0xc3 | v.initial<<4}
	b = binary.BigEndian.AppendUint32(b, v.number)
	b = append(append(b, byte(len(p.dcid))), p.dcid...)
	b = append(b, 0) // no source id
	b = append(append(b, byte(len(p.token))), p.token...)
	b = binary.BigEndian.AppendUint16(b, 0x4000|uint16(4+len(p.frames)+16))
	at := len(b)
	b = binary.BigEndian.AppendUint32(b, p.number)
	nonce := expand(secret, v.iv, 12)
	binary.BigEndian.PutUint32(nonce[8:], binary.BigEndian.Uint32(nonce[8:])^p.number)
	b = sealer(expand(secret, v.key, 16)).Seal(b, nonce, p.frames, b)
	mask := make([]byte, aes.BlockSize)
	block(expand(secret, v.hp, 16)).Encrypt(mask, b[at+4:at+20])
	b[0] ^= mask[0] & 0x0f
	for i := range 4 {
		b[at+i] ^= mask[1+i]
	}
	return b
}

func block(key []byte) cipher.Block {
	c, err := aes.NewCipher(key)
	if err != nil {
		panic(fmt.Sprintf("make cipher: %v", err)) // the key has 16 bytes
	}
	return c
}

func sealer(key []byte) cipher.AEAD {
	a, err := cipher.NewGCM(block(key))
	if err != nil {
		panic(fmt.Sprintf("make cipher: %v", err)) // the block has 16 bytes
	}
	return a
}

// crypto is a CRYPTO frame with the bytes [from, to) of a stream.
func crypto(stream []byte, from, to int) []byte {
	b := []byte{0x06}
	b = binary.BigEndian.AppendUint16(b, 0x4000|uint16(from))
	b = binary.BigEndian.AppendUint16(b, 0x4000|uint16(to-from))
	return append(b, stream[from:to]...)
}

// otherLong is a long-header packet of another type, whose content says nothing.
func otherLong(v quicVersion, typ byte, dcid string) []byte {
	b := binary.BigEndian.AppendUint32([]byte{0xc0 | typ<<4}, v.number)
	b = append(append(b, byte(len(dcid))), dcid...)
	b = append(b, 0)
	if typ == v.retry {
		return append(b, "token-and-sixteen-bytes-of-tag"...)
	}
	body := make([]byte, 60)
	for i := range body {
		body[i] = byte(i*37 + 11)
	}
	return append(binary.BigEndian.AppendUint16(b, 0x4000|uint16(len(body))), body...)
}
