package sink

import (
	"cmp"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/netpol/netpol/enforcer/telemetry/spool"
)

const (
	// spillEvery is how long records stay in memory while their place does not take
	// them.
	spillEvery = 200 * time.Millisecond
	// spillPause is how long a disk is left alone that has failed.
	spillPause = 10 * time.Second
	// spillMost bounds what is written to disk at a time, and read back.
	spillMost = 256 << 10
)

// backlog is what a sink has waiting: in its queue, and if it has a spool, on disk.
// While the place takes records, or there is no spool, they go from the queue to
// it. While it does not, or does not keep up, they go to the disk, and from there to
// the place until nothing is left there: so they keep their order.
type backlog struct {
	runner *runner
	wg     sync.WaitGroup

	disk atomic.Pointer[spool.Spool] // nil without one

	turn  sync.Mutex // held while records go from one to the other; guards what follows
	pause time.Time  // the disk is left alone until then
	spare []byte     // for the queue

	batch  spool.Batch // what is being written; of the runner's goroutine alone
	stored bool        // whether there is one
	// turnTaken is which turn of the queue was taken last to be written.
	turnTaken uint64

	mu    sync.Mutex
	fault string // guarded by mu
}

// begin opens the spool and returns what ends its use.
func (k *backlog) begin() (end func()) {
	if k.runner.sink.Spool == "" {
		return func() {}
	}
	k.open()
	disk := k.disk.Load()
	if disk == nil {
		return func() {}
	}
	k.runner.queue.rouse() // there may be something from before
	k.wg.Go(func() { k.spill(disk) })
	return func() {
		k.wg.Wait()
		k.tell(disk.Close())
	}
}

// open opens the spool. The sink of an earlier bundle may need a while to leave it.
// Where that fails otherwise the sink goes without.
func (k *backlog) open() {
	r := k.runner
	var disk *spool.Spool
	var err error
	for begun := time.Now(); time.Since(begun) < 2*closeLimit; {
		disk, err = spool.Open(spool.Config{Dir: r.sink.Spool, MaxBytes: r.sink.SpoolSize, Format: cmp.Or(string(r.sink.Encoding), "json"), Log: r.config.Log.With("sink", *r.name.Load())})
		if !errors.Is(err, spool.ErrInUse) {
			break
		}
		time.Sleep(retryLeast / 5)
	}
	if k.tell(err); err == nil {
		k.disk.Store(disk)
	}
}

// spill moves what waits to the disk while the place does not take it.
func (k *backlog) spill(disk *spool.Spool) {
	clock := time.NewTicker(spillEvery)
	defer clock.Stop()
	for {
		select {
		case <-k.runner.queue.half:
		case <-clock.C:
		case <-k.runner.ctx.Done():
			return
		}
		if k.runner.troubled() || !disk.Empty() || k.runner.queue.halfFull() {
			k.store()
		}
		k.sync(disk)
	}
}

// sync tells what is wrong with bringing records to the disk; that it went well
// says nothing of writing.
func (k *backlog) sync(disk *spool.Spool) {
	if err := disk.Sync(); err != nil {
		k.tell(err)
	}
}

// store moves what waits in the queue to the disk.
func (k *backlog) store() {
	disk := k.disk.Load()
	k.turn.Lock()
	defer k.turn.Unlock()
	if disk == nil || time.Now().Before(k.pause) {
		return
	}
	k.spare = k.runner.queue.take(k.spare)
	turn := k.runner.queue.turn()
	for lines := k.spare; len(lines) > 0; {
		batch := k.runner.batch(lines, spillMost)
		if err := disk.Append(batch, int(k.runner.count(batch))); err != nil {
			k.pause = time.Now().Add(spillPause)
			k.runner.lost(lines)
			k.tell(err)
			return
		}
		lines = lines[len(batch):]
	}
	k.runner.trial.kept.Store(turn)
	k.tell(nil)
}

// next is what is to be written next; stored says that it comes from the disk, and
// more may. The queue gets the spare buffer for what it gives.
func (k *backlog) next(spare *[]byte) (lines []byte, stored bool) {
	k.turn.Lock()
	defer k.turn.Unlock()
	if disk := k.disk.Load(); disk != nil {
		if k.batch, k.stored = disk.Next(); k.stored {
			return k.batch.Records, true
		}
	}
	*spare = k.runner.queue.take(*spare)
	k.turnTaken = k.runner.queue.turn()
	return *spare, false
}

// done says that what next gave is written.
func (k *backlog) done() {
	if !k.stored {
		k.runner.trial.written.Store(k.turnTaken)
		return
	}
	k.disk.Load().Done(k.batch)
	k.stored = false
}

// putBack keeps lines that next gave and that are not written; false if they cannot
// be kept.
func (k *backlog) putBack(lines []byte) bool {
	if k.stored || len(lines) == 0 {
		return true // they are on the disk still
	}
	disk := k.disk.Load()
	if disk == nil {
		return false
	}
	k.turn.Lock()
	defer k.turn.Unlock()
	var batches [][]byte
	for len(lines) > 0 {
		batch := k.runner.batch(lines, spillMost)
		batches, lines = append(batches, batch), lines[len(batch):]
	}
	for i := len(batches) - 1; i >= 0; i-- {
		if err := disk.PutBack(batches[i], int(k.runner.count(batches[i]))); err != nil {
			k.tell(err)
			for _, rest := range batches[:i+1] {
				k.runner.lost(rest)
			}
			break
		}
	}
	return true
}

func (k *backlog) isOpen() bool { return k.disk.Load() != nil }

// tell keeps what is wrong with the spool, and logs it once until something else is.
func (k *backlog) tell(err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	k.mu.Lock()
	again := k.fault == text
	k.fault = text
	k.mu.Unlock()
	if !again && err != nil {
		k.runner.config.Log.Warn("spool of sink", "sink", *k.runner.name.Load(), "error", err)
	}
}

func (k *backlog) problem() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fault == "" {
		return ""
	}
	return "spool: " + k.fault
}
