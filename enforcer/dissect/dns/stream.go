package dns

import (
	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/lang/fact"
)

// dissectStreams judges a TCP flow by the first message of either side, and
// takes the names of all answers in the window: which of them are new is not
// known, and to learn one twice does no harm.
func dissectStreams(w *dissect.Window, f *fact.Facts, protocol string, server dissect.Side) dissect.Result {
	var a, b question
	client := openStream(w.Stream[dissect.Client], protocol == "", &a)
	answer := openStream(w.Stream[dissect.Server], protocol == "", &b)
	closed := w.Closed[dissect.Client] && w.Closed[dissect.Server]
	switch {
	case client == dissect.Partial:
		set(f, protocol, &a)
	case answer == dissect.Partial:
		set(f, protocol, &b)
	case client == dissect.NoMatch || answer == dissect.NoMatch || closed:
		return dissect.NoMatch
	default:
		return dissect.NeedMore
	}
	work := maxStreamWork
	for c := dissect.NewCursor(w.Stream[server]); c.Len() > 0 && work > 0; {
		msg := c.Vector16()
		if !msg.OK() {
			break
		}
		learn(w, f, msg.Rest(), &work)
	}
	if closed {
		return dissect.Match
	}
	return dissect.Partial
}

// openStream judges the opening of a stream: a length of two bytes and a
// message (RFC 1035 section 4.2.2). Partial says that it is DNS. Only a strict
// judgement waits for the whole message.
func openStream(b []byte, strict bool, q *question) dissect.Result {
	c := dissect.NewCursor(b)
	length := int(c.Uint16())
	switch {
	case !c.OK() || c.Len() < headerLen && (length >= headerLen+5):
		return dissect.NeedMore
	case length < headerLen+5:
		return dissect.NoMatch
	}
	msg := c.Rest()[:min(length, c.Len())]
	m, ok := readHeader(msg, length)
	if !ok {
		return dissect.NoMatch
	}
	whole := len(msg) == length
	asked := m.readQuestion(q)
	switch {
	case asked && !strict:
		return dissect.Partial
	case asked && whole && m.flawless(q):
		return dissect.Partial
	case whole, !asked && len(msg) >= headerLen+maxName+4:
		return dissect.NoMatch
	}
	return dissect.NeedMore
}
