package classify

import (
	"time"

	"github.com/netpol/netpol/enforcer/dissect/announce"
	"github.com/netpol/netpol/lang/fact"
)

const (
	// announcedLife is how long an announced flow may take to begin: Linux's
	// conntrack helpers wait three minutes for media, and as long or longer for
	// FTP's data.
	announcedLife = 3 * time.Minute
	// announcedEach bounds the endpoints remembered of one address, whose next
	// ones replace its oldest: nobody fills the room of others.
	announcedEach = 16
)

// announcedKey is the address that announced endpoints of its own.
type announcedKey [16]byte

// endpoints are the latest that an address has announced.
type endpoints struct {
	list [announcedEach]endpoint
	next uint8
}

type endpoint struct {
	peer     [16]byte // zero for anybody
	expires  int64    // packet time, nanoseconds
	protocol string
	port     uint16
	udp      bool
}

// Announce remembers a flow that its future end has announced.
func (n *Names) Announce(a announce.Flow, nowNanos int64) {
	host := a.At.Addr().As16()
	e := endpoint{protocol: a.Protocol, port: a.At.Port(), udp: a.UDP, expires: nowNanos + int64(announcedLife)}
	if a.Peer.IsValid() {
		e.peer = a.Peer.As16()
	}
	n.anyAnnounced.Store(true)
	s := n.of(host)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.announce(&host)
	all, _ := s.announced.get(host, nowNanos)
	for i := range all.list {
		old := &all.list[i]
		if old.port == e.port && old.udp == e.udp && old.peer == e.peer {
			*old = e // said again, or of another kind now
			s.announced.put(host, all, nowNanos, e.expires)
			return
		}
	}
	all.list[all.next] = e
	all.next = (all.next + 1) % announcedEach
	s.announced.put(host, all, nowNanos, e.expires)
}

// announce notes that an address announces flows; see tell.
func (s *stripe) announce(host *[16]byte) {
	if s.announcers.full() {
		s.announcers.clear()
		for key := range s.announced.index {
			s.announcers.add((*[16]byte)(&key))
		}
	}
	s.announcers.add(host)
}

// Announced finds the protocol that one of a flow's ends has announced for it. It
// does not allocate. n may be nil.
func (n *Names) Announced(f *fact.Facts, nowNanos int64) (protocol string, ok bool) {
	if n == nil || !n.anyAnnounced.Load() || !carriesPorts(f.IPProtocol) || !f.SrcIP.IsValid() || !f.DstIP.IsValid() {
		return "", false
	}
	client, server, udp := f.SrcIP.As16(), f.DstIP.As16(), f.IPProtocol == ipUDP
	s, t := n.of(server), n.of(client)
	s.mu.Lock()
	if protocol, ok = s.announcedAt(&server, f.DstPort, &client, udp, nowNanos); !ok && s == t {
		protocol, ok = s.announcedAt(&client, f.SrcPort, &server, udp, nowNanos)
	}
	s.mu.Unlock()
	if !ok && s != t {
		t.mu.Lock()
		protocol, ok = t.announcedAt(&client, f.SrcPort, &server, udp, nowNanos)
		t.mu.Unlock()
	}
	return protocol, ok
}

// announcedAt finds what a host has announced for a port of its own and a peer.
func (s *stripe) announcedAt(host *[16]byte, port int, peer *[16]byte, udp bool, nowNanos int64) (string, bool) {
	if !s.announcers.has(host) {
		return "", false
	}
	i, ok := s.announced.index[*host]
	if !ok {
		return "", false
	}
	slot := &s.announced.slots[i]
	slot.used = true
	for k := range slot.value.list {
		e := &slot.value.list[k]
		if int(e.port) == port && e.udp == udp && e.expires > nowNanos && (e.peer == *peer || e.peer == [16]byte{}) {
			return e.protocol, true
		}
	}
	return "", false
}
