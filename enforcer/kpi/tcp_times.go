package kpi

import (
	"github.com/netpol/netpol/enforcer/packet"
	"github.com/netpol/netpol/enforcer/slab"
)

// syn takes a segment with SYN in: the connection begins, or begins to be answered.
func (t *tcp) syn(p *packet.Parsed, from int, now stamp, all *slab.Slab[gaps]) {
	if p.TCPFlags&packet.ACK == 0 {
		if t.has(opened) && int(t.opener) == from && t.isn[from] == p.Seq {
			t.set(synAgain)
			return
		}
		t.open(from, all)
		t.set(synSeen)
		t.isn[from], t.synAt = p.Seq, now
		return
	}
	switch client := 1 - from; {
	case !t.has(opened):
		t.open(client, all)
		t.isn[client] = p.Ack - 1
	case t.has(answered):
		t.set(answerAgain)
		return
	case int(t.opener) == from || !after(p.Ack, t.isn[client]):
		return
	case t.flags&(synSeen|synAgain) == synSeen:
		t.times[rttServer] = now.since(t.synAt)
	}
	t.set(answered)
	t.isn[from], t.synAckAt = p.Seq, now
}

// open begins to measure a connection. One of another initial sequence number is another
// connection; what was counted so far stays.
func (t *tcp) open(client int, all *slab.Slab[gaps]) {
	for i := range t.ends {
		t.ends[i].forget(all)
	}
	t.flags, t.opener, t.times = opened, uint8(client), [times]uint32{}
}

// measure takes the times that a segment tells.
func (t *tcp) measure(p *packet.Parsed, from int, now stamp) {
	if !t.has(opened) || p.TCPFlags&packet.SYN != 0 && p.PayloadLength == 0 {
		return
	}
	if from == int(t.opener) {
		t.fromClient(p, now)
	} else if p.PayloadLength > 0 {
		t.fromServer(p, now)
	}
}

func (t *tcp) fromClient(p *packet.Parsed, now stamp) {
	server := 1 - t.opener
	if t.flags&(answered|acked) == answered && p.TCPFlags&packet.ACK != 0 && after(p.Ack, t.isn[server]) {
		t.set(acked)
		// One with bytes may have waited for them.
		if !t.has(answerAgain) && p.PayloadLength == 0 {
			t.times[rttClient] = now.since(t.synAckAt)
		}
	}
	if p.PayloadLength == 0 {
		return
	}
	switch {
	case !t.has(asked):
		t.set(asked)
		t.askedAt, t.askedSeq = now, p.Seq
		if isHello(p.Payload) {
			t.set(hello)
		}
	case t.flags&(hello|serverSpoke|shakenHands) == hello|serverSpoke && hasData(p.Payload):
		t.set(shakenHands)
		t.times[tlsHandshake] = now.since(t.askedAt)
	}
}

func (t *tcp) fromServer(p *packet.Parsed, now stamp) {
	t.set(serverSpoke)
	if t.flags&(asked|responded) == asked && after(p.Ack, t.askedSeq) {
		t.set(responded)
		t.times[appResponse] = now.since(t.askedAt)
	}
}

// Content types of TLS records (RFC 8446, 5.1), and how long a record of
// ChangeCipherSpec is with its header.
const (
	changeCipherSpec = 20
	handshake        = 22
	applicationData  = 23
	cipherSpecRecord = 6
)

// isHello says that a stream begins with a ClientHello.
func isHello(b []byte) bool { return len(b) > 5 && b[0] == handshake && b[1] == 3 && b[5] == 1 }

// hasData says that a segment begins with application data, but for a
// ChangeCipherSpec, which clients of TLS 1.3 send for old middleboxes (RFC 8446, D.4).
func hasData(b []byte) bool {
	if len(b) > cipherSpecRecord && b[0] == changeCipherSpec {
		b = b[cipherSpecRecord:]
	}
	return len(b) > 1 && b[0] == applicationData && b[1] == 3
}
