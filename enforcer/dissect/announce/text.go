package announce

import (
	"bytes"
	"iter"
	"net/netip"

	"github.com/netpol/netpol/enforcer/dissect"
)

// Bounds of what is read of one packet.
const (
	maxLines   = 256
	maxMedia   = 16 // descriptions; a call has a few
	maxAddress = 45 // an IPv6 address in text
)

// lines are the first maxLines lines, without their ends.
func lines(b []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for n := 0; n < maxLines && len(b) > 0; n++ {
			var line []byte
			line, b, _ = bytes.Cut(b, []byte("\n"))
			if !yield(bytes.TrimRight(line, "\r")) {
				return
			}
		}
	}
}

// cutNumber reads decimal digits, at most as many as a port has.
func cutNumber(b []byte) (n int, rest []byte, ok bool) {
	i := 0
	for i < len(b) && i < 5 && b[i] >= '0' && b[i] <= '9' {
		n = n*10 + int(b[i]-'0')
		i++
	}
	return n, b[i:], i > 0
}

func parseAddr(b []byte) netip.Addr {
	if len(b) == 0 || len(b) > maxAddress {
		return netip.Addr{}
	}
	addr, err := netip.ParseAddr(string(b))
	if err != nil || addr.Zone() != "" {
		return netip.Addr{}
	}
	return addr
}

func hasFold(b []byte, prefix string) bool {
	return len(b) >= len(prefix) && bytes.EqualFold(b[:len(prefix)], []byte(prefix))
}

// appendFTP reads the commands PORT and EPRT, and the answers to PASV and EPSV (RFC
// 959 sections 4.1.2, 4.2.2; RFC 2428).
func appendFTP(out []Flow, p *Packet) []Flow {
	f := Flow{Protocol: ftpData, Peer: p.receiver()}
	for line := range lines(whole(p.Payload)) {
		var addr netip.Addr
		port := 0
		switch {
		case p.From == dissect.Client && hasFold(line, "PORT "):
			addr, port = hostPort(line[len("PORT "):])
		case p.From == dissect.Client && hasFold(line, "EPRT "):
			addr, port = extended(line[len("EPRT "):])
		case p.From == dissect.Server && hasFold(line, "227 "):
			if at := bytes.IndexAny(line[4:], "0123456789"); at >= 0 {
				addr, port = hostPort(line[4+at:])
			}
			// Behind NAT servers say addresses of theirs that nobody reaches, and
			// clients connect to the one they know.
			if addr.IsValid() {
				addr = p.Server
			}
		case p.From == dissect.Server && hasFold(line, "229 "):
			if at := bytes.IndexByte(line, '('); at >= 0 {
				_, port = extended(line[at+1:])
				addr = p.Server
			}
		}
		if port != 0 && addr.IsValid() {
			out = add(out, p, addr, port, f)
		}
	}
	return out
}

// hostPort reads "h1,h2,h3,h4,p1,p2".
func hostPort(b []byte) (netip.Addr, int) {
	var n [6]int
	for i := range n {
		v, rest, ok := cutNumber(b)
		if !ok || v > 0xff || i < len(n)-1 && (len(rest) == 0 || rest[0] != ',') {
			return netip.Addr{}, 0
		}
		if n[i] = v; i < len(n)-1 {
			b = rest[1:]
		}
	}
	return netip.AddrFrom4([4]byte{byte(n[0]), byte(n[1]), byte(n[2]), byte(n[3])}), n[4]<<8 | n[5]
}

// extended reads "|2|2001:db8::1|5282|", the family and the address of which may be
// empty; any printable character may stand for the bar.
func extended(b []byte) (netip.Addr, int) {
	if len(b) == 0 {
		return netip.Addr{}, 0
	}
	bar := b[:1]
	_, rest, _ := bytes.Cut(b[1:], bar) // the family follows from the address
	host, rest, ok := bytes.Cut(rest, bar)
	port, rest, number := cutNumber(rest)
	if !ok || !number || len(rest) == 0 || rest[0] != bar[0] {
		return netip.Addr{}, 0
	}
	return parseAddr(host), port
}

// appendSDP reads the session descriptions in a packet: an address, and media with
// the port that each is received at (RFC 4566 sections 5.7, 5.14; RFC 3605). Phones
// of one conversation do not send to each other's proxies, so the peer may be
// anybody. MGCP and Megaco have their line ends as SDP does.
func appendSDP(out []Flow, p *Packet) []Flow {
	var session, media netip.Addr // connection addresses, of all media and of one
	port, control, protocol := 0, 0, ""
	found := 0
	flush := func() {
		addr := session
		if media.IsValid() {
			addr = media
		}
		if port == 0 || !addr.IsValid() || found >= maxMedia {
			return
		}
		found++
		if control == 0 {
			control = port + 1
		}
		out = add(out, p, addr, port, Flow{Protocol: protocol, UDP: true})
		out = add(out, p, addr, control, Flow{Protocol: rtcp, UDP: true})
	}
	text := p.Payload
	if !p.UDP {
		text = whole(text)
	}
	for line := range lines(text) {
		switch {
		case hasFold(line, "v=0"): // another description
			flush()
			session, media, port = netip.Addr{}, netip.Addr{}, 0
		case hasFold(line, "c=IN IP"):
			addr := connection(line)
			if port == 0 {
				session = addr
			} else {
				media = addr
			}
		case hasFold(line, "m="):
			flush()
			media, control = netip.Addr{}, 0
			port, protocol = mediaLine(line)
		case hasFold(line, "a=rtcp:"):
			control, _, _ = cutNumber(line[len("a=rtcp:"):])
		case hasFold(line, "a=rtcp-mux"):
			control = port
		}
	}
	flush()
	return out
}

// connection reads "c=IN IP4 192.0.2.1", less the time to live of multicast.
func connection(line []byte) netip.Addr {
	at := bytes.LastIndexByte(line, ' ')
	host, _, _ := bytes.Cut(line[at+1:], []byte("/"))
	return parseAddr(host)
}

// mediaLine reads "m=audio 49170 RTP/AVP 0"; port 0 is of media that is refused, or
// that is no RTP.
func mediaLine(line []byte) (port int, protocol string) {
	_, rest, _ := bytes.Cut(line, []byte(" "))
	port, rest, _ = cutNumber(rest)
	_, rest, _ = bytes.Cut(rest, []byte(" ")) // "/2" may stand behind the port
	switch {
	case hasFold(rest, "RTP/SAVP"):
		return port, srtp
	case hasFold(rest, "RTP/AVP"):
		return port, rtp
	}
	return 0, ""
}

// appendRTSP reads the ports of a Transport field: the client's as it asks, the
// server's as it answers (RFC 2326 section 12.39, RFC 7826 section 18.54).
func appendRTSP(out []Flow, p *Packet) []Flow {
	key := []byte("client_port=")
	if p.From == dissect.Server {
		key = []byte("server_port=")
	}
	for line := range lines(whole(p.Payload)) {
		if !hasFold(line, "Transport:") || bytes.Contains(line, []byte("/TCP")) {
			continue
		}
		_, value, ok := bytes.Cut(line, key)
		if !ok {
			continue
		}
		first, value, ok := cutNumber(value)
		if !ok {
			continue
		}
		out = add(out, p, netip.Addr{}, first, Flow{Protocol: rtp, UDP: true, Peer: p.receiver()})
		if len(value) > 1 && value[0] == '-' {
			if second, _, ok := cutNumber(value[1:]); ok {
				out = add(out, p, netip.Addr{}, second, Flow{Protocol: rtcp, UDP: true, Peer: p.receiver()})
			}
		}
	}
	return out
}
