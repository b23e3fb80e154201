package tls

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"github.com/netpol/netpol/enforcer/dissect/dissecttest"
	"github.com/netpol/netpol/lang/fact"
)

// answered is a server's hello with extensions of the types, and ALPN's value.
func answered(version, suite uint16, alpn string, types ...uint16) []byte {
	var ext []byte
	for _, typ := range types {
		var data []byte
		switch typ {
		case extSupportedVersions:
			data = words(0x0304)
		case extALPN:
			data = vector(2, vector(1, []byte(alpn)))
		}
		ext = append(append(ext, words(typ)...), vector(2, data)...)
	}
	body := append(words(version), make([]byte, 33)...)
	body = append(append(body, words(suite)...), 0)
	body = append(body, vector(2, ext)...)
	return append([]byte{typeServerHello}, vector(3, body)...)
}

func TestJA4S(t *testing.T) {
	hash := func(list string) string {
		sum := sha256.Sum256([]byte(list))
		return hex.EncodeToString(sum[:6])
	}
	for _, tt := range []struct {
		name  string
		hello []byte
		want  string
	}{
		{"the specification's example", answered(0x0303, 0x1301, "", 0x0033, extSupportedVersions), "t130200_1301_" + hash("0033,002b")},
		{"order counts", answered(0x0303, 0x1301, "", extSupportedVersions, 0x0033), "t130200_1301_" + hash("002b,0033")},
		{"TLS 1.2 with ALPN", answered(0x0303, 0xc030, "h2", 0xff01, extALPN), "t1202h2_c030_" + hash("ff01,0010")},
		{"no extensions", answered(0x0301, 0x000a, ""), "t100000_000a_000000000000"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var f fact.Facts
			New().Dissect(dissecttest.TCP(443, dissecttest.Server(records(tt.hello, 1000))).Whole(), &f)
			if f.JA4S != tt.want {
				t.Errorf("got %q, want %q", f.JA4S, tt.want)
			}
		})
	}
}
