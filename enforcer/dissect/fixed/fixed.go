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
	filters  []filter // of the rows' first tests, for those of ports
	answers  []filter // of their replies'
	anywhere sieve    // the rows of any port
	ports    portSet  // of the others, which a flow on none of them, as most are, never looks at
	byPort   map[uint16][]uint16
	// byReply lists the rows that want an answer by the answer's first byte.
	byReply [256][]uint16
}

// portSet is a set of port numbers.
type portSet [1 << 16 / 64]uint64

func (s *portSet) add(p uint16)      { s[p/64] |= 1 << (p % 64) }
func (s *portSet) has(p uint16) bool { return s[p/64]>>(p%64)&1 != 0 }

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
		rows: rows, filters: make([]filter, len(rows)), answers: make([]filter, len(rows)),
		anywhere: newSieve(rows), byPort: make(map[uint16][]uint16),
	}
	for i := range rows {
		t.filters[i] = newFilter(rows[i].first, new(fixedBytes))
		for _, p := range rows[i].ports {
			t.ports.add(p)
			t.byPort[p] = append(t.byPort[p], uint16(i))
		}
		if len(rows[i].reply) > 0 {
			t.answers[i] = newFilter(rows[i].reply, new(fixedBytes))
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
		try := func(i int) {
			if i >= best {
				return
			}
			switch t.rows[i].opening(w, side) {
			case yes:
				best = i
			case more:
				result = dissect.NeedMore
			case no:
			}
		}
		t.candidates(w, &h, true, try)
	}
	if best < len(t.rows) {
		return t.rows[best].tag, dissect.Match
	}
	return "", result
}

// candidates tries the rows that the beginning of an opening leaves, of which there is a
// byte, and of those of the window's ports. They come in no order.
func (t *table) candidates(w *dissect.Window, h *head, stream bool, try func(i int)) {
	l := t.anywhere.leave(h)
	for i, ok := t.anywhere.next(h, stream, &l); ok; i, ok = t.anywhere.next(h, stream, &l) {
		try(i)
	}
	for _, port := range [...]uint16{w.DstPort, w.SrcPort} {
		if t.ports.has(port) {
			for _, i := range t.byPort[port] {
				if !t.filters[i].excludes(h, stream) {
					try(int(i))
				}
			}
		}
	}
}

// opening asks the tests of one side's beginning, and of the other's answer.
func (r *row) opening(w *dissect.Window, side int) answer {
	b, other := w.Stream[side], w.Stream[1-side]
	a := ending(input{bytes: b, stream: true}.hold(r.first), w.Closed[side])
	if a == no || len(r.reply) == 0 {
		return a
	}
	return min(a, ending(input{bytes: other, stream: true, asked: b}.hold(r.reply), w.Closed[1-side]))
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
	t.candidates(w, &h, false, func(i int) {
		if i >= best {
			return
		}
		if r := &t.rows[i]; fits(last, r.first, nil) && (len(r.reply) == 0 || r.answered(looks, last)) {
			best = i
		}
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
		if r := &t.rows[i]; r.fitsPort(w) && r.asked(looks, last) {
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
func (r *row) answered(looks []dissect.Datagram, first dissect.Datagram) bool {
	for _, d := range looks {
		if d.From != first.From && fits(d, r.reply, first.Payload) {
			return true
		}
	}
	return false
}

// asked looks for the other side's datagram that an answer fits.
func (r *row) asked(looks []dissect.Datagram, reply dissect.Datagram) bool {
	for _, d := range looks {
		if d.From != reply.From && fits(d, r.first, nil) && fits(reply, r.reply, d.Payload) {
			return true
		}
	}
	return false
}

func (r *row) fitsPort(w *dissect.Window) bool {
	return len(r.ports) == 0 || slices.Contains(r.ports, w.DstPort) || slices.Contains(r.ports, w.SrcPort)
}
