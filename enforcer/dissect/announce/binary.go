package announce

import (
	"encoding/binary"
	"net/netip"
)

// maxAnnounced bounds the endpoints of one message of H.323.
const maxAnnounced = 8

// appendH323 looks for endpoints of the sender's own: its IPv4 address and a port
// behind it, as ASN.1's packed encoding writes them on byte boundaries (H.245
// UnicastAddress, H.225 TransportAddress: octets of fixed size in PER). Without the
// grammar a match by chance is one in 2^32 for each byte, and names but a flow of
// the sender's. In Q.931 it is where H.245 listens; in H.245 media, RTP on even ports
// and RTCP on the next (RFC 3550 section 11).
func appendH323(out []Flow, p *Packet) []Flow {
	own := p.sender().Unmap()
	if p.UDP || !own.Is4() {
		return out
	}
	address := own.As4()
	b, from := p.Payload, len(out)
	for len(b) > 4 && b[0] == 3 && len(out)-from < maxAnnounced {
		n := min(int(binary.BigEndian.Uint16(b[2:])), len(b))
		if n <= 4 {
			break
		}
		message := b[4:n]
		b = b[n:]
		call := message[0] == 8 // Q.931's discriminator
		for at := 1; at+6 <= len(message) && len(out)-from < maxAnnounced; at++ {
			if [4]byte(message[at:at+4]) != address {
				continue
			}
			port := int(binary.BigEndian.Uint16(message[at+4:]))
			f := Flow{Protocol: rtp, UDP: true}
			switch {
			case call:
				f = Flow{Protocol: h323, Peer: p.receiver()}
			case port&1 == 1:
				f.Protocol = rtcp
			}
			out = add(out, p, own, port, f)
		}
	}
	return out
}

// openReceiveChannelAck is the message in which a phone says where it receives
// media (Cisco SCCP).
const openReceiveChannelAck = 0x22

// skinnyHeader is the length and the version in front of each message.
const skinnyHeader = 8

// appendSkinny reads it: length, version, message, status, then the address, with
// its family before it since version 17.
func appendSkinny(out []Flow, p *Packet) []Flow {
	const extended = 17
	b := p.Payload
	for len(b) >= skinnyHeader+4 {
		n := int(binary.LittleEndian.Uint32(b))
		if n < 4 || n > len(b)-skinnyHeader {
			break
		}
		version, message := binary.LittleEndian.Uint32(b[4:]), b[skinnyHeader:skinnyHeader+n]
		b = b[skinnyHeader+n:]
		if binary.LittleEndian.Uint32(message) != openReceiveChannelAck {
			continue
		}
		rest := message[4:]
		var addr netip.Addr
		switch {
		case version < extended && len(rest) >= 12:
			addr = netip.AddrFrom4([4]byte(rest[4:8]))
			rest = rest[8:]
		case version >= extended && len(rest) >= 28 && rest[4] == 0:
			addr = netip.AddrFrom4([4]byte(rest[8:12]))
			rest = rest[24:]
		case version >= extended && len(rest) >= 28 && rest[4] == 1:
			addr = netip.AddrFrom16([16]byte(rest[8:24]))
			rest = rest[24:]
		default:
			continue
		}
		port := int(binary.LittleEndian.Uint32(rest))
		out = add(out, p, addr, port, Flow{Protocol: rtp, UDP: true})
		out = add(out, p, addr, port+1, Flow{Protocol: rtcp, UDP: true})
	}
	return out
}
