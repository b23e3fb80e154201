package evasion

import (
	"net/netip"
	"slices"
)

// dcid is the client's first destination id.
const dcid = "\x83\x94\xc8\xf0\x3e\x51\x57\x08"

// quicRows hide the hello of QUIC.
func quicRows() []Row {
	hello := named(Hidden)
	half := len(hello) / 2
	one := func(frames ...[]byte) func() *script {
		return func() *script {
			return newScript().udp(initial{dcid: dcid, frames: slices.Concat(frames...), size: 1162}.encode())
		}
	}
	var bytewise [][]byte
	for i := range hello {
		bytewise = append(bytewise, crypto(hello, i, i+1))
	}
	split := func(order ...int) func() *script {
		parts := [][]byte{crypto(hello, 0, 30), crypto(hello, 30, half), crypto(hello, half, len(hello))}
		return func() *script {
			s := newScript()
			for n, i := range order {
				s.udp(initial{dcid: dcid, number: uint32(n), frames: parts[i], size: 1162}.encode())
			}
			return s
		}
	}
	contradict := crypto(named("allowed.test"), 0, len(hello))
	ping := []byte{1, 0, 0, 1, 1, 0}
	return []Row{
		{26, "QUIC: frames of the hello", []variant{
			{"out of order", found(), one(crypto(hello, half, len(hello)), crypto(hello, 0, half))},
			{"one byte each", found(), one(bytewise...)},
			{"overlapping", found(), one(crypto(hello, 0, half+10), crypto(hello, half-10, len(hello)))},
			{"PING and PADDING between", found(), one(crypto(hello, 0, half), ping, crypto(hello, half, len(hello)), ping)},
			{"contradicting", flagged(), one(crypto(hello, 0, len(hello)-5), contradict)},
		}},
		{27, "QUIC: several Initials", []variant{
			{"three", found(), split(0, 1, 2)},
			{"reordered", found(), split(2, 0, 1)},
			{"other id after Retry", found(), afterRetry},
		}},
		{28, "QUIC: what comes before or after", slices.Concat(quicBefore(one(crypto(hello, 0, len(hello)))), []variant{
			{"migration: a limit, the new path has no hello", Outcome{Protocol: ""}, migrated},
		})},
	}
}

func afterRetry() *script {
	hello := named(Hidden)
	s := newScript().udp(initial{dcid: dcid, frames: crypto(named(decoy), 0, 40), size: 1162}.encode())
	s.reply(otherLong(quic1(), quic1().retry, ""))
	return s.udp(initial{dcid: "retried!", token: "token", number: 1, frames: crypto(hello, 0, len(hello)), size: 1162}.encode())
}

func quicBefore(plain func() *script) []variant {
	hello := named(Hidden)
	first := func(payload []byte) func() *script {
		return func() *script {
			s := newScript().udp(payload)
			return s.udp(initial{dcid: dcid, frames: crypto(hello, 0, len(hello)), size: 1162}.encode())
		}
	}
	negotiation := func() *script {
		unknown := otherLong(quicVersion{number: 0x1a2a3a4a}, 0, dcid)
		s := newScript().udp(append(unknown, make([]byte, 1100)...))
		s.reply(slices.Concat([]byte{0x80, 0, 0, 0, 0, 0, byte(len(dcid))}, []byte(dcid), []byte{0, 0, 0, 1}))
		return s.udp(initial{dcid: dcid, frames: crypto(hello, 0, len(hello)), size: 1162}.encode())
	}
	early := func() *script {
		first := initial{dcid: dcid, frames: crypto(hello, 0, len(hello))}.encode()
		return newScript().udp(slices.Concat(first, otherLong(quic1(), quic1().zeroRTT, dcid)))
	}
	return []variant{
		{"plain", found(), plain},
		{"junk", found(), first([]byte("junk that is no QUIC"))},
		{"0-RTT in the same datagram", found(), early},
		{"0-RTT in a datagram before", found(), first(otherLong(quic1(), quic1().zeroRTT, dcid))},
		{"version negotiation", found(), negotiation},
		{"version 2", found(), func() *script {
			return newScript().udp(initial{version: quic2(), dcid: dcid, frames: crypto(hello, 0, len(hello)), size: 1162}.encode())
		}},
	}
}

// migrated goes on from another port, with short headers (RFC 9000, 9).
func migrated() *script {
	hello := named(Hidden)
	s := newScript().udp(initial{dcid: dcid, frames: crypto(hello, 0, len(hello)), size: 1162}.encode())
	s.client = netip.AddrPortFrom(s.client.Addr(), 40001)
	short := make([]byte, 200)
	for i := range short {
		short[i] = byte(i*73 + 5)
	}
	short[0] = 0x42
	return s.udp(short)
}
