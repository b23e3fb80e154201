package dissecttest

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"
	"time"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/enforcer/fuzztest"
	"github.com/netpol/netpol/lang/fact"
)

const (
	// MaxShown is how many bytes a dissector is shown at once, at most: two
	// streams of 32 KiB, or a datagram behind those that are kept.
	MaxShown = 64 << 10
	half     = MaxShown / 2
)

// Costly is an input that is meant to be dear, and its name.
type Costly struct {
	Name string
	In   Flow
}

// Cost is the least time that a call on the whole flow took of n: what it costs on
// a machine that has nothing else to do. Every wish is asked for.
func Cost(d dissect.Dissector, fl Flow, n int) time.Duration {
	w := fl.Wanting(everything).Whole()
	best := time.Hour
	for range n {
		var f fact.Facts
		again := *w
		begun := time.Now()
		d.Dissect(&again, &f)
		best = min(best, time.Since(begun))
	}
	return best
}

// SearchCost changes inputs at random, as often as fuzztest.Environment says, and
// goes on from those that cost more than any before. It gives the most that one
// cost on d: the least of nine times, so that the machine has no part in it.
func SearchCost(tb testing.TB, d dissect.Dissector, inputs []Costly) (most time.Duration, worst Flow) {
	tb.Helper()
	var seeds [][]byte
	for _, in := range inputs {
		b := []byte{0, byte(in.In.DstPort >> 8), byte(in.In.DstPort)}
		if in.In.UDP {
			b[0] = 1
		}
		seeds = append(seeds, append(b, encode(in.In)...))
	}
	const step = 5 * time.Microsecond
	fuzztest.Run(tb, seeds, func(b []byte) uint64 {
		if len(b) < 3 {
			return 0
		}
		fl := decode(b[3:], binary.BigEndian.Uint16(b[1:]), b[0]&1 != 0)
		cost := Cost(d, fl, 1)
		if cost > most {
			if cost = Cost(d, fl, 9); cost > most {
				most, worst = cost, fl.clone()
			}
		}
		return uint64(cost / step)
	})
	return most, worst
}

// CostlyInputs are 64 KiB of what makes parsers work: the beginning of a
// protocol, then one thing again and again, on the ports where it is believed.
func CostlyInputs() []Costly {
	var list []Costly
	for _, o := range openings() {
		for _, u := range units() {
			body := append([]byte(o.head), fill(half-len(o.head), u.head)...)
			for _, port := range o.ports {
				list = append(list,
					Costly{o.name + ", " + u.name + ", TCP", TCP(port, Client(body), Server(body))},
					Costly{o.name + ", " + u.name + ", UDP", UDP(port, datagramsOf(body)...)},
				)
			}
		}
	}
	for i := range 256 {
		body := bytes.Repeat([]byte{byte(i)}, half)
		list = append(list,
			Costly{"one byte, TCP", TCP(443, Client(body), Server(body))},
			Costly{"one byte, UDP", UDP(443, datagramsOf(body)...)})
	}
	return append(append(list, costlyHellos()...), costlyNames()...)
}

// datagramsOf are as many datagrams as a flow keeps, and a large one.
func datagramsOf(body []byte) (packets []Packet) {
	for i := range 8 {
		packets = append(packets, Packet{dissect.Side(i & 1), body[:1400]})
	}
	return append(packets, Server(append(body, body[:len(body)-1400*8]...)))
}

// fill repeats unit to n bytes.
func fill(n int, unit string) []byte {
	return []byte(strings.Repeat(unit, n/len(unit)+1)[:n])
}

// beginning is a protocol's first bytes.
type beginning struct {
	name, head string
	ports      []uint16
}

// openings are beginnings that a dissector goes on from.
func openings() []beginning {
	web, names := []uint16{80, 443}, []uint16{53, 5353, 40000}
	return []beginning{
		{"nothing", "", []uint16{80, 53, 443, 3478, 6881, 25}},
		{"TLS hello", "\x16\x03\x01\x3f\xff\x01\x00\x7f\xf0\x03\x03" + strings.Repeat("r", 32) + "\x00\x00\x02\xc0\x2f\x01\x00\x7f\x00", web},
		{"TLS hello of ciphers", "\x16\x03\x01\x3f\xff\x01\x00\x7f\xf0\x03\x03" + strings.Repeat("r", 32) + "\x00\x7e\x00", web},
		{"TLS answer", "\x16\x03\x03\x00\x2a\x02\x00\x00\x26\x03\x03" + strings.Repeat("r", 32) + "\x00\xc0\x2f\x00" + "\x16\x03\x03\x3f\xff\x0b\x00\x7f\x00\x00\x7e\x00\x00\x7d\x00\x30\x82\x7c\x00\x30\x82\x7b\x00", web},
		{"HTTP request", "GET / HTTP/1.1\r\n", web},
		{"HTTP request line", "GET /", web},
		{"HTTP CONNECT", "CONNECT a.test:443 HTTP/1.1\r\n\r\n", web},
		{"HTTP answer", "HTTP/1.1 200 ok\r\nTransfer-Encoding: chunked\r\n\r\n", web},
		{"DNS query", "\x12\x34\x01\x00\x00\x40\x00\x40\x00\x40\x00\x40", names},
		{"DNS answer", "\x12\x34\x81\x80\x00\x40\x00\x40\x00\x40\x00\x40", names},
		{"DNS over TCP", "\x7f\xf0\x12\x34\x81\x80\x00\x40\x00\x40\x00\x40\x00\x40", []uint16{53, 40000}},
		{"STUN", "\x00\x01\xff\xe0\x21\x12\xa4\x42abcdefghijkl", []uint16{3478, 40000}},
		{"DTLS", "\x16\xfe\xfd\x00\x00\x00\x00\x00\x00\x00\x00\x30\x00\x01\x00\x2f\x00\x00\x00\x00\x00\x00\x00\x2f\x00\xfe\xfd", []uint16{443, 40000}},
		{"QUIC", "\xc3\x00\x00\x00\x01\x08destinat\x00\x00\x41\x00", []uint16{443}},
		{"QUIC of Google", "\x09ididididQ043\x01" + "hash of twelve"[:12] + "CHLO\xff\xff\x00\x00", []uint16{443}},
		{"RTP", "\x90\x60\x12\x34\x00\x00\x10\x00\xde\xad\xbe\xef\xbe\xde\x3f\x00", []uint16{40000}},
		{"RTCP", "\x80\xc8\x00\x06", []uint16{40000}},
		{"BitTorrent", "\x13BitTorrent protocol", []uint16{6881}},
		{"bencoding", "d1:ad2:id20:", []uint16{6881, 40000}},
		{"uTP", "\x01\x01\x10\x01\x01\x02\x03\x06\x00\x00\x00\x09\x00\x10\x00\x00\x77\x05\x20\x03", []uint16{40000}},
		{"mail", "220 mail.example.com ESMTP\r\n", []uint16{25}},
		{"XMPP", "<stream xmlns='http://etherx.jabber.org/streams'>", []uint16{5222}},
		{"SOCKS", "\x05\xff", []uint16{1080}},
		{"PROXY", "PROXY TCP4 192.0.2.1 192.0.2.2 40000 443\r\n", []uint16{443}},
		{"RDP", "\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x03\x00\x00\x00", []uint16{3389}},
		{"SNMP", "\x30\x82\x7f\x00\x02\x01\x01\x04\x06public\xa0", []uint16{161}},
		{"DHCP", "\x01\x01\x06\x00" + strings.Repeat("\x00", 232) + "\x63\x82\x53\x63", []uint16{67}},
		{"telnet", "\xff\xfd\x18", []uint16{23}},
	}
}

// units are what is said again and again.
func units() []beginning {
	return []beginning{
		{"zeros", "\x00", nil},
		{"ones", "\xff", nil},
		{"ends of lines", "\r\n", nil},
		{"line feeds", "\n", nil},
		{"spaces", " ", nil},
		{"letters", "A", nil},
		{"colons", "a:b\r\n", nil},
		{"header fields", "Host: a.test\r\n", nil},
		{"folded lines", " a\r\n\t", nil},
		{"chunks", "1\r\na\r\n", nil},
		{"requests", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", nil},
		{"names", "\x01a\x01b\x00\x00\x01\x00\x01", nil},
		{"pointers", "\xc0\x0c\x00\x01\x00\x01", nil},
		{"records of pointers", "\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x02\xc0\x0c", nil},
		{"TLS records of a byte", "\x16\x03\x01\x00\x01\x00", nil},
		{"empty TLS records", "\x16\x03\x01\x00\x00", nil},
		{"ChangeCipherSpecs", "\x14\x03\x03\x00\x01\x01", nil},
		{"warnings", "\x15\x03\x01\x00\x02\x01\x00", nil},
		{"extensions", "\x00\x17\x00\x00", nil},
		{"server names", "\x00\x00\x00\x06\x00\x04\x00\x00\x01a", nil},
		{"protocols", "\x00\x10\x00\x05\x00\x03\x02h2", nil},
		{"suites", "\xc0\x2f\xc0\x30", nil},
		{"DER sequences", "\x30\x00", nil},
		{"DER, nested", "\x30\x82\x10\x00", nil},
		{"attributes", "\x00\x20\x00\x00", nil},
		{"lists", "l", nil},
		{"dictionaries", "d1:a", nil},
		{"tags", "<a>", nil},
		{"tags with attributes", "<auth mechanism='X'>", nil},
		{"replies", "250-a\r\n", nil},
		{"commands", "EHLO a\r\n", nil},
		{"STARTTLS", "STARTTLS\r\n", nil},
		{"options", "\xff\xfb\x01", nil},
		{"DHCP options", "\x37\x01\x01", nil},
		{"reports", "\x80\xc9\x00\x01\x00\x00\x00\x01", nil},
		{"extensions of uTP", "\x01\x00", nil},
		{"long headers", "\xc3\x00\x00\x00\x01\x00\x00\x00\x14" + strings.Repeat("p", 20), nil},
		{"DTLS fragments", "\x16\xfe\xfd\x00\x00\x00\x00\x00\x00\x00\x00\x00\x0d\x01\x00\x2f\x00\x00\x00\x00\x00\x00\x00\x00\x01a", nil},
	}
}

// costlyHellos are messages whose lengths are true.
func costlyHellos() []Costly {
	vector := func(width int, b string) string {
		n := binary.BigEndian.AppendUint64(nil, uint64(len(b)))
		return string(n[8-width:]) + b
	}
	hello := func(ciphers, extensions string) string {
		body := "\x03\x03" + strings.Repeat("r", 32) + "\x00" + vector(2, ciphers) + "\x01\x00" + vector(2, extensions)
		return "\x01" + vector(3, body)
	}
	records := func(message string, n int) (b string) {
		for ; len(message) > 0; message = message[min(n, len(message)):] {
			b += "\x16\x03\x01" + vector(2, message[:min(n, len(message))])
		}
		return b
	}
	var ciphers, extensions strings.Builder
	for i := range uint16(510) { // as many as are fingerprinted, in the wrong order
		ciphers.Write(binary.BigEndian.AppendUint16(nil, 0x9999-i*37))
		extensions.Write(binary.BigEndian.AppendUint32(nil, uint32(0x7777-i*41)<<16))
	}
	long := hello(ciphers.String(), extensions.String()+"\x00\x10"+vector(2, vector(2, strings.Repeat(vector(1, "\x00\xff"), 4000))))
	retry := "\x16\x03\x03" + vector(2, "\x02"+vector(3, "\x03\x03"+
		"\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c"+
		"\x00\x13\x01\x00"+vector(2, "\x00\x2b\x00\x02\x03\x04")))
	twice := records(long, 3) + records(long, 3)
	const get, field = "GET / HTTP/1.1\r\n", "Host: a.test\r\n"
	return []Costly{
		{"shortest fields, one side", TCP(80, Client(get+strings.Repeat(":\n", MaxShown/2-len(get))))},
		{"hosts, one side", TCP(80, Client(get+strings.Repeat(field, (MaxShown-len(get))/len(field))))},
		{"longest fingerprint", TCP(443, Client(records(long, 16000)), Server(retry))},
		{"longest fingerprint, records of three bytes", TCP(443, Client(records(long, 3)), Server(retry))},
		{"longest fingerprint behind CONNECT", TCP(8080, Client("CONNECT a.test:443 HTTP/1.1\r\n\r\n"+records(long, 3)), Server("HTTP/1.1 200 ok\r\n\r\n"+retry))},
		{"two hellos after a retry", TCP(443, Client(twice[:min(len(twice), half)]), Server(retry))},
	}
}

// costlyNames are DNS answers with as many questions and records as are read, of
// the longest names, which are aliases of each other in a circle.
func costlyNames() []Costly {
	long := func(c string) (b string) {
		for _, n := range []int{63, 63, 63, 61} {
			b += string([]byte{byte(n)}) + strings.Repeat(c, n)
		}
		return b + "\x00"
	}
	message := "\x12\x34\x81\x80\x00\x40\x00\x40\x00\x00\x00\x00" + long("a") + "\x00\x01\x00\x01" +
		strings.Repeat("\xc0\x0c\x00\x01\x00\x01", 63)
	message += "\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x3c\x00\xff"
	other := binary.BigEndian.AppendUint16(nil, 0xc000|uint16(len(message)))
	message += long("b")
	for i := range 63 {
		owner, alias := string(other), "\xc0\x0c"
		if i&1 != 0 {
			owner, alias = alias, owner
		}
		message += owner + "\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x02" + alias
	}
	one := string(binary.BigEndian.AppendUint16(nil, uint16(len(message)))) + message
	stream := strings.Repeat(one, half/len(one))
	many := "\x12\x34\x81\x80\x00\x01\x7f\xff\x00\x00\x00\x00" + long("a") + "\x00\x01\x00\x01"
	many += strings.Repeat("\xc0\x0c\x00\x10\x00\x01\x00\x00\x00\x3c\x00\x00", (MaxShown-len(many))/12)
	query := "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01a\x00\x00\x01\x00\x01"
	return []Costly{
		{"aliases in a circle", UDP(53, Client(query), Server(message))},
		{"records of a long name", UDP(40000, Client(many))},
		{"records of a long name on the port", UDP(53, Client(query), Server(many))},
		{"aliases in a circle, TCP", TCP(53, Client("\x00\x13"+query), Server(stream))},
	}
}
