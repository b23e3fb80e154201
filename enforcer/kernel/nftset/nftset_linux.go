package nftset

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/internal/nfnl"
)

var (
	// ErrNoSet says that the table, or a set in it, is not there: another
	// bundle is in the kernel, or none.
	ErrNoSet = errors.New("no such set in the kernel")

	errBadSet   = errors.New("not a set whose elements can be changed")
	errNoAnswer = errors.New("the kernel gave no answer")
)

// Renew gives the elements of sets their whole life again, in a table that
// nobody owns.
func Renew(family, table string, sets []artifact.Set) error {
	return commit(family, table, sets, renewed, nil)
}

// Replace gives sets the elements that they name in place of those they have, in
// a table that nobody owns.
func Replace(family, table string, sets []artifact.Set) error {
	return commit(family, table, sets, replaced, nil)
}

// renewed takes elements out and puts them in anew, since older kernels keep the
// time of an element that is added again; no packet finds a set without them.
func renewed(t *transaction, s artifact.Set) {
	t.elements(unix.NFT_MSG_NEWSETELEM, s, s.Elements) // so that there is something to take out
	t.elements(unix.NFT_MSG_DELSETELEM, s, s.Elements)
	t.elements(unix.NFT_MSG_NEWSETELEM, s, s.Elements)
}

func replaced(t *transaction, s artifact.Set) {
	t.elements(unix.NFT_MSG_DELSETELEM, s, nil) // all of them
	for part := range slices.Chunk(s.Elements, maxElements) {
		t.elements(unix.NFT_MSG_NEWSETELEM, s, part)
	}
}

// maxElements bounds the elements in one message: the length of a netlink
// attribute is 16 bits, and a range of two IPv6 addresses takes 72 bytes of it.
const maxElements = 400

// families are the numbers of the families that bundles use.
func families() map[string]uint8 {
	return map[string]uint8{"inet": unix.NFPROTO_INET, "ip": unix.NFPROTO_IPV4, "ip6": unix.NFPROTO_IPV6}
}

// commit does each to all sets in one transaction, by the given socket or one of
// its own: on an error nothing has changed.
func commit(family, table string, sets []artifact.Set, each func(*transaction, artifact.Set), by *nfnl.Socket) error {
	if len(sets) == 0 {
		return nil
	}
	number, ok := families()[family]
	if !ok {
		return fmt.Errorf("change sets of table %s %s: unknown family", family, table)
	}
	t := begin(number, table)
	for _, s := range sets {
		if err := check(s); err != nil {
			return fmt.Errorf("change set %q: %w", s.Name, err)
		}
		each(t, s)
	}
	send := t.send
	if by != nil {
		send = func() error { return t.sendBy(by) }
	}
	if err := send(); err != nil {
		return fmt.Errorf("change sets of table %s %s: %w", family, table, err)
	}
	return nil
}

// check refuses elements of another width than the set's: the kernel would
// take a short key for another one.
func check(s artifact.Set) error {
	if s.Type.Width() == 0 || s.Map {
		return errBadSet
	}
	for _, e := range s.Elements {
		if len(e.Low) != s.Type.Width() || len(e.High) != s.Type.Width() || bytes.Compare(e.Low, e.High) > 0 {
			return fmt.Errorf("element %x-%x: %w", e.Low, e.High, errBadSet)
		}
	}
	return nil
}

// transaction is a batch of nftables messages.
type transaction struct {
	buf    []byte
	family uint8
	table  string
	seq    uint32
	last   int // where the last message starts in buf
}

const subsystem = unix.NFNL_SUBSYS_NFTABLES << 8

func begin(family uint8, table string) *transaction {
	t := &transaction{family: family, table: table}
	t.frame(unix.NFNL_MSG_BATCH_BEGIN)
	return t
}

// frame adds the message that begins or ends a batch.
func (t *transaction) frame(msg uint16) {
	b, start := nfnl.Begin(t.buf, msg, nfnl.FlagRequest, t.seq, unix.AF_UNSPEC, unix.NFNL_SUBSYS_NFTABLES)
	t.buf, t.seq = nfnl.End(b, start), t.seq+1
}

// elements adds or deletes elements; deleting without any deletes all.
func (t *transaction) elements(msg uint16, s artifact.Set, list []artifact.Element) {
	b, start := nfnl.Begin(t.buf, subsystem|msg, nfnl.FlagRequest|nfnl.FlagCreate, t.seq, t.family, 0)
	b = nfnl.String(b, unix.NFTA_SET_ELEM_LIST_TABLE, t.table)
	b = nfnl.String(b, unix.NFTA_SET_ELEM_LIST_SET, s.Name)
	if len(list) > 0 {
		var nest int
		b, nest = nfnl.Nest(b, unix.NFTA_SET_ELEM_LIST_ELEMENTS)
		for _, e := range list {
			b = element(b, e.Low, 0)
			if end, ok := after(e.High); ok && s.Type.Interval() {
				b = element(b, end, unix.NFT_SET_ELEM_INTERVAL_END)
			}
		}
		b = nfnl.Unnest(b, nest)
	}
	t.buf, t.last, t.seq = nfnl.End(b, start), start, t.seq+1
}

// element is one end of a range: where it begins, or the first value after it,
// with a flag.
func element(b, key []byte, flags uint32) []byte {
	b, elem := nfnl.Nest(b, unix.NFTA_LIST_ELEM)
	if flags != 0 {
		b = nfnl.Uint32(b, unix.NFTA_SET_ELEM_FLAGS, flags)
	}
	b, nest := nfnl.Nest(b, unix.NFTA_SET_ELEM_KEY)
	b = nfnl.Unnest(nfnl.Bytes(b, unix.NFTA_DATA_VALUE, key), nest)
	return nfnl.Unnest(b, elem)
}

// after is the number after b, and false after the highest: such a range has
// no end.
func after(b []byte) ([]byte, bool) {
	out := slices.Clone(b)
	for i := len(out) - 1; i >= 0; i-- {
		if out[i]++; out[i] != 0 {
			return out, true
		}
	}
	return nil, false
}

// send hands the transaction over. The kernel works within the system call, so
// every answer waits when it returns.
func (t *transaction) send() error {
	s, err := nfnl.Open(nfnl.Options{Acks: true, ReadBuffer: 1 << 18, WriteBuffer: 1<<16 + 2*len(t.buf)})
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	return t.sendBy(s)
}

// sendBy is send by a socket that stays open.
func (t *transaction) sendBy(s *nfnl.Socket) error {
	var refused error // all answers are read: the socket may be used again
	done, err := t.hand(s, func(m nfnl.Message, errno unix.Errno) {
		if refused == nil {
			refused = refusal(errno, m.Explanation())
		}
	})
	switch {
	case err != nil:
		return err
	case refused == nil && !done:
		return errNoAnswer
	}
	return refused
}

// hand ends the transaction, hands it over and calls each for all that the kernel refuses; done
// says that it has made the last change.
func (t *transaction) hand(s *nfnl.Socket, each func(m nfnl.Message, errno unix.Errno)) (done bool, err error) {
	nfnl.AddFlags(t.buf[t.last:], nfnl.FlagAck)
	acked := t.seq - 1
	t.frame(unix.NFNL_MSG_BATCH_END)
	if err := s.Send(t.buf); err != nil {
		return false, err
	}
	in := make([]byte, 1<<14)
	for {
		n, err := s.TryReceive(in)
		if errors.Is(err, unix.ENOBUFS) {
			continue
		}
		if err != nil {
			return done, nil // EAGAIN: that was all
		}
		for m, rest, ok := nfnl.Next(in[:n]); ok; m, rest, ok = nfnl.Next(rest) {
			switch errno, ok := m.Errno(); {
			case !ok:
			case errno == 0:
				done = done || m.Seq == acked
			default:
				each(m, unix.Errno(errno))
			}
		}
	}
}

// refusal words an error of the kernel's.
func refusal(errno unix.Errno, explanation string) error {
	switch {
	case errno == unix.ENOENT:
		return ErrNoSet
	case errno == unix.EPERM:
		return fmt.Errorf("%w: needs CAP_NET_ADMIN in this network namespace, and a table that no other process owns", errno)
	case explanation != "":
		return fmt.Errorf("%w (%s)", errno, explanation)
	}
	return errno
}
