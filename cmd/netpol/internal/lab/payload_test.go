package lab

import (
	"bytes"
	"encoding/hex"
	"net/netip"
	"testing"
)

func TestZoomMediaIsDeterministic(t *testing.T) {
	end := netip.MustParseAddrPort("192.0.2.1:1")
	a, b := seeded(end), seeded(end)
	for i := range 6 {
		if x, y := zoomMedia(i, false, a), zoomMedia(i, false, b); !bytes.Equal(x, y) {
			t.Fatalf("packet %d: got two payloads, want one", i)
		}
	}
}

func TestZoomMediaLayout(t *testing.T) {
	cases := []struct {
		name   string
		packet int
		server bool
		want   string // hexadecimal, up to the end of the RTP header
	}{
		{"audio from the client", 3, false, "0500030000000000" + "0f0100000000000000" + "0001" + "00000280" + "00000000" + "80700001" + "00000280" + "01000401"},
		{"video from the server", 4, true, "0500040000000004" + "100100000000000000" + "0002" + "00001770" + "0000000000" + "02" + "0002" + "02" + "80620002" + "00001770" + "01000802"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := hex.EncodeToString(zoomMedia(c.packet, c.server, seeded(netip.AddrPort{})))
			if got[:len(c.want)] != c.want {
				t.Errorf("got  %s\nwant %s", got[:len(c.want)], c.want)
			}
		})
	}
}

func TestSight(t *testing.T) {
	six := "6a000000" + "000c" + "11" + "3f" +
		"20010db8000000000000000000000001" + "20010db8000000000000000000000002" + "1f90" + "0035" + "000c0000" + "00000000"
	cases := []struct {
		name, in string
		want     Sighting
		ok       bool
	}{
		{"empty", "", Sighting{}, false},
		{"tcp over ipv4", "45a00028" + "00000000" + "3f060000" + "c0000201" + "c0000202" + "0016" + "ffff", Sighting{
			TOS: 0xa0, TTL: 63, Proto: 6, Length: 40,
			Src: netip.MustParseAddrPort("192.0.2.1:22"), Dst: netip.MustParseAddrPort("192.0.2.2:65535"),
		}, true},
		{"udp over ipv6", six, Sighting{
			TOS: 0xa0, TTL: 63, Proto: 17, Length: 52,
			Src: netip.MustParseAddrPort("[2001:db8::1]:8080"), Dst: netip.MustParseAddrPort("[2001:db8::2]:53"),
		}, true},
		{"header length past the end", "4f000028" + "00000000" + "3f060000" + "c0000201" + "c0000202", Sighting{}, false},
		{"another version", "55000028" + "00000000" + "3f060000" + "c0000201" + "c0000202", Sighting{}, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			in, err := hex.DecodeString(c.in)
			if err != nil {
				t.Fatal(err)
			}
			got, ok := sight(in)
			if got != c.want || ok != c.ok {
				t.Errorf("got %+v, %v, want %+v, %v", got, ok, c.want, c.ok)
			}
		})
	}
}

func FuzzSight(f *testing.F) {
	f.Add([]byte{0x45, 0, 0, 20, 0, 0, 0, 0, 64, 6, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8})
	f.Add(append([]byte{0x60}, make([]byte, 44)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, ok := sight(b)
		if ok != s.Src.IsValid() {
			t.Errorf("ok is %v and the source is %v", ok, s.Src)
		}
	})
}
