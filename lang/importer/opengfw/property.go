package opengfw

import "strings"

// property is a property of OpenGFW's analyzers that netpol has too.
type property struct {
	path string // joined by dots
	attr string
	// protocol is the one whose flows have the property; empty: all flows.
	protocol string
	kind     propertyKind
}

// propertyKind is what a property is compared with.
type propertyKind uint8

const (
	kindText propertyKind = iota
	kindHost
	kindAddress
	kindPort
	kindTransport
	kindList
)

// properties are sorted by path.
var properties = []property{
	{"http.req.headers.host", "hostname", "http", kindHost},
	{"http.req.headers.user-agent", "http_user_agent", "http", kindText},
	{"http.req.method", "http_method", "http", kindText},
	{"ip.dst", "dst_ip", "", kindAddress},
	{"ip.src", "src_ip", "", kindAddress},
	{"port.dst", "dst_port", "", kindPort},
	{"port.src", "src_port", "", kindPort},
	{"proto", "ip_protocol", "", kindTransport},
	{"quic.req.alpn", "alpn", "quic", kindList},
	{"quic.req.sni", "hostname", "quic", kindHost},
	{"tls.req.alpn", "alpn", "tls", kindList},
	{"tls.req.sni", "hostname", "tls", kindHost},
}

// presences are analyzers, and parts of what they give, that are there for the
// flows of one protocol.
var presences = map[string]string{
	"dns": "dns", "http": "http", "http.req": "http", "http.req.headers": "http", "quic": "quic", "quic.req": "quic",
	"ssh": "ssh", "tls": "tls", "tls.req": "tls", "wireguard": "wireguard", "openvpn": "openvpn", "socks": "socks",
}

// findProperty is the property of a path.
func findProperty(path []string) (property, bool) {
	name := strings.Join(path, ".")
	for _, p := range properties {
		if p.path == name {
			return p, true
		}
	}
	return property{}, false
}
