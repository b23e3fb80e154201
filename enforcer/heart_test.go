package enforcer

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"
)

// beats counts heartbeats.
type beats struct {
	made chan struct{}
	err  error
}

func (b *beats) Beat() error {
	b.made <- struct{}{}
	return b.err
}

// TestHeartBeatsWhileTheEngineWorks: three beats in seven seconds of packets or
// of idleness, and not one while the engine is stuck.
func TestHeartBeatsWhileTheEngineWorks(t *testing.T) {
	b := &beats{made: make(chan struct{}, 100)}
	var e *Engine
	counted := func(n uint64) func() bool { return func() bool { return e.Stats().Beats == n } }
	s := newScript().idle().until(counted(1))
	s.wait(2*time.Second).idle().wait(2*time.Second).ping(liveConn("192.168.1.9:0", "198.51.100.1:0"), client, 8, 1).idle()
	s.until(counted(2)).wait(3 * time.Second).idle().until(counted(3))
	var stuck int
	s.do(func() {
		for len(b.made) > 0 {
			<-b.made
		}
		time.Sleep(20 * time.Millisecond) // the engine does not get on
		stuck = len(b.made)
	})
	e, err := New(Config{Source: s, Dissectors: dissectors(), Bundle: bundle(t, zoomPolicy()), Live: true, clock: s.clock, Heartbeat: b})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := e.Stats().Beats; got != 3 || stuck != 0 {
		t.Errorf("%d beats, %d while stuck, want 3 and 0", got, stuck)
	}
}

func TestHeartStopsWithTheEngine(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	b := &beats{made: make(chan struct{}, 10)}
	h := newHeart(ctx, b, 1, slog.New(slog.DiscardHandler))
	h.offer(0, 1, beatInterval)
	<-b.made
	h.offer(0, 2, beatInterval) // not due
	cancel()
	for range 100 {
		h.due.Store(0)
		h.offer(0, 3, beatInterval)
	}
	if n := len(h.asked); n > 1 {
		t.Errorf("%d beats wait, want no more than one", n)
	}
}

func TestFailedBeatsAreCounted(t *testing.T) {
	var e *Engine
	b := &beats{made: make(chan struct{}, 10), err: errors.New("no such set")}
	s := newScript().idle().until(func() bool { return e.Stats().BeatErrors == 1 }).wait(4 * time.Second).idle().
		until(func() bool { return e.Stats().BeatErrors == 2 })
	e, err := New(Config{Source: s, Dissectors: dissectors(), Bundle: bundle(t, zoomPolicy()), Live: true, clock: s.clock, Heartbeat: b})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := e.Stats(); got.BeatErrors != 2 || got.Beats != 0 {
		t.Errorf("%d beats and %d failures, want 0 and 2", got.Beats, got.BeatErrors)
	}
}
