package ipset

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/internal/nfnl"
)

// only is the answer to a request of one message.
func (q *request) only(each func(nfnl.Message)) error {
	refused, err := q.exchange(each)
	if err != nil {
		return err
	}
	for _, errno := range refused {
		return refusal(errno)
	}
	return nil
}

// Create makes a set. It fails when one of that name is there.
func Create(s *artifact.FlowSet) error {
	revision, err := revisionOf(s)
	if err != nil {
		return fmt.Errorf("create %s: %s: %w", s.ID(), s.Type, err)
	}
	var q request
	b, start := q.begin(cmdCreate, nfnl.FlagAck|nfnl.FlagCreate|flagExcl, s.Version, s.Name)
	b = nfnl.String(b, attrTypeName, s.Type)
	b = nfnl.Uint8(b, attrRevision, revision)
	b = nfnl.Uint8(b, attrFamily, familyOf(s))
	b, data := nfnl.Nest(b, attrData)
	b = number32(b, dataMaxElem, s.Size)
	if s.Timeout > 0 {
		b = number32(b, dataTimeout, uint32(s.Timeout.Seconds()))
	}
	if s.Skb != nil {
		b = number32(b, dataCADTFlags, flagWithSkbInfo)
	}
	q.end(nfnl.Unnest(b, data), start)
	if err := q.only(nil); err != nil {
		return fmt.Errorf("create %s: %w", s.ID(), err)
	}
	return nil
}

// familyOf is the set's address family; sets without addresses have none.
func familyOf(s *artifact.FlowSet) uint8 {
	switch s.Version {
	case 4:
		return unix.AF_INET
	case 6:
		return unix.AF_INET6
	}
	return unix.AF_UNSPEC
}

// revisionOf asks for the newest revision of a type that the kernel has.
func revisionOf(s *artifact.FlowSet) (uint8, error) {
	var q request
	q.seq++
	family := familyOf(s)
	if family == unix.AF_UNSPEC {
		family = unix.AF_INET // types without addresses are found under any
	}
	b, start := nfnl.Begin(nil, subsystem|cmdType, nfnl.FlagRequest|nfnl.FlagAck, q.seq, family, 0)
	b = nfnl.Uint8(b, attrProtocol, protocol)
	b = nfnl.String(b, attrTypeName, s.Type)
	q.end(nfnl.Uint8(b, attrFamily, family), start)
	var revision uint8
	err := q.only(func(m nfnl.Message) {
		for a, rest, ok := nfnl.NextAttr(m.Data); ok; a, rest, ok = nfnl.NextAttr(rest) {
			if a.Type == attrRevision {
				revision = a.Uint8()
			}
		}
	})
	return revision, err
}

// Remove takes a set away. One that is not there is no error.
func Remove(s *artifact.FlowSet) error { return simple(s, cmdDestroy, "remove") }

// Flush takes all elements out of a set.
func Flush(s *artifact.FlowSet) error { return simple(s, cmdFlush, "flush") }

func simple(s *artifact.FlowSet, cmd uint16, verb string) error {
	var q request
	b, start := q.begin(cmd, nfnl.FlagAck, s.Version, s.Name)
	q.end(b, start)
	err := q.only(nil)
	if err == nil || errors.Is(err, ErrNoSet) {
		return nil
	}
	return fmt.Errorf("%s %s: %w", verb, s.ID(), err)
}

// Describe is the set as FlowSet.Declaration would have it, as far as the
// kernel tells; empty without an error when it is not there.
func Describe(s *artifact.FlowSet) (string, error) {
	found, err := header(s)
	if errors.Is(err, ErrNoSet) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("look at %s: %w", s.ID(), err)
	}
	return found.Declaration(), nil
}

// Count is how many elements the kernel's set has; the error is ErrNoSet when it
// is not there.
func Count(s *artifact.FlowSet) (int, error) {
	var q request
	b, start := q.begin(cmdList, nfnl.FlagAck|nfnl.FlagDump, s.Version, s.Name)
	q.end(nfnl.Uint32(b, attrFlags|netOrder, flagListHeader), start)
	n, there := uint32(0), false
	err := q.only(func(m nfnl.Message) {
		for a, rest, ok := nfnl.NextAttr(m.Data); ok; a, rest, ok = nfnl.NextAttr(rest) {
			if a.Type != attrData {
				continue
			}
			there = true
			for d, rest, ok := nfnl.NextAttr(a.Data); ok; d, rest, ok = nfnl.NextAttr(rest) {
				if d.Type == dataElements {
					n = d.Uint32()
				}
			}
		}
	})
	if err == nil && !there {
		err = ErrNoSet
	}
	if err != nil {
		return 0, fmt.Errorf("count %s: %w", s.ID(), err)
	}
	return int(n), nil
}

// header reads what the kernel's set looks like.
func header(s *artifact.FlowSet) (*artifact.FlowSet, error) {
	var q request
	b, start := q.begin(cmdList, nfnl.FlagAck|nfnl.FlagDump, s.Version, s.Name)
	q.end(nfnl.Uint32(b, attrFlags|netOrder, flagListHeader), start)
	found := &artifact.FlowSet{Kind: artifact.FlowSetIpset, Name: s.Name, Fields: s.Fields}
	there := false
	err := q.only(func(m nfnl.Message) {
		for a, rest, ok := nfnl.NextAttr(m.Data); ok; a, rest, ok = nfnl.NextAttr(rest) {
			switch a.Type {
			case attrTypeName:
				found.Type, there = a.String(), true
			case attrFamily:
				found.Version = map[uint8]uint8{unix.AF_INET: 4, unix.AF_INET6: 6}[a.Uint8()]
			case attrData:
				readData(found, a.Data)
			}
		}
	})
	if err == nil && !there {
		err = ErrNoSet
	}
	return found, err
}

func readData(s *artifact.FlowSet, data []byte) {
	for a, rest, ok := nfnl.NextAttr(data); ok; a, rest, ok = nfnl.NextAttr(rest) {
		switch a.Type {
		case dataMaxElem:
			s.Size = a.Uint32()
		case dataTimeout:
			s.Timeout = seconds(a.Uint32())
		case dataCADTFlags:
			if a.Uint32()&flagWithSkbInfo != 0 {
				s.Skb = &artifact.SkbInfo{}
			}
		}
	}
}

// Lives is how long elements live that nobody renews: what the block says, or
// what the kernel's set says. 0 is for ever, or not known.
func Lives(s *artifact.FlowSet) time.Duration {
	if s.Timeout > 0 {
		return s.Timeout
	}
	found, err := header(s)
	if err != nil {
		return 0
	}
	return found.Timeout
}
