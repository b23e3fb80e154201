package fuzztest

import (
	"math/rand/v2"
	"os"
	"runtime/debug"
	"strconv"
	"testing"
	"time"
)

// Environment asks for runs: a number of inputs for each target.
const Environment = "NETPOL_FUZZ_RUNS"

const (
	// maxPool bounds the inputs that mutation starts from.
	maxPool = 4096
	// maxInput is the longest input: a datagram cannot be longer.
	maxInput = 64 << 10
)

// Run tries as many inputs as the environment asks for, none without it. They are
// seeds that were changed at random, always in the same way. An input with an
// outcome that none had before joins the seeds: outcomes stand in for the coverage
// that Go's fuzzer goes by.
//
// try checks its invariants by tb and says what came of the input. It must not
// keep it.
func Run(tb testing.TB, seeds [][]byte, try func(input []byte) (outcome uint64)) {
	tb.Helper()
	runs, err := strconv.Atoi(os.Getenv(Environment))
	if err != nil || runs <= 0 {
		return
	}
	m := newMutator(seeds)
	var at []byte
	defer func() {
		if r := recover(); r != nil {
			tb.Fatalf("panic: %v\ninput %q\n%s", r, at, debug.Stack())
		}
		if tb.Failed() {
			tb.Logf("input %q", at)
		}
	}()
	begun := time.Now()
	for range runs {
		at = m.next()
		m.learn(at, try(at))
	}
	took := time.Since(begun)
	tb.Logf("%s: %d inputs in %s, %.0f a second, %d outcomes", tb.Name(), runs, took.Round(time.Second), float64(runs)/took.Seconds(), len(m.outcomes))
}

// mutator makes inputs of inputs.
type mutator struct {
	random   *rand.Rand
	pool     [][]byte
	outcomes map[uint64]struct{}
	buf      []byte
}

func newMutator(seeds [][]byte) *mutator {
	m := &mutator{random: rand.New(rand.NewPCG(1, 2)), outcomes: make(map[uint64]struct{})}
	for _, s := range seeds {
		m.pool = append(m.pool, s[:min(len(s), maxInput)])
	}
	if len(m.pool) == 0 {
		m.pool = [][]byte{{0}}
	}
	return m
}

// learn keeps an input whose outcome is new.
func (m *mutator) learn(input []byte, outcome uint64) {
	if _, known := m.outcomes[outcome]; known {
		return
	}
	m.outcomes[outcome] = struct{}{}
	if len(m.pool) < maxPool {
		m.pool = append(m.pool, append([]byte(nil), input...))
	}
}

// next is another input; it is valid until the next call.
func (m *mutator) next() []byte {
	b := append(m.buf[:0], m.pool[m.random.IntN(len(m.pool))]...)
	for range 1 + m.random.IntN(4) {
		b = m.mutate(b)
	}
	m.buf = b[:min(len(b), maxInput)]
	return m.buf
}

// edges are bytes that lengths and counts turn at.
var edges = [...]byte{0, 1, 2, 3, 4, 0x10, 0x1f, 0x20, 0x3f, 0x40, 0x7f, 0x80, 0xc0, 0xfe, 0xff}

// mutate makes one change to b.
func (m *mutator) mutate(b []byte) []byte {
	if len(b) == 0 {
		return append(b, byte(m.random.Uint32()))
	}
	at := m.random.IntN(len(b))
	n := min(1+m.random.IntN(1<<m.random.IntN(8)), len(b)-at) // a piece at `at`, short ones more often
	switch m.random.IntN(10) {
	case 0:
		b[at] ^= 1 << m.random.IntN(8)
	case 1:
		b[at] = byte(m.random.Uint32())
	case 2:
		b[at] = edges[m.random.IntN(len(edges))]
	case 3:
		b[at] += byte(m.random.IntN(9)) - 4
	case 4: // two bytes, as a length
		v := m.random.IntN(len(b) + 4)
		b[at] = byte(v >> 8)
		if at+1 < len(b) {
			b[at+1] = byte(v)
		}
	case 5: // out
		b = append(b[:at], b[at+n:]...)
	case 6: // twice
		b = append(b[:at+n], b[at:]...)
	case 7: // one value
		fill := edges[m.random.IntN(len(edges))]
		for i := range n {
			b[at+i] = fill
		}
	case 8: // of another
		other := m.pool[m.random.IntN(len(m.pool))]
		if len(other) > 0 {
			from := m.random.IntN(len(other))
			b = append(b[:at], other[from:]...)
		}
	case 9: // the end
		b = b[:at]
	}
	return b
}
