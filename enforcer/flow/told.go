package flow

import (
	"math"
	"time"
)

// tick is a time in units of 2^16 ns, 66 µs, modulo 2^32 of them, 78 hours.
type tick uint32

const (
	tickBits = 16
	// oldest is how long ago a tick is kept, 19 hours: what was earlier seems to have been then.
	// It would come to be yet to come after twice that.
	oldest = tick(1 << 30)
	// sinceBits makes the unit of Record.shared 2^20 ns, 1 ms. It counts to 68 s.
	sinceBits = 4
)

func tickOf(at int64) tick { return tick(at >> tickBits) }

// since is the time from before on; below 0 if that is yet to come.
func (t tick) since(before tick) time.Duration {
	return time.Duration(int32(t-before)) << tickBits
}

// Decide notes that analysis is over, at a time: the record is Done.
func (r *Record) Decide(at int64) {
	r.Set(Done)
	r.second, r.shared = uint32(tickOf(at)), 0
}

// Tell notes that the sink was given the verdict with the done mark, at a time: the record
// is Told. It must be Done.
func (r *Record) Tell(at int64) {
	r.Set(Told)
	now := tickOf(at)
	if passed := int32(now - tick(r.second)); passed > 0 {
		r.shared = uint16(min(uint32(r.shared)+uint32(passed)>>sinceBits, math.MaxUint16))
	}
	r.second = uint32(now)
}

// ToldAgo is how long before a time the sink was last given the verdict, to 66 µs and up
// to 19 hours; below 0 if it was later. It is valid iff the record is Told.
func (r *Record) ToldAgo(at int64) time.Duration { return tickOf(at).since(tick(r.second)) }

// DecidedAgo is how long before a time analysis ended, to a millisecond, up to a minute;
// longer ago it is at least that. It is valid iff the record is Told.
func (r *Record) DecidedAgo(at int64) time.Duration {
	return r.ToldAgo(at) + time.Duration(r.shared)<<(tickBits+sinceBits)
}

// Reopen has analysis begin anew.
func (r *Record) Reopen() {
	// The server's sequence number is not known any more, nor would it say anything.
	r.Clear(Done | Told | Watched | Adopted | Crowded | Shed | SynServer | Quiet)
	r.Inspected, r.shared = 0, 0
}

// age keeps times that are long ago from coming again.
func (r *Record) age(now int64) {
	if t := tickOf(now); r.Has(Done) && t-tick(r.second) > oldest && t.since(tick(r.second)) > 0 {
		r.second = uint32(t - oldest)
	}
}
