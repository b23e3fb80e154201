package console

import (
	"fmt"

	"github.com/netpol/netpol/cmd/netpol/internal/flowfacts"
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang/fact"
)

// builtin are flows of a home: what most criteria are about. Addresses are of
// the documentation where they are not an application's own.
var builtin = []struct {
	name  string
	facts map[string]string
}{
	{"Zoom sign-in", map[string]string{"src_ip": "192.168.1.10", "src_port": "50101", "dst_ip": "170.114.52.2", "dst_port": "443", "ip_protocol": "tcp", "protocol": "tls", "hostname": "us04web.zoom.us", "tls_version": "1.3", "alpn": "h2,http/1.1", "interface": "lan0"}},
	{"Zoom media", map[string]string{"src_ip": "192.168.1.10", "src_port": "58327", "dst_ip": "144.195.33.99", "dst_port": "8801", "ip_protocol": "udp", "protocol": "zoom-media", "interface": "lan0"}},
	{"YouTube over QUIC", map[string]string{"src_ip": "fd00::20", "src_port": "50102", "dst_ip": "2001:db8::443", "dst_port": "443", "ip_protocol": "udp", "protocol": "quic", "hostname": "www.youtube.com", "tls_version": "1.3", "alpn": "h3", "interface": "lan0"}},
	{"a web site, TLS 1.0", map[string]string{"src_ip": "192.168.1.40", "src_port": "50103", "dst_ip": "203.0.113.34", "dst_port": "443", "ip_protocol": "tcp", "protocol": "tls", "hostname": "www.example.org", "tls_version": "1.0", "interface": "lan0"}},
	{"a web site, plain", map[string]string{"src_ip": "192.168.1.10", "src_port": "50104", "dst_ip": "203.0.113.34", "dst_port": "80", "ip_protocol": "tcp", "protocol": "http", "hostname": "www.example.org", "http_user_agent": "Mozilla/5.0", "interface": "lan0"}},
	{"DNS", map[string]string{"src_ip": "192.168.1.10", "src_port": "50105", "dst_ip": "192.0.2.53", "dst_port": "53", "ip_protocol": "udp", "protocol": "dns", "dns_hostname": "zoom.us", "interface": "lan0"}},
	{"BitTorrent", map[string]string{"src_ip": "192.168.1.20", "src_port": "50106", "dst_ip": "203.0.113.77", "dst_port": "6881", "ip_protocol": "tcp", "protocol": "bittorrent", "interface": "lan0"}},
	{"SSH from outside", map[string]string{"src_ip": "198.51.100.9", "src_port": "40022", "dst_ip": "192.168.1.2", "dst_port": "22", "ip_protocol": "tcp", "protocol": "ssh", "interface": "wan0"}},
	{"unknown datagrams", map[string]string{"src_ip": "192.168.1.30", "src_port": "50107", "dst_ip": "203.0.113.88", "dst_port": "8801", "ip_protocol": "udp", "interface": "lan0"}},
}

// Builtin are the sample flows as the set of the bundle sees them.
func Builtin(b *artifact.Bundle) ([]Sample, error) {
	world, err := flowfacts.NewWorld(b)
	if err != nil {
		return nil, err
	}
	var out []Sample
	for _, x := range builtin {
		f, given := new(fact.Facts), map[string]bool{}
		for name, text := range x.facts {
			a, ok := fact.Lookup(name)
			if !ok {
				return nil, fmt.Errorf("sample %q: no attribute %s", x.name, name)
			}
			if d := flowfacts.Set(f, a, text, world.Catalogue); d != nil {
				return nil, fmt.Errorf("sample %q: %w", x.name, *d)
			}
			given[name] = true
		}
		world.Complete(f, given)
		out = append(out, Sample{Name: x.name, Facts: f})
	}
	return out, nil
}
