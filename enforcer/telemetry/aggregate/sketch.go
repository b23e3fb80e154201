package aggregate

import (
	"math"
	"math/bits"
	"slices"

	"github.com/netpol/netpol/enforcer/slab"
)

// few times are kept as they are; most keys have no more of a measure in an interval.
const few = 8

// sketch is the distribution of times, in microseconds.
type sketch struct {
	sum             uint64
	count, min, max uint32
	buckets         uint32 // of the slab; 0 while all are in first
	first           [few]uint32
}

// buckets count times by their logarithm: number i those that are more than 2^((i-1)/4)
// and at most 2^(i/4), which are the buckets of an exponential histogram of OpenTelemetry of scale 2, whose
// number i-1 it is. All times are in one, because a stamp of kpi tells at most 2^31.
type buckets [4*31 + 1]uint32

// perOctave buckets are there between a time and twice as much.
const perOctave = 4

// roots are 2^(1/4), 2^(2/4) and 2^(3/4) of 2^31, rounded down: none is whole.
var roots = [perOctave - 1]uint64{2553802833, 3037000499, 3611622602}

// bucketOf is the bucket of a time.
func bucketOf(micros uint32) int {
	if micros < 2 {
		return 0
	}
	octave := bits.Len32(micros) - 1
	m := uint64(micros) << (31 - octave) // from 2^31 up to 2^32
	i := perOctave * octave
	if m == 1<<31 {
		return i
	}
	i++
	for _, root := range roots {
		if m > root {
			i++
		}
	}
	return min(i, len(buckets{})-1)
}

// add takes a time in.
func (s *sketch) add(micros uint32, all *slab.Slab[buckets]) {
	if s.count == 0 || micros < s.min {
		s.min = micros
	}
	s.max, s.sum = max(s.max, micros), s.sum+uint64(micros)
	if s.count < few && s.buckets == 0 {
		s.first[s.count] = micros
		s.count++
		return
	}
	s.spread(all)[bucketOf(micros)]++
	s.count++
}

// addMany takes a mean in as many times as it is of.
func (s *sketch) addMany(t *Time, all *slab.Slab[buckets]) {
	b := s.spread(all)
	if s.count == 0 || t.Micros < s.min {
		s.min = t.Micros
	}
	s.max, s.sum, s.count = max(s.max, t.Micros), s.sum+t.Sum, s.count+t.Packets
	b[bucketOf(t.Micros)] += t.Packets
}

// spread has a sketch count by buckets.
func (s *sketch) spread(all *slab.Slab[buckets]) *buckets {
	if s.buckets != 0 {
		return all.At(s.buckets)
	}
	s.buckets = all.Take()
	b := all.At(s.buckets)
	for _, micros := range s.first[:min(s.count, few)] {
		b[bucketOf(micros)]++
	}
	return b
}

// join takes all that another has in.
func (s *sketch) join(o *sketch, all *slab.Slab[buckets]) {
	if o.buckets == 0 {
		for _, micros := range o.first[:o.count] {
			s.add(micros, all)
		}
		return
	}
	to, from := s.spread(all), all.At(o.buckets)
	for i, n := range from {
		to[i] += n
	}
	if s.count == 0 || o.min < s.min {
		s.min = o.min
	}
	s.max, s.sum, s.count = max(s.max, o.max), s.sum+o.sum, s.count+o.count
}

// counts are its buckets.
func (s *sketch) counts(all *slab.Slab[buckets]) (out buckets) {
	if s.buckets != 0 {
		return *all.At(s.buckets)
	}
	for _, micros := range s.first[:s.count] {
		out[bucketOf(micros)]++
	}
	return out
}

// quantiles are the least times that so many of all, in percent, do not exceed: exact while there are
// few, and otherwise the middle of a bucket, within 8.7 % of it: (2^(1/4)-1)/(2^(1/4)+1).
func (s *sketch) quantiles(b *buckets, percent []int, out []uint32) {
	if s.buckets == 0 {
		list := s.first
		slices.Sort(list[:s.count])
		for i, p := range percent {
			out[i] = list[rank(s.count, p)-1]
		}
		return
	}
	var below uint32
	i := 0
	for at, n := range b {
		for below += n; i < len(percent) && below >= rank(s.count, percent[i]); i++ {
			if rank(s.count, percent[i]) == s.count {
				out[i] = s.max
				continue
			}
			low, high := math.Exp2(float64(at-1)/perOctave), math.Exp2(float64(at)/perOctave)
			middle := uint32(math.Round(2 * low * high / (low + high)))
			out[i] = min(max(middle, s.min), s.max)
		}
	}
}

// rank is the place of a percentile among so many, from 1 on.
func rank(count uint32, percent int) uint32 {
	return uint32((uint64(count)*uint64(percent) + 99) / 100)
}
