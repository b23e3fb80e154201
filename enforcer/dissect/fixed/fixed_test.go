package fixed

import (
	"slices"
	"strings"
	"testing"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/enforcer/dissect/dissecttest"
	"github.com/netpol/netpol/lang/fact"
)

// cases are openings written from the protocols' specifications.
func cases() []dissecttest.Case {
	udp, tcp, c, s := dissecttest.UDP, dissecttest.TCP, dissecttest.Client[string], dissecttest.Server[string]
	named := func(name, tag string, in dissecttest.Flow) dissecttest.Case {
		return dissecttest.Case{Name: name, In: in, Result: dissect.Match, Want: fact.Facts{Protocol: tag}}
	}
	opened := func(name, tag string, in dissecttest.Flow) dissecttest.Case {
		return dissecttest.Case{Name: name, In: in, Result: dissect.Partial, Want: fact.Facts{Protocol: tag}}
	}
	unsure := func(name string, in dissecttest.Flow) dissecttest.Case {
		return dissecttest.Case{Name: name, In: in, Result: dissect.NeedMore}
	}
	never := func(name string, in dissecttest.Flow) dissecttest.Case {
		return dissecttest.Case{Name: name, In: in, Result: dissect.NoMatch}
	}
	return []dissecttest.Case{
		unsure("beginning of ssh", tcp(443, c("SSH"))),
		never("almost ssh", tcp(443, c("SSH 2"+strings.Repeat("x", 1100)), s(strings.Repeat("x", 1100)))),
		never("beginning of ssh and no more", tcp(443, c("SSH")).Close()),
		opened("smtp by its banner", "smtp", tcp(2526, s("220 mx.example.com ESMTP\r\n"))),
		opened("smtp by its greeting", "smtp", tcp(2526, s("220 mx.example.com\r\n"), c("EHLO a.example\r\n"))),
		named("ftp by its login", "ftp", tcp(2121, s("220 welcome\r\n"), c("USER anonymous\r\n"))),
		unsure("a banner that may be either", tcp(2121, s("220 welcome\r\n"))),
		opened("smtp's banner at the port of ftp, in pieces", "smtp", tcp(21, s("220 "), s("mx ESMTP\r\n"))),
		opened("ftp's banner at the port of smtp", "ftp", tcp(25, s("220 FTP server\r\n"))),
		opened("a banner that says nothing, at the port", "ftp", tcp(21, s("220 welcome\r\n"))),
		{Name: "ssh at the port of finger", In: tcp(79, s("SSH-2.0-x\r\n")), Result: dissect.Match, Want: fact.Facts{Protocol: "ssh", SSHServerAgent: "SSH-2.0-x"}},
		opened("pop3", "pop3", tcp(1100, s("+OK ready\r\n"), c("CAPA\r\n"))),
		named("imap", "imap", tcp(1430, s("* OK [CAPABILITY IMAP4rev1] ready\r\n"), c("a1 LOGIN x y\r\n"))),
		named("sip", "sip", udp(40000, c("INVITE sip:bob@example.com SIP/2.0\r\nVia: x\r\n\r\n"))),
		named("sip answer", "sip", udp(40000, s("SIP/2.0 200 OK\r\n\r\n"))),
		named("rtsp", "rtsp", tcp(8554, c("DESCRIBE rtsp://example.com/a RTSP/1.0\r\nCSeq: 2\r\n\r\n"))),
		opened("postgresql TLS request", "postgresql", tcp(5432, c("\x00\x00\x00\x08\x04\xd2\x16\x2f"))),
		named("postgresql startup", "postgresql", tcp(6000, c("\x00\x00\x00\x21\x00\x03\x00\x00user\x00alice\x00database\x00db\x00\x00"))),
		opened("mysql greeting", "mysql", tcp(3306, s("\x4a\x00\x00\x00\x0a8.0.36\x00\x08\x00\x00\x00aaaaaaaa\x00\xff\xff\xff\x02\x00\xff\xdf\x15"))),
		named("redis", "redis", tcp(6379, c("*1\r\n$4\r\nPING\r\n"))),
		named("mqtt 3.1.1", "mqtt", tcp(1883, c("\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04test"))),
		named("amqp 0-9-1", "amqp", tcp(5672, c("AMQP\x00\x00\x09\x01"))),
		opened("rdp with a cookie", "rdp", tcp(3390, c("\x03\x00\x00\x2b\x26\xe0\x00\x00\x00\x00\x00Cookie: mstshash=user\r\n\x01\x00\x08\x00\x03\x00\x00\x00"))),
		named("vnc", "vnc", tcp(5901, s("RFB 003.008\n"))),
		named("smb2", "smb", tcp(445, c("\x00\x00\x00\x24\xfeSMB\x40\x00\x00\x00\x00\x00\x00\x00\x00\x00\x1f\x00"))),
		named("bgp open", "bgp", tcp(179, c(strings.Repeat("\xff", 16)+"\x00\x1d\x01\x04\xfd\xe8\x00\xb4\x0a\x00\x00\x01\x00"))),
		named("ldap bind", "ldap", tcp(389, c("\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00"))),
		named("s7comm after connect", "s7comm", tcp(102, c("\x03\x00\x00\x16\x11\xe0\x00\x00\x00\x01\x00\xc0\x01\x0a\xc1\x02\x01\x00\xc2\x02\x01\x02\x03\x00\x00\x19\x02\xf0\x80\x32\x01"))),
		named("modbus", "modbus", tcp(502, c("\x00\x01\x00\x00\x00\x06\x01\x03\x00\x00\x00\x0a"))),
		opened("socks5, chosen method", "socks", tcp(9999, c("\x05\x01\x00"), s("\x05\x00"))),
		named("bitcoin", "bitcoin", tcp(8333, c("\xf9\xbe\xb4\xd9version\x00\x00\x00\x00\x00\x66\x00\x00\x00"))),
		named("dhcp", "dhcp", udp(67, c("\x01\x01\x06\x00"+strings.Repeat("\x00", 232)+"\x63\x82\x53\x63\x35\x01\x01\xff"))),
		named("ntp", "ntp", udp(123, c("\x23"+strings.Repeat("\x00", 47)))),
		unsure("ntp's shape elsewhere", udp(124, c("\x23"+strings.Repeat("\x00", 47)))),
		named("ssdp", "ssdp", udp(1900, c("M-SEARCH * HTTP/1.1\r\nMAN: \"ssdp:discover\"\r\n\r\n"))),
		named("snmp", "snmp", udp(161, c("\x30\x26\x02\x01\x01\x04\x06public\xa0\x19\x02\x04\x01\x02\x03\x04\x02\x01\x00\x02\x01\x00\x30\x0b\x30\x09\x06\x05\x2b\x06\x01\x02\x01\x05\x00"))),
		named("snmp of version 3", "snmp", udp(161, c("\x30\x11\x02\x01\x03\x30\x0c\x02\x01\x01\x02\x02\x05\xdc\x04\x01\x04\x02\x01"))),
		named("tftp", "tftp", udp(69, c("\x00\x01boot.bin\x00octet\x00"))),
		named("radius", "radius", udp(1812, c("\x01\x07\x00\x14aaaaaaaaaaaaaaaa"))),
		unsure("radius of another length", udp(1812, c("\x01\x07\x00\x15aaaaaaaaaaaaaaaa"))),
		named("wireguard", "wireguard", udp(40000, c("\x01\x00\x00\x00"+strings.Repeat("k", 144)))),
		named("openvpn reset", "openvpn", udp(443, c("\x38sessioni\x00\x00\x00\x00\x00"))),
		named("openvpn reset over TCP", "openvpn", tcp(443, c("\x00\x0e\x38sessioni\x00\x00\x00\x00\x00"))),
		named("ikev2", "ike", udp(500, c("initspi8\x00\x00\x00\x00\x00\x00\x00\x00\x21\x20\x22\x08\x00\x00\x00\x00\x00\x00\x00\x1c"))),
		named("ikev2 behind NAT", "ike", udp(4500, c("\x00\x00\x00\x00initspi8respspi8\x2e\x20\x23\x08\x00\x00\x00\x01\x00\x00\x00\x1c"))),
		named("vxlan", "vxlan", udp(4789, c("\x08\x00\x00\x00\x00\x00\x7b\x00"+strings.Repeat("e", 60)))),
		named("mqtt ping seen midway", "mqtt", tcp(17501, c("\xc0\x00"), s("\xd0\x00"))),
		unsure("mqtt ping, not answered", tcp(17501, c("\xc0\x00"))),
		named("mqtt message seen midway", "mqtt", tcp(17501, s("\x32\x0a\x00\x03a/b\x00\x01hey"), c("\x40\x02\x00\x01"))),
		named("H.245", "h323", tcp(30000, c("\x03\x00\x00\x1c\x02\x30\x01\x06\x00\x08\x81\x75\x00\x05"))),
		named("Mojito", "gnutella", udp(40000, c("guidguidguidguid"+"D\x00\x00\x02\x00\x00\x00ok"))),
		unsure("Mojito of another length", udp(40000, c("guidguidguidguid"+"D\x00\x00\x03\x00\x00\x00ok"))),
		named("enet connect", "enet", udp(40000, c("\x8f\xff\x00\x01\x82\xff\x00\x01\x00\x00\xff\xff\x00\x00\x05\x78"+strings.Repeat("\x00", 36)))),
		named("kcp push", "kcp", udp(40000, c("conv\x51\x00\x20\x00"+strings.Repeat("\x00", 12)+"\x03\x00\x00\x00abc"))),
		unsure("kcp of another length", udp(40000, c("conv\x51\x00\x20\x00"+strings.Repeat("\x00", 12)+"\x04\x00\x00\x00abc"))),
		named("tftp, options acknowledged on another port", "tftp", udp(40000, s("\x00\x06blksize\x001468\x00"))),
		named("dlms in HDLC", "iec62056", tcp(4060, c("\x7e\xa0\x07\x03\x21\x93\x0f\x01\x7e"))),
		named("tank gauge", "atg", tcp(10001, c("\x01I20100\r\n"))),
		never("tank gauge with letters", tcp(10001, c("\x01I2o100\r\n"), s("x")).Close()),
		named("telegram, intermediate", "telegram", tcp(443, c("\xee\xee\xee\xee"+strings.Repeat("\x00", 24)))),
		named("minecraft on another port", "minecraft", tcp(40000, c("\x10\x00\xfb\x05\x09localhost\x9c\x40\x01"))),
		named("gtp prime of 6 bytes", "gtp-prime", udp(3386, c("\x0f\x01\x00\x00\x00\x01"))),
		unsure("gtp prime of another length", udp(3386, c("\x0f\x01\x00\x09\x00\x01"))),
		named("thrift, framed and compact", "thrift", tcp(9090, c("\x00\x00\x00\x20\x82\x21\x01\x04ping"))),
		named("whatsapp of old", "whatsapp", tcp(5222, c("WA\x01\x05\x00\x00\x17\xf8"))),
		named("battle.net chat", "battle-net", tcp(6112, c("\x01\xff\x50\x06\x00abc"))),
		named("spotify", "spotify", udp(57621, c("SpotUdp0\x01\x00"))),
		named("tftp data, acknowledged", "tftp", udp(40000, c("\x00\x03\x00\x01data"), s("\x00\x04\x00\x01"))),
		unsure("tftp data, not acknowledged", udp(40000, c("\x00\x03\x00\x01data"))),
		named("after datagrams of another kind", "ssdp", udp(1900, c("x"), c("y"), c("NOTIFY * HTTP/1.1\r\n\r\n"))),
		never("after too many of another kind", udp(1900, c("a"), c("b"), c("c"), c("d"), c("e"), c("f"), c("NOTIFY * HTTP/1.1\r\n\r\n"))),
	}
}

// TestDissector runs the cases through the shared contract. The table claims
// many protocols, so what it may claim of others' flows is tested below.
func TestDissector(t *testing.T) {
	d := New()
	for _, c := range cases() {
		t.Run(c.Name, func(t *testing.T) {
			var f fact.Facts
			if got := d.Dissect(c.In.Whole(), &f); got != c.Result || f != c.Want {
				t.Errorf("got %s with protocol %q, want %s with %q", dissecttest.ResultName(got), f.Protocol, dissecttest.ResultName(c.Result), c.Want.Protocol)
			}
		})
	}
}

// TestCuts shows each opening byte by byte: what is decided stays decided.
func TestCuts(t *testing.T) {
	d := New()
	for _, c := range slices.Concat(cases(), productCases()) {
		last := dissect.NeedMore
		var tag string
		for cut := 1; cut <= c.In.Cuts(); cut++ {
			var f fact.Facts
			got := d.Dissect(c.In.Window(cut), &f)
			if last != dissect.NeedMore && (got < last || f.Protocol != tag) {
				t.Errorf("%s, cut %d: got %s %q after %s %q", c.Name, cut, dissecttest.ResultName(got), f.Protocol, dissecttest.ResultName(last), tag)
			}
			last, tag = got, f.Protocol
		}
	}
}

// TestRows makes, for every row, the least bytes that it asks for: each must
// be recognised, and by no row of another protocol that stands before it.
func TestRows(t *testing.T) {
	d := New()
	for _, x := range []struct {
		name string
		udp  bool
		rows []row
	}{{"tcp", false, d.tcp.rows}, {"udp", true, d.udp.rows}} {
		for i := range x.rows {
			r := &x.rows[i]
			if r.source == "" || r.tag == "" {
				t.Errorf("%s row %d (%s): no source or tag", x.name, i, r.tag)
			}
			fl := dissecttest.Flow{UDP: x.udp, SrcPort: 49999, DstPort: 49998, Packets: []dissecttest.Packet{dissecttest.Client(sample(r.first))}}
			if len(r.ports) > 0 {
				fl.DstPort = r.ports[0]
			}
			if len(r.reply) > 0 {
				fl.Packets = append(fl.Packets, dissecttest.Server(repeated(sample(r.reply), r.reply, fl.Packets[0].Data)))
			}
			var f fact.Facts
			if got := d.Dissect(fl.Whole(), &f); got < dissect.Partial || f.Protocol != r.tag {
				t.Errorf("%s row %d (%s, %s): got %s %q from %q", x.name, i, r.tag, r.source, dissecttest.ResultName(got), f.Protocol, fl.Packets)
			}
		}
	}
}

// repeated writes what an answer must repeat of what it answers.
func repeated(b []byte, tests []test, asked []byte) []byte {
	for _, k := range tests {
		if k.op == opSame {
			copy(b[k.offset:k.offset+k.width], asked[k.offset:])
		}
	}
	return b
}

// sample makes bytes that pass the tests, message by message.
func sample(tests []test) []byte {
	if len(tests) > 0 {
		k, rest := tests[0], tests[1:]
		if k.op == opElement || k.op == opWhole {
			body := sample(rest)
			return append([]byte{k.text[0], 0x82, byte(len(body) >> 8), byte(len(body))}, body...)
		}
		if k.op == opOver {
			return append([]byte{k.text[0], 1, 1}, sample(rest)...)
		}
	}
	if at := slices.IndexFunc(tests, func(k test) bool { return k.op >= opAfter }); at >= 0 {
		b := makeMessage(tests[:at])
		if tests[at].op != opAfter {
			return append(b, sample(tests[at:])...)
		}
		for len(b) < int(tests[at].offset) {
			b = append(b, 0)
		}
		return append(b, sample(tests[at+1:])...)
	}
	var b []byte
	for {
		skipAt := slices.IndexFunc(tests, func(k test) bool { return k.op == opSkip })
		if skipAt < 0 {
			return append(b, makeMessage(tests)...)
		}
		b = append(b, makeMessage(append(slices.Clone(tests[:skipAt]), lengthOf(tests[skipAt])))...)
		tests = tests[skipAt+1:]
	}
}

// lengthOf is the skip's number as the length of the message it ends.
func lengthOf(k test) test {
	k.op = opLength
	return k
}

// makeMessage writes fixed bytes first, then what stands anywhere behind them,
// then the length that comes out.
func makeMessage(tests []test) []byte {
	var b []byte
	grow := func(n int) {
		for len(b) < n {
			b = append(b, 0)
		}
	}
	put := func(k test, n int32) {
		for w := range k.width {
			shift := 8 * (k.width - 1 - w)
			if k.little {
				shift = 8 * w
			}
			b[k.offset+w] = byte(n >> shift)
		}
	}
	for _, k := range tests {
		if k.op != opLine && k.op != opLineHas && k.op != opHas { // those are appended, and a line holds nothing but text
			grow(int(k.offset + max(k.width, int32(min(len(k.text), 1)))))
		}
		switch k.op {
		case opAt, opMask:
			grow(int(k.offset) + len(k.text))
			copy(b[k.offset:], k.text)
		case opIn:
			b[k.offset] = k.text[0]
		case opBetween:
			put(k, k.low)
		case opSame:
			grow(int(k.offset + k.width))
		case opSize, opLength, opSkip, opHas, opLine, opLineHas, opLast, opAfter, opElement, opWhole, opOver:
		}
	}
	for _, k := range tests {
		switch k.op {
		case opHas:
			b = append(b, k.text...)
		case opLine, opLineHas:
			b = append(b, k.text+"\r\n"...)
		case opSize:
			grow(int(k.low))
		case opAt, opIn, opMask, opBetween, opLength, opSkip, opLast, opSame, opAfter, opElement, opWhole, opOver:
		}
	}
	for _, k := range tests {
		switch k.op {
		case opLength:
			for int32(len(b)) < k.add || (int32(len(b))-k.add)%k.scale != 0 || slices.ContainsFunc(tests, func(o test) bool {
				return o.op == opBetween && o.offset >= k.offset && o.offset < k.offset+k.width && (int32(len(b))-k.add)/k.scale < o.low
			}) {
				b = append(b, 0)
			}
			put(k, (int32(len(b))-k.add)/k.scale)
		case opLast:
			grow(len(k.text))
			copy(b[len(b)-len(k.text):], k.text)
		case opAt, opIn, opMask, opBetween, opSize, opSkip, opHas, opLine, opLineHas, opSame, opAfter, opElement, opWhole, opOver:
		}
	}
	return b
}

// TestForeign: noise, zeros and other protocols give nothing and cost nothing.
func TestForeign(t *testing.T) {
	d := New()
	noise := make([]byte, 1200)
	x := uint32(2463534242)
	for i := range noise {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		noise[i] = byte(x)
	}
	c, s := dissecttest.Client[string], dissecttest.Server[string]
	tests := []struct {
		name string
		in   dissecttest.Flow
	}{
		{"nothing", dissecttest.TCP(80)},
		{"empty datagram", dissecttest.UDP(53, c(""))},
		{"TCP zeros", dissecttest.TCP(80, c(string(make([]byte, 2000))), s(string(make([]byte, 2000))))},
		{"TCP ones", dissecttest.TCP(80, c(strings.Repeat("\xff", 2000)))},
		{"UDP zeros", dissecttest.UDP(4000, c(string(make([]byte, 200))), s(string(make([]byte, 200))))},
		{"UDP ones", dissecttest.UDP(4000, c(strings.Repeat("\xff", 200)))},
		{"TLS", dissecttest.TCP(443, c("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), s("\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03"))},
		{"HTTP", dissecttest.TCP(80, c("GET / HTTP/1.1\r\nHost: example.com\r\n\r\n"), s("HTTP/1.1 200 OK\r\n\r\n"))},
		{"HTTP CONNECT", dissecttest.TCP(8080, c("CONNECT example.com:443 HTTP/1.1\r\n\r\n"))},
		{"DNS", dissecttest.UDP(53, c("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x03com\x00\x00\x01\x00\x01"))},
		{"STUN", dissecttest.UDP(3478, c("\x00\x01\x00\x00\x21\x12\xa4\x42abcdefghijkl"))},
		{"QUIC", dissecttest.UDP(443, c("\xc3\x00\x00\x00\x01\x08"+string(noise[:1190])))},
		{"DTLS", dissecttest.UDP(5000, c("\x16\xfe\xff\x00\x00\x00\x00\x00\x00\x00\x00\x00\x60"+string(noise[:96])))},
	}
	for _, tt := range tests {
		w := tt.in.Whole()
		var f fact.Facts
		if got := d.Dissect(w, &f); got == dissect.Match || f != (fact.Facts{}) {
			t.Errorf("%s: got %s %q", tt.name, dissecttest.ResultName(got), f.Protocol)
		}
		if n := testing.AllocsPerRun(50, func() { d.Dissect(w, &f) }); n != 0 {
			t.Errorf("%s: %v allocations, want 0", tt.name, n)
		}
	}
	for i := range 500 {
		w := &dissect.Window{SrcPort: 49999, DstPort: 49998, Datagrams: []dissect.Datagram{{Payload: noise[i : i+64+i]}}}
		var f fact.Facts
		if d.Dissect(w, &f) == dissect.Match {
			t.Errorf("noise at %d: got %q", i, f.Protocol)
		}
		w = &dissect.Window{SrcPort: 49999, DstPort: 49998, Stream: [2][]byte{noise[i : i+64+i], noise[1000-i:]}}
		if d.Dissect(w, &f) == dissect.Match {
			t.Errorf("noise stream at %d: got %q", i, f.Protocol)
		}
	}
}

// TestLinesAreText: what ends as a request line does is one only if it is text, so
// that it does not take a binary protocol's place, or not, by how a stream is cut.
func TestLinesAreText(t *testing.T) {
	smb := "\x00\x00\x00\x24\xfeSMB@\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x1f\x00 rtsp://example.com/ RTSP/1.0\r\n"
	for name, w := range map[string]*dissect.Window{
		"stream":   dissecttest.TCP(445, dissecttest.Client(smb)).Whole(),
		"datagram": dissecttest.UDP(445, dissecttest.Client(smb)).Whole(),
	} {
		var f fact.Facts
		if New().Dissect(w, &f); f.Protocol == "rtsp" {
			t.Errorf("%s: got rtsp", name)
		}
	}
}

func TestTagsSortedAndUnique(t *testing.T) {
	tags := New().Tags()
	if !slices.IsSorted(tags) || len(slices.Compact(slices.Clone(tags))) != len(tags) {
		t.Errorf("tags are not sorted or not unique: %q", tags)
	}
	if len(tags) < 100 {
		t.Errorf("%d protocols, want at least 100", len(tags))
	}
}

func FuzzDissector(f *testing.F) {
	dissecttest.FuzzOne(f, New(), slices.Concat(cases(), productCases(), readCases(), insideCases()))
}
