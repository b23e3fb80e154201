package daemon

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// The manager hears of netpold as long as the engine answers, and no longer.
func TestWatchdogIsSilentWhileTheEngineHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		told := 0
		hangs := make(chan struct{})
		asked := 0
		answers := func() {
			if asked++; asked == 4 {
				<-hangs
			}
		}
		go keepAlive(ctx, time.Second, answers, func() { told++ })
		for _, step := range []struct {
			after time.Duration
			want  int
		}{{0, 1}, {2500 * time.Millisecond, 3}, {time.Minute, 3}} {
			time.Sleep(step.after)
			synctest.Wait()
			if told != step.want {
				t.Errorf("after another %v: told %d times, want %d", step.after, told, step.want)
			}
		}
		close(hangs)
		synctest.Wait()
		if told < 4 {
			t.Errorf("told %d times, want more: the engine answers again", told)
		}
	})
}
