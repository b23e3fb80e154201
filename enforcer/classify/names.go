package classify

import (
	"net/netip"
	"sync"
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

// Names remembers which name a client asked for when it was told an address.
// It holds a fixed number of answers; the clock algorithm makes room, so what
// is in use stays. Safe for concurrent use: flows of one client are spread
// over workers, and each flow asks only a few times in its life.
type Names struct {
	mu      sync.Mutex
	index   map[nameKey]int32 // slot of each key
	slots   []nameSlot        // grows to max, then is reused
	max     int
	hand    int // next slot that the clock looks at
	evicted uint64
}

// nameKey is pointer-free (no zone), so that the map costs the garbage
// collector nothing. IPv4 is mapped into IPv6.
type nameKey struct {
	client, server [16]byte
}

type nameSlot struct {
	key     nameKey
	name    string
	expires int64 // packet time, nanoseconds
	used    bool  // looked up since the hand last passed
}

// NewNames makes a cache of at most max answers; 0 means DefaultNames.
func NewNames(max int) *Names {
	if max <= 0 {
		max = DefaultNames
	}
	return &Names{index: make(map[nameKey]int32), max: max}
}

// Learn remembers an answer that client was given. Answers without an address
// or name are ignored.
func (n *Names) Learn(client netip.Addr, b dissect.NameBinding, nowNanos int64) {
	if !client.IsValid() || !b.Addr.IsValid() || b.Name == "" || len(b.Name) > maxHostname {
		return
	}
	life := min(max(time.Duration(b.TTL)*time.Second, minNameLife), maxNameLife)
	key := nameKey{client.As16(), b.Addr.As16()}
	n.mu.Lock()
	defer n.mu.Unlock()
	i, ok := n.index[key]
	if !ok {
		i = n.room(nowNanos)
		n.index[key] = i
	}
	n.slots[i] = nameSlot{key: key, name: b.Name, expires: nowNanos + int64(life)}
}

// room finds a slot for a new key: a fresh one while there are some, then the
// next that is out of date or was not used since the hand's last round.
func (n *Names) room(nowNanos int64) int32 {
	if len(n.slots) < n.max {
		n.slots = append(n.slots, nameSlot{})
		return int32(len(n.slots) - 1)
	}
	for {
		s := &n.slots[n.hand]
		at := n.hand
		n.hand = (n.hand + 1) % len(n.slots)
		if s.used && s.expires > nowNanos {
			s.used = false
			continue
		}
		delete(n.index, s.key)
		n.evicted++
		return int32(at)
	}
}

// Lookup finds the name that client was last told server's address for. It
// does not allocate.
func (n *Names) Lookup(client, server netip.Addr, nowNanos int64) (name string, ok bool) {
	if !client.IsValid() || !server.IsValid() {
		return "", false
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	i, ok := n.index[nameKey{client.As16(), server.As16()}]
	if !ok || n.slots[i].expires <= nowNanos {
		return "", false
	}
	n.slots[i].used = true
	return n.slots[i].name, true
}

// Len is the number of answers held.
func (n *Names) Len() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.index)
}

// Evicted is how many answers had to make room for others.
func (n *Names) Evicted() uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.evicted
}
