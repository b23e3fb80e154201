package fixed

import (
	"encoding/binary"
	"testing"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/enforcer/dissect/dissecttest"
	"github.com/netpol/netpol/lang/fact"
)

// hello is a client's hello of TLS 1.2 that names a.test (RFC 5246 section
// 7.4.1.2, RFC 6066 section 3).
func hello() string {
	sni := "\x00\x00\x00\x0b\x00\x09\x00\x00\x06a.test"
	body := "\x03\x03" + string(make([]byte, 32)) + "\x00" + "\x00\x02\xc0\x2f" + "\x01\x00" + "\x00\x0f" + sni
	msg := "\x01\x00" + string(binary.BigEndian.AppendUint16(nil, uint16(len(body)))) + body
	return "\x16\x03\x01" + string(binary.BigEndian.AppendUint16(nil, uint16(len(msg)))) + msg
}

// serverHello chooses TLS 1.2 and ends the server's part without a certificate.
func serverHello() string {
	body := "\x03\x03" + string(make([]byte, 32)) + "\x00" + "\xc0\x2f" + "\x00"
	msg := "\x02\x00\x00" + string(rune(len(body))) + body + "\x0e\x00\x00\x00"
	return "\x16\x03\x03\x00" + string(rune(len(msg))) + msg
}

func insideCases() []dissecttest.Case {
	tcp, c, s := dissecttest.TCP, dissecttest.Client[string], dissecttest.Server[string]
	const get = "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n"
	within := func(name, tag string, result dissect.Result, in dissecttest.Flow) dissecttest.Case {
		return dissecttest.Case{Name: name, In: in, Result: result, Want: fact.Facts{Protocol: tag, Hostname: "a.test", TLSVersion: 0x0303}}
	}
	web := func(name, tag string, in dissecttest.Flow) dissecttest.Case {
		return dissecttest.Case{Name: name, In: in, Result: dissect.Match, Want: fact.Facts{Protocol: tag, Hostname: "a.test"}}
	}
	bare := func(name, tag string, result dissect.Result, in dissecttest.Flow) dissecttest.Case {
		return dissecttest.Case{Name: name, In: in, Result: result, Want: fact.Facts{Protocol: tag}}
	}
	const stream = "<?xml version='1.0'?><stream:stream to='a.test' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"
	connect := "\x03\x00\x00\x13\x0e\xe0\x00\x00\x00\x00\x00\x01\x00\x08\x00\x03\x00\x00\x00"
	confirm := "\x03\x00\x00\x13\x0e\xd0\x00\x00\x12\x34\x00\x02\x00\x08\x00\x01\x00\x00\x00"
	mysqlGreeting := "\x3f\x00\x00\x00\x0a8.0.36\x00" + string(make([]byte, 55))
	mysqlRequest := "\x20\x00\x00\x01\x85\xae" + string(make([]byte, 30))
	startTLS := "\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037"
	started := "\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"
	socks4 := "\x04\x01\x01\xbb\x00\x00\x00\x01me\x00a.test\x00"
	socks5 := "\x05\x01\x00"
	byName := "\x05\x01\x00\x03\x06a.test\x01\xbb"
	bound := "\x05\x00\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"
	v2 := "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0caaaabbbbccdd"
	return []dissecttest.Case{
		within("smtp, STARTTLS", "smtps", dissect.Match, tcp(25, s("220 mx ESMTP\r\n"), c("EHLO me\r\n"), s("250-mx\r\n250 STARTTLS\r\n"), c("STARTTLS\r\n"), s("220 go\r\n"), c(hello()), s(serverHello()))),
		within("smtp, STARTTLS, client's side alone", "smtps", dissect.Partial, tcp(25, c("EHLO me\r\nSTARTTLS\r\n"+hello()))),
		bare("smtp, no TLS", "smtp", dissect.Match, tcp(25, s("220 mx ESMTP\r\n"), c("EHLO me\r\nMAIL FROM:<a@b>\r\n"))),
		within("pop3, STLS", "pop3s", dissect.Match, tcp(110, s("+OK\r\n"), c("STLS\r\n"), s("+OK\r\n"), c(hello()), s(serverHello()))),
		within("imap, STARTTLS", "imaps", dissect.Match, tcp(143, s("* OK IMAP4rev1\r\n"), c("a STARTTLS\r\n"), s("a OK\r\n"), c(hello()), s(serverHello()))),
		within("ftp, AUTH TLS", "ftps", dissect.Match, tcp(21, s("220 FTP\r\n"), c("AUTH TLS\r\n"), s("234 go\r\n"), c(hello()), s(serverHello()))),
		within("nntp, STARTTLS", "nntp", dissect.Match, tcp(119, s("200 news\r\n"), c("STARTTLS\r\n"), s("382 go\r\n"), c(hello()), s(serverHello()))),
		within("rdp", "rdp", dissect.Match, tcp(3389, c(connect), s(confirm), c(hello()), s(serverHello()))),
		bare("rdp without TLS", "rdp", dissect.Match, tcp(3389, c(connect[:15]+"\x00\x00\x00\x00"), s(confirm))),
		bare("rdp, refused", "rdp", dissect.Match, tcp(3389, c(connect), s(confirm), c("\x03\x00\x00\x08\x02\xf0\x80\x7f"))),
		within("postgresql", "postgresql", dissect.Match, tcp(5432, c("\x00\x00\x00\x08\x04\xd2\x16\x2f"), s("S"), c(hello()), s(serverHello()))),
		bare("postgresql, refused", "postgresql", dissect.Match, tcp(5432, c("\x00\x00\x00\x08\x04\xd2\x16\x2f"), s("N"))),
		within("mysql", "mysql", dissect.Match, tcp(3306, s(mysqlGreeting), c(mysqlRequest), c(hello()), s(serverHello()))),
		bare("mysql, login", "mysql", dissect.Match, tcp(3306, s(mysqlGreeting), c("\x55\x00\x00\x01\x85\xa6"))),
		within("ldap, StartTLS", "ldaps", dissect.Match, tcp(389, c(startTLS), s(started), c(hello()), s(serverHello()))),
		bare("ldap, bind", "ldap", dissect.Match, tcp(389, c("\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00"))),
		within("xmpp, STARTTLS", "xmpp", dissect.Match, tcp(5222, c(stream+"<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"), s(stream+"<proceed xmlns='x'></proceed>"), c(hello()), s(serverHello()))),
		within("xmpp, STARTTLS, the other forms", "xmpp", dissect.Match, tcp(5222, c(stream+"<starttls xmlns='x'></starttls>"), s(stream+"<proceed xmlns='x'/>"), c(hello()), s(serverHello()))),
		bare("xmpp, asked only", "xmpp", dissect.Partial, tcp(5222, c(stream+"<starttls"), s(stream))),
		bare("xmpp, login in the clear", "xmpp", dissect.Match, tcp(5222, c(stream+"<auth xmlns='x' mechanism='PLAIN'>AGEAYg==</auth>"))),
		within("PROXY header", "proxy-protocol", dissect.Match, tcp(443, c("PROXY TCP4 192.0.2.1 192.0.2.2 40000 443\r\n"+hello()), s(serverHello()))),
		within("PROXY header of version 2", "proxy-protocol", dissect.Match, tcp(443, c(v2+hello()), s(serverHello()))),
		web("PROXY header, HTTP", "proxy-protocol", tcp(80, c("PROXY TCP4 192.0.2.1 192.0.2.2 40000 80\r\n"+get))),
		bare("PROXY header, another protocol", "proxy-protocol", dissect.Match, tcp(80, c("PROXY TCP4 192.0.2.1 192.0.2.2 40000 80\r\n\x00\x01\x02\x03"), s("\x00\x01"))),
		within("socks 5", "socks", dissect.Match, tcp(1080, c(socks5), s(bound[:2]), c(byName), s(bound[2:]), c(hello()), s(serverHello()))),
		web("socks 5, HTTP", "socks", tcp(1080, c(socks5), s(bound[:2]), c(byName), s(bound[2:]), c(get))),
		web("socks 5, another protocol", "socks", tcp(1080, c(socks5), s(bound[:2]), c(byName), s(bound[2:]), c("\x00\x01\x02\x03"), s("\x00"))),
		web("socks 4A, HTTP", "socks", tcp(1080, c(socks4), s("\x00\x5a\x00\x00\x00\x00\x00\x00"), c(get))),
		bare("socks 5, refused", "socks", dissect.Match, tcp(1080, c(socks5), s("\x05\xff"))),
	}
}

// TestInside looks at the facts that openings share with what is inside them,
// whole and grown byte by byte.
func TestInside(t *testing.T) {
	d := New()
	for _, tt := range insideCases() {
		t.Run(tt.Name, func(t *testing.T) {
			var whole, grown fact.Facts
			if got := d.Dissect(tt.In.Whole(), &whole); got != tt.Result {
				t.Errorf("got %s, want %s", dissecttest.ResultName(got), dissecttest.ResultName(tt.Result))
			}
			result := dissect.NeedMore
			for cut := 1; cut <= tt.In.Cuts() && result != dissect.Match && result != dissect.NoMatch; cut++ {
				result = d.Dissect(tt.In.Window(cut), &grown)
			}
			for name, f := range map[string]*fact.Facts{"whole": &whole, "grown": &grown} {
				if f.Protocol != tt.Want.Protocol || f.Hostname != tt.Want.Hostname || f.TLSVersion != tt.Want.TLSVersion {
					t.Errorf("%s: got %q %q %x, want %q %q %x", name, f.Protocol, f.Hostname, f.TLSVersion, tt.Want.Protocol, tt.Want.Hostname, tt.Want.TLSVersion)
				}
			}
		})
	}
}

// Passwords of SOCKS and XMPP pass in the clear.
func TestPasswordBeforeTLS(t *testing.T) {
	for name, in := range map[string]dissecttest.Flow{
		"socks": dissecttest.TCP(1080, dissecttest.Client("\x05\x01\x02"), dissecttest.Server("\x05\x02"), dissecttest.Client("\x01\x02me\x03pwd")),
		"xmpp":  dissecttest.TCP(5222, dissecttest.Client("<stream xmlns='http://etherx.jabber.org/streams'><auth mechanism=\"PLAIN\">AGEAYg==</auth>")),
	} {
		for _, asked := range []bool{false, true} {
			var f fact.Facts
			New().Dissect(in.Wanting(dissect.Wants{Login: asked}).Whole(), &f)
			if fact.HasRisk(f.Risks, fact.RiskCleartextCredentials) != asked {
				t.Errorf("%s, asked %v: risks %q", name, asked, f.Risks)
			}
		}
	}
}
