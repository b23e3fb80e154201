package classify

import (
	"net/netip"
	"time"

	"github.com/netpol/netpol/lang/fact"
)

// How long a hint holds, in packet time.
const (
	// socketLife: a program that was seen behind a UDP port of a client keeps
	// it for the call; the port's next owner is far off in the ephemeral range.
	socketLife = 10 * time.Minute
	// networkLife: a messenger's connection lasts for hours without a new flow.
	networkLife = 2 * time.Hour
	// callLife: the peers of a call are tried within seconds of its relays.
	callLife = time.Minute
	// signalledLife: of several messengers of one network, the one that spoke
	// this recently is calling.
	signalledLife = 30 * time.Second
)

// lowestSocket is the lowest port that may be one program's own. Below stand
// the services that all programs of a host share.
const lowestSocket = 1024

// callKey is what a hint is about. A port alone is a UDP socket of the client;
// an owner alone is what the client does in that application's networks;
// neither is the client's calls as such.
type callKey struct {
	client [16]byte
	port   uint16
	owner  string // application tag
}

// hint is an application that other flows point to.
type hint struct {
	application string
	weak        bool  // those flows were themselves named by their network
	mixed       bool  // they disagree; application is the latest
	at          int64 // packet time of the latest, nanoseconds
}

// teach remembers what a named flow says of the other flows of its client.
func (c *Classifier) teach(f *fact.Facts, o *owners, v verdict, names *Names, nowNanos int64) {
	if names == nil || v.application == "" || !makesCalls(v.category) || v.by == fact.ByPort {
		return
	}
	client, port := c.clientOf(f)
	if !client.IsValid() {
		return
	}
	h := hint{application: v.application, weak: v.guessed(), at: nowNanos}
	s := names.of(client.As16())
	s.mu.Lock()
	defer s.mu.Unlock()
	if o.server.ok {
		tag := c.apps[o.server.app].tag
		s.note(callKey{client: client.As16(), owner: tag}, h, networkLife, v.application != tag)
	}
	for _, outer := range c.within[v.application] {
		s.note(callKey{client: client.As16(), owner: outer}, h, networkLife, true)
	}
	if f.IPProtocol != ipUDP || !isMedia(f.Protocol) && v.by != fact.ByPayload {
		return
	}
	s.note(callKey{client: client.As16()}, h, callLife, true)
	s.note(callKey{client: client.As16(), port: port}, h, socketLife, c.ownSocket(port))
}

// LearnPeer remembers that a flow of a client is about a peer, as TURN says: the
// address that its server relays for it, or that of whom it wants to reach. What
// the client sends there by itself belongs to what its flow belongs to.
func (c *Classifier) LearnPeer(f *fact.Facts, peer netip.Addr, names *Names, nowNanos int64) {
	client, port := c.clientOf(f)
	if names == nil || !client.IsValid() || !peer.IsValid() || !c.ownSocket(port) {
		return
	}
	s := names.of(client.As16())
	s.mu.Lock()
	defer s.mu.Unlock()
	s.peers.put(nameKey{client.As16(), peer.As16()}, port, nowNanos, nowNanos+int64(socketLife))
}

// ofPeer is what is known about the flow that told of a client's peer.
func (n *Names) ofPeer(client, peer netip.Addr, nowNanos int64) (hint, bool) {
	s := n.of(client.As16())
	s.mu.Lock()
	defer s.mu.Unlock()
	port, ok := s.peers.get(nameKey{client.As16(), peer.As16()}, nowNanos)
	if !ok {
		return hint{}, false
	}
	h, ok := s.calls.get(callKey{client: client.As16(), port: port}, nowNanos)
	return h, ok && !h.mixed
}

// note merges a hint with what is known, if it says anything. What a name or
// the bytes told is not replaced by what an address suggests.
func (s *stripe) note(key callKey, h hint, life time.Duration, says bool) {
	if !says {
		return
	}
	if slot := s.calls.find(key, h.at); slot != nil {
		old := &slot.value
		if h.weak && !old.weak {
			slot.used = true
			return
		}
		h.mixed = old.weak == h.weak && (old.mixed || old.application != h.application)
		slot.value, slot.expires, slot.used = h, h.at+int64(life), false
		return
	}
	s.calls.put(key, h, h.at, h.at+int64(life))
}

// hint is what is known about a key.
func (n *Names) hint(key callKey, nowNanos int64) (hint, bool) {
	s := n.of(key.client)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls.get(key, nowNanos)
}

// correlate finds the application that other flows of the client point to, for
// a flow that shows no name: first its very socket, then a TURN flow that told of
// the other end, then what the client does in the server's network, then, for a
// peer at an address that is nobody's, the call it is in.
func (c *Classifier) correlate(f *fact.Facts, o *owners, names *Names, nowNanos int64) (hint, bool) {
	if names == nil || f.IPProtocol != ipUDP {
		return hint{}, false
	}
	for _, end := range [...]struct {
		addr netip.Addr
		port int
	}{{f.SrcIP, f.SrcPort}, {f.DstIP, f.DstPort}} {
		if !end.addr.IsValid() || !c.ownSocket(uint16(end.port)) {
			continue
		}
		if h, ok := names.hint(callKey{client: end.addr.As16(), port: uint16(end.port)}, nowNanos); ok && !h.mixed {
			return h, true
		}
	}
	client, _ := c.clientOf(f)
	if !client.IsValid() {
		return hint{}, false
	}
	if h, ok := names.ofPeer(client, otherThan(f, client), nowNanos); ok {
		return h, true
	}
	if !isMedia(f.Protocol) {
		return hint{}, false
	}
	key := callKey{client: client.As16()}
	if o.server.ok {
		key.owner = c.apps[o.server.app].tag
	} else if !c.ownSocket(uint16(f.SrcPort)) || !c.ownSocket(uint16(f.DstPort)) {
		return hint{}, false // a service that anybody may ask, no peer
	}
	h, ok := names.hint(key, nowNanos)
	return h, ok && (!h.mixed || key.owner != "" && nowNanos-h.at <= int64(signalledLife))
}

// clientOf is the end of a flow that a person or device is at: the private
// one, where one is, else the one that opened it.
func (c *Classifier) clientOf(f *fact.Facts) (netip.Addr, uint16) {
	if f.DstIP.IsPrivate() && !f.SrcIP.IsPrivate() {
		return f.DstIP, uint16(f.DstPort)
	}
	return f.SrcIP, uint16(f.SrcPort)
}

// otherThan is the end that is not the client.
func otherThan(f *fact.Facts, client netip.Addr) netip.Addr {
	if f.SrcIP == client {
		return f.DstIP
	}
	return f.SrcIP
}

// ownSocket reports whether a UDP port is one program's own: not a service's,
// where any program of the host answers or asks.
func (c *Classifier) ownSocket(port uint16) bool {
	if port < lowestSocket {
		return false
	}
	_, service := c.wellKnown.lookup(ipUDP, int(port))
	return !service
}

// makesCalls reports whether applications of a category have calls between
// people, or matches between players, whose media flows carry no name.
func makesCalls(category string) bool {
	switch category {
	case "voip-conferencing", "messaging", "social-media", "games":
		return true
	}
	return false
}

// isMedia reports whether flows of a protocol are part of a call: the media
// and the search for a way through NAT.
func isMedia(protocol string) bool {
	switch protocol {
	case "stun", "rtp", "rtcp", "srtp", "dtls":
		return true
	}
	return false
}
