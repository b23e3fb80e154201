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

// hintShare is how many answers are held for each hint about calls: a client
// asks for many names and makes few calls.
const hintShare = 4

// Names remembers what one flow says about another: which name a client asked
// for when it was told an address, and which application its calls belong to.
// It holds a fixed number of each. Safe for concurrent use: flows of one
// client are spread over workers, and each flow asks only a few times in its
// life.
type Names struct {
	mu      sync.Mutex
	answers cache[nameKey, string]
	calls   cache[callKey, hint]
}

// nameKey is pointer-free (no zone), so that the map costs the garbage
// collector nothing. IPv4 is mapped into IPv6.
type nameKey struct {
	client, server [16]byte
}

// NewNames makes a cache of at most max answers; 0 means DefaultNames.
func NewNames(max int) *Names {
	if max <= 0 {
		max = DefaultNames
	}
	return &Names{
		answers: newCache[nameKey, string](max),
		calls:   newCache[callKey, hint]((max + hintShare - 1) / hintShare),
	}
}

// Learn remembers an answer that client was given. Answers without an address
// or name are ignored.
func (n *Names) Learn(client netip.Addr, b dissect.NameBinding, nowNanos int64) {
	if !client.IsValid() || !b.Addr.IsValid() || b.Name == "" || len(b.Name) > maxHostname {
		return
	}
	life := min(max(time.Duration(b.TTL)*time.Second, minNameLife), maxNameLife)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.answers.put(nameKey{client.As16(), b.Addr.As16()}, b.Name, nowNanos, nowNanos+int64(life))
}

// Lookup finds the name that client was last told server's address for. It
// does not allocate.
func (n *Names) Lookup(client, server netip.Addr, nowNanos int64) (name string, ok bool) {
	if !client.IsValid() || !server.IsValid() {
		return "", false
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.answers.get(nameKey{client.As16(), server.As16()}, nowNanos)
}

// Len is the number of answers held.
func (n *Names) Len() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.answers.index)
}

// Evicted is how many answers had to make room for others.
func (n *Names) Evicted() uint64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.answers.evicted
}
