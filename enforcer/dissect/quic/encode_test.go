package quic

import (
	"crypto/aes"
	"encoding/binary"
	"testing"

	"github.com/netpol/netpol/enforcer/dissect/dissecttest"
)

// rfcDCID is the client's first destination id in the appendices of RFC 9001
// and RFC 9369.
const rfcDCID = "\x83\x94\xc8\xf0\x3e\x51\x57\x08"

// rfcHello is the TLS ClientHello of those appendices.
func rfcHello(t testing.TB) []byte {
	return dissecttest.Hex(t, `
		010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69484c
		00000413011302010000c000000010000e00000b6578616d706c652e636f6dff01000100000a
		00080006001d0017001800100007000504616c706e000500050100000000003300260024001d
		00209370b2c9caa47fbabaf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b0003
		020304000d0010000e0403050306030203080408050806002d00020101001c00024001003900
		320408ffffffffffffffff05048000ffff07048000ffff0801100104800075300901100f0883
		94c8f03e51570806048000ffff`)
}

// packet is an Initial packet, or one of another type, to be encoded.
type packet struct {
	version    uint32
	typ        packetType
	dcid, scid string
	token      string
	number     uint32
	numberLen  int    // 4 when 0
	key        string // destination id the keys come from; dcid when empty
	side       string // clientIn when empty
	frames     []byte
	size       int // payload is padded to this
}

// encode protects the packet: the inverse of keys.open, written from RFC 9001
// sections 5.3 and 5.4 and checked against its appendix.
func (p packet) encode(t testing.TB) []byte {
	t.Helper()
	if p.version == 0 {
		p.version = version1
	}
	if p.numberLen == 0 {
		p.numberLen = 4
	}
	if p.key == "" {
		p.key = p.dcid
	}
	if p.side == "" {
		p.side = clientIn
	}
	fam, ok := familyOf(p.version)
	if !ok {
		t.Fatalf("version %#x has no keys", p.version)
	}
	k, ok := initialKeys(fam, []byte(p.key), p.side)
	if !ok {
		t.Fatal("no keys")
	}
	typ := p.typ
	if p.version == version2 {
		typ = (typ + 1) & 3
	}
	for len(p.frames) < max(p.size, 4) {
		p.frames = append(p.frames, framePadding)
	}
	b := []byte{0xc0 | byte(typ)<<4 | byte(p.numberLen-1)}
	b = binary.BigEndian.AppendUint32(b, p.version)
	b = append(b, byte(len(p.dcid)))
	b = append(b, p.dcid...)
	b = append(b, byte(len(p.scid)))
	b = append(b, p.scid...)
	if p.typ == typeInitial {
		b = append(b, byte(len(p.token)))
		b = append(b, p.token...)
	}
	b = binary.BigEndian.AppendUint16(b, 0x4000|uint16(p.numberLen+len(p.frames)+tagLen))
	at := len(b)
	var number [4]byte
	binary.BigEndian.PutUint32(number[:], p.number)
	b = append(b, number[4-p.numberLen:]...)
	nonce := k.iv
	for i := range number {
		nonce[ivLen-4+i] ^= number[i]
	}
	b = k.aead.Seal(b, nonce[:], p.frames, b)
	var mask [aes.BlockSize]byte
	k.hp.Encrypt(mask[:], b[at+4:at+4+sampleLen])
	b[0] ^= mask[0] & 0x0f
	for i := range p.numberLen {
		b[at+i] ^= mask[1+i]
	}
	return b
}

// crypto is a CRYPTO frame with bytes from:to of the stream.
func crypto(stream []byte, from, to int) []byte {
	b := []byte{frameCrypto}
	b = binary.BigEndian.AppendUint16(b, 0x4000|uint16(from))
	b = binary.BigEndian.AppendUint16(b, 0x4000|uint16(to-from))
	return append(b, stream[from:to]...)
}

func TestEncodeGivesTheRFCPackets(t *testing.T) {
	hello := append([]byte{frameCrypto, 0, 0x40, 0xf1}, rfcHello(t)...)
	server := dissecttest.Hex(t, `
		02000000000600405a020000560303eefce7f7b37ba1d1632e96677825ddf73988cfc79825df
		566dc5430b9a045a1200130100002e00330024001d00209d3c940d89690b84d08a60993c144e
		ca684d1081287c834d5311bcf32bb9da1a002b00020304`)
	client := packet{dcid: rfcDCID, number: 2, frames: hello, size: 1162}
	answer := packet{scid: "\xf0\x67\xa5\x50\x2a\x42\x62\xb5", key: rfcDCID, side: serverIn, number: 1, numberLen: 2, frames: server}
	client2, answer2 := client, answer
	client2.version, answer2.version = version2, version2
	tests := []struct {
		name       string
		in         packet
		head, tail string
	}{
		{
			"RFC 9001 A.2", client,
			"c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11 d242b123dc9bd8bab936b47d92ec356c0bab7df5976d27cd449f63300099f399",
			"8b4c8d169a44e55c88d4a9a7f9474241 e221af44860018ab0856972e194cd934",
		},
		{
			"RFC 9001 A.3", answer,
			"cf000000010008f067a5502a4262b5004075c0d95a482cd0991cd25b0aac406a 5816b6394100f37a1c69797554780bb38cc5a99f5ede4cf73c3ec2493a1839b3",
			"022f8ef4cdd93795d77d06edbb7aaf2f 58891850abbdca3d20398c276456cbc4 2158407dd074ee",
		},
		{
			"RFC 9369 A.2", client2,
			"d76b3343cf088394c8f03e5157080000449ea0c95e82ffe67b6abcdb4298b485 dd04de806071bf03dceebfa162e75d6c96058bdbfb127cdfcbf903388e99ad04",
			"9a37ddec600545473cfb5a05e08d0b20 9973b2172b4d21fb69745a262ccde96b a18b2faa745b6fe189cf772a9f84cbfc",
		},
		{
			"RFC 9369 A.3", answer2,
			"dc6b3343cf0008f067a5502a4262b5004075d92faaf16f05d8a4398c47089698 baeea26b91eb761d9b89237bbf87263017915358230035f7fd3945d88965cf17",
			"c984c707f0a0812d8cd5a6881eaf21ce da98f4bd23f6fe1a3e2c43edd9ce7ca8 4bed8521e2e140",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.in.encode(t)
			head, tail := dissecttest.Hex(t, tt.head), dissecttest.Hex(t, tt.tail)
			if string(got[:len(head)]) != string(head) {
				t.Errorf("head: got %x, want %x", got[:len(head)], head)
			}
			if end := got[len(got)-len(tail):]; string(end) != string(tail) {
				t.Errorf("tail: got %x, want %x", end, tail)
			}
		})
	}
}
