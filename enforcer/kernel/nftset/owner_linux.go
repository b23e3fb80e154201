package nftset

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/internal/nfnl"
)

// Flags and attributes of a table (linux/netfilter/nf_tables.h) that x/sys lacks.
const (
	tableOwned   = 0x2 // NFT_TABLE_F_OWNER, since Linux 5.12
	tablePersist = 0x4 // NFT_TABLE_F_PERSIST, since 6.9
)

// ErrOwned says that the table belongs to another process.
var ErrOwned = errors.New("another process owns the table")

// Owner owns a table as long as a socket of it is open: the kernel refuses
// everybody else's changes then, and a flush of all tables passes it by. Only
// tables that outlive their owner are adopted; the zero Owner owns nothing. It is
// safe for concurrent use.
type Owner struct {
	mu     sync.Mutex
	socket *nfnl.Socket // nil unless the table is owned
}

// ownerBuffers are the owning socket's in bytes: windows of a year for a hundred
// schedules are some 4 MiB in one transaction.
const ownerBuffers = 8 << 20

// Adopt makes the table this owner's. owned is false, without an error, where
// there is no such table, or one that would not outlive its owner.
func (o *Owner) Adopt(family, table string) (owned bool, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.socket != nil {
		return true, nil
	}
	number, ok := families()[family]
	if !ok {
		return false, fmt.Errorf("adopt table %s %s: unknown family", family, table)
	}
	s, err := nfnl.Open(nfnl.Options{Acks: true, ReadBuffer: 1 << 18, WriteBuffer: ownerBuffers})
	if err != nil {
		return false, fmt.Errorf("adopt table %s %s: %w", family, table, err)
	}
	if owned, err = adopt(s, number, table); owned {
		o.socket = s
		return true, nil
	}
	if closeErr := s.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		err = fmt.Errorf("adopt table %s %s: %w", family, table, err)
	}
	return false, err
}

// adoptTries bounds how often adopt starts again because somebody changed the
// ruleset meanwhile.
const adoptTries = 8

// adopt changes the flags of a table that is there. The message that does would
// make one that is not, so the transaction is bound to the ruleset in which it
// was found.
func adopt(s *nfnl.Socket, family uint8, table string) (bool, error) {
	for range adoptTries {
		generation, err := ask(s, unix.NFT_MSG_GETGEN, unix.AF_UNSPEC, "", unix.NFTA_GEN_ID)
		if err != nil {
			return false, err
		}
		flags, err := ask(s, unix.NFT_MSG_GETTABLE, family, table, unix.NFTA_TABLE_FLAGS)
		switch {
		case errors.Is(err, unix.ENOENT), err == nil && flags&tablePersist == 0:
			return false, nil
		case err != nil:
			return false, err
		case flags&tableOwned != 0:
			return false, ErrOwned
		}
		t := &transaction{family: family, table: table}
		t.frameAt(generation)
		t.flags(tableOwned | tablePersist)
		if err := t.sendBy(s); !errors.Is(err, unix.ERESTART) {
			return err == nil, err
		}
	}
	return false, unix.ERESTART
}

// frameAt begins a batch that the kernel refuses unless the ruleset is still at
// a generation.
func (t *transaction) frameAt(generation uint32) {
	b, start := nfnl.Begin(t.buf, unix.NFNL_MSG_BATCH_BEGIN, nfnl.FlagRequest, t.seq, unix.AF_UNSPEC, unix.NFNL_SUBSYS_NFTABLES)
	t.buf, t.seq = nfnl.End(nfnl.Uint32(b, unix.NFNL_BATCH_GENID, generation), start), t.seq+1
}

// flags changes those of the table.
func (t *transaction) flags(flags uint32) {
	b, start := nfnl.Begin(t.buf, subsystem|unix.NFT_MSG_NEWTABLE, nfnl.FlagRequest, t.seq, t.family, 0)
	b = nfnl.Uint32(nfnl.String(b, unix.NFTA_TABLE_NAME, t.table), unix.NFTA_TABLE_FLAGS, flags)
	t.buf, t.last, t.seq = nfnl.End(b, start), start, t.seq+1
}

// askTimeout only bounds a broken kernel, which answers within the system call.
const askTimeout = 5 * time.Second

// ask reads one number of what there is: of the ruleset, or of a table. 0 is
// also for one that is not told.
func ask(s *nfnl.Socket, msg uint16, family uint8, table string, attr uint16) (uint32, error) {
	b, start := nfnl.Begin(nil, subsystem|msg, nfnl.FlagRequest|nfnl.FlagAck, 1, family, 0)
	if table != "" {
		b = nfnl.String(b, unix.NFTA_TABLE_NAME, table)
	}
	if err := s.Send(nfnl.End(b, start)); err != nil {
		return 0, err
	}
	var value uint32
	in := make([]byte, 1<<14)
	for {
		n, err := s.Receive(in, askTimeout)
		if err != nil {
			return 0, err
		}
		for m, rest, ok := nfnl.Next(in[:n]); ok; m, rest, ok = nfnl.Next(rest) {
			if errno, end := m.Errno(); end {
				if errno != 0 {
					return 0, unix.Errno(errno)
				}
				return value, nil
			}
			for a, more, ok := nfnl.NextAttr(m.Data); ok; a, more, ok = nfnl.NextAttr(more) {
				if a.Type == attr {
					value = a.Uint32()
				}
			}
		}
	}
}

// Release lets go of the table: it stays as it is, and anybody may change it.
func (o *Owner) Release() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.socket == nil {
		return nil
	}
	err := o.socket.Close() // the kernel lets go within the call
	o.socket = nil
	return err
}

// Owns reports whether a table is this owner's.
func (o *Owner) Owns() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.socket != nil
}

// Renew is Renew in the table that is owned, or in one that nobody owns.
func (o *Owner) Renew(family, table string, sets []artifact.Set) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return commit(family, table, sets, renewed, o.socket)
}

// Replace is Replace in the same way.
func (o *Owner) Replace(family, table string, sets []artifact.Set) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return commit(family, table, sets, replaced, o.socket)
}
