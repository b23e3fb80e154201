package tls

import (
	"testing"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/enforcer/dissect/dissecttest"
	"github.com/netpol/netpol/lang/fact"
)

// dtlsFragment is one handshake fragment in a record of its own.
func dtlsFragment(msg []byte, seq uint16, offset, length int) []byte {
	body := msg[4:]
	frag := append([]byte{msg[0]}, msg[1:4]...)
	frag = append(frag, words(seq)...)
	frag = append(frag, byte(offset>>16), byte(offset>>8), byte(offset))
	frag = append(frag, vector(3, body[offset:offset+length])...)
	rec := append([]byte{recordHandshake}, words(versionDTLS12, 0, 0, 0, seq)...)
	return append(rec, vector(2, frag)...)
}

func TestDTLS(t *testing.T) { dissecttest.Run(t, NewDTLS(), dtlsCases(t)) }

func FuzzDTLS(f *testing.F) { dissecttest.FuzzOne(f, NewDTLS(), dtlsCases(f)) }

func dtlsCases(t testing.TB) []dissecttest.Case {
	t.Helper()
	h := specHello("webrtc", 0xfefd)
	h.dtls, h.version = true, versionDTLS12
	msg := h.message()
	n := len(msg) - 4
	hello := dtlsFragment(msg, 0, 0, n)
	srv := append(words(versionDTLS12), make([]byte, 33)...)
	srv = append(srv, 0xc0, 0x2b, 0)
	answer := dtlsFragment(append([]byte{typeServerHello}, vector(3, srv)...), 0, 0, len(srv))
	data := append([]byte("\x17\xfe\xfd\x00\x01\x00\x00\x00\x00\x00\x09"), vector(2, make([]byte, 40))...)
	want := fact.Facts{
		Protocol: "dtls", Hostname: "example.com", By: fact.BySNI, TLSVersion: 0x0303, ALPN: "webrtc,http/1.1",
		JA4: "dd2d1516wc_8daaf6152771_e5627efa2ab1",
	}
	chosen := want
	chosen.TLSCipher, chosen.JA4S = 0xc02b, "dd20000_c02b_000000000000"
	return []dissecttest.Case{
		{Name: "hello", In: dissecttest.UDP(5684, dissecttest.Client(hello)), Result: dissect.Partial, Want: want},
		{Name: "both hellos", In: dissecttest.UDP(5684, dissecttest.Client(hello), dissecttest.Server(answer)), Result: dissect.Match, Want: chosen},
		{Name: "hello, then encrypted", In: dissecttest.UDP(5684, dissecttest.Client(hello), dissecttest.Server(data)), Result: dissect.Match, Want: want},
		{
			Name: "fragments out of order and overlapping", Result: dissect.Partial, Want: want,
			In: dissecttest.UDP(5684, dissecttest.Client(dtlsFragment(msg, 0, 90, n-90)), dissecttest.Client(dtlsFragment(msg, 0, 0, 50)), dissecttest.Client(dtlsFragment(msg, 0, 40, 60))),
		},
		{
			Name: "fragments, again with a cookie", Result: dissect.Partial, Want: want,
			In: dissecttest.UDP(5684, dissecttest.Client(dtlsFragment(msg, 0, 0, 70)), dissecttest.Client(dtlsFragment(msg, 1, 0, 50)), dissecttest.Client(dtlsFragment(msg, 1, 50, n-50))),
		},
		{Name: "half a hello", In: dissecttest.UDP(5684, dissecttest.Client(dtlsFragment(msg, 0, 0, 60))), Result: dissect.Partial, Want: fact.Facts{Protocol: "dtls"}},
		{Name: "midstream of AnyConnect", In: dissecttest.UDP(443, dissecttest.Client(append([]byte("\x17\x01\x00\x00\x01\x00\x00\x00\x00\x00\x09"), vector(2, make([]byte, 40))...))), Result: dissect.Match, Want: fact.Facts{Protocol: "dtls"}},
		{Name: "midstream", In: dissecttest.UDP(443, dissecttest.Client(data)), Result: dissect.Match, Want: fact.Facts{Protocol: "dtls"}},
	}
}
