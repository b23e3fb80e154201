package aggregate

import "github.com/netpol/netpol/enforcer/slab"

// Figure is one of the numbers of Health that are added up.
type Figure uint8

// Figures.
const (
	Measured        Figure = iota // flows of which there is any of this
	MeasuredPackets               // of TCP and UDP
	TCPPackets
	LocalRetrans
	OtherRetrans
	LocalSeqErrors
	OtherSeqErrors
	Resets
	ZeroWindows
	DNSQueries
	DNSAnswers
	LocalRTP
	LocalRTPLost
	OtherRTP
	OtherRTPLost
	figures
)

// Measure is one of the times of Health.
type Measure uint8

// Measures.
const (
	RTTServer Measure = iota
	RTTClient
	AppResponse
	TLSHandshake
	DNSResponse
	Jitter
	measures
)

// Time is one that was measured, or the mean of several.
type Time struct {
	Of     Measure
	Micros uint32
	// Sum is of several together, in microseconds, and Packets how many; 0 and 0 of one.
	Sum     uint64
	Packets uint32
}

// Health is how a flow has fared since it was sampled last, by those of its packets that were
// measured.
type Health struct {
	Figures [figures]uint64
	Times   []Time
}

// fared is what is known of a key.
type fared struct {
	figures [figures]uint64
	times   [measures]uint32 // of the ward's sketches; 0 is none
}

// ward has the health of a table's keys, of those of which anything was measured, and of nothing else: a
// key without costs four bytes.
type ward struct {
	keys     slab.Slab[fared]
	sketches slab.Slab[sketch]
	buckets  slab.Slab[buckets]
	rows     []uint32 // of keys, by row; 0 is none
	total    uint32   // of keys: all that was added
	other    uint32   // and that of keys that are not told
}

// add counts for a row.
func (w *ward) add(row uint32, h *Health) {
	for int(row) >= len(w.rows) {
		w.rows = append(w.rows, 0)
	}
	w.count(&w.rows[row], h)
	w.count(&w.total, h)
}

func (w *ward) count(at *uint32, h *Health) {
	k := w.key(at)
	for i, n := range h.Figures {
		k.figures[i] += n
	}
	for _, t := range h.Times {
		if k.times[t.Of] == 0 {
			k.times[t.Of] = w.sketches.Take()
		}
		if s := w.sketches.At(k.times[t.Of]); t.Packets == 0 {
			s.add(t.Micros, &w.buckets)
		} else {
			s.addMany(&t, &w.buckets)
		}
	}
}

func (w *ward) key(at *uint32) *fared {
	if *at == 0 {
		*at = w.keys.Take()
	}
	return w.keys.At(*at)
}

// leave moves what is known of a row's key to what is not told.
func (w *ward) leave(row uint32) {
	from := w.of(row)
	if from == 0 {
		return
	}
	k, other := w.keys.At(from), w.key(&w.other)
	for i, n := range k.figures {
		other.figures[i] += n
	}
	for i, at := range k.times {
		if at == 0 {
			continue
		}
		if other.times[i] == 0 {
			other.times[i] = w.sketches.Take()
		}
		s := w.sketches.At(at)
		w.sketches.At(other.times[i]).join(s, &w.buckets)
		if s.buckets != 0 {
			w.buckets.Release(s.buckets)
		}
		w.sketches.Release(at)
	}
	w.keys.Release(from)
	w.rows[row] = 0
}

// of is the key of a row, 0 for none.
func (w *ward) of(row uint32) uint32 {
	if int(row) >= len(w.rows) {
		return 0
	}
	return w.rows[row]
}
