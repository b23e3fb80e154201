package tls

import (
	"slices"
	"testing"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/enforcer/dissect/dissecttest"
	"github.com/netpol/netpol/lang/fact"
)

// hello builds a ClientHello for tests, with the lists of the specification of
// JA4 (see ja4_test.go) unless told otherwise.
type hello struct {
	version    uint16
	ciphers    []uint16
	extensions []extension
	dtls       bool
}

type extension struct {
	typ  uint16
	data []byte
}

func vector(width int, body []byte) []byte {
	var b []byte
	for i := width - 1; i >= 0; i-- {
		b = append(b, byte(len(body)>>(8*i)))
	}
	return append(b, body...)
}

func words(values ...uint16) []byte {
	var b []byte
	for _, v := range values {
		b = append(b, byte(v>>8), byte(v))
	}
	return b
}

func names(hosts ...string) extension {
	var list []byte
	for _, h := range hosts {
		list = append(append(list, 0), vector(2, []byte(h))...)
	}
	return extension{extServerName, vector(2, list)}
}

// message is the handshake message.
func (h hello) message() []byte {
	body := words(h.version)
	body = append(body, make([]byte, 32)...)
	body = append(body, 0) // session
	if h.dtls {
		body = append(body, 0) // cookie
	}
	body = append(body, vector(2, words(h.ciphers...))...)
	body = append(body, 1, 0) // compression
	var ext []byte
	for _, e := range h.extensions {
		ext = append(ext, words(e.typ)...)
		ext = append(ext, vector(2, e.data)...)
	}
	body = append(body, vector(2, ext)...)
	return append([]byte{typeClientHello}, vector(3, body)...)
}

// plainHello is a TLS 1.2 hello with the extensions.
func plainHello(ext ...extension) []byte {
	return hello{version: 0x0303, ciphers: []uint16{0xc02f, 0x009c}, extensions: ext}.message()
}

// records puts a handshake message into records of at most n bytes.
func records(message []byte, n int) []byte {
	var b []byte
	for part := range slices.Chunk(message, n) {
		b = append(b, recordHandshake, 3, 1)
		b = append(b, vector(2, part)...)
	}
	return b
}

// evasionCases are the hellos by which a client hides its name from an
// inspector: each must give the name the server sees, or none.
func evasionCases(t testing.TB) []dissecttest.Case {
	t.Helper()
	msg := plainHello(names("blocked.test"))
	padded := plainHello(names("blocked.test"), extension{0x0015, make([]byte, 30000)})
	want := func(host string, msg []byte) fact.Facts {
		var f fact.Facts
		if !ParseClientHello(msg, OverTCP, &f) {
			t.Fatal("hello does not parse")
		}
		f.Protocol, f.Hostname, f.By = "tls", host, ""
		if host != "" {
			f.By = fact.BySNI
		}
		return f
	}
	plain := func(name, host string, stream []byte, msg []byte) dissecttest.Case {
		return dissecttest.Case{Name: name, In: dissecttest.TCP(443, dissecttest.Client(stream)), Result: dissect.Partial, Want: want(host, msg)}
	}
	named := func(name, host string, hosts ...string) dissecttest.Case {
		m := plainHello(names(hosts...))
		return plain(name, host, records(m, len(m)), m)
	}
	twice := plainHello(names("good.test"), names("blocked.test"))
	return []dissecttest.Case{
		plain("two records", "blocked.test", records(msg, len(msg)-8), msg),
		plain("records of one byte", "blocked.test", records(msg, 1), msg),
		plain("ChangeCipherSpec first", "blocked.test", append([]byte("\x14\x03\x01\x00\x01\x01"), records(msg, 50)...), msg),
		plain("warning first", "blocked.test", append([]byte("\x15\x03\x01\x00\x02\x01\x00"), records(msg, 50)...), msg),
		named("upper case and dot", "blocked.test", "BLOCKED.test."),
		named("NUL inside", "", "blocked.test\x00.good.test"),
		named("not ASCII", "", "bl\xc3\xb6cked.test"),
		named("empty name", "", ""),
		named("address", "192.0.2.7", "192.0.2.7"),
		named("two names", "", "good.test", "blocked.test"),
		plain("two name extensions", "", records(twice, len(twice)), twice),
		{
			Name: "hello of 30 kB", In: dissecttest.TCP(443, dissecttest.Client(records(padded, 16000)[:20000])), Result: dissect.Partial,
			Want: fact.Facts{Protocol: "tls"},
		},
		{
			Name: "hello of 30 kB, the rest of which never comes", Result: dissect.Match,
			In:   dissecttest.TCP(443, dissecttest.Client(records(padded, 16000)[:20000])).Close(),
			Want: fact.Facts{Protocol: "tls", Hostname: "blocked.test", By: fact.BySNI},
		},
		{
			Name: "hello cut off within its name", Result: dissect.Match,
			In:   dissecttest.TCP(443, dissecttest.Client(records(msg, len(msg))[:5+len(msg)-4])).Close(),
			Want: fact.Facts{Protocol: "tls"},
		},
	}
}

func TestLongHello(t *testing.T) {
	msg := plainHello(names("blocked.test"), extension{0x0015, make([]byte, 30000)})
	var f fact.Facts
	w := dissecttest.TCP(443, dissecttest.Client(records(msg, 16000))).Whole()
	if got := New().Dissect(w, &f); got != dissect.Partial || f.Hostname != "blocked.test" {
		t.Errorf("got %s %q, want Partial, blocked.test", dissecttest.ResultName(got), f.Hostname)
	}
}

// A client may name one host in its first hello and another after a retry.
func TestSecondHelloNamesAnotherHost(t *testing.T) {
	retry := append(words(0x0303), retryRandom...)
	retry = append(retry, 0, 0x13, 0x01, 0)
	retry = append(retry, vector(2, append(words(extSupportedVersions), vector(2, words(0x0304))...))...)
	server := records(append([]byte{typeServerHello}, vector(3, retry)...), 1000)
	client := append(records(plainHello(names("good.test")), 1000), "\x14\x03\x03\x00\x01\x01"...)
	first := len(client)
	client = append(client, records(plainHello(names("blocked.test")), 1000)...)
	tests := []struct {
		name   string
		client []byte
		want   string
		result dissect.Result
	}{
		{"first hello", client[:first], "good.test", dissect.Partial},
		{"both hellos", client, "blocked.test", dissect.Match},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var f fact.Facts
			w := dissecttest.TCP(443, dissecttest.Client(tt.client), dissecttest.Server(server)).Whole()
			if got := New().Dissect(w, &f); got != tt.result || f.Hostname != tt.want || f.TLSVersion != 0x0304 {
				t.Errorf("got %s %q %#x, want %s %q 0x304", dissecttest.ResultName(got), f.Hostname, f.TLSVersion, dissecttest.ResultName(tt.result), tt.want)
			}
		})
	}
}

// Malformed hellos are TLS all the same, without facts.
func TestMalformedHello(t *testing.T) {
	good := plainHello(names("a.test"))
	tests := []struct {
		name string
		msg  []byte
	}{
		{"extensions longer than the message", append(slices.Clone(good[:len(good)-1]), 0)[:len(good)-1]},
		{"not a client hello", append([]byte{typeServerHello}, good[1:]...)},
		{"empty", nil},
		{"odd ciphers", append([]byte{1}, vector(3, append(append(words(0x0303), make([]byte, 33)...), 0, 1, 0, 1, 0))...)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var f fact.Facts
			if ParseClientHello(tt.msg, OverTCP, &f) || f != (fact.Facts{}) {
				t.Errorf("accepted: %+v", f)
			}
		})
	}
}
