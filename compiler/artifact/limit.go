package artifact

import (
	"fmt"
	"time"
)

// Limit is a token bucket (nft's "limit rate"): so many bytes or packets in a
// unit of time, and a burst that it may be over by.
type Limit struct {
	Rate  uint64        `json:"rate"`
	Unit  time.Duration `json:"unit"` // a second, minute, hour, day or week
	Burst uint32        `json:"burst,omitempty"`
	Bytes bool          `json:"bytes,omitempty"` // else packets
}

// String is the limit in nft's syntax, after "limit rate [over]".
func (l Limit) String() string {
	what, burst := "", " packets"
	if l.Bytes {
		what, burst = " bytes", " bytes"
	}
	text := fmt.Sprintf("%d%s/%s", l.Rate, what, unitName(l.Unit))
	if l.Burst > 0 {
		text += fmt.Sprintf(" burst %d%s", l.Burst, burst)
	}
	return text
}

// LimitUnits are the units that nft knows.
func LimitUnits() map[string]time.Duration {
	return map[string]time.Duration{
		"second": time.Second, "minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour, "week": 7 * 24 * time.Hour,
	}
}

func unitName(d time.Duration) string {
	for name, unit := range LimitUnits() {
		if unit == d {
			return name
		}
	}
	return d.String()
}
