package cli

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/netpol/netpol/enforcer/flow"
)

func TestParseTuple(t *testing.T) {
	v4 := flow.Tuple{
		Proto: 6, Src: netip.MustParseAddr("192.168.1.117"), SrcPort: 50100,
		Dst: netip.MustParseAddr("170.114.52.2"), DstPort: 443,
	}
	v6 := flow.Tuple{
		Proto: 17, Src: netip.MustParseAddr("fd00::2"), SrcPort: 50100,
		Dst: netip.MustParseAddr("2001:db8::1"), DstPort: 8801,
	}
	ping := flow.Tuple{Proto: 1, Src: v4.Src, Dst: v4.Dst}
	tests := []struct {
		name string
		in   []string
		want flow.Tuple
	}{
		{"three arguments", []string{"tcp", "192.168.1.117:50100", "170.114.52.2:443"}, v4},
		{"one argument", []string{"tcp 192.168.1.117:50100 170.114.52.2:443"}, v4},
		{"arrow, protocol last", []string{"192.168.1.117:50100 -> 170.114.52.2:443 TCP"}, v4},
		{"five words", []string{"tcp", "192.168.1.117", "50100", "170.114.52.2", "443"}, v4},
		{"commas", []string{"192.168.1.117,50100,170.114.52.2,443,tcp"}, v4},
		{"conntrack", []string{"tcp      6 431999 ESTABLISHED src=192.168.1.117 dst=170.114.52.2 sport=50100 dport=443 " +
			"src=170.114.52.2 dst=203.0.113.9 sport=443 dport=50100 [ASSURED] mark=0 labels=zoom use=1"}, v4},
		{"IPv6", []string{"udp", "[fd00::2]:50100", "[2001:db8::1]:8801"}, v6},
		{"IPv6 words", []string{"udp fd00::2 50100 2001:db8::1 8801"}, v6},
		{"mapped IPv4", []string{"tcp [::ffff:192.168.1.117]:50100 170.114.52.2:443"}, v4},
		{"icmp", []string{"icmp 192.168.1.117 170.114.52.2"}, ping},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseTuple(tt.in)
			if err != nil || got != tt.want {
				t.Errorf("got %+v, %v, want %+v", got, err, tt.want)
			}
		})
	}
}

func TestParseTupleRefuses(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"nothing", "", "0 addresses"},
		{"no protocol", "1.2.3.4:5 6.7.8.9:10", "protocol is missing"},
		{"no ports", "tcp 1.2.3.4 6.7.8.9", "0 ports"},
		{"one port", "tcp 1.2.3.4:5 6.7.8.9", "1 ports"},
		{"three addresses", "tcp 1.2.3.4:5 6.7.8.9:10 1.1.1.1", "3 addresses"},
		{"port too high", "tcp 1.2.3.4 70000 6.7.8.9 443", `"70000" is not a protocol`},
		{"a name", "tcp zoom.us:443 1.2.3.4:5", `"zoom.us:443"`},
		{"mixed families", "tcp 1.2.3.4:5 [::1]:6", "IPv4 and the other IPv6"},
		{"ports for ICMP", "icmp 1.2.3.4:5 6.7.8.9:10", "ICMP has no ports"},
		{"conntrack without address", "tcp src=x dst=1.2.3.4 sport=1 dport=2", `"x" is not an address`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := parseTuple([]string{tt.in})
			if !errors.Is(err, errTuple) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got error %v, want one with %q and the way out", err, tt.want)
			}
		})
	}
}

func FuzzParseTuple(f *testing.F) {
	f.Add("tcp 192.168.1.117:50100 170.114.52.2:443")
	f.Add("udp src=::1 dst=::2 sport=1 dport=2")
	f.Fuzz(func(t *testing.T, in string) {
		tuple, err := parseTuple([]string{in})
		if err == nil && (!tuple.Src.IsValid() || !tuple.Dst.IsValid() || tuple.Proto == 0) {
			t.Errorf("%q gave the incomplete tuple %+v", in, tuple)
		}
	})
}
