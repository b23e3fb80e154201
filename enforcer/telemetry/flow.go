package telemetry

import (
	"fmt"
	"net/netip"
	"time"
)

// Event says why a row was made.
type Event uint8

// Events.
const (
	Ended Event = iota // the flow is over, or its capture file is
	Live               // a snapshot on request
)

// String is the word rows carry for the event.
func (e Event) String() string {
	switch e {
	case Ended:
		return "ended"
	case Live:
		return "live"
	}
	return "unknown"
}

// Flow is one flow as a row of a list. Src is the side that opened it, as far
// as that is known.
type Flow struct {
	Event            Event      `json:"-"`
	PCAP             string     `json:"pcap"` // base name of the capture file, empty on live input
	IPProtocol       int        `json:"ip_protocol"`
	SrcIP            netip.Addr `json:"src_ip"`
	SrcPort          int        `json:"src_port"`
	DstIP            netip.Addr `json:"dst_ip"`
	DstPort          int        `json:"dst_port"`
	VLANID           int        `json:"vlan_id"`
	Protocol         string     `json:"protocol"`
	Application      string     `json:"application"`
	Brand            string     `json:"brand"`
	Category         string     `json:"category"`
	Hostname         string     `json:"hostname"`
	TLSVersion       string     `json:"tls_version"` // "TLSv1.2", empty for none
	JA4              string     `json:"ja4"`
	ALPN             string     `json:"alpn"` // as offered, joined by commas
	Packets          uint64     `json:"packets"`
	Bytes            uint64     `json:"bytes"`             // on the wire, link layer included where the capture has it
	DetectionPackets int        `json:"detection_packets"` // packets seen when the name was first known, 0 for never
	InspectedPackets int        `json:"inspected_packets"` // packets with a payload that were inspected
	Labels           []string   `json:"labels"`
	Policies         []string   `json:"policies"`
	By               string     `json:"by"`
	DNSHostname      string     `json:"dns_hostname"`
	Interface        string     `json:"interface"`
	Input            string     `json:"input,omitempty"` // that showed the flow; empty for the router's own path
	Guessed          bool       `json:"detection_guessed"`
	FirstSeen        time.Time  `json:"first_seen"`
	LastSeen         time.Time  `json:"last_seen"`
	LocalIP          netip.Addr `json:"local_ip,omitzero"` // of rows on request alone, as is what follows
	LocalMAC         string     `json:"local_mac,omitempty"`
	Now
}

// Now is what a flow carries at the moment, and how it fares. Rates are bytes a second over the
// last interval between two readings.
type Now struct {
	Rate       uint64 `json:"rate,omitempty"`
	LocalRate  uint64 `json:"local_rate,omitempty"` // sent by the local side
	OtherRate  uint64 `json:"other_rate,omitempty"`
	LocalBytes uint64 `json:"local_bytes,omitempty"`
	OtherBytes uint64 `json:"other_bytes,omitempty"`
	// RTTServer and RTTClient are from the router to an end and back, in microseconds, and Retrans
	// segments of TCP that were sent again, where packets were seen; 0 is not known.
	RTTServer uint32 `json:"rtt_server_us,omitempty"`
	RTTClient uint32 `json:"rtt_client_us,omitempty"`
	Retrans   uint64 `json:"retrans,omitempty"`
}

// RTT is the time that a packet takes from one end to the other and back, in microseconds; 0 is
// not known.
func (n *Now) RTT() uint32 {
	if n.RTTServer == 0 {
		return 0
	}
	return n.RTTServer + n.RTTClient
}

// TLSVersionName is how a wire version of SSL, TLS or DTLS is written; empty
// for 0 (RFC 8446, 4.1.2; RFC 9147, 5.3).
func TLSVersionName(version int) string {
	switch version {
	case 0:
		return ""
	case 0x0002:
		return "SSLv2"
	case 0x0300:
		return "SSLv3"
	case 0x0301:
		return "TLSv1.0"
	case 0x0302:
		return "TLSv1.1"
	case 0x0303:
		return "TLSv1.2"
	case 0x0304:
		return "TLSv1.3"
	case 0xfeff, 0x0100: // 0x0100 is OpenSSL's pre-standard DTLS
		return "DTLSv1.0"
	case 0xfefd:
		return "DTLSv1.2"
	case 0xfefc:
		return "DTLSv1.3"
	}
	return fmt.Sprintf("%#04x", version)
}

// DTLSVersionName is how a version of DTLS is written, given that of the TLS
// it is made from (RFC 4347, RFC 6347, RFC 9147: 1.0 from TLS 1.1, the others
// from their namesakes). Wire versions of DTLS are taken as well.
func DTLSVersionName(version int) string {
	switch version {
	case 0x0302:
		return "DTLSv1.0"
	case 0x0303:
		return "DTLSv1.2"
	case 0x0304:
		return "DTLSv1.3"
	}
	return TLSVersionName(version)
}
