package tls

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	stdtls "crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/enforcer/dissect/dissecttest"
	"github.com/netpol/netpol/lang/fact"
)

// recorder notes what one end writes.
type recorder struct {
	net.Conn
	side dissect.Side
	mu   *sync.Mutex
	log  *[]dissecttest.Packet
}

func (r recorder) Write(b []byte) (int, error) {
	r.mu.Lock()
	*r.log = append(*r.log, dissecttest.Packet{From: r.side, Data: bytes.Clone(b)})
	r.mu.Unlock()
	return r.Conn.Write(b)
}

// certificate is a self-signed one for common name cn and DNS names.
func certificate(t testing.TB, cn string, names ...string) stdtls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{Organization: []string{"netpol"}, CommonName: cn},
		DNSNames:     names,
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return stdtls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// connected is both ends of a loopback connection. net.Pipe would not do: it
// has no buffer, and in a TLS retry both ends write before they read.
func connected(t testing.TB) (client, server net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if client, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if server, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	return client, server
}

// record runs a handshake of crypto/tls and returns what both ends wrote.
func record(t testing.TB, client, server *stdtls.Config) []dissecttest.Packet {
	t.Helper()
	a, b := connected(t)
	defer a.Close()
	defer b.Close()
	var mu sync.Mutex
	var log []dissecttest.Packet
	client.InsecureSkipVerify = true
	if len(server.Certificates) == 0 {
		server.Certificates = []stdtls.Certificate{certificate(t, "cert.test", "cert.test")}
	}
	done := make(chan error, 1)
	go func() {
		s := stdtls.Server(recorder{b, dissect.Server, &mu, &log}, server)
		err := s.Handshake()
		if err == nil {
			_, err = s.Write([]byte("hello"))
		}
		done <- err
	}()
	c := stdtls.Client(recorder{a, dissect.Client, &mu, &log}, client)
	if err := c.Handshake(); err != nil {
		t.Fatalf("client handshake: %v", err)
	}
	if _, err := c.Read(make([]byte, 5)); err != nil {
		t.Fatalf("read: %v", err)
	}
	if err := <-done; err != nil {
		t.Fatalf("server handshake: %v", err)
	}
	mu.Lock()
	defer mu.Unlock()
	return log
}

// side is all that one side wrote.
func side(packets []dissecttest.Packet, s dissect.Side) []byte {
	var b []byte
	for _, p := range packets {
		if p.From == s {
			b = append(b, p.Data...)
		}
	}
	return b
}

// cipherOf is the suite that the server chose: it stands after the record's
// and message's headers, the version, the random and the session.
func cipherOf(packets []dissecttest.Packet) int {
	b := side(packets, dissect.Server)
	at := recordHeaderLen + 4 + 2 + 32
	at += 1 + int(b[at])
	return int(b[at])<<8 | int(b[at+1])
}

// ja4Of is the fingerprint of the hello that opens a recorded client stream in
// one record. Its value is tested against the specification in ja4_test.go.
func ja4Of(t testing.TB, stream []byte) string {
	t.Helper()
	var f fact.Facts
	n := int(stream[3])<<8 | int(stream[4])
	if !ParseClientHello(stream[recordHeaderLen:recordHeaderLen+n], OverTCP, &f) {
		t.Fatal("the recorded hello does not parse")
	}
	return f.JA4
}

// ja4sOf is the fingerprint of the hello that opens a recorded server stream.
// Its value is tested against the specification in ja4s_test.go.
func ja4sOf(packets []dissecttest.Packet) string {
	var a answer
	m := messages{rest: side(packets, dissect.Server)}
	_, body, _ := m.next()
	parseServerHello(body, &a)
	return string(a.appendJA4S(nil, OverTCP))
}

func TestTLS(t *testing.T) { dissecttest.Run(t, New(), cases(t)) }

func FuzzTLS(f *testing.F) { dissecttest.FuzzOne(f, New(), cases(f)) }

func cases(t testing.TB) []dissecttest.Case {
	t.Helper()
	var all []dissecttest.Case
	all = append(all, recordedCases(t)...)
	all = append(all, midstreamCases(t)...)
	return append(all, evasionCases(t)...)
}

func recordedCases(t testing.TB) []dissecttest.Case {
	v13 := record(t, &stdtls.Config{ServerName: "www.Example.com", NextProtos: []string{"h2", "http/1.1"}}, &stdtls.Config{NextProtos: []string{"h2"}})
	v12 := record(t, &stdtls.Config{ServerName: "old.example.com"}, &stdtls.Config{MaxVersion: stdtls.VersionTLS12})
	retry := record(t, &stdtls.Config{ServerName: "retry.example.com", CurvePreferences: []stdtls.CurveID{stdtls.X25519, stdtls.CurveP384}},
		&stdtls.Config{CurvePreferences: []stdtls.CurveID{stdtls.CurveP384}})
	noName := record(t, &stdtls.Config{MaxVersion: stdtls.VersionTLS12}, &stdtls.Config{})
	wild := record(t, &stdtls.Config{}, &stdtls.Config{
		MaxVersion:   stdtls.VersionTLS12,
		Certificates: []stdtls.Certificate{certificate(t, "Some Product", "*.Wild.example", "other.example")},
	})
	common := record(t, &stdtls.Config{}, &stdtls.Config{
		MaxVersion:   stdtls.VersionTLS12,
		Certificates: []stdtls.Certificate{certificate(t, "cn.example")},
	})
	serial := record(t, &stdtls.Config{}, &stdtls.Config{
		MaxVersion:   stdtls.VersionTLS12,
		Certificates: []stdtls.Certificate{certificate(t, "FW60E4Q16012050")},
	})
	address := record(t, &stdtls.Config{ServerName: "192.0.2.1"}, &stdtls.Config{})
	facts := func(packets []dissecttest.Packet, host, by string, version int, alpn string) fact.Facts {
		f := fact.Facts{
			Protocol: "tls", Hostname: host, By: by, TLSVersion: version, ALPN: alpn,
			JA4: ja4Of(t, side(packets, dissect.Client)), JA4S: ja4sOf(packets), TLSCipher: cipherOf(packets),
		}
		if by != fact.BySNI {
			f.Risks = "missing_sni"
		}
		return f
	}
	offered := facts(v13, "www.example.com", fact.BySNI, 0x0304, "h2,http/1.1")
	offered.TLSCipher, offered.JA4S = 0, ""
	return []dissecttest.Case{
		{Name: "TLS 1.3", In: dissecttest.TCP(443, v13...), Result: dissect.Match, Want: facts(v13, "www.example.com", fact.BySNI, 0x0304, "h2,http/1.1")},
		{Name: "TLS 1.3 on another port", In: dissecttest.TCP(80, v13...), Result: dissect.Match, Want: facts(v13, "www.example.com", fact.BySNI, 0x0304, "h2,http/1.1")},
		{Name: "TLS 1.2", In: dissecttest.TCP(443, v12...), Result: dissect.Match, Want: facts(v12, "old.example.com", fact.BySNI, 0x0303, "")},
		{Name: "hello retry", In: dissecttest.TCP(443, retry...), Result: dissect.Match, Want: facts(retry, "retry.example.com", fact.BySNI, 0x0304, "")},
		{Name: "no name: certificate", In: dissecttest.TCP(443, noName...), Result: dissect.Match, Want: facts(noName, "cert.test", fact.ByCert, 0x0303, "")},
		{Name: "wildcard certificate", In: dissecttest.TCP(443, wild...), Result: dissect.Match, Want: facts(wild, "wild.example", fact.ByCert, 0x0303, "")},
		{Name: "common name", In: dissecttest.TCP(443, common...), Result: dissect.Match, Want: facts(common, "cn.example", fact.ByCert, 0x0303, "")},
		{Name: "common name of a device", In: dissecttest.TCP(443, serial...), Result: dissect.Match, Want: facts(serial, "", "", 0x0303, "")},
		{Name: "address instead of a name", In: dissecttest.TCP(443, address...), Result: dissect.Match, Want: facts(address, "", "", 0x0304, "")},
		{
			Name: "hello only", In: dissecttest.TCP(443, v13[0]), Result: dissect.Partial,
			Want: offered,
		},
		{
			Name: "hello only, closed", In: dissecttest.TCP(443, v13[0]).Close(), Result: dissect.Match,
			Want: offered,
		},
		{
			Name: "hello refused by an alert", In: dissecttest.TCP(443, v13[0], dissecttest.Server("\x15\x03\x01\x00\x02\x02\x28")).Close(), Result: dissect.Match,
			Want: offered,
		},
		{
			Name: "hello to a plaintext server", In: dissecttest.TCP(80, v13[0], dissecttest.Server("HTTP/1.1 400 Bad Request\r\n\r\n")), Result: dissect.Match,
			Want: offered,
		},
		{
			Name: "ends the wrong way round", Result: dissect.Match,
			In:   dissecttest.TCP(49000, dissecttest.Server(side(v12, dissect.Client)), dissecttest.Client(side(v12, dissect.Server))),
			Want: facts(v12, "old.example.com", fact.BySNI, 0x0303, ""),
		},
	}
}

func midstreamCases(t testing.TB) []dissecttest.Case {
	v12 := record(t, &stdtls.Config{ServerName: "old.example.com"}, &stdtls.Config{MaxVersion: stdtls.VersionTLS12})
	server := side(v12, dissect.Server)
	data := "\x17\x03\x03\x00\x20abcdefghijklmnopqrstuvwxyzabcdef"
	return []dissecttest.Case{
		{
			Name: "server's side only", In: dissecttest.TCP(443, dissecttest.Server(server)), Result: dissect.Partial,
			Want: fact.Facts{Protocol: "tls", TLSVersion: 0x0303, Hostname: "cert.test", By: fact.ByCert, JA4S: ja4sOf(v12), TLSCipher: cipherOf(v12)},
		},
		{Name: "application data", In: dissecttest.TCP(443, dissecttest.Client(data)), Result: dissect.Match, Want: fact.Facts{Protocol: "tls"}},
		{Name: "server's application data", In: dissecttest.TCP(443, dissecttest.Server(data)), Result: dissect.Match, Want: fact.Facts{Protocol: "tls"}},
		{Name: "alert, then nothing", In: dissecttest.TCP(443, dissecttest.Client("\x15\x03\x01\x00\x02\x02\x28")), Result: dissect.Partial, Want: fact.Facts{Protocol: "tls"}},
		{Name: "half a hello", In: dissecttest.TCP(443, dissecttest.Client(side(v12, dissect.Client)[:60])), Result: dissect.Partial, Want: fact.Facts{Protocol: "tls"}},
		{
			Name: "SSL 2 hello", Result: dissect.Partial, Want: fact.Facts{Protocol: "tls", TLSVersion: 0x0301},
			In: dissecttest.TCP(443, dissecttest.Client("\x80\x1c\x01\x03\x01\x00\x03\x00\x00\x00\x10\x00\x00\x05abcdefghijklmnop")),
		},
	}
}
