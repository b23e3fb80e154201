package icmp

import "testing"

func TestTunnel(t *testing.T) {
	const header = "\x12\x34\x00\x01"
	for _, tt := range []struct {
		name           string
		protocol, kind uint8
		rest           string
		want           bool
	}{
		{"ptunnel", 1, 8, header + "\xd5\x20\x08\x80\xc0\x00\x02\x01", true},
		{"ptunnel's answer", 1, 0, header + "\xd5\x20\x08\x80", true},
		{"hans", 1, 8, header + "hanc\x01", true},
		{"hans over IPv6", 58, 129, header + "hns4\x01", true},
		{"ping of Linux", 1, 8, header + "\x65\xa1\xb2\xc3\x00\x00\x00\x00\x10\x11\x12", false},
		{"ping of Windows", 1, 8, header + "abcdefghijklmnopqrstuvw", false},
		{"short", 1, 8, header + "han", false},
		{"error with a tunnel's bytes in it", 1, 3, header + "hanc\x01", false},
		{"another protocol", 2, 8, header + "hanc\x01", false},
	} {
		if got := Tunnel(tt.protocol, tt.kind, []byte(tt.rest)); got != tt.want {
			t.Errorf("%s: got %v", tt.name, got)
		}
	}
}
