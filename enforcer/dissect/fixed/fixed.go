package fixed

import (
	"slices"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/lang/fact"
)

// maxLooks bounds how many datagrams are looked at.
const maxLooks = 6

// row is what one protocol's opening looks like.
type row struct {
	tag    string
	ports  []uint16 // one side must use one of them; none means any port
	first  []test   // what one side sends, whichever it is
	reply  []test   // what the other side sends; empty when first is enough
	source string   // where the facts come from
}

// Dissector reads the table. Build it with New; it is immutable and safe for
// concurrent use.
type Dissector struct {
	tcp, udp table
}

// table is the rows of one transport.
type table struct {
	rows     []row
	asks     []asks   // the rows' tests, each where a row's are found at once
	tests    []test   // of all rows, end to end
	filters  []filter // of the rows' first tests, for those of ports
	answers  []filter // of their replies'
	anywhere sieve    // the rows of any port
	ports    portSet  // of the others, which a flow on none of them, as most are, never looks at
	byPort   map[uint16][]uint16
	// byReply lists the rows that want an answer by the answer's first byte.
	byReply [256][]uint16
}

// asks are the places of a row's tests, up to which each goes.
type asks struct{ first, firstEnd, reply, replyEnd uint16 }

func (t *table) first(i int) []test { return t.tests[t.asks[i].first:t.asks[i].firstEnd] }
func (t *table) reply(i int) []test { return t.tests[t.asks[i].reply:t.asks[i].replyEnd] }

// pack appends tests, those first of which the filter knows little, and says where they stand. The tests up to
// one that moves may be asked in any order.
func (t *table) pack(tests []test, f *filter) (from, to uint16) {
	free := slices.IndexFunc(tests, func(k test) bool { return k.moves() })
	if free < 0 {
		free = len(tests)
	}
	from = uint16(len(t.tests))
	for _, known := range [...]bool{false, true} {
		for k := range tests[:free] {
			if tests[k].knownTo(f) == known {
				t.tests = append(t.tests, tests[k])
			}
		}
	}
	t.tests = append(t.tests, tests[free:]...)
	return from, uint16(len(t.tests))
}

// portSet says of a port that it is none of some two hundred, or that it may be one. It
// is small enough to stay in a cache: a bit for each port did not.
type portSet [1 << portBits / 64]uint64

const portBits = 12

// bit spreads neighbours, which are often one protocol's (Fibonacci hashing, TAOCP 6.4).
func (*portSet) bit(p uint16) uint32 { return uint32(p) * 2654435769 >> (32 - portBits) }

func (s *portSet) add(p uint16) { b := s.bit(p); s[b/64] |= 1 << (b % 64) }

func (s *portSet) has(p uint16) bool { b := s.bit(p); return s[b/64]>>(b%64)&1 != 0 }

// New builds the dissector of all rows.
func New() *Dissector {
	return &Dissector{tcp: newTable(tcpRows()), udp: newTable(udpRows())}
}

// tcpRows has the rows for streams. Each list is a function's: as variables all would be made
// by one, the package's init, whose stack maps grow with the square of its calls and made
// netpold 2.2 MB larger.
func tcpRows() []row {
	return slices.Concat(
		dialogueRows(), textRows(), ircRows(), remoteRows(), databaseRows(), middlewareRows(), storageRows(),
		ldapRows(), infraTCPRows(), syslogRows(), snmpRows(ports(161)),
		vpnTCPRows(), tlsAuthRows(true), industrialTCPRows(), doipRows(), trdpRows(),
		mediaTCPRows(), peerTCPRows(), gameTCPRows(), lastTCPRows(),
	)
}

func udpRows() []row {
	return slices.Concat(
		ldapRows(), snmpRows(nil), profinetRows(), infraUDPRows(), syslogRows(),
		tunnelUDPRows(), vpnUDPRows(), tlsAuthRows(false), industrialUDPRows(), doipRows(), trdpRows(),
		mediaUDPRows(), peerUDPRows(), gameUDPRows(),
	)
}

func newTable(rows []row) table {
	t := table{
		rows: rows, asks: make([]asks, len(rows)), filters: make([]filter, len(rows)), answers: make([]filter, len(rows)),
		anywhere: newSieve(rows), byPort: make(map[uint16][]uint16),
	}
	all := 0
	for i := range rows {
		all += len(rows[i].first) + len(rows[i].reply)
	}
	t.tests = make([]test, 0, all)
	for i := range rows {
		a := &t.asks[i]
		t.filters[i] = newFilter(rows[i].first, new(fixedBytes))
		a.first, a.firstEnd = t.pack(rows[i].first, &t.filters[i])
		for _, p := range rows[i].ports {
			t.ports.add(p)
			t.byPort[p] = append(t.byPort[p], uint16(i))
		}
		if len(rows[i].reply) > 0 {
			t.answers[i] = newFilter(rows[i].reply, new(fixedBytes))
			a.reply, a.replyEnd = t.pack(rows[i].reply, &t.answers[i])
			firstBytes(rows[i].reply, func(c byte) { t.byReply[c] = append(t.byReply[c], uint16(i)) })
		}
	}
	return t
}

// firstBytes calls each for the values of the first byte that do not fail the tests.
func firstBytes(tests []test, each func(c byte)) {
	tests = ofFirstByte(tests)
	var mask, want [filterWindow]byte
	for k := range tests {
		tests[k].fixedBits(&mask, &want)
	}
	for c := range 256 {
		if byte(c)&mask[0] != want[0] {
			continue
		}
		// A stream of that one byte: no test may fail on it already.
		if (input{bytes: []byte{byte(c)}, stream: true}).hold(tests) != no {
			each(byte(c))
		}
	}
}

// ofFirstByte leaves out tests which one byte cannot fail: they wait for others.
// Trying all of them on each byte took a millisecond at each start.
func ofFirstByte(tests []test) (kept []test) {
	for _, t := range tests {
		switch t.op {
		case opSkip:
			return kept
		case opAfter, opElement, opWhole, opOver: // the last that counts from the first byte
			return append(kept, t)
		case opAt, opIn, opMask, opBetween:
			if t.offset > 0 || t.width > 1 {
				continue
			}
		case opLength, opSize, opHas, opLine, opLineHas, opLast, opSame:
		}
		kept = append(kept, t)
	}
	return kept
}

// Tags lists the protocols of the table, sorted.
func (d *Dissector) Tags() []string {
	var tags []string
	for _, r := range slices.Concat(d.tcp.rows, d.udp.rows) {
		tags = append(tags, r.tag)
	}
	slices.Sort(tags)
	return slices.Compact(tags)
}

// Evidence is what one row of the table goes by, for documentation.
type Evidence struct {
	Tag    string
	UDP    bool // else TCP
	Ports  []uint16
	Answer bool // the other side's bytes are needed too
	Source string
}

// Evidence lists what the rows go by, in their order.
func (d *Dissector) Evidence() (list []Evidence) {
	for _, t := range [...]struct {
		rows []row
		udp  bool
	}{{d.tcp.rows, false}, {d.udp.rows, true}} {
		for _, r := range t.rows {
			list = append(list, Evidence{r.tag, t.udp, r.ports, len(r.reply) > 0, r.source})
		}
	}
	return list
}

// Spec describes the dissector. Its name is its own: the protocols it sets are
// those of Tags.
func (*Dissector) Spec() dissect.Spec {
	return dissect.Spec{Name: "fixed", TCP: true, UDP: true}
}

// Dissect finds the first row of the table that the window fits.
func (d *Dissector) Dissect(w *dissect.Window, f *fact.Facts) dissect.Result {
	if f.Protocol != "" {
		return read(f.Protocol, w, f) // an earlier call said Partial
	}
	var tag string
	var r dissect.Result
	if len(w.Datagrams) > 0 {
		tag, r = d.udp.datagrams(w)
	} else {
		tag, r = d.tcp.streams(w)
	}
	if r == dissect.Match {
		f.Protocol = tag
		return read(tag, w, f)
	}
	return r
}

// streams tries each side's opening, with the other side's as the reply.
func (t *table) streams(w *dissect.Window) (string, dissect.Result) {
	best, result := len(t.rows), dissect.NoMatch
	for side := range w.Stream {
		b := w.Stream[side]
		if len(b) == 0 {
			if !w.Closed[side] {
				result = dissect.NeedMore
			}
			continue
		}
		h := newHead(b)
		best = t.candidates(w, &h, true, best, func(i int) bool {
			a := t.opening(i, w, side)
			if a == more {
				result = dissect.NeedMore
			}
			return a == yes
		})
	}
	if best < len(t.rows) {
		return t.rows[best].tag, dissect.Match
	}
	return "", result
}

// candidates tries the rows below best that the beginning of an opening leaves, of which there is a
// byte, and of those of the window's ports. It returns the first that holds, or best.
func (t *table) candidates(w *dissect.Window, h *head, stream bool, best int, holds func(i int) bool) int {
	best = t.anywhere.of[h.bytes[0]].try(h, stream, best, holds)
	best = t.anywhere.every.try(h, stream, best, holds)
	for _, port := range [...]uint16{w.DstPort, w.SrcPort} {
		if !t.ports.has(port) {
			continue
		}
		for _, i := range t.byPort[port] {
			if i := int(i); i < best && !t.filters[i].excludes(h, stream) && holds(i) {
				best = i
			}
		}
	}
	return best
}

// opening asks row i's tests of one side's beginning, and of the other's answer.
func (t *table) opening(i int, w *dissect.Window, side int) answer {
	b, other, reply := w.Stream[side], w.Stream[1-side], t.reply(i)
	a := ending(input{bytes: b, stream: true}.hold(t.first(i)), w.Closed[side])
	if a == no || len(reply) == 0 {
		return a
	}
	return min(a, ending(input{bytes: other, stream: true, asked: b}.hold(reply), w.Closed[1-side]))
}

// ending is the answer about a stream, of which nothing more comes once it is
// closed.
func ending(a answer, closed bool) answer {
	if a == more && closed {
		return no
	}
	return a
}

// datagrams tries each of the first datagrams, with any of the other side's as
// the reply. Later datagrams never change what earlier ones decided, so those that
// were shown before are not tried again.
func (t *table) datagrams(w *dissect.Window) (string, dissect.Result) {
	looks := w.Datagrams[:min(len(w.Datagrams), maxLooks)]
	for n := w.Shown; n < len(looks); n++ {
		if i, ok := t.newest(w, looks[:n+1]); ok {
			return t.rows[i].tag, dissect.Match
		}
	}
	if len(looks) < maxLooks {
		return "", dissect.NeedMore
	}
	return "", dissect.NoMatch
}

// newest finds the first row that the last of some datagrams completes.
func (t *table) newest(w *dissect.Window, looks []dissect.Datagram) (int, bool) {
	last := looks[len(looks)-1]
	best := len(t.rows)
	if len(last.Payload) == 0 {
		return best, false
	}
	h := newHead(last.Payload)
	best = t.candidates(w, &h, false, best, func(i int) bool {
		return fits(last, t.first(i), nil) && (len(t.reply(i)) == 0 || answered(t.reply(i), looks, last))
	})
	if !answers(looks) {
		return best, best < len(t.rows)
	}
	for _, i := range t.byReply[last.Payload[0]] {
		if int(i) >= best {
			break
		}
		if t.answers[i].excludes(&h, false) {
			continue
		}
		if t.rows[i].fitsPort(w) && t.asked(int(i), looks, last) {
			best = int(i)
		}
	}
	return best, best < len(t.rows)
}

// answers says that the other side has sent one before the last.
func answers(looks []dissect.Datagram) bool {
	last := looks[len(looks)-1].From
	for i := range looks {
		if looks[i].From != last {
			return true
		}
	}
	return false
}

func fits(d dissect.Datagram, tests []test, asked []byte) bool {
	return input{bytes: d.Payload, asked: asked}.hold(tests) == yes
}

// answered looks for the other side's answer to a datagram that fits.
func answered(reply []test, looks []dissect.Datagram, first dissect.Datagram) bool {
	for _, d := range looks {
		if d.From != first.From && fits(d, reply, first.Payload) {
			return true
		}
	}
	return false
}

// asked looks for the other side's datagram that an answer of row i fits.
func (t *table) asked(i int, looks []dissect.Datagram, reply dissect.Datagram) bool {
	for _, d := range looks {
		if d.From != reply.From && fits(d, t.first(i), nil) && fits(reply, t.reply(i), d.Payload) {
			return true
		}
	}
	return false
}

func (r *row) fitsPort(w *dissect.Window) bool {
	return len(r.ports) == 0 || slices.Contains(r.ports, w.DstPort) || slices.Contains(r.ports, w.SrcPort)
}
