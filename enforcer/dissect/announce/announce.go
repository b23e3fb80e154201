package announce

import (
	"net/netip"

	"github.com/netpol/netpol/enforcer/dissect"
)

// Protocols of announced flows, by their catalogue tags.
const (
	ftpData = "ftp-data"
	rtp     = "rtp"
	srtp    = "srtp"
	rtcp    = "rtcp"
	tftp    = "tftp"
	h323    = "h323"
)

// Flow is one that was announced: from or to an endpoint.
type Flow struct {
	Protocol string         // catalogue tag
	UDP      bool           // else TCP
	At       netip.AddrPort // the endpoint: an address of who announces it
	Peer     netip.Addr     // the other end; invalid when it may be anybody
}

// Packet is one packet of a control connection.
type Packet struct {
	Protocol       string // of the connection
	UDP            bool
	From           dissect.Side
	Client, Server netip.Addr
	ClientPort     uint16
	Payload        []byte
}

func (p *Packet) sender() netip.Addr {
	if p.From == dissect.Client {
		return p.Client
	}
	return p.Server
}

func (p *Packet) receiver() netip.Addr {
	if p.From == dissect.Client {
		return p.Server
	}
	return p.Client
}

// Reads says that connections of a protocol announce others.
func Reads(protocol string) bool {
	switch protocol {
	case "ftp", "sip", "rtsp", "mgcp", "megaco", "h323", "skinny", "tftp":
		return true
	}
	return false
}

// Lasting says that a protocol's announcements come behind the opening of a
// connection: an FTP client logs in first, a phone rings hours after it registered.
func Lasting(protocol string) bool { return Reads(protocol) && protocol != "tftp" }

// Append adds to out what a packet announces. It never panics, and allocates only
// for what it adds.
func Append(out []Flow, p *Packet) []Flow {
	if len(p.Payload) == 0 || !p.Client.IsValid() || !p.Server.IsValid() {
		return out
	}
	switch p.Protocol {
	case "ftp":
		return appendFTP(out, p)
	case "sip", "mgcp", "megaco":
		return appendSDP(out, p)
	case "rtsp":
		return appendRTSP(out, p)
	case "h323":
		return appendH323(out, p)
	case "skinny":
		return appendSkinny(out, p)
	case "tftp":
		return appendTFTP(out, p)
	}
	return out
}

// lowestPort is the lowest that a side may announce: services stand below, and
// nobody is to name them.
const lowestPort = 1024

// add adds a flow at a port of the sender's, where addr, if it says one, is the
// sender's own.
func add(out []Flow, p *Packet, addr netip.Addr, port int, f Flow) []Flow {
	own := p.sender()
	if addr.IsValid() && addr.Unmap() != own.Unmap() || port < lowestPort || port > 0xffff {
		return out
	}
	f.At = netip.AddrPortFrom(own, uint16(port))
	return append(out, f)
}

// appendTFTP: the server answers a request from a port that it chooses, to the one
// that the request came from (RFC 1350 section 4).
func appendTFTP(out []Flow, p *Packet) []Flow {
	if !p.UDP || p.From != dissect.Client || len(p.Payload) < 4 || p.Payload[0] != 0 || p.Payload[1] != 1 && p.Payload[1] != 2 {
		return out
	}
	return add(out, p, netip.Addr{}, int(p.ClientPort), Flow{Protocol: tftp, UDP: true, Peer: p.Server})
}
