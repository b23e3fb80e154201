package lab

import (
	"crypto/tls"
	"net/netip"
)

// Kind is what a conversation speaks.
type Kind uint8

// Kinds of conversation.
const (
	// KindTLS is a real TLS session of crypto/tls with a few requests in it.
	KindTLS Kind = iota
	// KindHTTP is plain HTTP/1.1.
	KindHTTP
	// KindDNS is one question and its answer over UDP.
	KindDNS
	// KindZoomMedia is audio and video in Zoom's encapsulation over UDP.
	KindZoomMedia
	// KindSTUN is binding requests and their answers.
	KindSTUN
	// KindBitTorrent is a peer handshake and some messages over TCP.
	KindBitTorrent
	// KindDHT is BitTorrent's distributed hash table over UDP.
	KindDHT
	// KindNoise is datagrams of no known protocol.
	KindNoise
)

// UDP reports whether conversations of this kind are datagrams.
func (k Kind) UDP() bool {
	switch k {
	case KindDNS, KindZoomMedia, KindSTUN, KindDHT, KindNoise:
		return true
	case KindTLS, KindHTTP, KindBitTorrent:
		return false
	}
	return false
}

// Conversation is one exchange between the client and one server. Client and
// Server are its conntrack tuple: the lab's router does not translate.
type Conversation struct {
	Kind   Kind
	Client netip.AddrPort
	Server netip.AddrPort
	// Host is the name in the TLS hello or HTTP request; in KindDNS, the
	// question.
	Host string
	// MaxTLS caps the TLS version (tls.VersionTLS12); 0 is no cap.
	MaxTLS uint16
	// Answer is the address a KindDNS conversation is told.
	Answer netip.Addr
	// Label is the conntrack label it must end with under the demo's policy,
	// empty for none.
	Label string
	// About says in a few words why the conversation is here.
	About string
}

// The client's addresses, and the labels that the demo's policy gives.
var (
	client4 = netip.MustParseAddr("192.168.1.117")
	client6 = netip.MustParseAddr("fd4e:6574:706f::117")
)

const (
	labelZoom = "zoom"
	labelBulk = "bulk"
)

// Call is a Zoom call among other traffic, always the same. Zoom's servers
// stand at addresses of its published networks; the names that are not Zoom's
// are chosen to be near misses where there is one.
func Call() []Conversation {
	resolver := netip.MustParseAddrPort("192.0.2.53:53")
	zoomWeb := netip.MustParseAddrPort("170.114.52.2:443")
	zoomSix := netip.MustParseAddrPort("[2620:123:2001::17]:443")
	media := netip.MustParseAddrPort("144.195.33.99:8801")
	example := netip.MustParseAddrPort("203.0.113.34:443")
	return []Conversation{
		{Kind: KindDNS, Client: at4(50053), Server: resolver, Host: "www.example.org", Answer: example.Addr(), About: "DNS look-up"},

		{Kind: KindTLS, Client: at4(50101), Server: zoomWeb, Host: "zoom.us", MaxTLS: tls.VersionTLS12, Label: labelZoom, About: "sign-in, TLS 1.2"},
		{Kind: KindTLS, Client: at4(50102), Server: netip.MustParseAddrPort("203.0.113.99:443"), Host: "zoomfrn99mmr.zoom.us", Label: labelZoom, About: "meeting server at an unlisted address, TLS 1.3"},
		{Kind: KindTLS, Client: at6(50103), Server: zoomSix, Host: "us04web.zoom.us", Label: labelZoom, About: "meeting page over IPv6"},
		{Kind: KindZoomMedia, Client: at4(58327), Server: media, Label: labelZoom, About: "audio and video"},
		{Kind: KindZoomMedia, Client: at6(58328), Server: netip.MustParseAddrPort("[2620:123:2001::99]:8801"), Label: labelZoom, About: "audio and video over IPv6"},
		{Kind: KindSTUN, Client: at4(23903), Server: netip.MustParseAddrPort("162.255.37.14:3478"), Label: labelZoom, About: "NAT probe to Zoom"},

		{Kind: KindTLS, Client: at4(50201), Server: example, Host: "www.example.org", About: "a web site"},
		{Kind: KindTLS, Client: at6(50202), Server: netip.MustParseAddrPort("[2001:db8:34::34]:443"), Host: "www.example.org", About: "a web site over IPv6"},
		{Kind: KindTLS, Client: at4(50203), Server: netip.MustParseAddrPort("203.0.113.35:443"), Host: "www.zoom.com.br", MaxTLS: tls.VersionTLS12, About: "a shop that is also called Zoom"},
		{Kind: KindTLS, Client: at4(50204), Server: netip.MustParseAddrPort("203.0.113.36:443"), Host: "notzoom.us", About: "ends like zoom.us, is not"},
		{Kind: KindHTTP, Client: at4(50205), Server: netip.MustParseAddrPort("203.0.113.34:80"), Host: "www.example.org", About: "plain HTTP"},
		{Kind: KindSTUN, Client: at4(23904), Server: netip.MustParseAddrPort("203.0.113.3:3478"), About: "the same STUN to another network"},
		{Kind: KindNoise, Client: at4(58401), Server: netip.MustParseAddrPort("203.0.113.88:8801"), About: "Zoom's port, not Zoom"},
		{Kind: KindBitTorrent, Client: at4(50301), Server: netip.MustParseAddrPort("203.0.113.77:6881"), Label: labelBulk, About: "BitTorrent peer"},
		{Kind: KindDHT, Client: at4(50302), Server: netip.MustParseAddrPort("203.0.113.78:6881"), Label: labelBulk, About: "BitTorrent DHT"},
	}
}

func at4(port uint16) netip.AddrPort { return netip.AddrPortFrom(client4, port) }
func at6(port uint16) netip.AddrPort { return netip.AddrPortFrom(client6, port) }
