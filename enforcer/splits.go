package enforcer

import (
	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/enforcer/flow"
)

// maxSplits is how many sides of control connections may be in the middle of a
// message at once; the oldest makes room.
const maxSplits = 16

// splits has the beginnings of messages that go on in a later segment, of the
// few connections that announce others.
type splits struct {
	list   [maxSplits]split
	oldest int
	joined []byte // scratch
}

type split struct {
	key  flow.Key
	side dissect.Side
	next uint32 // sequence number of the segment that goes on
	b    []byte // empty for none
}

// of is what was kept of a side of a connection; nil for nothing.
func (s *splits) of(key flow.Key, side dissect.Side) *split {
	for i := range s.list {
		if p := &s.list[i]; len(p.b) > 0 && p.side == side && p.key == key {
			return p
		}
	}
	return nil
}

// join puts what was kept before a segment's payload, if it is the one that goes on.
// The result is valid until the next call.
func (s *splits) join(key flow.Key, side dissect.Side, seq uint32, payload []byte) []byte {
	p := s.of(key, side)
	if p == nil || p.next != seq {
		return payload
	}
	s.joined = append(append(s.joined[:0], p.b...), payload...)
	p.b = p.b[:0]
	return s.joined
}

// keep keeps the end of a segment, behind which sequence number next follows.
func (s *splits) keep(key flow.Key, side dissect.Side, next uint32, rest []byte) {
	if len(rest) == 0 {
		return
	}
	p := s.of(key, side) // what was missed in between is gone
	if p == nil {
		p = &s.list[s.oldest]
		s.oldest = (s.oldest + 1) % maxSplits
	}
	p.key, p.side, p.next = key, side, next
	p.b = append(p.b[:0], rest...)
}
