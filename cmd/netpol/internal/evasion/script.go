package evasion

import (
	"net/netip"
	"slices"

	"github.com/netpol/netpol/enforcer/packet"
)

// Initial sequence numbers; the client's wraps within its first segments.
const (
	clientISN = 0xffffff80
	serverISN = 0x01020304
)

// script is a connection in the making.
type script struct {
	client, server netip.AddrPort
	frames         []frame
	sent           uint32 // bytes that the client's stream has
	answered       uint32 // bytes that the server's stream has
	now            int64
	wrap           func(ip []byte) []byte // what the packets travel in; nil is Ethernet
	mangle         func(ip []byte) [][]byte
}

func newScript() *script {
	return &script{
		client: netip.AddrPortFrom(client4, 40000), server: netip.AddrPortFrom(server4, 443),
		now: 1_700_000_000_000_000_000,
	}
}

// port moves the server to another port.
func (s *script) port(n uint16) *script {
	s.server = netip.AddrPortFrom(s.server.Addr(), n)
	return s
}

// six moves the connection to IPv6.
func (s *script) six() *script {
	s.client, s.server = netip.AddrPortFrom(client6, 40000), netip.AddrPortFrom(server6, s.server.Port())
	return s
}

// packet records an IP packet, a millisecond after the last.
func (s *script) packet(ip []byte) {
	parts := [][]byte{ip}
	if s.mangle != nil {
		parts = s.mangle(ip)
	}
	for _, p := range parts {
		s.now += 1_000_000
		data := ethernet(etherTypeOf(p), p)
		if s.wrap != nil {
			data = s.wrap(p)
		}
		s.frames = append(s.frames, frame{data, packet.LinkEthernet, s.now})
	}
}

// send records a segment.
func (s *script) send(g segment) {
	s.packet(header{src: g.src.Addr(), dst: g.dst.Addr(), proto: packet.ProtoTCP, ttl: g.ttl}.around(g.bytes()))
}

// open shakes hands.
func (s *script) open() *script {
	s.syn(clientISN)
	s.synAck(serverISN)
	s.send(s.at(0, nil))
	return s
}

func (s *script) syn(isn uint32) {
	s.send(segment{src: s.client, dst: s.server, seq: isn, flags: packet.SYN})
}

func (s *script) synAck(isn uint32) {
	s.send(segment{src: s.server, dst: s.client, seq: isn, ack: clientISN + 1, flags: packet.SYN | packet.ACK})
}

// at is a client's segment of data at an offset of its stream.
func (s *script) at(offset int, data []byte) segment {
	g := segment{
		src: s.client, dst: s.server, seq: clientISN + 1 + uint32(offset), ack: serverISN + 1 + s.answered,
		flags: packet.ACK, payload: data,
	}
	if len(data) > 0 {
		g.flags |= packet.PSH
	}
	return g
}

// data sends the client's data at an offset of its stream.
func (s *script) data(offset int, data []byte) *script {
	s.send(s.at(offset, data))
	s.sent = max(s.sent, uint32(offset+len(data)))
	return s
}

// say sends the client's data behind what it has sent, in pieces of n bytes; 0
// is one piece.
func (s *script) say(data []byte, n int) *script {
	if n == 0 {
		n = 1400
	}
	for piece := range slices.Chunk(data, n) {
		s.data(int(s.sent), piece)
	}
	return s
}

// answer sends the server's data behind what it has sent.
func (s *script) answer(data []byte) *script {
	for piece := range slices.Chunk(data, 1400) {
		s.send(segment{
			src: s.server, dst: s.client, seq: serverISN + 1 + s.answered, ack: clientISN + 1 + s.sent,
			flags: packet.ACK | packet.PSH, payload: piece,
		})
		s.answered += uint32(len(piece))
	}
	return s
}

// end closes both directions.
func (s *script) end() {
	s.send(segment{src: s.client, dst: s.server, seq: clientISN + 1 + s.sent, ack: serverISN + 1 + s.answered, flags: packet.FIN | packet.ACK})
	s.send(segment{src: s.server, dst: s.client, seq: serverISN + 1 + s.answered, ack: clientISN + 2 + s.sent, flags: packet.FIN | packet.ACK})
	s.send(segment{src: s.client, dst: s.server, seq: clientISN + 2 + s.sent, ack: serverISN + 2 + s.answered, flags: packet.ACK})
}

// hello answers the client's hello as a server of TLS 1.3 does.
func (s *script) hello() *script { return s.answer(record(22, serverHello(0x0303, 0x1301, nil))) }

// udp sends a datagram of the client's.
func (s *script) udp(payload []byte) *script {
	s.packet(header{src: s.client.Addr(), dst: s.server.Addr(), proto: packet.ProtoUDP}.around(datagram(s.client, s.server, payload)))
	return s
}

// reply sends a datagram of the server's.
func (s *script) reply(payload []byte) *script {
	s.packet(header{src: s.server.Addr(), dst: s.client.Addr(), proto: packet.ProtoUDP}.around(datagram(s.server, s.client, payload)))
	return s
}
