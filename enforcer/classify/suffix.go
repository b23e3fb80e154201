package classify

import (
	"fmt"
	"strings"
)

// suffixTable maps host name suffixes to applications; the longest suffix
// wins. It is an open-addressed hash table without pointers: 20,000 suffixes
// take about 0.9 MB and the garbage collector never looks at them.
type suffixTable struct {
	slots     []suffixSlot // length is a power of two, at most half full
	known     []uint64     // a bit for each hash of a suffix, by its upper bits
	text      string       // all suffixes, end to end
	maxLabels int          // labels of the longest suffix
}

// suffixSlot is empty when length is 0.
type suffixSlot struct {
	hash   uint32
	offset uint32
	app    uint16
	length uint8 // a DNS name has at most 253 bytes
}

// maxHostname is the longest host name that is looked up (RFC 1035 section
// 2.3.4, without the root's dot).
const maxHostname = 253

// FNV-1a, 32 bit. The table is built once from the catalogue and never takes
// names from the network, so chosen names can lengthen no probe sequence.
const (
	fnvOffset = 2166136261
	fnvPrime  = 16777619
)

// suffixEntry is one row of the table to build.
type suffixEntry struct {
	suffix string
	app    uint16
}

// newSuffixTable builds the table. It fails on a suffix given twice for
// different applications, or one that no host name could have.
func newSuffixTable(entries []suffixEntry) (*suffixTable, error) {
	size := 16
	for size < 2*len(entries) {
		size *= 2
	}
	t := &suffixTable{slots: make([]suffixSlot, size), known: make([]uint64, max(size*knownEach/64, 1))}
	var text strings.Builder
	size = 0
	for _, e := range entries {
		size += len(e.suffix)
	}
	text.Grow(size)
	for _, e := range entries {
		if e.suffix == "" || len(e.suffix) > maxHostname || !strings.Contains(e.suffix, ".") {
			return nil, fmt.Errorf("add domain %q: not a host name suffix", e.suffix)
		}
		hash, labels := uint32(fnvOffset), 1
		for i := len(e.suffix) - 1; i >= 0; i-- {
			hash = (hash ^ uint32(e.suffix[i])) * fnvPrime
			if e.suffix[i] == '.' {
				labels++
			}
		}
		i := t.start(hash)
		for ; t.slots[i].length != 0; i = t.next(i) {
			if s := t.slots[i]; s.hash == hash && text.String()[s.offset:s.offset+uint32(s.length)] == e.suffix {
				break
			}
		}
		if t.slots[i].length != 0 {
			if t.slots[i].app != e.app {
				return nil, fmt.Errorf("add domain %q: belongs to two applications", e.suffix)
			}
			continue
		}
		t.slots[i] = suffixSlot{hash, uint32(text.Len()), e.app, uint8(len(e.suffix))}
		bit := t.bit(hash)
		t.known[bit/64] |= 1 << (bit % 64)
		text.WriteString(e.suffix)
		t.maxLabels = max(t.maxLabels, labels)
	}
	t.text = text.String()
	return t, nil
}

// knownEach is how many bits there are for each slot: of the hashes that are no suffix's an
// eighth passes at most, and the others, as those of the hosts themselves are, cost no look at a slot.
const knownEach = 4

func (t *suffixTable) bit(hash uint32) uint32 {
	return uint32(uint64(hash*2654435769) * uint64(len(t.known)*64) >> 32) // Fibonacci hashing, TAOCP 6.4
}

func (t *suffixTable) start(hash uint32) int {
	return int(hash) & (len(t.slots) - 1)
}

func (t *suffixTable) next(i int) int {
	return (i + 1) & (len(t.slots) - 1)
}

// lookup finds the application of the longest suffix of host. It reads the
// name once from its end and probes at each dot, at most maxLabels times.
// Upper case counts as lower case; a trailing dot is ignored.
func (t *suffixTable) lookup(host string) (app uint16, ok bool) {
	host = strings.TrimSuffix(host, ".")
	if len(host) > maxHostname {
		return 0, false
	}
	hash, labels := uint32(fnvOffset), 0
	for i := len(host) - 1; i >= 0; i-- {
		hash = (hash ^ uint32(lower(host[i]))) * fnvPrime
		if i > 0 && host[i-1] != '.' {
			continue
		}
		if labels++; labels > t.maxLabels {
			break
		}
		if labels == 1 {
			continue // no suffix has one label
		}
		if found, hit := t.get(hash, host[i:]); hit {
			app, ok = found, true
		}
	}
	return app, ok
}

// get finds one exact suffix.
func (t *suffixTable) get(hash uint32, suffix string) (uint16, bool) {
	if bit := t.bit(hash); t.known[bit/64]>>(bit%64)&1 == 0 {
		return 0, false
	}
	for i := t.start(hash); t.slots[i].length != 0; i = t.next(i) {
		s := t.slots[i]
		if s.hash == hash && int(s.length) == len(suffix) && equalFold(t.text[s.offset:s.offset+uint32(s.length)], suffix) {
			return s.app, true
		}
	}
	return 0, false
}

// equalFold reports whether name, of the same length, equals the lower-case
// suffix. strings.EqualFold would also fold Unicode, which DNS does not.
func equalFold(suffix, name string) bool {
	for i := range len(suffix) {
		if suffix[i] != lower(name[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}
