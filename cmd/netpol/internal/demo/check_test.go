package demo

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/netpol/netpol/cmd/netpol/internal/lab"
)

func conn(proto uint8, client, server string) connection {
	return connection{proto, netip.MustParseAddrPort(client), netip.MustParseAddrPort(server)}
}

func TestCheckLabels(t *testing.T) {
	zoom := conn(protoTCP, "192.168.1.2:5000", "170.114.52.2:443")
	web := conn(protoTCP, "192.168.1.2:5001", "203.0.113.1:443")
	want := []expectation{
		{connection: zoom, about: "call", label: "zoom", seen: true},
		{connection: web, about: "site", seen: true},
	}
	cases := []struct {
		name string
		in   []entry
		want []string
	}{
		{"as it must be", []entry{{zoom, []string{"zoom"}}, {web, nil}}, nil},
		{
			"found from the other side",
			[]entry{{connection{zoom.proto, zoom.server, zoom.client}, []string{"zoom"}}, {web, nil}},
			nil,
		},
		{
			"label missing",
			[]entry{{zoom, nil}, {web, nil}},
			[]string{`tcp 192.168.1.2:5000 -> 170.114.52.2:443 (call): got label "", want "zoom"`},
		},
		{
			"label too many",
			[]entry{{zoom, []string{"zoom"}}, {web, []string{"zoom"}}},
			[]string{`tcp 192.168.1.2:5001 -> 203.0.113.1:443 (site): got label "zoom", want ""`},
		},
		{
			"connection missing",
			[]entry{{zoom, []string{"zoom"}}},
			[]string{`tcp 192.168.1.2:5001 -> 203.0.113.1:443 (site): the kernel does not know it`},
		},
		{
			"a stranger with a label",
			[]entry{{zoom, []string{"zoom"}}, {web, nil}, {conn(protoUDP, "192.168.1.2:9", "203.0.113.9:9"), []string{"bulk"}}},
			[]string{`udp 192.168.1.2:9 -> 203.0.113.9:9: got label "bulk", want none`},
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := checkLabels(want, c.in); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

// Of a capture only the Zoom label is held against the kernel.
func TestCheckLabelsOfCapture(t *testing.T) {
	peer := conn(protoUDP, "192.168.1.2:5000", "203.0.113.7:6881")
	cases := []struct {
		name, label string
		in          []string
		wrong       int
	}{
		{"another label more", "", []string{"bulk"}, 0},
		{"another label beside zoom", "zoom", []string{"bulk", "zoom"}, 0},
		{"zoom too many", "bulk", []string{"bulk", "zoom"}, 1},
		{"zoom missing", "bulk,zoom", []string{"bulk"}, 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := checkLabels([]expectation{{connection: peer, label: c.label}}, []entry{{peer, c.in}})
			if len(got) != c.wrong {
				t.Errorf("got %q, want %d lines", got, c.wrong)
			}
		})
	}
}

func TestTrails(t *testing.T) {
	a, b := netip.MustParseAddrPort("192.168.1.2:5000"), netip.MustParseAddrPort("170.114.52.2:443")
	got := trails([]lab.Sighting{
		{Proto: protoTCP, Src: a, Dst: b, Length: 1},
		{Proto: protoTCP, Src: b, Dst: a, Length: 2, TOS: 0xa2}, // cs5 and an ECN bit
		{Proto: protoTCP, Src: a, Dst: b, Length: 3, TOS: 0xa0},
		{Proto: protoUDP, Src: a, Dst: b, Length: 4, TOS: 0xb8},
	})
	tcp := got[connection{protoTCP, a, b}.key()]
	if tcp.packets != 3 || tcp.marked != 2 || tcp.first.Length != 1 || tcp.firstMarked.Length != 2 || tcp.last.Length != 3 {
		t.Errorf("got %+v of tcp, want 3 packets, 2 marked, the second first", tcp)
	}
	if udp := got[connection{protoUDP, a, b}.key()]; udp.packets != 1 || udp.marked != 0 {
		t.Errorf("got %+v of udp, want 1 packet, 0 marked: ef is not cs5", udp)
	}
}
