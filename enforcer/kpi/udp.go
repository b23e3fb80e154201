package kpi

import (
	"bytes"
	"encoding/binary"
)

// udp is the state of a flow of datagrams.
type udp struct {
	packets uint32
	rtp     uint32 // of rtp's slab, 0 for none
	quic    quic
	dns     dns
}

// datagram takes one in that is not RTP's, and says how long it took as an answer of DNS.
func (u *udp) datagram(b []byte, from int, now stamp) (answered uint32) {
	u.quic.datagram(b, from, now, u.packets == 1)
	if u.quic.state != quicNone {
		return 0
	}
	return u.dns.message(b, from, now)
}

func (u *udp) report(r *Report) {
	r.Packets = uint64(u.packets)
	r.RTTServer, r.RTTClient = u.quic.server, u.quic.client
	r.DNS = DNS{Queries: u.dns.queries, Answers: u.dns.answers, ResponseMax: u.dns.longest}
	if u.dns.timed > 0 {
		r.DNS.Response = uint32(u.dns.total / uint64(u.dns.timed))
	}
}

// quic measures a handshake of QUIC.
type quic struct {
	state          uint8
	opener         uint8
	idLength       uint8
	id             [quicMaxID]byte // the source connection ID of the server's first packet
	firstAt, askAt stamp           // of the client's first and last packet before the answer
	answerAt       stamp
	server, client uint32
}

// States of quic.
const (
	quicNone uint8 = iota // not QUIC, or not seen from its beginning
	quicAsked
	quicAnswered
	quicDone
)

const (
	// quicMaxID is how long a connection ID is at most (RFC 9000, 17.2), quicInitial how long a
	// datagram with a client's Initial is at least (14.1).
	quicMaxID   = 20
	quicInitial = 1200
	// quicBurst bounds, in microseconds, what belongs to one flight of Initials: a hello with a
	// post-quantum key takes two. What comes later was sent again.
	quicBurst = 10000
)

// datagram takes one in; first says that the flow begins with it.
func (q *quic) datagram(b []byte, from int, now stamp, first bool) {
	switch {
	case first:
		if len(b) >= quicInitial && b[0]&0xc0 == 0xc0 && binary.BigEndian.Uint32(b[1:]) != 0 {
			*q = quic{state: quicAsked, opener: uint8(from), firstAt: now, askAt: now}
		}
	case q.state == quicAsked && from == int(q.opener):
		q.askAt = now
	case q.state == quicAsked:
		id, ok := sourceID(b)
		if !ok {
			return
		}
		q.state, q.answerAt = quicAnswered, now
		q.idLength = uint8(copy(q.id[:], id))
		if q.askAt.within(q.firstAt, quicBurst) {
			q.server = now.since(q.firstAt)
		}
		if q.idLength == 0 {
			q.state = quicDone // nothing would tell what the client sends because of it
		}
	case q.state == quicAnswered && from == int(q.opener) && addressed(b, q.id[:q.idLength]):
		q.state, q.client = quicDone, now.since(q.answerAt)
	}
}

// sourceID is the source connection ID of a packet with a long header (RFC 8999, 5.1).
func sourceID(b []byte) ([]byte, bool) {
	if len(b) < 7 || b[0]&0x80 == 0 {
		return nil, false
	}
	at := 6 + int(b[5])
	if b[5] > quicMaxID || at >= len(b) || b[at] > quicMaxID || at+1+int(b[at]) > len(b) {
		return nil, false
	}
	return b[at+1 : at+1+int(b[at])], true
}

// addressed says that a packet's destination is a connection ID: that of the server, which a
// client knows from its first packet (RFC 9000, 7.2).
func addressed(b, id []byte) bool {
	if b[0]&0x80 == 0 {
		return bytes.HasPrefix(b[1:], id)
	}
	return len(b) > 6 && int(b[5]) == len(id) && bytes.HasPrefix(b[6:], id)
}

// dns measures how long answers take. Whether the messages are those of DNS is the caller's
// to know.
type dns struct {
	pending          [maxQueries]query
	queries, answers uint32
	timed            uint32 // answers that did not come before their queries
	total            uint64
	longest          uint32
}

type query struct {
	id   uint16
	from uint8
	open bool
	at   stamp
}

// maxQueries bounds the queries of a flow that wait for an answer: resolvers ask for both
// kinds of addresses at once. One more takes the oldest's place.
const maxQueries = 4

// message takes one in (RFC 1035, 4.1.1), and says how long it took as an answer; 0 where it is
// none.
func (d *dns) message(b []byte, from int, now stamp) (took uint32) {
	if len(b) < 12 {
		return 0
	}
	id, isAnswer := binary.BigEndian.Uint16(b), b[2]&0x80 != 0
	for i := range d.pending {
		q := &d.pending[i]
		if !q.open || q.id != id || isAnswer == (int(q.from) == from) {
			continue
		}
		if isAnswer {
			took = now.since(q.at)
			if q.open = false; took != 0 {
				d.timed, d.total, d.longest = d.timed+1, d.total+uint64(took), max(d.longest, took)
			}
			d.answers++
		}
		return took // what is asked again is waited for since it was asked first
	}
	if isAnswer {
		return 0
	}
	oldest := &d.pending[0]
	for i := range d.pending {
		if q := &d.pending[i]; !q.open || oldest.open && int32(q.at-oldest.at) < 0 {
			oldest = q
		}
	}
	*oldest = query{id: id, from: uint8(from), open: true, at: now}
	d.queries++
	return 0
}
