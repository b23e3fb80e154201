package telemetry

import (
	"net/netip"
	"strconv"
	"time"
	"unicode/utf8"
)

// MarshalJSON is AppendJSON for encoding/json.
func (f *Flow) MarshalJSON() ([]byte, error) { return f.AppendJSON(nil), nil }

// AppendJSON appends the record as one JSON object without a line end. Every
// key is always there. It allocates nothing beyond b's growth.
func (f *Flow) AppendJSON(b []byte) []byte {
	b = append(b, '{')
	if f.Event != Ended {
		b = appendString(append(b, `"event":`...), f.Event.String())
		b = append(b, ',')
	}
	b = appendString(append(b, `"pcap":`...), f.PCAP)
	b = appendInt(append(b, `,"ip_protocol":`...), f.IPProtocol)
	b = appendAddr(append(b, `,"src_ip":`...), f.SrcIP)
	b = appendInt(append(b, `,"src_port":`...), f.SrcPort)
	b = appendAddr(append(b, `,"dst_ip":`...), f.DstIP)
	b = appendInt(append(b, `,"dst_port":`...), f.DstPort)
	b = appendInt(append(b, `,"vlan_id":`...), f.VLANID)
	b = appendString(append(b, `,"protocol":`...), f.Protocol)
	b = appendString(append(b, `,"application":`...), f.Application)
	b = appendString(append(b, `,"category":`...), f.Category)
	b = appendString(append(b, `,"hostname":`...), f.Hostname)
	b = appendString(append(b, `,"tls_version":`...), f.TLSVersion)
	b = appendString(append(b, `,"ja4":`...), f.JA4)
	b = appendString(append(b, `,"alpn":`...), f.ALPN)
	b = strconv.AppendUint(append(b, `,"packets":`...), f.Packets, 10)
	b = strconv.AppendUint(append(b, `,"bytes":`...), f.Bytes, 10)
	b = appendInt(append(b, `,"detection_packets":`...), f.DetectionPackets)
	b = appendStrings(append(b, `,"labels":`...), f.Labels)
	b = appendStrings(append(b, `,"policies":`...), f.Policies)
	b = appendString(append(b, `,"by":`...), f.By)
	b = appendString(append(b, `,"dns_hostname":`...), f.DNSHostname)
	b = appendString(append(b, `,"interface":`...), f.Interface)
	b = strconv.AppendBool(append(b, `,"detection_guessed":`...), f.Guessed)
	b = appendTime(append(b, `,"first_seen":`...), f.FirstSeen)
	b = appendTime(append(b, `,"last_seen":`...), f.LastSeen)
	return append(b, '}')
}

func appendInt(b []byte, n int) []byte { return strconv.AppendInt(b, int64(n), 10) }

func appendAddr(b []byte, a netip.Addr) []byte {
	b = append(b, '"')
	if a.IsValid() {
		b = a.AppendTo(b)
	}
	return append(b, '"')
}

func appendTime(b []byte, t time.Time) []byte {
	b = append(b, '"')
	b = t.AppendFormat(b, time.RFC3339Nano)
	return append(b, '"')
}

func appendStrings(b []byte, list []string) []byte {
	b = append(b, '[')
	for i, s := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, s)
	}
	return append(b, ']')
}

const hexDigits = "0123456789abcdef"

// appendString appends s as a JSON string that is harmless on a terminal and
// in a line-based log: control characters of both sets, line separators and
// bidirectional marks are escaped, bytes that are not UTF-8 become U+FFFD.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			switch {
			case c == '"' || c == '\\':
				b = append(b, '\\', c)
			case c < 0x20 || c == 0x7f:
				b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			default:
				b = append(b, c)
			}
			i++
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			b = append(b, `\ufffd`...)
		case deceptive(r):
			b = append(b, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
		default:
			b = append(b, s[i:i+size]...)
		}
		i += size
	}
	return append(b, '"')
}

// deceptive says that a character changes how the text around it is shown: C1
// controls, line separators, marks of direction (Unicode TR 36), the byte
// order mark. All are below U+10000.
func deceptive(r rune) bool {
	switch {
	case r >= 0x80 && r <= 0x9f, // C1
		r >= 0x200b && r <= 0x200f, // zero width, LRM, RLM
		r >= 0x2028 && r <= 0x202e, // separators, embeddings
		r >= 0x2060 && r <= 0x2069, // word joiner, isolates
		r == 0x061c, r == 0xfeff:
		return true
	}
	return false
}
