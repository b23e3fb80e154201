package ct

import (
	"time"

	"github.com/netpol/netpol/enforcer/flow"
)

const (
	// retryLimit bounds what waits for another try. A packet is logged before
	// conntrack confirms its connection, so 0-0.5 % of first updates find
	// none; the bound is some seconds of that at 100,000 new flows a second.
	retryLimit = 4096

	// hasty is how many tries an update has that is of a connection on its way. Those after them are for a router
	// where the packet had to wait for its processor, and only for so many updates: most that come here are
	// of connections whose first packet was dropped.
	hasty        = 3
	patientLimit = 1024
)

// retryDelays is how long an update waits before each further try. 200 us was
// always enough on an idle router.
func retryDelays() [5]time.Duration {
	return [5]time.Duration{200 * time.Microsecond, time.Millisecond, 5 * time.Millisecond, 50 * time.Millisecond, 500 * time.Millisecond}
}

type attempt struct {
	update flow.Update
	tries  uint8
	due    time.Time
}

// waiting is updates that wait for another try: a line for each delay, in which those that
// came first are due first.
type waiting struct {
	delays [5]time.Duration
	lines  [5]line
	n      int
	of     map[flow.Tuple]int // how many each connection has
}

// line is attempts from first on.
type line struct {
	attempts []attempt
	first    int
}

func newWaiting() waiting {
	return waiting{delays: retryDelays(), of: make(map[flow.Tuple]int)}
}

// spent says that an attempt has had all its tries.
func (w *waiting) spent(a *attempt) bool {
	return int(a.tries) >= len(w.delays) || a.tries >= hasty && w.n >= patientLimit
}

// again has an attempt that is not spent wait for its next try; false says that there is no room.
func (w *waiting) again(a attempt) bool {
	a.due = time.Now().Add(w.delays[a.tries])
	a.tries++
	return w.put(a, int(a.tries)-1)
}

// put has an attempt wait until it is due, behind others of a line; false says that there is no room.
func (w *waiting) put(a attempt, at int) bool {
	if w.n >= retryLimit {
		return false
	}
	w.n++
	w.of[a.update.Tuple]++
	l := &w.lines[at]
	l.attempts = append(l.attempts, a)
	return true
}

// take gives an attempt that is due at a time.
func (w *waiting) take(now time.Time) (a attempt, ok bool) {
	for i := range w.lines {
		l := &w.lines[i]
		if l.first == len(l.attempts) || l.attempts[l.first].due.After(now) {
			continue
		}
		a = l.attempts[l.first]
		if l.first++; 2*l.first >= len(l.attempts) {
			l.attempts, l.first = append(l.attempts[:0], l.attempts[l.first:]...), 0
		}
		w.left(&a)
		return a, true
	}
	return a, false
}

// left notes that an attempt waits no longer.
func (w *waiting) left(a *attempt) {
	w.n--
	if n := w.of[a.update.Tuple] - 1; n > 0 {
		w.of[a.update.Tuple] = n
	} else {
		delete(w.of, a.update.Tuple)
	}
}

// next is when an attempt is due, zero if none waits.
func (w *waiting) next() (due time.Time) {
	for i := range w.lines {
		if l := &w.lines[i]; l.first < len(l.attempts) && (due.IsZero() || l.attempts[l.first].due.Before(due)) {
			due = l.attempts[l.first].due
		}
	}
	return due
}

// outdate has what waits undo nothing of a later update. What says nothing any more waits no longer.
func (w *waiting) outdate(later *flow.Update) {
	if w.n == 0 || w.of[later.Tuple] == 0 {
		return
	}
	for i := range w.lines {
		l := &w.lines[i]
		kept := l.attempts[:0]
		for _, a := range l.attempts[l.first:] {
			if a.update.Tuple == later.Tuple {
				if without(&a.update, later); saysNothing(&a.update) {
					w.left(&a)
					continue
				}
			}
			kept = append(kept, a)
		}
		l.attempts, l.first = kept, 0
	}
}
