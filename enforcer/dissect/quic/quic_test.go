package quic

import (
	"testing"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/enforcer/dissect/dissecttest"
	"github.com/netpol/netpol/lang/fact"
)

func TestQUIC(t *testing.T) {
	dissecttest.Run(t, New(), cases(t))
}

func FuzzQUIC(f *testing.F) { dissecttest.FuzzOne(f, New(), cases(f)) }

// helloFacts are those of the hello in the RFCs.
func helloFacts() fact.Facts {
	return fact.Facts{
		Protocol: "quic", Hostname: "example.com", By: fact.BySNI, TLSVersion: 0x0304, ALPN: "alpn",
		JA4: "q13d0211an_62ed6f6ca7ad_4d634acda6c0",
	}
}

func cases(t testing.TB) []dissecttest.Case {
	t.Helper()
	all := append(wholeCases(t), append(splitCases(t), otherCases(t)...)...)
	versions := map[string]string{
		"version 2": "2", "draft 29": "draft-29", "draft 27": "draft-27", "Google T051": "T051", "Facebook": "0xfaceb002",
		"Google Q043": "Q043", "Google Q035": "Q035", "Google Q046": "Q046", "Google Q050": "Q050", "probe, negotiation": "",
	}
	for i := range all {
		want, ok := versions[all[i].Name]
		if !ok {
			want = "1"
		}
		if all[i].Want.Protocol != "" {
			all[i].Want.QUICVersion = want
		}
	}
	return all
}

func client(packets ...[]byte) dissecttest.Packet {
	var b []byte
	for _, p := range packets {
		b = append(b, p...)
	}
	return dissecttest.Client(b)
}

// wholeCases have the hello in one datagram.
func wholeCases(t testing.TB) []dissecttest.Case {
	h := rfcHello(t)
	initial := packet{dcid: rfcDCID, number: 2, frames: crypto(h, 0, len(h)), size: 1162}
	one := func(name string, change func(*packet)) dissecttest.Case {
		p := initial
		change(&p)
		return dissecttest.Case{Name: name, In: dissecttest.UDP(443, client(p.encode(t))), Result: dissect.Match, Want: helloFacts()}
	}
	var bytewise []byte
	for i := len(h) - 1; i >= 0; i-- {
		bytewise = append(append(bytewise, crypto(h, i, i+1)...), framePing, framePadding)
	}
	ack := []byte{frameACK, 5, 0, 1, 0, 0, 0, frameACKECN, 5, 0, 0, 0, 1, 2, 3}
	return []dissecttest.Case{
		one("version 1", func(*packet) {}),
		one("version 2", func(p *packet) { p.version = version2 }),
		one("draft 29", func(p *packet) { p.version = 0xff00001d }),
		one("draft 27", func(p *packet) { p.version = 0xff00001b }),
		one("Google T051", func(p *packet) { p.version = googleT051 }),
		one("Facebook", func(p *packet) { p.version = facebook27 }),
		one("short packet number, token", func(p *packet) { p.numberLen, p.number, p.token = 1, 0, "token of a retry" }),
		one("frames of one byte, backwards, pings between", func(p *packet) { p.frames = bytewise }),
		one("acknowledgements before", func(p *packet) { p.frames = append(ack, p.frames...) }),
		one("frames out of order and overlapping", func(p *packet) {
			p.frames = append(append(crypto(h, 100, len(h)), crypto(h, 60, 140)...), crypto(h, 0, 80)...)
		}),
		{
			Name: "two packets and a Handshake in one datagram", Result: dissect.Match, Want: helloFacts(),
			In: dissecttest.UDP(8443, client(
				packet{dcid: rfcDCID, number: 0, frames: crypto(h, 0, 99)}.encode(t),
				packet{dcid: rfcDCID, typ: typeHandshake, number: 0, frames: []byte{1}}.encode(t),
				packet{dcid: rfcDCID, number: 1, frames: crypto(h, 99, len(h))}.encode(t),
			)),
		},
	}
}

// splitCases have the hello in several datagrams.
func splitCases(t testing.TB) []dissecttest.Case {
	h := rfcHello(t)
	part := func(n uint32, from, to int) packet {
		return packet{dcid: rfcDCID, scid: "cc", number: n, frames: crypto(h, from, to), size: 1150}
	}
	a, b, c := part(0, 0, 70), part(1, 70, 200), part(2, 200, len(h))
	answer := packet{dcid: "cc", scid: "serverid", key: rfcDCID, side: serverIn, frames: []byte{frameACK, 0, 0, 0, 0}, size: 1150}
	late := c
	late.dcid, late.key = "serverid", rfcDCID
	retried := func(p packet) packet {
		p.dcid, p.key, p.token = "afterretry", "afterretry", "token"
		return p
	}
	retry := append([]byte("\xf0\x00\x00\x00\x01\x02cc\x0aafterretrytoken"), make([]byte, tagLen)...)
	decoy := packet{dcid: "anotherid", frames: crypto(h, 0, 50), size: 1150}
	whole := part(9, 0, len(h))
	junk := dissecttest.Client(make([]byte, 900))
	match := func(name string, packets ...dissecttest.Packet) dissecttest.Case {
		return dissecttest.Case{Name: name, In: dissecttest.UDP(443, packets...), Result: dissect.Match, Want: helloFacts()}
	}
	return []dissecttest.Case{
		match("three datagrams", client(a.encode(t)), client(b.encode(t)), client(c.encode(t))),
		match("three datagrams, reversed", client(c.encode(t)), client(b.encode(t)), client(a.encode(t))),
		match("answer between, then the server's id", client(a.encode(t)), client(b.encode(t)), dissecttest.Server(answer.encode(t)), client(late.encode(t))),
		match("retry", client(a.encode(t)), dissecttest.Server(retry), client(retried(a).encode(t)), client(retried(b).encode(t)), client(retried(c).encode(t))),
		match("decoy of another id between", client(a.encode(t)), client(decoy.encode(t)), client(b.encode(t)), client(c.encode(t))),
		match("junk first", junk, client(whole.encode(t))),
		match("0-RTT first", client(packet{dcid: rfcDCID, typ: typeZeroRTT, size: 1150}.encode(t)), client(whole.encode(t))),
		{Name: "one part missing", In: dissecttest.UDP(443, client(a.encode(t)), client(c.encode(t))), Result: dissect.Partial, Want: fact.Facts{Protocol: "quic"}},
		{Name: "server's side only", In: dissecttest.UDP(443, dissecttest.Server(answer.encode(t))), Result: dissect.Partial, Want: fact.Facts{Protocol: "quic"}},
		{Name: "retry only", In: dissecttest.UDP(443, dissecttest.Server(retry)), Result: dissect.Partial, Want: fact.Facts{Protocol: "quic"}},
	}
}

// otherCases have other headers.
func otherCases(t testing.TB) []dissecttest.Case {
	h := rfcHello(t)
	probe := append([]byte("\xc3\x1a\x2a\x3a\x4a\x08destinat\x02cc"), make([]byte, 1200)...)
	negotiation := []byte("\x80\x00\x00\x00\x00\x02cc\x08destinat\xba\xba\xba\xba\x00\x00\x00\x01")
	whole := packet{dcid: rfcDCID, frames: crypto(h, 0, len(h)), size: 1162}.encode(t)
	broken := append([]byte(nil), whole...)
	broken[len(broken)-1] ^= 1
	chlo := "CHLO\x03\x00\x00\x00" + "PAD\x00\x04\x00\x00\x00" + "SNI\x00\x0f\x00\x00\x00" + "VER\x00\x13\x00\x00\x00" + "----" + "www.Old.org" + "Q043"
	q043 := "\x09idididid" + "Q043" + "\x01" + "hash of twelve"[:12] + "\xa0\x01\x00\x00\x00" + chlo
	q035 := "\x0d" + q043[1:9] + "Q035" + q043[13:]
	q046 := "\xc3Q046\x50idididid\x00\x00\x00\x01" + "hash of twelve"[:12] + "\xa0\x01\x00\x00" + chlo
	google := fact.Facts{Protocol: "quic", Hostname: "www.old.org", By: fact.BySNI}
	only := fact.Facts{Protocol: "quic"}
	return []dissecttest.Case{
		{Name: "probe, negotiation", In: dissecttest.UDP(443, dissecttest.Client(probe), dissecttest.Server(negotiation)), Result: dissect.Partial, Want: only},
		{Name: "probe, negotiation, hello", In: dissecttest.UDP(443, dissecttest.Client(probe), dissecttest.Server(negotiation), client(whole)), Result: dissect.Match, Want: helloFacts()},
		{Name: "not authentic", In: dissecttest.UDP(443, client(broken)), Result: dissect.Partial, Want: only},
		{Name: "Google Q043", In: dissecttest.UDP(443, dissecttest.Client(q043)), Result: dissect.Match, Want: google},
		{Name: "Google Q035", In: dissecttest.UDP(443, dissecttest.Client(q035)), Result: dissect.Match, Want: google},
		{Name: "Google Q046", In: dissecttest.UDP(443, dissecttest.Client(q046)), Result: dissect.Match, Want: google},
		{
			Name: "Google Q050", Result: dissect.Match, Want: google,
			In: dissecttest.UDP(443, client(packet{version: googleQ050, dcid: rfcDCID, frames: crypto([]byte(chlo), 0, len(chlo)), size: 1162}.encode(t))),
		},
		{Name: "junk only", In: dissecttest.UDP(443, client([]byte("x")), client([]byte("y")), client([]byte("z")), client([]byte("u"))), Result: dissect.NoMatch},
		{Name: "junk first on another port", In: dissecttest.UDP(4433, client([]byte("x")), client(whole)), Result: dissect.NoMatch},
	}
}

// A flow of nothing but Initial packets costs a bounded number of decryptions.
func TestDecryptionsAreBounded(t *testing.T) {
	var many []byte
	for i := range 40 {
		many = append(many, packet{dcid: "connection" + string(rune('A'+i)), frames: []byte{framePing}}.encode(t)...)
	}
	var r reader
	for range 32 {
		r.read(many)
	}
	if r.opened != maxInitials || len(r.connections) != maxConnections {
		t.Errorf("got %d packets opened for %d connections, want %d, %d", r.opened, len(r.connections), maxInitials, maxConnections)
	}
}

func BenchmarkInitial(b *testing.B) {
	h := rfcHello(b)
	w := dissecttest.UDP(443, client(packet{dcid: rfcDCID, frames: crypto(h, 0, len(h)), size: 1162}.encode(b))).Whole()
	d := New()
	b.ReportAllocs()
	for b.Loop() {
		var f fact.Facts
		d.Dissect(w, &f)
	}
}
