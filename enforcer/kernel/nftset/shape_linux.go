package nftset

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/internal/nfnl"
)

// shape is what a set in the kernel looks like.
type shape struct {
	width    int // of an element, in bytes
	types    uint32
	interval bool // elements have an end of their own
	timeout  bool // elements may have a time to live
	lives    time.Duration
	size     uint32
}

// answerWait bounds how long the kernel may take to tell of one set.
const answerWait = 10 * time.Second

// look reads a set's shape; ErrNoSet when it is not there.
func look(s *artifact.FlowSet) (shape, error) {
	family, ok := families()[s.Family]
	if !ok {
		return shape{}, fmt.Errorf("look at %s: unknown family", s.ID())
	}
	b, start := nfnl.Begin(nil, subsystem|unix.NFT_MSG_GETSET, nfnl.FlagRequest|nfnl.FlagAck, 1, family, 0)
	b = nfnl.String(b, unix.NFTA_SET_TABLE, s.Table)
	b = nfnl.String(b, unix.NFTA_SET_NAME, s.Name)
	sock, err := nfnl.Open(nfnl.Options{Acks: true})
	if err != nil {
		return shape{}, err
	}
	defer func() { _ = sock.Close() }()
	if err := sock.Send(nfnl.End(b, start)); err != nil {
		return shape{}, err
	}
	var is shape
	in := make([]byte, 1<<14)
	for {
		n, err := sock.Receive(in, answerWait)
		if err != nil {
			return shape{}, fmt.Errorf("look at %s: %w", s.ID(), err)
		}
		for m, rest, ok := nfnl.Next(in[:n]); ok; m, rest, ok = nfnl.Next(rest) {
			if errno, isError := m.Errno(); isError {
				if errno != 0 {
					return shape{}, fmt.Errorf("look at %s: %w", s.ID(), refusal(unix.Errno(errno), m.Explanation()))
				}
				return is, nil
			}
			is = readShape(m.Data)
		}
	}
}

// readShape reads the attributes of a set.
func readShape(data []byte) shape {
	var is shape
	var flags uint32
	for a, rest, ok := nfnl.NextAttr(data); ok; a, rest, ok = nfnl.NextAttr(rest) {
		switch a.Type {
		case unix.NFTA_SET_FLAGS:
			flags = a.Uint32()
		case unix.NFTA_SET_KEY_TYPE:
			is.types = a.Uint32()
		case unix.NFTA_SET_KEY_LEN:
			is.width = int(a.Uint32())
		case unix.NFTA_SET_TIMEOUT:
			is.lives = time.Duration(a.Uint64()) * time.Millisecond
		case unix.NFTA_SET_DESC:
			is.size = readSize(a.Data)
		}
	}
	// Concatenations have the ends of ranges in an attribute of their own, and
	// without it the element is a single value.
	is.interval = flags&unix.NFT_SET_INTERVAL != 0 && flags&setConcat == 0
	is.timeout = flags&unix.NFT_SET_TIMEOUT != 0
	return is
}

func readSize(data []byte) uint32 {
	for a, rest, ok := nfnl.NextAttr(data); ok; a, rest, ok = nfnl.NextAttr(rest) {
		if a.Type == unix.NFTA_SET_DESC_SIZE {
			return a.Uint32()
		}
	}
	return 0
}

// Lives is how long elements live that nobody renews: what the block says, or
// what the kernel's set says. 0 is for ever, or not known.
func Lives(s *artifact.FlowSet) time.Duration {
	if s.Timeout > 0 {
		return s.Timeout
	}
	is, err := look(s)
	if err != nil {
		return 0
	}
	return is.lives
}

// Describe is the set as FlowSet.Declaration would have it, as far as the
// kernel tells; empty without an error when it is not there.
func Describe(s *artifact.FlowSet) (string, error) {
	is, err := look(s)
	if errors.Is(err, ErrNoSet) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	if is.types != keyType(s) || is.width != keyWidth(s) {
		return "another type", nil
	}
	found := *s
	found.Size, found.Timeout = is.size, is.lives
	return found.Declaration(), nil
}
