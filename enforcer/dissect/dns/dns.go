package dns

import (
	"net/netip"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/lang/fact"
)

// Registered ports (IANA). Port 137 is NetBIOS's, whose messages look like
// DNS's but encode names otherwise.
const (
	portDNS     = 53
	portMDNS    = 5353
	portLLMNR   = 5355
	portNetBIOS = 137
)

type dissector struct{}

// New is the dissector of DNS, multicast DNS and LLMNR.
func New() dissect.Dissector { return dissector{} }

// Spec implements dissect.Dissector.
func (dissector) Spec() dissect.Spec {
	return dissect.Spec{Name: "dns", TCP: true, UDP: true, Ports: []uint16{portDNS, portMDNS, portLLMNR}}
}

// Dissect implements dissect.Dissector. It never says Match while answers may
// still come.
func (dissector) Dissect(w *dissect.Window, f *fact.Facts) dissect.Result {
	protocol, server := flavour(w)
	if w.SrcPort == portNetBIOS || w.DstPort == portNetBIOS {
		return dissect.NoMatch
	}
	if d, ok := w.Newest(); ok {
		return dissectDatagrams(w, f, d, protocol, server)
	}
	return dissectStreams(w, f, protocol, server)
}

// flavour is the protocol by the ports, "" on a port of no DNS, and the side
// that answers.
func flavour(w *dissect.Window) (protocol string, server dissect.Side) {
	if p := byPort(w.DstPort); p != "" {
		return p, dissect.Server
	}
	if p := byPort(w.SrcPort); p != "" {
		return p, dissect.Client // first seen midway: the ends are the wrong way round
	}
	return "", dissect.Server
}

func byPort(port uint16) string {
	switch port {
	case portDNS:
		return "dns"
	case portMDNS:
		return "mdns"
	case portLLMNR:
		return "llmnr"
	}
	return ""
}

// maxBroken bounds how many broken datagrams on a registered port are passed
// over before the first sound one. Elsewhere the first datagram decides.
const maxBroken = 4

// dissectDatagrams judges the flow by its first sound datagram and takes the
// names of the newest.
func dissectDatagrams(w *dissect.Window, f *fact.Facts, newest dissect.Datagram, protocol string, server dissect.Side) dissect.Result {
	for i, d := range w.Datagrams {
		var q question
		m, ok := readHeader(d.Payload, len(d.Payload))
		if ok && m.readQuestion(&q) && (protocol != "" || q.isDNSCrypt() || m.flawless(&q)) {
			set(f, protocol, &q)
			for _, shown := range w.Datagrams[min(w.Shown, len(w.Datagrams)-1):] {
				if f.Protocol == "dns" && tunnels(shown.Payload) {
					f.Protocol = tagTunnel
				}
			}
			if q.typ == typeTXT && newest.From == server && certified(newest.Payload) {
				f.Protocol = "dnscrypt"
			}
			if newest.From == server {
				work := maxWork
				learn(w, f, newest.Payload, &work)
			}
			return dissect.Partial
		}
		if protocol == "" || i+1 == maxBroken {
			return dissect.NoMatch
		}
	}
	return dissect.NeedMore
}

// set writes the facts of the flow's first message.
func set(f *fact.Facts, protocol string, q *question) {
	switch {
	case q.isDNSCrypt(), f.Protocol == "dnscrypt":
		protocol = "dnscrypt"
	case protocol == "":
		protocol = "dns"
	}
	if f.Protocol == tagTunnel { // said of a later datagram
		protocol = tagTunnel
	}
	f.Protocol = protocol
	var buf [maxText]byte
	dissect.SetText(&f.DNSHostname, q.name.appendText(buf[:0]))
	if protocol == "mdns" {
		f.MDNSDomainName = f.DNSHostname
	}
}

// learn appends the addresses of an answer to w.Names. Multicast answers come
// from anyone on the link, so none is learned from. work is what all answers of a
// call may take together.
func learn(w *dissect.Window, f *fact.Facts, msg []byte, work *int) {
	m, ok := readHeader(msg, len(msg))
	m.work = *work
	defer func() { *work = m.work }()
	var q question
	if f.Protocol != "dns" || !ok || !m.response() || m.questions == 0 || !m.readQuestion(&q) || !q.name.isHost(1) {
		return
	}
	host := ""
	m.addresses(&q, func(addr netip.Addr, ttl uint32) {
		if host == "" {
			host = hostText(&q.name, f)
		}
		w.Names = append(w.Names, dissect.NameBinding{Name: host, Addr: addr, TTL: ttl})
	})
}

// hostText is the name as a string: the one in f where that is the same, which
// costs no memory.
func hostText(n *name, f *fact.Facts) string {
	var buf [maxText]byte
	text := n.appendText(buf[:0])
	if f.DNSHostname == string(text) {
		return f.DNSHostname
	}
	return string(text)
}
