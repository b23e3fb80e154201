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

// heart beats while the worker works: the worker asks for each beat between two
// batches of packets, so that one that hangs is silent at once. The beat itself
// is made beside the packet path, because nftables may keep its caller waiting.
type heart struct {
	asked  chan struct{}
	due    int64 // engine's time
	beats  atomic.Uint64
	failed atomic.Uint64
}

func newHeart(ctx context.Context, to Heartbeat, log *slog.Logger) *heart {
	h := &heart{asked: make(chan struct{}, 1)}
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

// offer asks for a beat when one is due. Not more than one waits: a beat that
// took long is not made up for.
func (h *heart) offer(now int64, every time.Duration) {
	if h == nil || now < h.due {
		return
	}
	h.due = now + int64(every)
	select {
	case h.asked <- struct{}{}:
	default:
	}
}

// hurry has the next offer ask at once: the sets are others.
func (h *heart) hurry() {
	if h != nil {
		h.due = 0
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
