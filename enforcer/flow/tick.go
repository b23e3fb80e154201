package flow

import "time"

// Tick is a time in units of 2^16 ns, 66 µs, modulo 2^32 of them, 78 hours. It is for
// how long ago something was, where a whole time would cost a record four bytes more.
type Tick uint32

const tickBits = 16

// maxAge is how long ago a Tick can be: beyond, it seems to be less long ago, or yet to
// come.
const maxAge = time.Duration(1) << (31 + tickBits)

// TickOf is the Tick of a time in nanoseconds.
func TickOf(at int64) Tick { return Tick(at >> tickBits) }

// since is the time from before on, which may be later: then it is below 0. It is at most maxAge
// either way.
func (t Tick) since(before Tick) time.Duration {
	return time.Duration(int32(t-before)) << tickBits
}
