package flow

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

type segment struct {
	seq  uint32
	data string
}

func TestStream(t *testing.T) {
	const isn = 0xfffffff0 // so that sequence numbers wrap within the test
	at := func(off uint32, data string) segment { return segment{isn + 1 + off, data} }
	tests := []struct {
		name   string
		in     []segment
		want   string
		closed bool
	}{
		{"in order", []segment{at(0, "abc"), at(3, "def")}, "abcdef", false},
		{"reversed", []segment{at(3, "def"), at(0, "abc")}, "abcdef", false},
		{"wraps around zero", []segment{at(0, "0123456789abcdef"), at(16, "ghi")}, "0123456789abcdefghi", false},
		{"retransmission", []segment{at(0, "abc"), at(0, "abc"), at(3, "d")}, "abcd", false},
		{"overlap, first wins in the opening", []segment{at(0, "abc"), at(1, "XXde")}, "abcde", false},
		{"overlap, first wins beyond a gap", []segment{at(4, "efg"), at(2, "XXXXXX"), at(0, "ab")}, "abXXefgX", false},
		{"one byte at a time backwards", []segment{at(3, "d"), at(2, "c"), at(1, "b"), at(0, "a")}, "abcd", false},
		{"gap", []segment{at(0, "abc"), at(4, "e")}, "abc", false},
		{"keepalive byte before the opening", []segment{{isn, "x"}, at(0, "abc")}, "abc", false},
		{"a sequence number from nowhere", []segment{at(1<<30, "x"), at(0, "abc")}, "abc", false},
		{"two gaps filled by one", []segment{at(1, "b"), at(3, "d"), at(0, "aXcXe")}, "abcde", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			pool := &Buffers{Limit: 1 << 20}
			var s Stream
			s.Syn(isn)
			for _, seg := range tt.in {
				before := len(s.Bytes())
				grew := s.Add(seg.seq, []byte(seg.data), pool)
				if got := len(s.Bytes()) > before; got != grew {
					t.Errorf("Add(%d) says grew %v, but %d -> %d bytes", seg.seq, grew, before, len(s.Bytes()))
				}
			}
			if got := string(s.Bytes()); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if s.Closed() != tt.closed {
				t.Errorf("got closed %v, want %v", s.Closed(), tt.closed)
			}
			s.Release(pool)
			if pool.Out() != 0 {
				t.Errorf("%d bytes not returned", pool.Out())
			}
		})
	}
}

func TestStreamContradicted(t *testing.T) {
	tests := []struct {
		name string
		in   []segment
		want bool
	}{
		{"retransmission", []segment{{1, "abc"}, {1, "abc"}}, false},
		{"overlap, same data", []segment{{1, "abc"}, {2, "bcd"}}, false},
		{"overlap, other data", []segment{{1, "abc"}, {2, "Xcd"}}, true},
		{"overlap beyond a gap, same data", []segment{{5, "efg"}, {3, "cdef"}}, false},
		{"overlap beyond a gap, other data", []segment{{5, "efg"}, {3, "cdeX"}}, true},
		{"the whole again, one byte other", []segment{{1, "abc"}, {4, "def"}, {1, "abcdeX"}}, true},
		{"keepalive byte before the opening", []segment{{0, "x"}, {1, "abc"}}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			pool := &Buffers{Limit: 1 << 20}
			var s Stream
			s.Syn(0)
			for _, seg := range tt.in {
				s.Add(seg.seq, []byte(seg.data), pool)
			}
			if got := s.Contradicted(); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestStreamResets(t *testing.T) {
	pool := &Buffers{Limit: 1 << 20}
	var s Stream
	if !s.Resets(12345) {
		t.Error("a reset of a stream that is not known to begin is not believed")
	}
	s.Syn(0)
	s.Add(1, []byte("abc"), pool)
	for seq, want := range map[uint32]bool{4: true, 5: true, 3: true, 1: false, 100: false, 1 << 30: false} {
		if got := s.Resets(seq); got != want {
			t.Errorf("reset at %d behind 3 bytes: got %v, want %v", seq, got, want)
		}
	}
}

func TestStreamEnd(t *testing.T) {
	tests := []struct {
		name   string
		play   func(*Stream, *Buffers)
		closed bool
	}{
		{"fin reached", func(s *Stream, p *Buffers) { s.Add(1, []byte("abc"), p); s.Fin(4) }, true},
		{"fin before its data", func(s *Stream, p *Buffers) { s.Fin(4); s.Add(1, []byte("ab"), p) }, false},
		{"made-up fin in the past", func(s *Stream, p *Buffers) { s.Add(1, []byte("abc"), p); s.Fin(2) }, false},
		{"cap reached", func(s *Stream, p *Buffers) { s.Add(1, make([]byte, MaxStream), p) }, true},
		{"lasting gap", func(s *Stream, p *Buffers) {
			for i := range uint32(maxBeyond) {
				s.Add(10+i, []byte("x"), p)
			}
		}, true},
		{"no memory left", func(s *Stream, p *Buffers) { p.Limit = 0; s.Add(1, []byte("abc"), p) }, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var s Stream
			s.Syn(0)
			tt.play(&s, &Buffers{Limit: 1 << 20})
			if s.Closed() != tt.closed {
				t.Errorf("got closed %v, want %v", s.Closed(), tt.closed)
			}
		})
	}
}

func TestStreamPlausible(t *testing.T) {
	pool := &Buffers{Limit: 1 << 20}
	var s Stream
	if !s.Plausible(12345) {
		t.Error("a reset before anything is known must be believed")
	}
	s.Syn(100)
	s.Add(101, []byte("abc"), pool)
	for seq, want := range map[uint32]bool{104: true, 100: true, 50: false, 101 + 1<<24: false} {
		if got := s.Plausible(seq); got != want {
			t.Errorf("Plausible(%d) = %v, want %v", seq, got, want)
		}
	}
}

// TestStreamShuffled cuts a stream at random places, delivers the pieces in
// random order with repeats, and expects every byte back.
func TestStreamShuffled(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for round := range 300 {
		want := make([]byte, 1+rnd.IntN(6000))
		for i := range want {
			want[i] = byte(rnd.Uint32())
		}
		var cuts []segment
		for off := 0; off < len(want); {
			n := min(1+rnd.IntN(1400), len(want)-off)
			cuts = append(cuts, segment{uint32(off), string(want[off : off+n])})
			off += n
		}
		cuts = append(cuts, cuts[rnd.IntN(len(cuts))])
		rnd.Shuffle(len(cuts), func(i, j int) { cuts[i], cuts[j] = cuts[j], cuts[i] })
		if len(cuts) > maxSpans {
			cuts = cuts[:maxSpans]
		}
		pool := &Buffers{Limit: 1 << 20}
		var s Stream
		s.Syn(^uint32(0))
		model := make([]bool, len(want))
		for _, c := range cuts {
			s.Add(c.seq, []byte(c.data), pool)
			for i := range len(c.data) {
				model[int(c.seq)+i] = true
			}
		}
		contig := 0
		for contig < len(model) && model[contig] {
			contig++
		}
		if got := s.Bytes(); !bytes.Equal(got, want[:contig]) {
			t.Fatalf("round %d: got %d bytes, want the first %d unchanged", round, len(got), contig)
		}
	}
}

func TestDatagrams(t *testing.T) {
	pool := &Buffers{Limit: 1 << 20}
	var d Datagrams
	for i := range MaxDatagrams {
		if !d.Keep(i%2 == 1, []byte{byte(i), 1, 2}, pool) {
			t.Fatalf("datagram %d not kept", i)
		}
	}
	if d.Keep(false, []byte{9}, pool) {
		t.Error("kept one more than MaxDatagrams")
	}
	for i := range d.Len() {
		server, b := d.At(i)
		if server != (i%2 == 1) || !bytes.Equal(b, []byte{byte(i), 1, 2}) {
			t.Errorf("datagram %d: got server %v %v", i, server, b)
		}
	}
	d.Release(pool)
	if d.Keep(false, make([]byte, maxDatagramBytes+1), pool) {
		t.Error("kept more than maxDatagramBytes")
	}
	if pool.Out() != 0 {
		t.Errorf("%d bytes not returned", pool.Out())
	}
}

func TestBuffersReuse(t *testing.T) {
	pool := &Buffers{Limit: 3 << 10}
	a, ok := pool.grow(nil, 1460)
	b, _ := pool.grow(nil, 1460)
	if !ok || len(a) != 1536 || pool.Out() != 3<<10 {
		t.Fatalf("got %d bytes, %d out", len(a), pool.Out())
	}
	if _, ok := pool.grow(nil, 1); ok || pool.Refused() != 1 {
		t.Errorf("the limit does not hold: ok %v, refused %d", ok, pool.Refused())
	}
	pool.put(a)
	pool.put(b)
	if n := testing.AllocsPerRun(50, func() {
		c, _ := pool.grow(nil, 1460)
		pool.put(c)
	}); n != 0 {
		t.Errorf("got %v allocations for a reused buffer, want 0", n)
	}
}
