package telemetry

import (
	"net/netip"
	"strconv"
	"unicode"
	"unicode/utf8"

	"github.com/netpol/netpol/enforcer/telemetry/record"
)

const hexDigits = "0123456789abcdef"

// AppendText appends the record as one line for people, without a line end:
//
//	tcp 192.0.2.1:40000 -> 198.51.100.2:443 tls/zoom zoom.us TLSv1.3 (sni) 12 packets 3456 bytes [zoom]
func (f *Flow) AppendText(b []byte) []byte {
	if f.PCAP != "" {
		b = append(appendSafe(b, f.PCAP), ' ')
	}
	b = f.appendConnection(b)
	b = strconv.AppendUint(append(b, ' '), f.Packets, 10)
	b = strconv.AppendUint(append(b, " packets "...), f.Bytes, 10)
	b = append(b, " bytes"...)
	return f.appendPolicies(b)
}

// AppendNamed appends what AppendText does without figures, for a row that has them in columns:
//
//	tcp 192.0.2.1:40000 -> 198.51.100.2:443 tls/zoom zoom.us TLSv1.3 (sni) [zoom]
func (f *Flow) AppendNamed(b []byte) []byte { return f.appendPolicies(f.appendConnection(b)) }

func (f *Flow) appendConnection(b []byte) []byte {
	b = appendIPProtocol(b, f.IPProtocol)
	b = appendEnd(append(b, ' '), f.SrcIP, f.SrcPort)
	b = appendEnd(append(b, " -> "...), f.DstIP, f.DstPort)
	if f.VLANID != 0 {
		b = appendInt(append(b, " vlan "...), f.VLANID)
	}
	b = append(b, ' ')
	b = appendName(b, f.Protocol, f.Application)
	for _, word := range [...]string{f.Hostname, f.TLSVersion} {
		if word != "" {
			b = appendSafe(append(b, ' '), word)
		}
	}
	if f.Hostname == "" && f.DNSHostname != "" {
		b = appendSafe(append(b, " ~"...), f.DNSHostname)
	}
	if f.By != "" {
		b = append(appendSafe(append(b, " ("...), f.By), ')')
	}
	return b
}

func (f *Flow) appendPolicies(b []byte) []byte {
	if len(f.Policies) > 0 {
		b = append(b, " ["...)
		for i, p := range f.Policies {
			if i > 0 {
				b = append(b, ", "...)
			}
			b = appendSafe(b, p)
		}
		b = append(b, ']')
	}
	return b
}

func appendName(b []byte, protocol, application string) []byte {
	switch {
	case protocol == "" && application == "":
		return append(b, "unknown"...)
	case application == "":
		return appendSafe(b, protocol)
	case protocol == "":
		return appendSafe(append(b, "unknown/"...), application)
	}
	return appendSafe(append(appendSafe(b, protocol), '/'), application)
}

func appendIPProtocol(b []byte, n int) []byte {
	switch n {
	case 1:
		return append(b, "icmp"...)
	case 6:
		return append(b, "tcp"...)
	case 17:
		return append(b, "udp"...)
	case 58:
		return append(b, "icmpv6"...)
	case 132:
		return append(b, "sctp"...)
	}
	return appendInt(append(b, "ip-"...), n)
}

func appendEnd(b []byte, addr netip.Addr, port int) []byte {
	if port == 0 {
		return addr.AppendTo(b)
	}
	return netip.AddrPortFrom(addr, uint16(port)).AppendTo(b)
}

// appendSafe appends s with every byte that is not part of a printable
// character as \xNN: words from packets must not steer a terminal.
func appendSafe(b []byte, s string) []byte {
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && size == 1 || !unicode.IsPrint(r) || record.Deceptive(r) {
			for _, c := range []byte(s[i : i+size]) {
				b = append(b, '\\', 'x', hexDigits[c>>4], hexDigits[c&15])
			}
		} else {
			b = append(b, s[i:i+size]...)
		}
		i += size
	}
	return b
}
