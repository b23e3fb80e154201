package quic

import (
	"encoding/binary"
	"testing"

	"github.com/netpol/netpol/enforcer/dissect/dissecttest"
)

// FuzzFrames fuzzes what is inside Initial packets: changed bytes of a packet
// are not authentic, so that FuzzQUIC never gets there.
func FuzzFrames(f *testing.F) {
	h := rfcHello(f)
	var twice, bytewise []byte
	for i := len(h) - 1; i >= 0; i-- {
		bytewise = append(append(bytewise, crypto(h, i, i+1)...), framePing)
	}
	twice = appendPacket(nil, 0, crypto(h, 0, 99))
	twice = appendPacket(twice, 0x40, crypto(h, 99, len(h)))
	retried := appendPacket(appendPacket(nil, 0, crypto(h, 0, 70)), 0x04, crypto(h, 0, len(h)))
	chlo := "CHLO\x01\x00\x00\x00" + "SNI\x00\x0b\x00\x00\x00" + "www.Old.org"
	seeds := [][]byte{
		appendPacket(nil, 0, crypto(h, 0, len(h))),
		appendPacket(nil, 1, bytewise),
		twice, retried,
		appendPacket(nil, 2, append([]byte{frameACK, 5, 0, 1, 0, 0, 0, frameACKECN, 5, 0, 0, 0, 1, 2, 3}, crypto(h, 0, len(h))...)),
		appendPacket(nil, 3, crypto([]byte(chlo), 0, len(chlo))),
		appendPacket(appendPacket(nil, 0x10, []byte{frameACK, 0, 0, 0, 0}), 0, append(crypto(h, 90, len(h)), crypto(h, 0, 100)...)),
	}
	dissecttest.FuzzBuilt(f, New(), seeds, packetsOf)
}

// appendPacket writes a packet as input of FuzzFrames: a byte that says how it is
// sent, two of length, its frames.
func appendPacket(b []byte, how byte, frames []byte) []byte {
	b = binary.BigEndian.AppendUint16(append(b, how), uint16(len(frames)))
	return append(b, frames...)
}

// packetsOf reads what appendPacket wrote; any input is a flow. Of a packet's
// first byte the lowest two bits are the version, the next two the connection,
// 0x10 the server's side, 0x40 that it shares a datagram with the one before.
func packetsOf(t testing.TB, b []byte) dissecttest.Flow {
	const maxPackets, maxFrames = 24, 4096
	versions := [4]uint32{version1, version2, 0xff00001d, googleQ050}
	ids := [4]string{rfcDCID, "afterretry", "", "another"}
	var packets []dissecttest.Packet
	for n := uint32(0); len(b) >= 3 && n < maxPackets; n++ {
		how := b[0]
		size := min(int(binary.BigEndian.Uint16(b[1:])), len(b)-3, maxFrames)
		p := packet{version: versions[how&3], dcid: ids[how>>2&3], number: n, frames: append([]byte(nil), b[3:3+size]...)}
		b = b[3+size:]
		send := dissecttest.Client[[]byte]
		if how&0x10 != 0 {
			p.side, send = serverIn, dissecttest.Server[[]byte]
		}
		sent := send(p.encode(t))
		if last := len(packets) - 1; how&0x40 != 0 && last >= 0 && packets[last].From == sent.From {
			packets[last].Data = append(packets[last].Data, sent.Data...)
			continue
		}
		packets = append(packets, sent)
	}
	return dissecttest.UDP(443, packets...)
}
