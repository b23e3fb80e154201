package dns

import (
	"net/netip"
	"slices"

	"github.com/netpol/netpol/enforcer/dissect"
)

const headerLen = 12

// Bits of the header's second word (RFC 1035 section 4.1.1; RFC 2535 section
// 6.1 leaves one that must be zero).
const (
	flagResponse = 0x8000
	flagZero     = 0x0040
	maskOpcode   = 0x7800
	maskRcode    = 0x000f
)

// Opcodes (IANA DNS OpCodes).
const (
	opcodeQuery  = 0
	opcodeUpdate = 5
)

// Record types and classes (IANA DNS parameters).
const (
	typeA     = 1
	typeCNAME = 5
	typeTXT   = 16
	typeAAAA  = 28
	classIN   = 1
	// classFlag marks a cache flush or a wish for a unicast answer in
	// multicast DNS (RFC 6762 sections 5.4 and 10.2).
	classFlag = 0x8000
)

const (
	// maxQuestions bounds what a header may claim: unicast asks one, multicast
	// a few dozen in one datagram.
	maxQuestions = 64
	// maxAnswers bounds the records looked at for addresses.
	maxAnswers = 64
	// maxAliases bounds the passes over them to follow CNAMEs; records come in
	// order, so one does as a rule.
	maxAliases = 8
	// maxWork bounds the bytes of names read of a message. Pointers make a long
	// name of two bytes, so that a message of 2 KiB could cost 400 KiB; a real one
	// with all that is looked at in it is some 8 KiB.
	maxWork = 32 << 10
	// maxStreamWork bounds those of all answers that a stream shows.
	maxStreamWork = 4 * maxWork
)

// message is one DNS message. Its sections are read on demand from msg.
type message struct {
	msg                                      []byte
	flags                                    uint16
	questions, answers, authorities, further int
	work                                     int // bytes of names that may still be read
}

// readHeader reads the header and judges whether it may be DNS: length is that
// of the whole message, of which b may be the beginning. Whether the counts of
// records are true it does not say.
func readHeader(b []byte, length int) (m message, ok bool) {
	c := dissect.NewCursor(b)
	c.Skip(2) // id
	m = message{msg: b, flags: c.Uint16(), work: maxWork}
	m.questions, m.answers = int(c.Uint16()), int(c.Uint16())
	m.authorities, m.further = int(c.Uint16()), int(c.Uint16())
	if !c.OK() || m.flags&flagZero != 0 || m.questions > maxQuestions {
		return m, false
	}
	switch op := m.flags & maskOpcode >> 11; {
	case op > opcodeUpdate || op == 3:
		return m, false
	case m.response():
	case m.flags&maskRcode != 0, m.questions == 0 && op == opcodeQuery && m.answers == 0:
		return m, false
	}
	// A question takes 5 bytes at least.
	return m, m.questions+m.answers > 0 && headerLen+5*m.questions <= length
}

func (m *message) response() bool { return m.flags&flagResponse != 0 }

// question is the first question of a message; of an answer without one, as
// in multicast DNS, its first record, which begins alike.
type question struct {
	name  name
	typ   uint16
	class uint16
}

// isDNSCrypt says whether the question is for the certificate of a DNSCrypt
// resolver, by which every DNSCrypt session begins: TXT of
// <version>.dnscrypt-cert.<provider> (DNSCrypt protocol version 2, section 9).
func (q *question) isDNSCrypt() bool {
	i := 0
	for label := range q.name.labels {
		if i++; i == 2 {
			return q.typ == typeTXT && string(label) == "dnscrypt-cert"
		}
	}
	return false
}

// certificateMagic opens a DNSCrypt certificate, here behind the length of its
// TXT string: 124 bytes without extensions (DNSCrypt protocol version 2,
// section 10).
const certificateMagic = "\x7cDNSC"

// certified says whether a message answers with the certificate of a DNSCrypt
// resolver, whatever the name that was asked for: some resolvers use their own.
func certified(msg []byte) bool {
	m, ok := readHeader(msg, len(msg))
	if !ok || !m.response() {
		return false
	}
	c := m.records()
	for range min(m.answers, maxAnswers) {
		var r record
		if !m.next(&r, &c) {
			return false
		}
		if r.typ == typeTXT && len(r.data) > len(certificateMagic) && string(r.data[:len(certificateMagic)]) == certificateMagic {
			return true
		}
	}
	return false
}

// readQuestion reads the first question into q.
func (m *message) readQuestion(q *question) bool {
	c := dissect.NewCursor(m.msg[headerLen:])
	if !m.name(&q.name, &c) {
		return false
	}
	q.typ, q.class = c.Uint16(), c.Uint16()&^classFlag
	return c.OK() && q.typ != 0
}

// flawless says whether a message on a port of no DNS is one all the same:
// one ordinary question for a host, and records that end where it ends.
func (m *message) flawless(q *question) bool {
	if m.flags&maskOpcode != 0 || m.questions != 1 || q.class != classIN || !q.name.isHost(2) || !ordinary(q.typ) {
		return false
	}
	if !m.response() && (m.answers > 0 || m.authorities > 0 || m.further > 1) {
		return false
	}
	c := m.records()
	for range m.answers + m.authorities + m.further {
		var r record
		if !m.next(&r, &c) {
			return false
		}
	}
	return c.Len() == 0
}

// ordinary says whether hosts ask for the type: A, NS, CNAME, SOA, PTR, MX,
// TXT, AAAA, SRV, NAPTR, DS, RRSIG, DNSKEY, TLSA, SVCB, HTTPS, ANY, CAA.
func ordinary(typ uint16) bool {
	return slices.Contains([]uint16{1, 2, 5, 6, 12, 15, 16, 28, 33, 35, 43, 46, 48, 52, 64, 65, 255, 257}, typ)
}

// records is a cursor behind the questions.
func (m *message) records() dissect.Cursor {
	c := dissect.NewCursor(m.msg[headerLen:])
	for range m.questions {
		var n name
		if !m.name(&n, &c) {
			return dissect.NewCursor(nil)
		}
		c.Skip(4)
	}
	return c
}

// record is a resource record (RFC 1035 section 4.1.3).
type record struct {
	owner name
	typ   uint16
	class uint16
	ttl   uint32
	data  []byte
	at    int // where data stands in the message
}

// name reads a name from c, if that is not too much work.
func (m *message) name(n *name, c *dissect.Cursor) bool {
	if m.work <= 0 {
		return false
	}
	ok := n.readName(m.msg, c)
	m.work -= 1 + n.n
	return ok
}

// next reads the record at c.
func (m *message) next(r *record, c *dissect.Cursor) bool {
	if !m.name(&r.owner, c) {
		return false
	}
	r.typ, r.class, r.ttl = c.Uint16(), c.Uint16(), c.Uint32()
	length := int(c.Uint16())
	r.at = len(m.msg) - c.Len()
	r.data = c.Bytes(length)
	if r.ttl>>31 != 0 {
		r.ttl = 0 // RFC 2181 section 8
	}
	return c.OK()
}

// addresses calls yield with each address that the answers give for the
// question's name, through its aliases. Records about other names are not
// believed: a server may say what it wants about names it was not asked for.
func (m *message) addresses(q *question, yield func(addr netip.Addr, ttl uint32)) {
	target, records := q.name, m.records()
	for range maxAliases {
		if !m.follow(records, &target) {
			break
		}
	}
	c := records
	for range min(m.answers, maxAnswers) {
		var r record
		if !m.next(&r, &c) {
			return
		}
		if r.class&^classFlag != classIN || !r.owner.equal(&target) {
			continue
		}
		if addr, ok := r.address(); ok {
			yield(addr, r.ttl)
		}
	}
}

// follow replaces target by what the answers, from c on, say it is an alias of, as often
// as they do in order, and says whether they did.
func (m *message) follow(c dissect.Cursor, target *name) (followed bool) {
	for range min(m.answers, maxAnswers) {
		var r record
		if !m.next(&r, &c) {
			return followed
		}
		if r.typ != typeCNAME || !r.owner.equal(target) {
			continue
		}
		var alias name
		data := dissect.NewCursor(m.msg[r.at:])
		if !m.name(&alias, &data) {
			return followed
		}
		*target, followed = alias, true
	}
	return followed
}

// address is the record's, when it is an A or AAAA record.
func (r *record) address() (netip.Addr, bool) {
	var addr netip.Addr
	ok := false
	switch r.typ {
	case typeA:
		if len(r.data) == 4 {
			addr, ok = netip.AddrFromSlice(r.data)
		}
	case typeAAAA:
		if len(r.data) == 16 {
			addr, ok = netip.AddrFromSlice(r.data)
			addr = addr.Unmap()
		}
	}
	// 0.0.0.0 and :: are how filters answer: an address of nobody.
	return addr, ok && !addr.IsUnspecified()
}
