package capture

import "time"

// NFLogConfig says which packets to read and how; the zero value of a field
// other than Group takes the default.
type NFLogConfig struct {
	// Group is the number in the "log group" rules, one reader each.
	Group uint16
	// Threshold is how many packets the kernel collects before it wakes the
	// reader. The default 1 gives the first label within about 0.1 ms. While
	// packets come by the ten thousands a second it is more.
	Threshold uint32
	// ReadBuffer is the socket buffer in bytes, default 32 MiB: 0.35 s of
	// 400-byte packets at 150,000 a second.
	ReadBuffer int
	// Idle is how long Next waits before it returns packet.ErrIdle, default
	// 100 ms.
	Idle time.Duration
}

func (c NFLogConfig) withDefaults() NFLogConfig {
	if c.Threshold == 0 {
		c.Threshold = 1
	}
	if c.ReadBuffer == 0 {
		c.ReadBuffer = 32 << 20
	}
	if c.Idle == 0 {
		c.Idle = 100 * time.Millisecond
	}
	return c
}

// NFLogStats count packets since the source was opened.
type NFLogStats struct {
	Packets  uint64
	Bytes    uint64 // captured
	Lost     uint64 // gaps in the kernel's numbering: logged, but never read
	Overruns uint64 // times the socket buffer was full (ENOBUFS); each may be many packets
}
