package evasion

import (
	"bytes"
	"slices"

	"github.com/netpol/netpol/enforcer/packet"
)

// cut is where the plain hello is cut: within its host name.
func cut() int { return bytes.Index(plain(), []byte(Hidden)) + 4 }

// other is the plain hello with a name of the same length.
func other() []byte {
	return bytes.Replace(plain(), []byte(Hidden), []byte("allowed.test"), 1)
}

// segmentRows send one hello, in another order or form.
func segmentRows() []Row {
	hello, at := plain(), cut()
	reversed := func() *script {
		s := newScript().open()
		for off := len(hello) - len(hello)%20; off >= 0; off -= 20 {
			s.data(off, hello[off:min(off+20, len(hello))])
		}
		return s.hello()
	}
	return []Row{
		{1, "hello cut in its name", []variant{{"", found(), func() *script {
			return newScript().open().data(0, hello[:at]).data(at, hello[at:]).hello()
		}}}},
		{2, "one byte a segment", []variant{{"", found(), func() *script { return newScript().open().say(hello, 1).hello() }}}},
		{3, "segments in reverse order", []variant{{"", found(), reversed}}},
		{4, "first segment lost, sent again last", []variant{{"", found(), func() *script {
			return newScript().open().data(at, hello[at:]).data(0, hello[:at]).hello()
		}}}},
		{5, "overlap, same data", []variant{{"", found(), func() *script {
			return newScript().open().data(0, hello[:at+3]).data(at-10, hello[at-10:]).hello()
		}}}},
		{6, "overlap, other data", []variant{
			{"old first", flagged(), func() *script {
				return newScript().open().data(0, hello[:at+8]).data(at-10, other()[at-10:]).hello()
			}},
			{"new first", flagged(), func() *script {
				return newScript().open().data(at-10, other()[at-10:]).data(0, hello[:at+8]).hello()
			}},
		}},
	}
}

// decoyRows send something that the server throws away.
func decoyRows() []Row {
	hello, false1 := plain(), other()
	send := func(change func(*segment)) func() *script {
		return func() *script {
			s := newScript().open()
			g := s.at(0, false1)
			change(&g)
			s.send(g)
			return s.say(hello, 0).hello()
		}
	}
	flags := func(f byte, seq uint32) func() *script {
		return func() *script {
			s := newScript().open()
			g := s.at(0, nil)
			g.flags, g.seq = f, g.seq+seq
			s.send(g)
			return s.say(hello, 0).hello()
		}
	}
	timestamp := []byte{1, 1, 8, 10, 0, 0, 0, 1, 0, 0, 0, 0}        // RFC 7323: older than any
	signed := slices.Concat([]byte{1, 1, 19, 18}, make([]byte, 16)) // RFC 2385
	half := func(s *script) *script { return s.say(hello[:40], 0) } // before what is urgent
	urgent := func(g segment) segment { g.flags, g.urgent = g.flags|packet.URG, 1; return g }
	return []Row{
		{7, "decoy that does not reach the server", []variant{{"", flagged(), send(func(g *segment) { g.ttl = 2 })}}},
		{8, "decoy with a bad checksum", []variant{{"", found(), send(func(g *segment) { g.badSum = true })}}},
		{9, "decoy that the server cannot accept", []variant{
			{"sequence number", found(), send(func(g *segment) { g.seq += 1 << 30 })},
			{"acknowledgement", found(), send(func(g *segment) { g.ack += 1 << 30 })},
		}},
		{10, "end that is none", []variant{
			{"FIN", found(), flags(packet.FIN|packet.ACK, 5000)},
			{"RST", found(), flags(packet.RST, 5000)},
			{"RST far away", found(), flags(packet.RST, 1<<30)},
		}},
		{11, "urgent byte in the hello", []variant{{"", flagged(), func() *script {
			s := half(newScript().open())
			s.send(urgent(s.at(40, []byte("!"))))
			return s.data(41, hello[40:]).hello()
		}}}},
		{12, "data in the SYN", []variant{{"", found(), func() *script {
			s := newScript()
			s.send(segment{src: s.client, dst: s.server, seq: clientISN, flags: packet.SYN, payload: hello})
			s.synAck(serverISN)
			s.sent = uint32(len(hello))
			return s.hello()
		}}}},
		{13, "second opening", []variant{
			{"SYN before the answer", found(), func() *script {
				s := newScript()
				s.syn(clientISN)
				s.syn(0x40000000)
				s.synAck(serverISN)
				return s.say(hello, 0).hello()
			}},
			{"SYN after the answer", found(), func() *script {
				s := newScript().open()
				s.syn(0x40000000)
				return s.say(hello, 0).hello()
			}},
			{"SYN-ACK", found(), func() *script {
				s := newScript()
				s.syn(clientISN)
				s.synAck(serverISN)
				s.synAck(0x55555555)
				return s.say(hello, 0).hello()
			}},
		}},
		{14, "decoy that an option makes void", []variant{
			{"old timestamp", flagged(), send(func(g *segment) { g.options = timestamp })},
			{"MD5 signature", flagged(), send(func(g *segment) { g.options = signed })},
		}},
		{15, "packets without data first", []variant{
			{"closed window", found(), func() *script {
				s := newScript().open()
				for range 5 {
					g := s.at(0, nil)
					g.noWindow = true
					s.send(g)
				}
				return s.say(hello, 0).hello()
			}},
			{"keepalives", found(), func() *script {
				s := newScript().open()
				for range 5 {
					s.send(s.at(-1, []byte{0}))
				}
				return s.say(hello, 0).hello()
			}},
		}},
	}
}
