package lab

import (
	"encoding/binary"
	"math/rand/v2"
	"net/netip"
	"strings"
)

// Zoom's media as published by Michel et al., "Enabling Passive Measurement of
// Zoom Performance in Production Networks" (ACM IMC 2022), section 4: an SFU
// encapsulation of 8 bytes, a media encapsulation whose length depends on its
// type, then RTP (RFC 3550).
const (
	zoomSFUMedia  = 0x05 // first byte: a media encapsulation follows
	zoomSFULen    = 8
	zoomAudio     = 0x0f // media encapsulation types
	zoomVideo     = 0x10
	zoomAudioLen  = 19
	zoomVideoLen  = 24
	zoomToSFU     = 0x00 // direction byte of the SFU encapsulation
	zoomFromSFU   = 0x04
	rtpAudio      = 112 // RTP payload types Zoom uses
	rtpVideo      = 98
	audioBytes    = 96
	videoBytes    = 900
	audioClock    = 640  // samples of 20 ms at 32 kHz
	videoClock    = 3000 // 1/30 s at 90 kHz
	videoEveryNth = 3    // one packet in three is audio
)

// zoomMedia is packet number i of one direction of a call: two streams, one
// packet in three of which is audio.
func zoomMedia(i int, fromServer bool, rng *rand.Rand) []byte {
	ssrc, direction := uint32(0x01000400), byte(zoomToSFU)
	if fromServer {
		ssrc, direction = 0x01000800, zoomFromSFU
	}
	b := make([]byte, zoomSFULen, zoomSFULen+zoomVideoLen+12+videoBytes)
	b[0] = zoomSFUMedia
	binary.BigEndian.PutUint16(b[1:], uint16(i))
	b[7] = direction
	if i%videoEveryNth == 0 {
		seq := i / videoEveryNth
		m := mediaEncapsulation(zoomAudio, zoomAudioLen, seq, audioClock)
		b = appendRTP(append(b, m...), rtpAudio, uint16(seq), uint32(seq*audioClock), ssrc|1)
		return appendRandom(b, audioBytes, rng)
	}
	seq := i - i/videoEveryNth - 1
	m := mediaEncapsulation(zoomVideo, zoomVideoLen, seq, videoClock)
	m[20] = 2                                           // the longer form, with the fields below
	binary.BigEndian.PutUint16(m[21:], uint16(seq/2+1)) // frame
	m[23] = 2                                           // packets in this frame
	b = appendRTP(append(b, m...), rtpVideo, uint16(seq), uint32(seq*videoClock), ssrc|2)
	return appendRandom(b, videoBytes, rng)
}

// mediaEncapsulation is the part that audio and video share.
func mediaEncapsulation(kind byte, length, seq, clock int) []byte {
	m := make([]byte, length)
	m[0], m[1] = kind, 1 // clients always send 1 here
	binary.BigEndian.PutUint16(m[9:], uint16(seq))
	binary.BigEndian.PutUint32(m[11:], uint32(seq*clock))
	return m
}

// appendRTP adds an RTP header without CSRCs (RFC 3550 section 5.1).
func appendRTP(b []byte, payloadType byte, seq uint16, timestamp, ssrc uint32) []byte {
	b = append(b, 0x80, payloadType)
	b = binary.BigEndian.AppendUint16(b, seq)
	b = binary.BigEndian.AppendUint32(b, timestamp)
	return binary.BigEndian.AppendUint32(b, ssrc)
}

func appendRandom(b []byte, n int, rng *rand.Rand) []byte {
	for range n {
		b = append(b, byte(rng.Uint32()))
	}
	return b
}

// STUN message types and constants (RFC 8489 sections 5 and 14.2).
const (
	stunBindingRequest  = 0x0001
	stunBindingSuccess  = 0x0101
	stunMagicCookie     = 0x2112a442
	stunHeaderLen       = 20
	stunXorMapped       = 0x0020
	stunXorMappedFamily = 0x01
)

// stunRequest is binding request number i.
func stunRequest(i int) []byte {
	b := make([]byte, 0, stunHeaderLen)
	b = binary.BigEndian.AppendUint16(b, stunBindingRequest)
	b = binary.BigEndian.AppendUint16(b, 0)
	b = binary.BigEndian.AppendUint32(b, stunMagicCookie)
	return append(b, "netpol-lab-"+string(rune('a'+i%26))...)
}

// stunResponse answers request with the IPv4 address it came from.
func stunResponse(request []byte, from netip.AddrPort) []byte {
	if len(request) < stunHeaderLen {
		return nil
	}
	b := make([]byte, 0, stunHeaderLen+12)
	b = binary.BigEndian.AppendUint16(b, stunBindingSuccess)
	b = binary.BigEndian.AppendUint16(b, 12)
	b = append(b, request[4:stunHeaderLen]...)
	b = binary.BigEndian.AppendUint16(b, stunXorMapped)
	b = binary.BigEndian.AppendUint16(b, 8)
	b = append(b, 0, stunXorMappedFamily)
	b = binary.BigEndian.AppendUint16(b, from.Port()^uint16(stunMagicCookie>>16))
	addr := from.Addr().Unmap().As4()
	return binary.BigEndian.AppendUint32(b, binary.BigEndian.Uint32(addr[:])^stunMagicCookie)
}

// torrentHandshake opens a BitTorrent peer connection (BEP 3).
func torrentHandshake(peer string) []byte {
	b := append([]byte{19}, "BitTorrent protocol"...)
	b = append(b, 0, 0, 0, 0, 0, 0x10, 0, 0x05)
	b = append(b, "netpol demo torrent!"...)
	return append(b, ("-NP0001-" + peer + "000000000000")[:20]...)
}

// torrentInterested and torrentUnchoke are peer messages (BEP 3).
var (
	torrentInterested = []byte{0, 0, 0, 1, 2}
	torrentUnchoke    = []byte{0, 0, 0, 1, 1}
)

// dhtPing and dhtPong are a query and its answer (BEP 5).
const (
	dhtPing = "d1:ad2:id20:netpollabclient00001e1:q4:ping1:t2:aa1:y1:qe"
	dhtPong = "d1:rd2:id20:netpollabserver00001e1:t2:aa1:y1:re"
)

// DNS numbers (RFC 1035 sections 3.2 and 4.1).
const (
	dnsTypeA    = 1
	dnsTypeAAAA = 28
	dnsClassIN  = 1
	dnsTTL      = 300 // seconds
)

// dnsQuery asks for name's address of the family of answer.
func dnsQuery(name string, answer netip.Addr) []byte {
	b := []byte{0x4e, 0x50, 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0}
	for label := range strings.SplitSeq(name, ".") {
		b = append(b, byte(len(label)))
		b = append(b, label...)
	}
	b = append(b, 0)
	b = binary.BigEndian.AppendUint16(b, dnsType(answer))
	return binary.BigEndian.AppendUint16(b, dnsClassIN)
}

// dnsAnswer answers a query made by dnsQuery.
func dnsAnswer(query []byte, answer netip.Addr) []byte {
	b := append([]byte(nil), query...)
	b[2], b[3] = 0x81, 0x80              // response, recursion desired and available
	binary.BigEndian.PutUint16(b[6:], 1) // one answer
	b = append(b, 0xc0, 12)              // name: pointer to the question
	b = binary.BigEndian.AppendUint16(b, dnsType(answer))
	b = binary.BigEndian.AppendUint16(b, dnsClassIN)
	b = binary.BigEndian.AppendUint32(b, dnsTTL)
	raw := answer.AsSlice()
	b = binary.BigEndian.AppendUint16(b, uint16(len(raw)))
	return append(b, raw...)
}

func dnsType(a netip.Addr) uint16 {
	if a.Is4() {
		return dnsTypeA
	}
	return dnsTypeAAAA
}
