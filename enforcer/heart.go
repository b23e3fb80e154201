package enforcer

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
)

// beatInterval is how far beats lie apart, at most. The kernel is patient for
// three of them (artifact.Set.Heartbeat).
const beatInterval = 3 * time.Second

// beatsOf is how far beats must lie apart for the sets of a bundle.
func beatsOf(rs *artifact.Ruleset) time.Duration {
	every := beatInterval
	for _, s := range rs.Sets {
		if s.Heartbeat > 0 {
			every = min(every, s.Heartbeat*3/10)
		}
	}
	return every
}

// heart beats while all workers work: they ask for each beat between two batches
// of packets, and one that hangs keeps the next beat from being made. The beat
// itself is made beside the packet path, because nftables may keep its caller
// waiting.
type heart struct {
	asked  chan struct{}
	due    atomic.Int64  // engine's time
	all    uint64        // a bit for each lane
	seen   atomic.Uint64 // lanes whose workers asked since the last beat
	beats  atomic.Uint64
	failed atomic.Uint64
}

func newHeart(ctx context.Context, to Heartbeat, lanes int, log *slog.Logger) *heart {
	h := &heart{asked: make(chan struct{}, 1), all: 1<<lanes - 1}
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-h.asked:
				h.beat(to, log)
			}
		}
	}()
	return h
}

// offer asks for a beat when one is due and all lanes' workers have asked. Not
// more than one waits: a beat that took long is not made up for.
func (h *heart) offer(lane int, now int64, every time.Duration) {
	if h == nil {
		return
	}
	own := uint64(1) << lane
	if h.seen.Load()&own == 0 {
		h.seen.Or(own)
	}
	due := h.due.Load()
	if now < due || h.seen.Load() != h.all || !h.due.CompareAndSwap(due, now+int64(every)) {
		return
	}
	h.seen.Store(0)
	select {
	case h.asked <- struct{}{}:
	default:
	}
}

// hurry has the next offer ask at once: the sets are others.
func (h *heart) hurry() {
	if h != nil {
		h.due.Store(0)
	}
}

// beat logs the 1st, 2nd, 4th, 8th... failure.
func (h *heart) beat(to Heartbeat, log *slog.Logger) {
	err := to.Beat()
	if err == nil {
		h.beats.Add(1)
		return
	}
	if n := h.failed.Add(1); n&(n-1) == 0 {
		log.Warn("renew heartbeat", "err", err, "failures", n)
	}
}

// counts are the beats made and those that failed.
func (h *heart) counts() (beats, failed uint64) {
	if h == nil {
		return 0, 0
	}
	return h.beats.Load(), h.failed.Load()
}
