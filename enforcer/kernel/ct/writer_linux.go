package ct

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/kernel/internal/nfnl"
)

const (
	// batchSize is how many updates share a system call. Larger gains nothing
	// (0.8-1.0 M updates/s at 128 and at 2048, kernel 6.18).
	batchSize = 128

	// updateBytes is room for one update: IPv6, labels and mark take 176.
	updateBytes = 192

	// errorBytes holds some 8,000 refusals, a hundred full batches of them.
	errorBytes = 8 << 20
)

// WriterStats count what became of updates. Nothing of it is fatal: the
// traffic goes on, only unlabelled.
type WriterStats struct {
	Updates   uint64 // accepted by Write
	Batches   uint64 // system calls
	Retries   uint64 // second and further tries
	Gone      uint64 // no such connection, after all tries (ENOENT)
	NoRoom    uint64 // the flow predates labels (ENOSPC); its mark is still written
	Denied    uint64 // EPERM
	Invalid   uint64 // EINVAL: a tuple conntrack cannot have
	Failed    uint64 // any other refusal
	LastErrno uint32 // of the last Failed, for a log line
	Dropped   uint64 // not tried again, or not once more: too many wait already, or the kernel stays short of memory
	Overruns  uint64 // refusals lost by the kernel (ENOBUFS)
}

// And is the sum of both.
func (s WriterStats) And(o WriterStats) WriterStats {
	sum := WriterStats{
		Updates: s.Updates + o.Updates, Batches: s.Batches + o.Batches, Retries: s.Retries + o.Retries,
		Gone: s.Gone + o.Gone, NoRoom: s.NoRoom + o.NoRoom, Denied: s.Denied + o.Denied, Invalid: s.Invalid + o.Invalid,
		Failed: s.Failed + o.Failed, LastErrno: s.LastErrno, Dropped: s.Dropped + o.Dropped, Overruns: s.Overruns + o.Overruns,
	}
	if o.Failed > 0 {
		sum.LastErrno = o.LastErrno
	}
	return sum
}

// Writer puts labels and marks on connections. It is safe for concurrent use.
// Updates wait until Flush or until a batch is full; those that come before
// conntrack knows the connection are tried again on a timer.
type Writer struct {
	mu      sync.Mutex
	sock    *nfnl.Socket
	closed  bool
	seq     uint32 // sequence number of the next message
	out     []byte
	pending []attempt // one a message in out, in order
	waiting waiting   // for another try
	armed   time.Time // for when the timer is set; zero if it is not
	timer   *time.Timer
	in      []byte
	stats   WriterStats
}

// NewWriter opens a Writer for the current network namespace and makes sure
// that it may write. The caller must Close it.
func NewWriter() (*Writer, error) {
	client, err := Open()
	if err != nil {
		return nil, err
	}
	_, err = client.Get(flow.Tuple{})
	_ = client.Close()
	if errors.Is(err, unix.EPERM) {
		return nil, fmt.Errorf("open conntrack writer: %w", err)
	}
	sock, err := nfnl.Open(nfnl.Options{Acks: true, ReadBuffer: errorBytes})
	if err != nil {
		return nil, fmt.Errorf("open conntrack writer: %w", err)
	}
	w := &Writer{
		sock: sock, waiting: newWaiting(),
		out: make([]byte, 0, batchSize*updateBytes), pending: make([]attempt, 0, batchSize),
		in: make([]byte, receiveBytes),
	}
	w.timer = time.AfterFunc(time.Hour, w.tick)
	w.timer.Stop()
	return w, nil
}

// Write queues one update and sends the batch when it is full. Bits of
// Labels and Mark outside their masks are ignored; an update with empty masks
// changes nothing and is not sent. The error is of the socket, never of a
// connection.
func (w *Writer) Write(u flow.Update) error {
	if saysNothing(&u) {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return fmt.Errorf("conntrack set label: %w", os.ErrClosed)
	}
	w.stats.Updates++
	w.waiting.outdate(&u)
	return w.queue(attempt{update: u})
}

// saysNothing says that an update changes nothing.
func saysNothing(u *flow.Update) bool { return u.MarkMask == 0 && u.LabelMask == [16]byte{} }

// without takes out of an update what a later one of the same connection says.
func without(u, later *flow.Update) {
	u.MarkMask &^= later.MarkMask
	for i, b := range later.LabelMask {
		u.LabelMask[i] &^= b
	}
}

// Flush sends what is queued.
func (w *Writer) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return errors.Join(w.send(), w.retryDue())
}

// Stats is a copy of the counters.
func (w *Writer) Stats() WriterStats {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stats
}

// Lost is how many updates may not have reached the kernel although nobody was
// told: refusals that it had no room for, and retries that there was none for here.
func (w *Writer) Lost() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stats.Overruns + w.stats.Dropped
}

// Close flushes, tries once more what is waiting, and releases the socket.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return nil
	}
	err := errors.Join(w.send(), w.retry(time.Now().Add(time.Hour)))
	w.closed = true
	w.timer.Stop()
	return errors.Join(err, w.sock.Close())
}

// tick is the timer's. A socket that fails here fails at the next Flush too,
// which reports it.
func (w *Writer) tick() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.armed = time.Time{}
	_ = w.retryDue()
}

func (w *Writer) queue(a attempt) error {
	w.out = appendUpdate(w.out, w.seq, &a.update)
	w.seq++
	w.pending = append(w.pending, a)
	if len(w.pending) < batchSize {
		return nil
	}
	return w.send()
}

// send passes the batch to the kernel and sorts what it refused. The kernel
// has answered when the system call returns.
func (w *Writer) send() error {
	if len(w.pending) == 0 || w.closed {
		return nil
	}
	w.stats.Batches++
	first := w.seq - uint32(len(w.pending))
	err := w.sock.Send(w.out)
	if errors.Is(err, unix.ENOBUFS) || errors.Is(err, unix.ENOMEM) || errors.Is(err, unix.EAGAIN) {
		// The kernel is short of memory, nothing was read: all wait.
		for i, a := range w.pending {
			if !outdated(&a, w.pending[i+1:]) && !w.wait(a) {
				w.stats.Dropped++
			}
		}
		err = nil
	}
	w.refusals(first)
	w.out, w.pending = w.out[:0], w.pending[:0]
	return err
}

func (w *Writer) refusals(first uint32) {
	for {
		n, err := w.sock.TryReceive(w.in)
		if errors.Is(err, unix.ENOBUFS) {
			w.stats.Overruns++
			continue
		}
		if err != nil {
			return
		}
		for m, rest, ok := nfnl.Next(w.in[:n]); ok; m, rest, ok = nfnl.Next(rest) {
			errno, ok := m.Errno()
			if at := m.Seq - first; ok && errno != 0 && at < uint32(len(w.pending)) {
				w.refused(w.pending[at], w.pending[at+1:], unix.Errno(errno))
			}
		}
	}
}

// refused sorts an update by why the kernel did not take it; those after it in the
// batch it may have taken.
func (w *Writer) refused(a attempt, after []attempt, errno unix.Errno) {
	switch errno {
	case unix.ENOENT:
		if outdated(&a, after) || w.wait(a) {
			return
		}
		w.stats.Gone++
	case unix.ENOSPC:
		w.stats.NoRoom++
		a.update.LabelMask = [16]byte{}
		if !outdated(&a, after) {
			a.due = time.Now()
			w.waits(w.waiting.put(a, 0))
		}
	case unix.EPERM:
		w.stats.Denied++
	case unix.EINVAL:
		w.stats.Invalid++
	case unix.EINTR, unix.EAGAIN:
		if !outdated(&a, after) && !w.wait(a) {
			w.stats.Dropped++
		}
	default:
		w.stats.Failed++
		w.stats.LastErrno = uint32(errno)
	}
}

// outdated takes out of an attempt what those after it say of its connection, and says that
// nothing is left.
func outdated(a *attempt, after []attempt) bool {
	for i := range after {
		if after[i].update.Tuple != a.update.Tuple {
			continue
		}
		if without(&a.update, &after[i].update); saysNothing(&a.update) {
			break
		}
	}
	return saysNothing(&a.update)
}

// wait puts an update aside for its next try; false says that it has had all.
func (w *Writer) wait(a attempt) bool {
	if w.waiting.spent(&a) {
		return false
	}
	w.waits(w.waiting.again(a))
	return true
}

// waits has the timer ring for an update that was put aside, or counts it if there was no room.
func (w *Writer) waits(room bool) {
	if !room {
		w.stats.Dropped++
	}
	w.arm()
}

// retryDue tries again what has waited long enough.
func (w *Writer) retryDue() error {
	if w.waiting.n == 0 {
		return nil
	}
	return w.retry(time.Now())
}

// retry sends the waiting updates that are due at now. What is refused again
// waits anew.
func (w *Writer) retry(now time.Time) error {
	var errs error
	for range w.waiting.n {
		a, ok := w.waiting.take(now)
		if !ok {
			break
		}
		w.stats.Retries++
		if err := w.queue(a); err != nil {
			errs = err
		}
	}
	errs = errors.Join(errs, w.send())
	w.arm()
	return errs
}

// arm sets the timer for the next due update.
func (w *Writer) arm() {
	next := w.waiting.next()
	if w.closed || next.IsZero() || !w.armed.IsZero() && !next.Before(w.armed) {
		return
	}
	w.armed = next
	w.timer.Reset(max(time.Until(next), 0))
}
