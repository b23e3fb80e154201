package enforcer

import "time"

// clockSlack is how far a live packet's time stamp may lie from the engine's
// clock before the engine looks at the clock: packets wait in queues for
// milliseconds, and an idle engine looks ten times a second.
const clockSlack = int64(time.Second)

// clock is the time on the packet path. That of a capture file is its packets'.
// That of live input runs evenly, from the wall clock's time at the start on,
// whatever is done to the wall clock later: a step back would freeze every
// timeout for as long, and a step forward end every flow.
type clock struct {
	read func() (wall, steady int64) // nanoseconds; nil: packet time
	now  int64                       // never goes back within a file
	zero int64                       // the engine's time at steady 0
	step int64                       // wall clock minus engine's time
}

// systemClock reads the host's clocks.
func systemClock() func() (wall, steady int64) {
	start := time.Now()
	return func() (int64, int64) {
		t := time.Now()
		return t.UnixNano(), int64(t.Sub(start)) // Sub uses the monotonic reading
	}
}

// begin starts a live clock.
func (c *clock) begin() {
	if c.read != nil {
		wall, steady := c.read()
		c.zero, c.now = wall-steady, wall
	}
}

// look reads the host's clocks; it does nothing in a file.
func (c *clock) look() {
	if c.read == nil {
		return
	}
	wall, steady := c.read()
	c.now = max(c.now, c.zero+steady)
	c.step = wall - (c.zero + steady)
}

// steady is the time now; it is the caller's to know that the input is live.
func (c *clock) steady() int64 {
	_, steady := c.read()
	return c.zero + steady
}

// packet moves on to a packet's time stamp.
func (c *clock) packet(stamp int64) {
	if c.read == nil {
		c.now = max(c.now, stamp)
		return
	}
	at := stamp - c.step
	if at > c.now+clockSlack || at < c.now-clockSlack {
		c.look()
		at = min(stamp-c.step, c.now) // a stamp from before the clock was set means nothing
	}
	c.now = max(c.now, at)
}

// wall is the wall clock's reading of a time on the engine's clock.
func (c *clock) wall(t int64) int64 { return t + c.step }

// of is the engine's time of a time stamp.
func (c *clock) of(stamp int64) int64 { return stamp - c.step }
