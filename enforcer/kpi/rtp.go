package kpi

import "encoding/binary"

const (
	rtpHeader = 12
	// maxStreams bounds the streams that are told apart of what an end sends: sound and
	// picture, where one flow has both.
	maxStreams = 2
	// maxDropout, maxMisorder and minSequential are those of RFC 3550, A.1.
	maxDropout    = 3000
	maxMisorder   = 100
	minSequential = 2
)

// rtp is the streams of a flow, by end that sends.
type rtp struct {
	streams [2][maxStreams]stream
	packets [2]uint32 // of streams that are
}

// isRTP says that a datagram may be RTP's: its version, and none of the payload
// types that would look like RTCP (RFC 3550, 5.1; RFC 5761, section 4).
func isRTP(b []byte) bool {
	if len(b) < rtpHeader || b[0]>>6 != 2 {
		return false
	}
	t := b[1] & 0x7f
	return t < 64 || t > 95
}

// stream is one source (SSRC).
type stream struct {
	ssrc     uint32
	max      uint16 // highest sequence number seen
	bad      uint16 // the one after the last that lay far off, if there was one
	badKnown bool
	left     uint8 // packets until it counts as a stream (RFC 3550, A.1); valid iff used
	used     bool
	kind     uint8 // payload type of the last packet
	cycles   uint32
	base     uint32
	received uint32
	clock    clock
	jitter   jitter
}

// packet takes one in.
func (r *rtp) packet(b []byte, from int, now stamp) {
	ssrc, seq := binary.BigEndian.Uint32(b[8:]), binary.BigEndian.Uint16(b[2:])
	s := r.find(ssrc, from)
	if s == nil {
		return
	}
	if !s.used {
		*s = stream{ssrc: ssrc, used: true, left: minSequential - 1}
		s.begin(seq)
	} else if !s.sequence(seq) {
		return
	}
	if kind := b[1] & 0x7f; kind != s.kind || s.clock.packets == 0 {
		s.kind, s.clock, s.jitter.running = kind, clock{rate: staticRate(kind)}, false
	}
	at := binary.BigEndian.Uint32(b[4:])
	s.clock.learn(at, now)
	s.jitter.packet(at, now, s.clock.rate)
}

// find is the stream of a source, or a place for it: a free one, or that of another that
// has not become a stream. nil where there is none.
func (r *rtp) find(ssrc uint32, from int) (place *stream) {
	for i := range r.streams[from] {
		s := &r.streams[from][i]
		if s.used && s.ssrc == ssrc {
			return s
		}
		if place == nil && (!s.used || s.left > 0) {
			place = s
		}
	}
	if place != nil {
		place.used = false
	}
	return place
}

// begin makes a sequence number the first (init_seq of RFC 3550, A.1).
func (s *stream) begin(seq uint16) {
	s.base, s.max, s.cycles, s.received, s.badKnown = uint32(seq), seq, 0, 1, false
}

// sequence takes a sequence number in (update_seq of RFC 3550, A.1); false if the packet
// belongs nowhere.
func (s *stream) sequence(seq uint16) bool {
	ahead := seq - s.max
	switch {
	case s.left > 0 && seq != s.max+1:
		s.left = minSequential - 1
		s.begin(seq)
		return true
	case s.left > 0 || ahead < maxDropout:
		if seq < s.max {
			s.cycles += 1 << 16
		}
		s.left, s.max = s.left-min(s.left, 1), seq
	case ahead <= 1<<16-1-maxMisorder:
		if !s.badKnown || seq != s.bad {
			s.bad, s.badKnown = seq+1, true
			return false
		}
		s.begin(seq) // two in a row: the sender has begun anew
		return true
	}
	s.received++
	return true
}

// lost is how many packets did not come (RFC 3550, A.3); more than were sent may have come,
// if some came twice.
func (s *stream) lost() uint32 {
	expected := s.cycles + uint32(s.max) - s.base + 1
	return expected - min(s.received, expected)
}

func (r *rtp) report(out *Report) {
	for from := range r.streams {
		to := &out.RTP[from]
		for i := range r.streams[from] {
			s := &r.streams[from][i]
			if !s.used || s.left > 0 {
				continue
			}
			to.Packets += uint64(s.received)
			to.Lost += uint64(s.lost())
			to.JitterSum += s.jitter.sum
			to.JitterPackets += uint64(s.jitter.packets)
			if mean, most := s.jitter.figures(); mean > to.Jitter {
				to.Jitter, to.JitterMax = mean, most
			}
		}
	}
}

// jitter is the interarrival jitter of a stream.
type jitter struct {
	running    bool   // last is known
	at         uint32 // time stamp of the last packet
	now        stamp
	value, sum float64 // microseconds
	most       float64
	packets    uint32
}

// maxTransit is from how many microseconds on a step is no jitter: gateways begin their time stamps anew
// when the source behind them changes.
const maxTransit = 1e6

// packet takes one in (RFC 3550, A.8), of a stream whose time stamps have a rate in Hz; 0 is
// not known.
func (j *jitter) packet(at uint32, now stamp, rate uint32) {
	if rate == 0 {
		j.running = false
		return
	}
	if j.running {
		apart := float64(int32(now - j.now))
		d := apart - float64(int32(at-j.at))*1e6/float64(rate)
		if d < 0 {
			d = -d
		}
		if d < maxTransit {
			j.value += (d - j.value) / 16
			j.sum += j.value
			j.most = max(j.most, j.value)
			j.packets++
		}
	}
	j.running, j.at, j.now = true, at, now
}

// figures are mean and maximum, in microseconds; 0 are not known.
func (j *jitter) figures() (mean, most uint32) {
	if j.packets == 0 {
		return 0, 0
	}
	return uint32(max(j.sum/float64(j.packets), 1)), uint32(max(j.most, 1))
}
