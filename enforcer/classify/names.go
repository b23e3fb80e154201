package classify

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/netpol/netpol/enforcer/dissect"
)

// Bounds of an answer's life. Clients hold addresses far beyond a TTL of
// seconds (browsers pool connections, phones sleep), so a short TTL counts as
// the floor; the ceiling keeps an address from naming its next tenant.
const (
	minNameLife = 30 * time.Minute
	maxNameLife = 24 * time.Hour
)

// DefaultNames is the number of answers that NewNames(0) holds: about 4 MB
// with names of usual length.
const DefaultNames = 16384

// hintShare is how many answers are held for each hint about calls: a client
// asks for many names and makes few calls.
const hintShare = 4

// announcedShare is how many answers are held for each address that announces
// flows: few hosts of a network do, and each has 16 times the room.
const announcedShare = 16

// Names remembers what one flow says about another: which name a client asked
// for when it was told an address, which application its calls belong to, and which
// flows its control connections have announced.
// It holds a fixed number of each. Safe for concurrent use: flows of one
// client are spread over workers, and each flow asks only a few times in its
// life.
type Names struct {
	stripes      []stripe    // by client; a power of two
	anyAnnounced atomic.Bool // most networks announce nothing, and ask for every flow
}

// stripe is what is remembered of some clients. Locks of their own keep workers
// from waiting for each other.
type stripe struct {
	mu      sync.Mutex
	answers cache[nameKey, string]
	told    addressSet // the servers of answers
	calls   cache[callKey, hint]
	// announced is by who did; see announced.go.
	announced  cache[announcedKey, endpoints]
	announcers addressSet
	peers      cache[nameKey, uint16] // the client's port of the TURN flow that told of the peer
}

// stripesEach is how many stripes there are for each worker, where there are
// several: two then meet in one at a 16th of their look-ups, or less.
const stripesEach = 16

// nameKey is pointer-free (no zone), so that the map costs the garbage
// collector nothing. IPv4 is mapped into IPv6.
type nameKey struct {
	client, server [16]byte
}

// NewNames makes a cache of at most max answers, for so many workers; 0 answers
// means DefaultNames. Several workers have the room shared out by client.
func NewNames(max, workers int) *Names {
	if max <= 0 {
		max = DefaultNames
	}
	n := &Names{stripes: make([]stripe, 1)}
	if workers > 1 {
		n.stripes = make([]stripe, 1<<bits.Len(uint(stripesEach*workers-1)))
	}
	max = (max + len(n.stripes) - 1) / len(n.stripes)
	for i := range n.stripes {
		s := &n.stripes[i]
		announcers := (max + announcedShare - 1) / announcedShare
		s.announced, s.announcers = newCache[announcedKey, endpoints](announcers), newAddressSet(announcers)
		s.told = newAddressSet(max)
		hints := (max + hintShare - 1) / hintShare
		s.answers, s.calls, s.peers = newCache[nameKey, string](max), newCache[callKey, hint](hints), newCache[nameKey, uint16](hints)
	}
	return n
}

// of is the stripe of a client.
func (n *Names) of(client [16]byte) *stripe {
	h := binary.LittleEndian.Uint64(client[:]) ^ binary.LittleEndian.Uint64(client[8:])
	return &n.stripes[h*0x9e3779b97f4a7c15>>32&uint64(len(n.stripes)-1)] // Fibonacci hashing, TAOCP 6.4
}

// Learn remembers an answer that client was given. Answers without an address
// or name are ignored.
func (n *Names) Learn(client netip.Addr, b dissect.NameBinding, nowNanos int64) {
	if !client.IsValid() || !b.Addr.IsValid() || b.Name == "" || len(b.Name) > maxHostname {
		return
	}
	life := min(max(time.Duration(b.TTL)*time.Second, minNameLife), maxNameLife)
	s := n.of(client.As16())
	s.mu.Lock()
	defer s.mu.Unlock()
	key := nameKey{client.As16(), b.Addr.As16()}
	s.answers.put(key, b.Name, nowNanos, nowNanos+int64(life))
	s.tell(&key.server)
}

// tell notes that a server is one of answers. Answers that have made room for others
// are left out from time to time.
func (s *stripe) tell(server *[16]byte) {
	if s.told.full() {
		s.told.clear()
		for key := range s.answers.index {
			s.told.add(&key.server)
		}
		return
	}
	s.told.add(server)
}

// Lookup finds the name that client was last told server's address for. It
// does not allocate.
func (n *Names) Lookup(client, server netip.Addr, nowNanos int64) (name string, ok bool) {
	if !client.IsValid() || !server.IsValid() {
		return "", false
	}
	key := nameKey{client.As16(), server.As16()}
	s := n.of(key.client)
	s.mu.Lock()
	name, ok = s.lookup(&key, nowNanos)
	s.mu.Unlock()
	return name, ok
}

// between is Lookup for a flow of which either end may be the client, more likely a. Of
// one worker both are found under one lock.
func (n *Names) between(a, b netip.Addr, nowNanos int64) (name string, ok bool) {
	if !a.IsValid() || !b.IsValid() {
		return "", false
	}
	key := nameKey{a.As16(), b.As16()}
	other := nameKey{key.server, key.client}
	s, t := n.of(key.client), n.of(other.client)
	s.mu.Lock()
	if name, ok = s.lookup(&key, nowNanos); !ok && t == s {
		name, ok = s.lookup(&other, nowNanos)
	}
	s.mu.Unlock()
	if !ok && t != s {
		t.mu.Lock()
		name, ok = t.lookup(&other, nowNanos)
		t.mu.Unlock()
	}
	return name, ok
}

func (s *stripe) lookup(key *nameKey, nowNanos int64) (name string, ok bool) {
	if !s.told.has(&key.server) {
		return "", false
	}
	return s.answers.get(*key, nowNanos)
}

// Len is the number of answers held.
func (n *Names) Len() (held int) {
	for i := range n.stripes {
		s := &n.stripes[i]
		s.mu.Lock()
		held += len(s.answers.index)
		s.mu.Unlock()
	}
	return held
}

// Evicted is how many answers had to make room for others.
func (n *Names) Evicted() (evicted uint64) {
	for i := range n.stripes {
		s := &n.stripes[i]
		s.mu.Lock()
		evicted += s.answers.evicted
		s.mu.Unlock()
	}
	return evicted
}
