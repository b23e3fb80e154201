package nft

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/enforcer/kernel/internal/nfnl"
)

// Errors that callers branch on.
var (
	// ErrStale says that someone changed the ruleset since the generation the
	// batch was made for; nothing was changed.
	ErrStale = errors.New("the ruleset changed since it was read")

	errUnknownKind = errors.New("unknown kind")
	errNoAnswer    = errors.New("nftables transaction: the kernel gave no answer")
)

// batch collects messages and sends them as one transaction.
type batch struct {
	buf  []byte
	what []string // what[n] describes message n, whose sequence number is n
	last int      // where the last message starts in buf
	// hints says of a message why the kernel may not find what it names.
	hints map[uint32]func() string
	// queueTarget says that rules queue by the target NFQUEUE, for want of nft_queue.
	queueTarget bool
}

// subsystem is the upper byte of every nftables message type.
const subsystem = unix.NFNL_SUBSYS_NFTABLES << 8

// newBatch begins a transaction that the kernel refuses unless the ruleset is
// still at generation; 0 takes any.
func newBatch(generation uint32) *batch {
	b := &batch{what: []string{"transaction"}}
	var start int
	b.buf, start = nfnl.Begin(nil, unix.NFNL_MSG_BATCH_BEGIN, nfnl.FlagRequest, 0, unix.AF_UNSPEC, unix.NFNL_SUBSYS_NFTABLES)
	if generation != 0 {
		b.buf = nfnl.Uint32(b.buf, unix.NFNL_BATCH_GENID, generation)
	}
	b.buf = nfnl.End(b.buf, start)
	return b
}

// add appends one message; body appends its attributes. what is for errors:
// "add rule dscp4/zoom to chain np_dscp".
func (b *batch) add(what string, msg, flags uint16, family uint8, body func([]byte) []byte) {
	seq := uint32(len(b.what))
	b.buf, b.last = nfnl.Begin(b.buf, subsystem|msg, nfnl.FlagRequest|flags, seq, family, 0)
	b.buf = nfnl.End(body(b.buf), b.last)
	b.what = append(b.what, what)
}

// commit closes the transaction and hands it over.
func (b *batch) commit() error {
	buf, start := nfnl.Begin(b.buf, unix.NFNL_MSG_BATCH_END, nfnl.FlagRequest, uint32(len(b.what)), unix.AF_UNSPEC, unix.NFNL_SUBSYS_NFTABLES)
	b.buf = nfnl.End(buf, start)
	return b.send()
}

// send hands over what there is. Without the end of the transaction the
// kernel checks every message and then takes all of it back. It works within
// the system call, so every answer waits when Send returns.
func (b *batch) send() error {
	// Errors come unasked; the one acknowledgement says that the end was reached.
	nfnl.AddFlags(b.buf[b.last:], nfnl.FlagAck)
	// Room for a refusal of every message: a short answer takes about 1 KiB
	// of the buffer (sk_buff truesize).
	s, err := nfnl.Open(nfnl.Options{
		Acks: true, ReadBuffer: 1<<18 + len(b.what)*1024, WriteBuffer: 1<<16 + 2*len(b.buf),
	})
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	if err := s.Send(b.buf); err != nil {
		if errors.Is(err, unix.EMSGSIZE) {
			return fmt.Errorf("batch of %d bytes is over the socket's limit (net.core.wmem_max): %w", len(b.buf), err)
		}
		return err
	}
	return b.answers(s)
}

// answers reads what the kernel said. An error anywhere means that nothing was
// committed.
func (b *batch) answers(s *nfnl.Socket) error {
	var failed error
	done := false
	buf := make([]byte, 1<<16)
	for {
		n, err := s.TryReceive(buf)
		if errors.Is(err, unix.ENOBUFS) {
			continue // refusals dropped; the ones that are left say enough
		}
		if err != nil {
			break // EAGAIN: that was all
		}
		for m, rest, ok := nfnl.Next(buf[:n]); ok; m, rest, ok = nfnl.Next(rest) {
			errno, ok := m.Errno()
			switch {
			case !ok:
			case errno == 0:
				done = done || int(m.Seq) == len(b.what)-1
			case failed == nil:
				failed = b.failure(m.Seq, unix.Errno(errno), m.Explanation())
			}
		}
	}
	if failed != nil {
		return failed
	}
	if !done {
		return errNoAnswer
	}
	return nil
}

// failure words a refusal: what was refused, the kernel's own explanation if
// it gave one, and what an operator can do about it.
func (b *batch) failure(seq uint32, errno unix.Errno, explanation string) error {
	what := "transaction"
	if int(seq) < len(b.what) {
		what = b.what[seq]
	}
	if explanation != "" {
		what += " (" + explanation + ")"
	}
	switch errno {
	case unix.ERESTART:
		return fmt.Errorf("nftables %s: %w", what, ErrStale)
	case unix.EPERM:
		return fmt.Errorf("nftables %s: %w: needs CAP_NET_ADMIN in this network namespace, and a table that no other process owns", what, errno)
	case unix.ENOENT, unix.EOPNOTSUPP, unix.EPROTONOSUPPORT, unix.EAFNOSUPPORT:
		if hint := b.hints[seq]; hint != nil {
			return fmt.Errorf("nftables %s: %w: %s", what, errno, hint())
		}
		return fmt.Errorf("nftables %s: %w: the kernel lacks what it needs (nf_tables inet, nft_ct, nft_log, nft_reject_inet)", what, errno)
	default:
		return fmt.Errorf("nftables %s: %w", what, errno)
	}
}
