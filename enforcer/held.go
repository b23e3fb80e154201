package enforcer

import (
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/packet"
)

// heldBatch is how many packets may wait for each other: as many as are there at
// once, and no longer than it takes to read them, some 10 microseconds each.
const heldBatch = 16

// held are packets that have been read and wait to go on.
type held struct {
	by    Holder         // nil when the source has none
	fresh []flow.Release // of connections that nobody can write on yet
	known []flow.Release
}

// full says that none may wait for another packet to be read.
func (h *held) full() bool { return len(h.fresh)+len(h.known) >= heldBatch }

// noteHeld has the packet at hand, which has been dealt with, go on with the next
// flush.
func (w *worker) noteHeld() {
	if w.raw.Missed {
		w.stats.HoldMissed++
	}
	if w.raw.Ticket == (packet.Ticket{}) || w.held.by == nil {
		return
	}
	w.stats.Held++
	release := flow.Release{Ticket: w.raw.Ticket}
	decided := false
	if w.at != 0 {
		if r := w.table.At(w.at); !r.Has(flow.Untracked) {
			t := w.traitsOf(r)
			release.Labels, release.Mark, release.Done = t.labels, t.mark, r.Has(flow.Done)
			decided = release.Done || t.labels != [16]byte{} || t.mark != 0
			w.unhold(r)
		}
	}
	if !decided {
		w.stats.HeldUndecided++
	}
	if w.raw.Ticket.New {
		w.held.fresh = append(w.held.fresh, release)
	} else {
		w.held.known = append(w.held.known, release)
	}
}

// releases lets packets go on.
func (w *worker) releases(list *[]flow.Release) {
	if len(*list) == 0 {
		return
	}
	err := w.held.by.Release(*list)
	*list = (*list)[:0]
	if err == nil {
		return
	}
	w.stats.ReleaseErrors++
	if n := w.stats.ReleaseErrors; n&(n-1) == 0 {
		w.config.Logger.Error("release packets", "err", err, "failures", n)
	}
}
