package sink

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/telemetry"
)

const (
	// closeLimit is how long a sink may take to write what waits when it is
	// closed: systemd gives netpold ten seconds in all.
	closeLimit = 2 * time.Second
	// A place that cannot be opened is tried again after retryLeast, and twice as
	// long each time, up to retryMost.
	retryLeast, retryMost = 500 * time.Millisecond, 30 * time.Second
)

// target is what a sink writes to while it is open. One goroutine uses it.
type target interface {
	// write takes whole lines. After an error the target is of no use any more.
	write(lines []byte) error
	close() error
}

// Reasons why records go nowhere.
const (
	reasonFull    = "full"    // too many waited
	reasonFailed  = "failed"  // the place did not take them
	reasonUnheard = "unheard" // no client was connected
)

// runner is an open sink: a queue and the goroutine that empties it.
type runner struct {
	sink   artifact.Sink
	config Config
	queue  *queue
	ctx    context.Context
	stop   context.CancelFunc
	name   atomic.Pointer[string]

	bytes, failed, unheard atomic.Uint64
	clients                atomic.Int64
	slow                   atomic.Uint64 // clients that did not keep up

	mu    sync.Mutex
	fault string // guarded by mu
}

func newRunner(one artifact.Sink, c Config) *runner {
	r := &runner{sink: one, config: c, queue: newQueue(one.Queue, true)}
	r.ctx, r.stop = context.WithCancel(context.Background())
	r.name.Store(&one.Name)
	return r
}

// run writes what comes until stop.
func (r *runner) run() {
	t := r.open(r.ctx)
	spare := make([]byte, 0, r.sink.Queue)
	for {
		select {
		case <-r.queue.wake:
		case <-r.ctx.Done():
			r.end(t, spare)
			return
		}
		if t == nil {
			continue // it is to stop
		}
		spare = r.queue.take(spare)
		if t = r.write(t, spare); t == nil {
			t = r.open(r.ctx)
		}
	}
}

// open opens the sink's place, however often that must be tried; nil when the
// sink is to stop. What comes meanwhile waits in the queue.
func (r *runner) open(ctx context.Context) target {
	for wait := retryLeast; ; wait = min(2*wait, retryMost) {
		t, err := r.target()
		r.tell("open sink", err)
		if err == nil {
			return t
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}

func (r *runner) target() (target, error) {
	switch r.sink.Kind {
	case artifact.SinkFile:
		return openFile(&r.sink)
	case artifact.SinkStdout:
		return stream{r.config.Stdout}, nil
	case artifact.SinkUnix, artifact.SinkTCP:
		return r.listen()
	}
	return nil, fmt.Errorf("this netpold has no sinks of kind %q; netpold --version lists what it has", r.sink.Kind)
}

// write gives lines to the target; nil when it has failed and is closed.
func (r *runner) write(t target, lines []byte) target {
	if t == nil || len(lines) == 0 {
		return t
	}
	err := t.write(lines)
	if err == nil {
		r.bytes.Add(uint64(len(lines)))
		return t
	}
	r.failed.Add(uint64(bytes.Count(lines, []byte{'\n'})))
	r.tell("write to sink", err)
	_ = t.close() // it has failed already
	return nil
}

// end writes what still waits and closes the target, if that does not take long.
func (r *runner) end(t target, spare []byte) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		if t == nil {
			t, _ = r.target()
		}
		if t = r.write(t, r.queue.take(spare)); t != nil {
			r.tell("close sink", t.close())
		}
	}()
	select {
	case <-done:
	case <-time.After(closeLimit):
		r.config.Log.Warn("close sink: it takes too long", "sink", *r.name.Load())
	}
}

// tell keeps what is wrong with the sink, nil for nothing, and logs it once
// until something else is.
func (r *runner) tell(what string, err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	r.mu.Lock()
	again := r.fault == text
	r.fault = text
	r.mu.Unlock()
	switch {
	case again:
	case err != nil:
		r.config.Log.Warn(what, "sink", *r.name.Load(), "place", r.sink.Place(), "error", err)
	default:
		r.config.Log.Info("sink is open again", "sink", *r.name.Load(), "place", r.sink.Place())
	}
}

func (r *runner) status(s *artifact.Sink) telemetry.Sink {
	lines, full := r.queue.counts()
	out := telemetry.Sink{
		Name: s.Name, Place: s.Place(), Records: lines, Bytes: r.bytes.Load(), Clients: int(r.clients.Load()), SlowClients: r.slow.Load(),
		Dropped: map[string]uint64{},
	}
	for why, n := range map[string]uint64{reasonFull: full, reasonFailed: r.failed.Load(), reasonUnheard: r.unheard.Load()} {
		if n > 0 {
			out.Dropped[why] = n
		}
	}
	r.mu.Lock()
	out.Fault = r.fault
	r.mu.Unlock()
	return out
}
