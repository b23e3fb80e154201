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
	rows []row
	// byFirst lists, for each value of the first byte, the rows that it does
	// not rule out: a handful of some two hundred.
	byFirst [256][]uint16
	answers []uint16 // the rows that want a reply
}

// New builds the dissector of all rows.
func New() *Dissector {
	return &Dissector{tcp: newTable(tcpRows()), udp: newTable(udpRows())}
}

func tcpRows() []row {
	return slices.Concat(mailRows, textRows, remoteRows, databaseRows, middlewareRows, storageRows, infraTCPRows, vpnTCPRows,
		industrialTCPRows, trdpRows(), mediaTCPRows, peerTCPRows, gameTCPRows)
}

func udpRows() []row {
	return slices.Concat(infraUDPRows, tunnelUDPRows, vpnUDPRows, industrialUDPRows, trdpRows(), mediaUDPRows, peerUDPRows,
		gameUDPRows)
}

func newTable(rows []row) table {
	t := table{rows: rows}
	for i := range rows {
		if len(rows[i].reply) > 0 {
			t.answers = append(t.answers, uint16(i))
		}
	}
	for c := range t.byFirst {
		b := []byte{byte(c)}
		for i := range rows {
			// A stream of that one byte: no test may fail on it already.
			if (input{bytes: b, stream: true}).hold(rows[i].first) != no {
				t.byFirst[c] = append(t.byFirst[c], uint16(i))
			}
		}
	}
	return t
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
		other := 1 - side
		for _, i := range t.byFirst[b[0]] {
			r := &t.rows[i]
			if int(i) >= best || !r.fitsPort(w) {
				continue
			}
			switch min(opening(b, w.Closed[side], r.first), opening(w.Stream[other], w.Closed[other], r.reply)) {
			case yes:
				best = int(i)
			case more:
				result = dissect.NeedMore
			case no:
			}
		}
	}
	if best < len(t.rows) {
		return t.rows[best].tag, dissect.Match
	}
	return "", result
}

// opening asks the tests of a stream's beginning; nothing is missing from one
// that is closed but will not come.
func opening(b []byte, closed bool, tests []test) answer {
	a := input{bytes: b, stream: true}.hold(tests)
	if a == more && closed {
		return no
	}
	return a
}

// datagrams tries each of the first datagrams, with any of the other side's as
// the reply. Later datagrams never change what earlier ones decided.
func (t *table) datagrams(w *dissect.Window) (string, dissect.Result) {
	looks := w.Datagrams[:min(len(w.Datagrams), maxLooks)]
	for n := range looks {
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
	if len(last.Payload) > 0 {
		for _, i := range t.byFirst[last.Payload[0]] {
			r := &t.rows[i]
			if r.fitsPort(w) && fits(last, r.first) && (len(r.reply) == 0 || anyFits(looks, last.From, r.reply)) {
				best = int(i)
				break
			}
		}
	}
	for _, i := range t.answers {
		r := &t.rows[i]
		if int(i) < best && r.fitsPort(w) && fits(last, r.reply) && anyFits(looks, last.From, r.first) {
			return int(i), true
		}
	}
	return best, best < len(t.rows)
}

func fits(d dissect.Datagram, tests []test) bool {
	return input{bytes: d.Payload}.hold(tests) == yes
}

// anyFits looks for a datagram of the other side that passes the tests.
func anyFits(looks []dissect.Datagram, from dissect.Side, tests []test) bool {
	for _, d := range looks {
		if d.From != from && fits(d, tests) {
			return true
		}
	}
	return false
}

func (r *row) fitsPort(w *dissect.Window) bool {
	return len(r.ports) == 0 || slices.Contains(r.ports, w.DstPort) || slices.Contains(r.ports, w.SrcPort)
}
