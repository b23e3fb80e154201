package sink

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
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
	// write takes whole records, in the sink's encoding, and says how many bytes of
	// them need not be given to it again. After an error other than a refusedError the
	// target is of no use any more.
	write(lines []byte) (int, error)
	close() error
}

// refusedError is why a place that works did not want records, which were counted and are not
// given to it again.
type refusedError struct{ error }

// laterError is why a place does not take records now, and how long it wants to be left
// alone; 0 if it does not say.
type laterError struct {
	error
	after time.Duration
}

// Reasons why records go nowhere.
const (
	reasonFull    = "full"    // too many waited
	reasonFailed  = "failed"  // the place did not take them
	reasonUnheard = "unheard" // no client was connected
	reasonShed    = "shed"    // the spool was full, and later records had no other room
)

// runner is an open sink: a queue and the goroutine that empties it.
type runner struct {
	sink   artifact.Sink
	config Config
	encoding
	export *export // of IPFIX
	queue  *queue
	wait   time.Duration // how long records wait for others to go with them
	kept   *backlog
	ctx    context.Context
	stop   context.CancelFunc
	ending context.Context // over when a write that is under way at the end is left alone
	name   atomic.Pointer[string]
	coming <-chan outcome // a place that was being opened when the sink was to stop; of its goroutine

	bytes, failed, unheard atomic.Uint64
	clients                atomic.Int64
	joined                 atomic.Uint64 // clients that have ever come
	slow                   atomic.Uint64 // clients that did not keep up
	trial                  trial

	mu      sync.Mutex
	fault   string   // guarded by mu, as is
	opening bool     // whether the fault is one of opening alone
	refused bool     // whether it is a refusal
	logged  []string // faults since the sink last worked
}

func newRunner(one artifact.Sink, c Config) *runner {
	r := &runner{sink: one, config: c, encoding: encodingOf(&one), queue: newQueue(one.Queue, true)}
	r.kept = &backlog{runner: r}
	if one.Kind == artifact.SinkIPFIX {
		r.export = newExport(&one)
		r.encoding = r.export.encoding()
	}
	r.queue.encode = r.add
	r.trial.now = make(chan struct{}, 1)
	r.gathers()
	r.ctx, r.stop = context.WithCancel(context.Background())
	ending, over := context.WithCancel(context.Background())
	r.ending = ending
	context.AfterFunc(r.ctx, func() { time.AfterFunc(closeLimit, over) })
	r.name.Store(&one.Name)
	return r
}

// run writes what comes until stop.
func (r *runner) run() {
	defer r.kept.begin()()
	t := r.open(0)
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
		r.linger()
		for stored := true; stored && t != nil; {
			var lines []byte
			lines, stored = r.kept.next(&spare)
			if t = r.write(t, lines); t != nil {
				r.kept.done()
			} else {
				spare = make([]byte, 0, r.sink.Queue) // a write that was left alone reads the other
			}
		}
	}
}

// gathers sets how long records wait for others, and how many bytes are enough.
func (r *runner) gathers() {
	for _, k := range kinds() {
		if k.kind != r.sink.Kind {
			continue
		}
		if r.wait = k.linger; k.batch > 0 {
			r.queue.batch = min(r.queue.limit/4, k.batch)
		}
		if (r.sink.Compression() != "" || r.sink.Batch > 1) && r.wait < compressLinger {
			r.wait, r.queue.batch = compressLinger, r.queue.limit/2
		}
	}
}

// linger lets records gather where they go together.
func (r *runner) linger() {
	if r.wait == 0 {
		return
	}
	select {
	case <-r.ctx.Done():
	case <-r.queue.heap:
	case <-time.After(r.wait):
	}
}

// write gives lines to a target, and what it did not take to the next one: nil
// when the sink is to stop.
func (r *runner) write(t target, lines []byte) target {
	failed := false
	for wait := retryLeast; len(lines) > 0; wait = min(2*wait, retryMost) {
		n, err := r.attempt(t, lines)
		r.bytes.Add(uint64(n))
		if lines = lines[n:]; n > 0 {
			wait = retryLeast
		}
		if errors.Is(err, errLeft) {
			r.giveUp(lines)
			return nil
		}
		r.tell("write to sink", err)
		if err == nil || isRefusal(err) {
			continue
		}
		if later := (*laterError)(nil); errors.As(err, &later) {
			wait = max(wait, later.after)
		}
		if failed { // again: places of HTTP open without a word to the server
			r.trial.opens.Add(1)
		}
		failed = true
		_ = t.close() // it has failed already
		if t = r.open(wait); t == nil {
			r.giveUp(lines)
			return nil
		}
	}
	return t
}

func isRefusal(err error) bool {
	var refused *refusedError
	return errors.As(err, &refused)
}

// giveUp leaves lines to the spool when the sink is to stop, or counts them.
func (r *runner) giveUp(lines []byte) {
	if !r.kept.putBack(lines) {
		r.lost(lines)
	}
}

// lost counts records that are given up.
// losses is as Set has it. What nobody hears for want of a client, the next one to come has not read.
func (r *runner) losses() uint64 {
	n := r.failed.Load() + r.joined.Load()
	if disk := r.kept.disk.Load(); disk != nil {
		n += disk.Stats().Shed
	}
	return n
}

func (r *runner) lost(lines []byte) { r.failed.Add(r.count(lines)) }

// open opens the sink's place after a while, however often that must be tried;
// nil when the sink is to stop. What comes meanwhile waits in the queue.
func (r *runner) open(wait time.Duration) target {
	for again := retryLeast; ; wait, again = again, min(2*again, retryMost) {
		select {
		case <-r.ctx.Done():
			return nil
		case <-time.After(wait):
		case <-r.trial.now:
		}
		t, err := r.unlessStopped()
		switch {
		case err == nil:
			r.opened()
			return t
		case errors.Is(err, errLeft):
			return nil
		}
		r.tell("open sink", err)
		r.trial.opens.Add(1)
	}
}

// unlessStopped opens the sink's place, and gives up when the sink is to stop: a connection may take
// longer to come about than systemd waits. Places of the router itself take no time, and one that came
// about late would be in the way of who has it next.
func (r *runner) unlessStopped() (target, error) {
	switch r.sink.Kind {
	case artifact.SinkFile, artifact.SinkStdout, artifact.SinkUnix, artifact.SinkUnixgram, artifact.SinkTCP, artifact.SinkWebSocket:
		return r.target()
	default:
	}
	coming := make(chan outcome, 1)
	go func() {
		t, err := r.target()
		coming <- outcome{t, err}
	}()
	select {
	case got := <-coming:
		return got.target, got.err
	case <-r.ctx.Done():
		r.coming = coming
		return nil, errLeft
	}
}

// outcome is a place that was opened, or why it was not.
type outcome struct {
	target
	err error
}

// late is a place for what still waits when the sink is to stop, nil if none can be had: the one that was
// being opened, or one that is opened now. Never both at a time, because places of a sink share what outlives them.
func (r *runner) late() target {
	wanted := !r.kept.isOpen() && r.queue.used() > 0 && r.ending.Err() == nil
	if coming := r.coming; coming != nil {
		if !wanted {
			go forgo(coming)
			return nil
		}
		select {
		case got := <-coming:
			if got.err == nil {
				return got.target
			}
		case <-r.ending.Done():
			go forgo(coming)
			return nil
		}
	}
	if !wanted {
		return nil
	}
	t, err := r.target()
	if err != nil {
		return nil
	}
	return t
}

// forgo closes a place that comes too late. Nothing has been written to it.
func forgo(coming <-chan outcome) {
	if got := <-coming; got.err == nil {
		_ = got.close()
	}
}

// errLeft is that something took too long when the sink was to stop, and goes on by itself.
var errLeft = errors.New("left alone")

// attempt writes lines to a target, and leaves that alone when it is not done closeLimit after
// the sink was to stop. A listener only hands lines to its clients.
func (r *runner) attempt(t target, lines []byte) (int, error) {
	switch r.sink.Kind {
	case artifact.SinkUnix, artifact.SinkTCP, artifact.SinkWebSocket:
		return t.write(lines)
	default:
	}
	type result struct {
		n   int
		err error
	}
	done := make(chan result, 1)
	go func() {
		n, err := t.write(lines)
		done <- result{n, err}
	}()
	select {
	case got := <-done:
		return got.n, got.err
	case <-r.ending.Done():
		r.config.Log.Warn("close sink: a write takes too long", "sink", *r.name.Load())
		go func() {
			<-done
			_ = t.close() // whatever it says, the sink is gone
		}()
		return 0, errLeft
	}
}

func (r *runner) target() (target, error) {
	for _, k := range kinds() {
		if k.kind == r.sink.Kind {
			return k.open(r)
		}
	}
	if tag := r.sink.Kind.BuildTag(); tag != "" {
		return nil, fmt.Errorf("this netpold has no sinks of type %q: they are in netpold-full, and in one that was built with the tag %s", r.sink.Kind, tag)
	}
	return nil, fmt.Errorf("this netpold has no sinks of type %q: netpold --version says which it has", r.sink.Kind)
}

// end writes what still waits, once, and closes the target, if that does not
// take long.
func (r *runner) end(t target, spare []byte) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.last(t, spare)
	}()
	select {
	case <-done:
	case <-time.After(closeLimit):
		r.config.Log.Warn("close sink: it takes too long", "sink", *r.name.Load())
	}
}

// last writes what still waits. With a spool it is on the disk before that, and
// stays there if it is not taken.
func (r *runner) last(t target, spare []byte) {
	if t == nil {
		t = r.late()
	}
	r.kept.store()
	var errs []error
	for stored := true; stored && len(errs) == 0; {
		var lines []byte
		lines, stored = r.kept.next(&spare)
		if t == nil {
			r.giveUp(lines)
			return
		}
		if err := r.writeOnce(t, lines); err != nil {
			errs = append(errs, err)
			break
		}
		r.kept.done()
	}
	r.tell("close sink", errors.Join(append(errs, t.close())...))
}

// writeOnce gives lines to a target that is not opened again: what it does not take is
// given up.
func (r *runner) writeOnce(t target, lines []byte) error {
	for len(lines) > 0 {
		n, err := t.write(lines)
		r.bytes.Add(uint64(n))
		if lines = lines[n:]; err != nil && !isRefusal(err) {
			r.giveUp(lines)
			return err
		}
	}
	return nil
}

// opened takes a fault of opening back. One of writing is over when something
// is written: a full disk lets files be opened.
func (r *runner) opened() {
	r.mu.Lock()
	opening := r.opening
	r.mu.Unlock()
	if opening {
		r.tell("open sink", nil)
	}
}

// maxLogged bounds the faults that are remembered to be logged once.
const maxLogged = 32

// tell keeps what is wrong with the sink, nil for nothing, and logs each thing once until the
// sink works again. That netpold is degraded by it is its owner's to say.
func (r *runner) tell(what string, err error) {
	text := faultText(err)
	r.mu.Lock()
	opening := err != nil && what == "open sink" && (r.fault == "" || r.opening)
	mended := err == nil && r.fault != ""
	r.fault, r.opening, r.refused = text, opening, isRefusal(err)
	fresh := err != nil && !slices.Contains(r.logged, text)
	switch {
	case fresh:
		r.logged = append(r.logged[max(0, len(r.logged)-maxLogged+1):], text)
	case mended:
		r.logged = nil
	}
	r.mu.Unlock()
	switch {
	case fresh:
		r.config.Log.Info(what, "sink", *r.name.Load(), "place", r.sink.Place(), "error", text)
	case mended:
		r.config.Log.Info("sink is open again", "sink", *r.name.Load(), "place", r.sink.Place())
	}
}

// ownPort is the end of a connection that is another one each time.
var ownPort = regexp.MustCompile(`\b(tcp|udp)([46]?) \S+->`)

// faultText is an error as people read it, which is the same for the same trouble; empty for none.
func faultText(err error) string {
	if err == nil {
		return ""
	}
	return ownPort.ReplaceAllString(err.Error(), "$1$2 ")
}

// troubled says that the place did not take what it was given last.
func (r *runner) troubled() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.fault != ""
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
	if disk := r.kept.disk.Load(); disk != nil {
		kept := disk.Stats()
		out.SpoolRecords, out.SpoolBytes = kept.Records, kept.Bytes
		if kept.Shed > 0 {
			out.Dropped[reasonShed] = kept.Shed
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	out.Fault, out.Refused = r.fault, r.refused
	switch spool := r.kept.problem(); {
	case out.Fault == "":
		out.Fault = spool
	case spool != "":
		out.Fault += "; " + spool
	}
	return out
}
