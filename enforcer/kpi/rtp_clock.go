package kpi

// clock is the rate of a stream's time stamps.
type clock struct {
	rate    uint32 // Hz; 0 while it is not known
	packets uint32
	at      uint32 // time stamp of the first packet
	now     stamp
}

const (
	// clockTime is over how many microseconds a rate is measured at least, clockLimit the most:
	// who stamps otherwise by then is not measured.
	clockTime  = 1e6
	clockLimit = 5e6
)

// rates are those of payload types that an offer chooses (RFC 3551, section 4.5; RFC 7587, 4.1:
// Opus has 48,000 at any bandwidth). They lie so far apart that a measurement within 3 %
// can mean one only.
var rates = [...]uint32{8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 90000}

// learn finds the rate of a stream whose payload type does not say it, from how fast its time
// stamps grow.
func (c *clock) learn(at uint32, now stamp) {
	if c.packets++; c.packets == 1 {
		c.at, c.now = at, now
		return
	}
	passed := float64(int32(now - c.now))
	if c.rate != 0 || passed < clockTime {
		return
	}
	if passed > clockLimit {
		c.packets = 0 // of the window: another begins
		return
	}
	measured := float64(int32(at-c.at)) * 1e6 / passed
	for _, r := range rates {
		if measured > float64(r)*0.97 && measured < float64(r)*1.03 {
			c.rate = r
			return
		}
	}
}

// staticRate is the rate of a payload type that has one (RFC 3551, tables 4 and 5), else 0.
func staticRate(kind uint8) uint32 {
	switch kind {
	case 0, 3, 4, 5, 7, 8, 9, 12, 13, 15, 18:
		return 8000
	case 6:
		return 16000
	case 10, 11:
		return 44100
	case 14, 25, 26, 28, 31, 32, 33, 34:
		return 90000
	case 16:
		return 11025
	case 17:
		return 22050
	}
	return 0
}
