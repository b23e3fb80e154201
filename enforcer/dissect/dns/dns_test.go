package dns

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/enforcer/dissect/dissecttest"
	"github.com/netpol/netpol/lang/fact"
	"golang.org/x/net/dns/dnsmessage"
)

func TestDNS(t *testing.T) { dissecttest.Run(t, New(), cases(t)) }

func FuzzDNS(f *testing.F) { dissecttest.FuzzOne(f, New(), cases(f)) }

// query is a question for a name; names are written without the last dot.
func query(t testing.TB, host string, typ dnsmessage.Type) []byte {
	return pack(t, dnsmessage.Message{
		Header:    dnsmessage.Header{ID: 7, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(host + "."), Type: typ, Class: dnsmessage.ClassINET}},
	})
}

// response answers a question of type A with records.
func response(t testing.TB, host string, answers ...dnsmessage.Resource) []byte {
	return pack(t, dnsmessage.Message{
		Header:    dnsmessage.Header{ID: 7, Response: true, RecursionAvailable: true},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(host + "."), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}},
		Answers:   answers,
	})
}

func pack(t testing.TB, m dnsmessage.Message) []byte {
	t.Helper()
	b, err := m.Pack() // with compression
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func resource(owner string, ttl uint32, body dnsmessage.ResourceBody) dnsmessage.Resource {
	return dnsmessage.Resource{
		Header: dnsmessage.ResourceHeader{Name: dnsmessage.MustNewName(owner + "."), Class: dnsmessage.ClassINET, TTL: ttl},
		Body:   body,
	}
}

func address(owner, addr string, ttl uint32) dnsmessage.Resource {
	a := netip.MustParseAddr(addr)
	if a.Is4() {
		return resource(owner, ttl, &dnsmessage.AResource{A: a.As4()})
	}
	return resource(owner, ttl, &dnsmessage.AAAAResource{AAAA: a.As16()})
}

func alias(owner, to string) dnsmessage.Resource {
	return resource(owner, 300, &dnsmessage.CNAMEResource{CNAME: dnsmessage.MustNewName(to + ".")})
}

func binding(name, addr string, ttl uint32) dissect.NameBinding {
	return dissect.NameBinding{Name: name, Addr: netip.MustParseAddr(addr), TTL: ttl}
}

// framed is a message as TCP carries it.
func framed(msg []byte) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(len(msg))), msg...)
}

func dnsFacts(host string) fact.Facts { return fact.Facts{Protocol: "dns", DNSHostname: host} }

func cases(t testing.TB) []dissecttest.Case {
	t.Helper()
	return append(datagramCases(t), append(answerCases(t), streamCases(t)...)...)
}

func datagramCases(t testing.TB) []dissecttest.Case {
	q := query(t, "www.example.com", dnsmessage.TypeA)
	padded := pack(t, dnsmessage.Message{
		Header:      dnsmessage.Header{ID: 7},
		Questions:   []dnsmessage.Question{{Name: dnsmessage.MustNewName("pad.test."), Type: dnsmessage.TypeAAAA, Class: dnsmessage.ClassINET}},
		Additionals: []dnsmessage.Resource{resource("", 0, &dnsmessage.OPTResource{Options: []dnsmessage.Option{{Code: 12, Data: make([]byte, 100)}}})},
	})
	two := pack(t, dnsmessage.Message{Questions: []dnsmessage.Question{
		{Name: dnsmessage.MustNewName("a.test."), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET},
		{Name: dnsmessage.MustNewName("b.test."), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET},
	}})
	mdns := pack(t, dnsmessage.Message{
		Header:  dnsmessage.Header{Response: true, Authoritative: true},
		Answers: []dnsmessage.Resource{address("my tv.local", "192.0.2.9", 120)},
	})
	one := func(name string, port uint16, msg []byte, want fact.Facts) dissecttest.Case {
		return dissecttest.Case{Name: name, In: dissecttest.UDP(port, dissecttest.Client(msg)), Result: dissect.Partial, Want: want}
	}
	none := func(name string, port uint16, msg []byte) dissecttest.Case {
		c := dissecttest.Case{Name: name, In: dissecttest.UDP(port, dissecttest.Client(msg)), Result: dissect.NoMatch}
		if port == 53 { // where broken datagrams are passed over
			c.In = dissecttest.UDP(port, dissecttest.Client(msg), dissecttest.Client(msg), dissecttest.Server(msg), dissecttest.Client(msg))
		}
		return c
	}
	loop := append([]byte("\x00\x07\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"), "\x01a\xc0\x0c\x00\x01\x00\x01"...)
	chain := append([]byte("\x00\x07\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"), strings.Repeat("\xc0\x0e", 30)+"\x00\x00\x01\x00\x01"...)
	return []dissecttest.Case{
		one("query", 53, q, dnsFacts("www.example.com")),
		one("query on another port", 5300, q, dnsFacts("www.example.com")),
		one("mixed case", 53, query(t, "wWw.eXample.COM", dnsmessage.TypeA), dnsFacts("www.example.com")),
		one("service", 53, query(t, "_sip._tcp.example.com", dnsmessage.TypeSRV), dnsFacts("_sip._tcp.example.com")),
		one("padding", 53, padded, dnsFacts("pad.test")),
		one("padding on another port", 5300, func() []byte { return padded }(), dnsFacts("pad.test")),
		one("two questions", 53, two, dnsFacts("a.test")),
		one("root", 53, query(t, "", dnsmessage.TypeNS), dnsFacts("")),
		one("control bytes in the name", 53, query(t, "a\x1b\x00 b.test", dnsmessage.TypeA), dnsFacts(`a\027\000\032b.test`)),
		one("certificate of DNSCrypt", 443, query(t, "2.dnscrypt-cert.example.com", dnsmessage.TypeTXT), fact.Facts{Protocol: "dnscrypt", DNSHostname: "2.dnscrypt-cert.example.com"}),
		one("certificate of DNSCrypt, the question cut off behind", 443, append(query(t, "2.dnscrypt-cert.example.com", dnsmessage.TypeTXT), "\x00\x00\x29"...), fact.Facts{Protocol: "dnscrypt", DNSHostname: "2.dnscrypt-cert.example.com"}),
		{
			Name: "certificate of DNSCrypt under another name",
			In: dissecttest.UDP(443, dissecttest.Client(query(t, "2.resolver.example.com", dnsmessage.TypeTXT)), dissecttest.Server(pack(t, dnsmessage.Message{
				Header:    dnsmessage.Header{ID: 7, Response: true},
				Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName("2.resolver.example.com."), Type: dnsmessage.TypeTXT, Class: dnsmessage.ClassINET}},
				Answers:   []dnsmessage.Resource{resource("2.resolver.example.com", 60, &dnsmessage.TXTResource{TXT: []string{"DNSC\x00\x02\x00\x00" + strings.Repeat("s", 116)}})},
			}))), Result: dissect.Partial, Want: fact.Facts{Protocol: "dnscrypt", DNSHostname: "2.resolver.example.com"},
		},
		{
			Name: "text that is no certificate",
			In: dissecttest.UDP(5300, dissecttest.Client(query(t, "2.resolver.example.com", dnsmessage.TypeTXT)), dissecttest.Server(pack(t, dnsmessage.Message{
				Header:    dnsmessage.Header{ID: 7, Response: true},
				Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName("2.resolver.example.com."), Type: dnsmessage.TypeTXT, Class: dnsmessage.ClassINET}},
				Answers:   []dnsmessage.Resource{resource("2.resolver.example.com", 60, &dnsmessage.TXTResource{TXT: []string{strings.Repeat("s", 124)}})},
			}))), Result: dissect.Partial, Want: dnsFacts("2.resolver.example.com"),
		},
		{Name: "broken datagram first", In: dissecttest.UDP(53, dissecttest.Client(q[:9]), dissecttest.Client(q)), Result: dissect.Partial, Want: dnsFacts("www.example.com")},
		one("multicast query", 5353, query(t, "_ipp._tcp.local", dnsmessage.TypePTR), fact.Facts{Protocol: "mdns", DNSHostname: "_ipp._tcp.local", MDNSDomainName: "_ipp._tcp.local"}),
		one("multicast answer", 5353, mdns, fact.Facts{Protocol: "mdns", DNSHostname: `my\032tv.local`, MDNSDomainName: `my\032tv.local`}),
		one("LLMNR", 5355, query(t, "printer", dnsmessage.TypeA), fact.Facts{Protocol: "llmnr", DNSHostname: "printer"}),
		none("loop of pointers", 53, loop),
		none("chain of pointers", 53, chain),
		none("cut off", 53, q[:len(q)-3]),
		none("NetBIOS", 137, q),
		none("two questions on another port", 5300, two),
		none("byte too many on another port", 5300, append(append([]byte(nil), q...), 0)),
		none("single label on another port", 5300, query(t, "printer", dnsmessage.TypeA)),
	}
}

func answerCases(t testing.TB) []dissecttest.Case {
	q := query(t, "www.example.com", dnsmessage.TypeA)
	asked := func(name string, names []dissect.NameBinding, answers ...dnsmessage.Resource) dissecttest.Case {
		return dissecttest.Case{
			Name: name, Result: dissect.Partial, Want: dnsFacts("www.example.com"), Names: names,
			In: dissecttest.UDP(53, dissecttest.Client(q), dissecttest.Server(response(t, "www.example.com", answers...))),
		}
	}
	bound := func(pairs ...string) (all []dissect.NameBinding) {
		for _, addr := range pairs {
			all = append(all, binding("www.example.com", addr, 60))
		}
		return all
	}
	reversed := dissecttest.UDP(49321, dissecttest.Client(response(t, "www.example.com", address("www.example.com", "192.0.2.1", 60))))
	reversed.SrcPort, reversed.DstPort = 53, 49321
	return []dissecttest.Case{
		asked("addresses", bound("192.0.2.1", "192.0.2.2"), address("www.example.com", "192.0.2.1", 60), address("WWW.example.com", "192.0.2.2", 60)),
		asked("IPv6", bound("2001:db8::1"), address("www.example.com", "2001:db8::1", 60)),
		asked("aliases", bound("192.0.2.3"), alias("www.example.com", "a.cdn.test"), alias("a.cdn.test", "b.cdn.test"), address("b.cdn.test", "192.0.2.3", 60)),
		asked("aliases out of order", bound("192.0.2.3"), address("b.cdn.test", "192.0.2.3", 60), alias("a.cdn.test", "b.cdn.test"), alias("www.example.com", "a.cdn.test")),
		asked("aliases in a ring", nil, alias("www.example.com", "a.cdn.test"), alias("a.cdn.test", "www.example.com")),
		asked("record of another name", bound("192.0.2.1"), address("bank.test", "192.0.2.66", 60), address("www.example.com", "192.0.2.1", 60)),
		asked("answer of a filter", nil, address("www.example.com", "0.0.0.0", 60)),
		asked("no answer", nil),
		{
			Name: "answer to a later question", Result: dissect.Partial, Want: dnsFacts("www.example.com"), Names: []dissect.NameBinding{binding("b.test", "192.0.2.5", 9)},
			In: dissecttest.UDP(53, dissecttest.Client(q), dissecttest.Client(query(t, "b.test", dnsmessage.TypeA)), dissecttest.Server(response(t, "b.test", address("b.test", "192.0.2.5", 9)))),
		},
		{
			Name: "answer from the asking side", Result: dissect.Partial, Want: dnsFacts("www.example.com"),
			In: dissecttest.UDP(53, dissecttest.Client(q), dissecttest.Client(response(t, "www.example.com", address("www.example.com", "192.0.2.1", 60)))),
		},
		{Name: "ends the wrong way round", Result: dissect.Partial, Want: dnsFacts("www.example.com"), Names: bound("192.0.2.1"), In: reversed},
		{
			Name: "multicast answer is not learned", Result: dissect.Partial, Want: fact.Facts{Protocol: "mdns", DNSHostname: "tv.local", MDNSDomainName: "tv.local"},
			In: dissecttest.UDP(5353, dissecttest.Client(query(t, "tv.local", dnsmessage.TypeA)), dissecttest.Server(response(t, "tv.local", address("tv.local", "192.0.2.1", 60)))),
		},
	}
}

func streamCases(t testing.TB) []dissecttest.Case {
	q := framed(query(t, "www.example.com", dnsmessage.TypeA))
	a := framed(response(t, "www.example.com", address("www.example.com", "192.0.2.1", 60)))
	b := framed(response(t, "b.test", address("b.test", "192.0.2.2", 61)))
	names := []dissect.NameBinding{binding("www.example.com", "192.0.2.1", 60), binding("b.test", "192.0.2.2", 61)}
	return []dissecttest.Case{
		{Name: "TCP query", In: dissecttest.TCP(53, dissecttest.Client(q)), Result: dissect.Partial, Want: dnsFacts("www.example.com")},
		{Name: "TCP query on another port", In: dissecttest.TCP(5300, dissecttest.Client(q)), Result: dissect.Partial, Want: dnsFacts("www.example.com")},
		{
			Name: "TCP answers", In: dissecttest.TCP(53, dissecttest.Client(q), dissecttest.Server(a), dissecttest.Server(b)), Result: dissect.Partial,
			Want: dnsFacts("www.example.com"), Names: names,
		},
		{
			Name: "TCP answers only, closed", In: dissecttest.TCP(53, dissecttest.Server(a), dissecttest.Server(b)).Close(), Result: dissect.Match,
			Want: dnsFacts("www.example.com"), Names: names,
		},
		{Name: "TCP length too small", In: dissecttest.TCP(53, dissecttest.Client("\x00\x05hello")), Result: dissect.NoMatch},
		{Name: "TCP half a header", In: dissecttest.TCP(53, dissecttest.Client(q[:9])), Result: dissect.NeedMore},
	}
}

func TestQueryReadAgainDoesNotAllocate(t *testing.T) {
	w := dissecttest.UDP(53, dissecttest.Client(query(t, "www.example.com", dnsmessage.TypeA))).Whole()
	var f fact.Facts
	New().Dissect(w, &f)
	if n := testing.AllocsPerRun(100, func() { New().Dissect(w, &f) }); n != 0 {
		t.Errorf("allocations: got %v, want 0", n)
	}
}

// The answer to the flow's own question is learned without a new string.
func TestAnswerDoesNotAllocate(t *testing.T) {
	w := dissecttest.UDP(53, dissecttest.Client(query(t, "www.example.com", dnsmessage.TypeA)),
		dissecttest.Server(response(t, "www.example.com", address("www.example.com", "192.0.2.1", 60)))).Whole()
	w.Names = make([]dissect.NameBinding, 0, 8)
	var f fact.Facts
	New().Dissect(w, &f)
	n := testing.AllocsPerRun(100, func() {
		w.Names = w.Names[:0]
		New().Dissect(w, &f)
	})
	if n != 0 || len(w.Names) != 1 {
		t.Errorf("got %v allocations, %d names, want 0, 1", n, len(w.Names))
	}
}

func BenchmarkAnswer(b *testing.B) {
	w := dissecttest.UDP(53, dissecttest.Client(query(b, "www.example.com", dnsmessage.TypeA)),
		dissecttest.Server(response(b, "www.example.com", alias("www.example.com", "a.cdn.test"), address("a.cdn.test", "192.0.2.1", 60)))).Whole()
	w.Names = make([]dissect.NameBinding, 0, 8)
	d := New()
	var f fact.Facts
	b.ReportAllocs()
	for b.Loop() {
		w.Names = w.Names[:0]
		d.Dissect(w, &f)
	}
}

// TestLongAnswers: answers as long as real ones get are read to their end, in
// spite of the bound on what reading names may cost.
func TestLongAnswers(t *testing.T) {
	const aliases, addresses = maxAliases, 50
	long := func(i int) string { return fmt.Sprintf("%02d.%s.cdn.example.com", i, strings.Repeat("a", 40)) }
	answers := []dnsmessage.Resource{alias("www.example.com", long(0))}
	for i := range aliases {
		answers = append(answers, alias(long(i), long(i+1)))
	}
	for i := range addresses {
		answers = append(answers, address(long(aliases), fmt.Sprintf("192.0.2.%d", i+1), 60))
	}
	q, a := query(t, "www.example.com", dnsmessage.TypeA), response(t, "www.example.com", answers...)
	many := bytes.Repeat(framed(a), 4)
	for name, tt := range map[string]struct {
		in   dissecttest.Flow
		want int
	}{
		"datagram": {dissecttest.UDP(53, dissecttest.Client(q), dissecttest.Server(a)), addresses},
		"stream":   {dissecttest.TCP(53, dissecttest.Client(framed(q)), dissecttest.Server(many)), 4 * addresses},
	} {
		var f fact.Facts
		w := tt.in.Whole()
		if New().Dissect(w, &f); len(w.Names) != tt.want {
			t.Errorf("%s: %d addresses were learned, want %d", name, len(w.Names), tt.want)
		}
	}
}
