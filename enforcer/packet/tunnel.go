package packet

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// Tunnels is a set of encapsulations that Unwrap looks into.
type Tunnels uint8

// Encapsulations.
const (
	TunnelIP     Tunnels = 1 << iota // IPv4 or IPv6 in either (RFC 2003, 2473, 4213): 4in6, 6in4
	TunnelGRE                        // RFC 2784, 2890; PPTP's (RFC 2637); ERSPAN
	TunnelGTPU                       // GTP version 1, user plane (3GPP TS 29.281)
	TunnelVXLAN                      // RFC 7348, and Linux's older port
	TunnelGENEVE                     // RFC 8926

	NoTunnels  Tunnels = 0
	AllTunnels         = TunnelIP | TunnelGRE | TunnelGTPU | TunnelVXLAN | TunnelGENEVE
)

// tunnelNames are the words of ParseTunnels, in the order of the bits.
var tunnelNames = [...]string{"ip", "gre", "gtpu", "vxlan", "geneve"}

// TunnelNames lists the words of ParseTunnels but "all".
func TunnelNames() []string { return append([]string(nil), tunnelNames[:]...) }

// ParseTunnels reads a list of names.
func ParseTunnels(names []string) (Tunnels, error) {
	var set Tunnels
next:
	for _, name := range names {
		if name == "all" {
			set = AllTunnels
			continue
		}
		for i, known := range tunnelNames {
			if name == known {
				set |= 1 << i
				continue next
			}
		}
		return 0, fmt.Errorf("unknown encapsulation %q: write all, %s", name, strings.Join(tunnelNames[:], ", "))
	}
	return set, nil
}

// IP protocols that carry others.
const (
	protoIPIP = 4
	protoIPv6 = 41
	protoGRE  = 47
)

// UDP ports of encapsulations (IANA service-names).
const (
	portGTPU       = 2152
	portVXLAN      = 4789
	portVXLANLinux = 8472 // drivers/net/vxlan: the default before the port was assigned
	portGENEVE     = 6081
)

// Frame types that only tunnels carry.
const (
	etherBridged  = 0x6558 // transparent Ethernet bridging
	etherPPP      = 0x880b
	etherERSPAN2  = 0x88be
	etherERSPAN3  = 0x22eb
	erspan2Header = 8
	erspan3Header = 12
)

// Unwrap reads the packet that p carries into p, if p is of one of the
// encapsulations; false leaves p as it was. The VLAN and the hardware addresses
// become the inner frame's if that has any.
func Unwrap(p *Parsed, tunnels Tunnels) bool {
	if tunnels == NoTunnels || p.Fragment != NotFragment || p.Drop != DropNone {
		return false
	}
	inner := Parsed{SrcMAC: p.SrcMAC, DstMAC: p.DstMAC, VLAN: p.VLAN, Evasive: p.Evasive}
	switch p.Proto {
	case protoIPIP, protoIPv6:
		if tunnels&TunnelIP == 0 {
			return false
		}
		decodeIP(p.Payload, &inner)
	case protoGRE:
		if tunnels&TunnelGRE == 0 || !unwrapGRE(p.Payload, &inner) {
			return false
		}
	case ProtoUDP:
		if !unwrapUDP(p.DstPort, p.Payload, tunnels, &inner) {
			return false
		}
	default:
		return false
	}
	if inner.IPVersion == 0 || inner.Drop != DropNone && inner.Fragment == NotFragment {
		return false
	}
	*p = inner
	return true
}

func unwrapUDP(port uint16, b []byte, tunnels Tunnels, inner *Parsed) bool {
	switch {
	case port == portGTPU && tunnels&TunnelGTPU != 0:
		return unwrapGTPU(b, inner)
	case (port == portVXLAN || port == portVXLANLinux) && tunnels&TunnelVXLAN != 0:
		// The flag I says that there is a network identifier; all others are 0.
		if len(b) < 8 || b[0] != 0x08 || b[7] != 0 {
			return false
		}
		decodeLink(LinkEthernet, b[8:], inner)
		return true
	case port == portGENEVE && tunnels&TunnelGENEVE != 0:
		if len(b) < 8 || b[0]>>6 != 0 {
			return false
		}
		header := 8 + int(b[0]&0x3f)*4
		return len(b) >= header && decodeCarried(binary.BigEndian.Uint16(b[2:]), b[header:], inner)
	}
	return false
}

// decodeCarried reads what a frame type of GRE or GENEVE says is there.
func decodeCarried(etherType uint16, b []byte, inner *Parsed) bool {
	switch etherType {
	case etherBridged:
		decodeLink(LinkEthernet, b, inner)
	case etherIPv4, etherIPv6, etherVLAN, etherMPLS:
		decodeEther(etherType, b, inner)
	case etherPPP:
		decodePPP(b, inner)
	default:
		return false
	}
	return true
}

// unwrapGRE steps over the header: flags C, R, K, S and, in version 1, A say
// which fields are there.
func unwrapGRE(b []byte, inner *Parsed) bool {
	if len(b) < 4 || b[1]&7 > 1 {
		return false
	}
	flags, carried, header := b[0], binary.BigEndian.Uint16(b[2:]), 4
	if flags&0xc0 != 0 { // checksum and offset
		header += 4
	}
	if flags&0x20 != 0 { // key
		header += 4
	}
	sequenced := flags&0x10 != 0
	if sequenced {
		header += 4
	}
	if b[1]&0x80 != 0 && b[1]&7 == 1 { // acknowledgement, of PPTP
		header += 4
	}
	switch {
	case carried == etherERSPAN2 && sequenced: // without a number it is type I, which has no header
		header, carried = header+erspan2Header, etherBridged
	case carried == etherERSPAN2:
		carried = etherBridged
	case carried == etherERSPAN3:
		header, carried = header+erspan3Header, etherBridged
	}
	return len(b) >= header && decodeCarried(carried, b[header:], inner)
}

// unwrapGTPU steps over the header of a G-PDU and its extension headers.
func unwrapGTPU(b []byte, inner *Parsed) bool {
	const userData = 0xff // message type G-PDU
	if len(b) < 8 || b[0]>>5 != 1 || b[0]&0x10 == 0 || b[1] != userData {
		return false
	}
	header := 8
	if b[0]&7 != 0 { // sequence number, N-PDU number and the next extension's type
		if len(b) < 12 {
			return false
		}
		next := b[11]
		header = 12
		for range maxExtensions {
			if b[0]&4 == 0 || next == 0 {
				break
			}
			if len(b) <= header || b[header] == 0 {
				return false
			}
			end := header + int(b[header])*4
			if len(b) < end {
				return false
			}
			next, header = b[end-1], end
		}
	}
	if len(b) <= header {
		return false
	}
	decodeIP(b[header:], inner)
	return true
}
