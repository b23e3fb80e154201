package enforcer

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"
)

// beatInterval is how far beats lie apart. The kernel is patient for three of
// them (artifact.Set.Heartbeat).
const beatInterval = int64(3 * time.Second)

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
func (h *heart) offer(now int64) {
	if h == nil || now < h.due {
		return
	}
	h.due = now + beatInterval
	select {
	case h.asked <- struct{}{}:
	default:
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
