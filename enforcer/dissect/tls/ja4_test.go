package tls

import (
	"testing"

	"github.com/netpol/netpol/lang/fact"
)

// The lists of the example in the specification of JA4, with GREASE added.
var (
	specCiphers = []uint16{
		0x2a2a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9,
		0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035,
	}
	specAlgorithms = []uint16{0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601}
	specExtensions = []uint16{
		0x3a3a, 0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d,
		0x0005, 0x0023, 0x0012, 0x002b, 0xff01, 0x000b, 0x000a, 0x0015, 0xbaba,
	}
)

// specHello is the example's hello with the first ALPN value and version list
// given.
func specHello(protocol string, versions ...uint16) hello {
	h := hello{version: 0x0303, ciphers: specCiphers}
	for _, typ := range specExtensions {
		var data []byte
		switch typ {
		case extServerName:
			data = names("example.com").data
		case extALPN:
			data = vector(2, append(vector(1, []byte(protocol)), vector(1, []byte("http/1.1"))...))
		case extSupportedVersions:
			data = vector(1, words(versions...))
		case extSignatureAlgorithms:
			data = vector(2, words(specAlgorithms...))
		}
		h.extensions = append(h.extensions, extension{typ, data})
	}
	return h
}

func TestJA4(t *testing.T) {
	without := func(drop ...uint16) hello {
		h := specHello("h2", 0x0304)
		h.extensions = nil
		for _, e := range specHello("h2", 0x0304).extensions {
			keep := true
			for _, d := range drop {
				keep = keep && e.typ != d
			}
			if keep {
				h.extensions = append(h.extensions, e)
			}
		}
		return h
	}
	dtls := specHello("webrtc", 0xfefd, 0xfefc)
	dtls.dtls = true
	many := hello{version: 0x0301}
	for i := range 150 {
		many.ciphers = append(many.ciphers, uint16(i))
	}
	huge := hello{version: 0x0303, ciphers: make([]uint16, maxListed+1)}
	tests := []struct {
		name string
		in   hello
		over Carrier
		want string
	}{
		{"the specification's example", specHello("h2", 0x9a9a, 0x0304, 0x0303), OverTCP, "t13d1516h2_8daaf6152771_e5627efa2ab1"},
		{"over QUIC", specHello("h3", 0x0304), OverQUIC, "q13d1516h3_8daaf6152771_e5627efa2ab1"},
		{"over DTLS, versions count down", dtls, OverDTLS, "dd3d1516wc_8daaf6152771_e5627efa2ab1"},
		{"no signature algorithms", func() hello {
			h := specHello("h2", 0x0304)
			for i := range h.extensions {
				if h.extensions[i].typ == extSignatureAlgorithms {
					h.extensions[i].data = nil
				}
			}
			return h
		}(), OverTCP, "t13d1516h2_8daaf6152771_6d807ffa2a79"},
		{"no name, no ALPN", without(extServerName, extALPN), OverTCP, "t13i151400_8daaf6152771_e5627efa2ab1"},
		{"only GREASE versions", specHello("h2", 0x5a5a), OverTCP, "t12d1516h2_8daaf6152771_e5627efa2ab1"},
		{"unknown version", specHello("h2", 0x7f1c), OverTCP, "t00d1516h2_8daaf6152771_e5627efa2ab1"},
		{"ALPN of one byte", specHello("x", 0x0304), OverTCP, "t13d1516xx_8daaf6152771_e5627efa2ab1"},
		{"ALPN ab", specHello("\xab", 0x0304), OverTCP, "t13d1516ab_8daaf6152771_e5627efa2ab1"},
		{"ALPN ab cd", specHello("\xab\xcd", 0x0304), OverTCP, "t13d1516ad_8daaf6152771_e5627efa2ab1"},
		{"ALPN 30 ab", specHello("\x30\xab", 0x0304), OverTCP, "t13d15163b_8daaf6152771_e5627efa2ab1"},
		{"ALPN 30 31 ab cd", specHello("\x30\x31\xab\xcd", 0x0304), OverTCP, "t13d15163d_8daaf6152771_e5627efa2ab1"},
		{"ALPN 30 ab cd 31", specHello("\x30\xab\xcd\x31", 0x0304), OverTCP, "t13d151601_8daaf6152771_e5627efa2ab1"},
		{"empty ALPN value", specHello("", 0x0304), OverTCP, "t13d151600_8daaf6152771_e5627efa2ab1"},
		{"no ciphers, no extensions", hello{version: 0x0300}, OverTCP, "ts3i000000_000000000000_000000000000"},
		{"99 at most", many, OverTCP, "t10i990000_" + hashOf(many.ciphers) + "_000000000000"},
		{"beyond bounds", huge, OverTCP, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var f fact.Facts
			if !ParseClientHello(tt.in.message(), tt.over, &f) {
				t.Fatal("the hello does not parse")
			}
			if f.JA4 != tt.want {
				t.Errorf("got %q, want %q", f.JA4, tt.want)
			}
		})
	}
}

// hashOf is the cipher part for values that are sorted already.
func hashOf(sorted []uint16) string {
	return string(appendHash(nil, appendValues(nil, sorted)))
}

func TestHelloReadAgainDoesNotAllocate(t *testing.T) {
	msg := specHello("h2", 0x0304).message()
	var f fact.Facts
	ParseClientHello(msg, OverTCP, &f)
	if n := testing.AllocsPerRun(100, func() { ParseClientHello(msg, OverTCP, &f) }); n != 0 {
		t.Errorf("allocations: got %v, want 0", n)
	}
}

func BenchmarkClientHello(b *testing.B) {
	msg := specHello("h2", 0x0304).message()
	var f fact.Facts
	b.SetBytes(int64(len(msg)))
	for b.Loop() {
		f.JA4 = "" // or it would not be made
		ParseClientHello(msg, OverTCP, &f)
	}
}

func BenchmarkSortValues(b *testing.B) {
	var l, sorted valueList
	for i := range 15 {
		l.add(uint16(i*7919) & 0xf0ff)
	}
	for b.Loop() {
		sorted = l
		sorted.sort()
	}
}
