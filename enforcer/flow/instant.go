package flow

import "time"

// instant is a time in nanoseconds modulo 2^48 of them, 78 hours, the highest bits first. It
// is for how long ago something was, where a whole time would cost a record two bytes more.
type instant [3]uint16

func instantOf(at int64) instant { return instant{uint16(at >> 32), uint16(at >> 16), uint16(at)} }

// maxAge is how long ago an instant can be: beyond, it seems to be less long ago, or yet
// to come.
const maxAge = time.Duration(1) << 47

// since is how long before at it was; below 0 if it is yet to come.
func (i instant) since(at int64) time.Duration {
	before := int64(i[0])<<32 | int64(i[1])<<16 | int64(i[2])
	return time.Duration((at - before) << 16 >> 16)
}
