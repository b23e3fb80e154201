package pulse

import "time"

// Slow is how far the moments lie apart in which files, counters and deadlines are
// looked at.
const Slow = time.Second

// Until is how long it is to the next moment, of those that lie so far apart: whole
// multiples of it, on the host's clock. Who has waited so long asks again, so a clock
// that is set shifts one moment and no more.
func Until(apart time.Duration) time.Duration { return until(time.Now(), apart) }

func until(now time.Time, apart time.Duration) time.Duration {
	return now.Truncate(apart).Add(apart).Sub(now.Round(0))
}

// Next is told of the next slow moment.
func Next() <-chan time.Time { return time.After(Until(Slow)) }

// NextIf is Next where somebody waits for it, and never comes otherwise.
func NextIf(waits bool) <-chan time.Time {
	if !waits {
		return nil
	}
	return Next()
}
