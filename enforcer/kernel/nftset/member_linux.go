package nftset

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/internal/nfnl"
)

// Members writes the elements of sets that policies add flows to. It remembers
// what the kernel's sets look like, so that it belongs to one goroutine.
type Members struct {
	seen map[string]shape // by FlowSet.ID
}

// rounds bounds how often a batch is tried without the changes that the kernel
// refused: it names all of them at once, unless its answers did not fit.
const rounds = 8

// errorBuffer holds the kernel's answers to a batch: one takes about 400 bytes
// of it.
const errorBuffer = 8 << 20

// Write makes the changes in one transaction, without those that cannot be
// made. Each of the caller's lists should have at most a thousand.
func (m *Members) Write(changes []artifact.MemberChange) []artifact.MemberFault {
	var faults faultList
	changes = m.there(m.fitting(changes, &faults))
	for range rounds {
		if len(changes) == 0 {
			return faults
		}
		refused, err := m.try(changes)
		if err == nil && len(refused) == 0 {
			return faults
		}
		if len(refused) == 0 {
			for _, c := range changes {
				faults.add(c.Set, artifact.FaultOther, err)
			}
			return faults
		}
		left := changes[:0:0]
		for i, c := range changes {
			errno, bad := refused[i]
			switch {
			case !bad:
				left = append(left, c)
			case c.Op == artifact.MemberTake && errno == unix.ENOENT: // it is gone already
			default:
				delete(m.seen, c.Set.ID())
				faults.add(c.Set, kindOf(errno), errno)
			}
		}
		changes = left
	}
	for _, c := range changes {
		faults.add(c.Set, artifact.FaultOther, errNoAnswer)
	}
	return faults
}

// kindOf sorts the kernel's reasons.
func kindOf(errno unix.Errno) artifact.FaultKind {
	switch {
	case errors.Is(errno, unix.ENFILE):
		return artifact.FaultFull
	case errors.Is(errno, unix.ENOENT):
		return artifact.FaultMissing
	case errors.Is(errno, unix.EINVAL):
		return artifact.FaultMismatch
	case errors.Is(errno, unix.EPERM):
		return artifact.FaultDenied
	}
	return artifact.FaultOther
}

// faultList joins faults of one set and kind.
type faultList []artifact.MemberFault

func (l *faultList) add(s *artifact.FlowSet, kind artifact.FaultKind, err error) {
	for i, f := range *l {
		if f.Set == s && f.Kind == kind {
			(*l)[i].Count++
			return
		}
	}
	*l = append(*l, artifact.MemberFault{Set: s, Kind: kind, Err: err, Count: 1})
}

// fitting leaves out the changes of sets that are not there or are of another
// type: the kernel takes a key that is too long for another one, and an element
// without an end for a range.
func (m *Members) fitting(changes []artifact.MemberChange, faults *faultList) []artifact.MemberChange {
	if m.seen == nil {
		m.seen = make(map[string]shape)
	}
	out := make([]artifact.MemberChange, 0, len(changes))
	for _, c := range changes {
		is, ok := m.seen[c.Set.ID()]
		if !ok {
			var err error
			if is, err = look(c.Set); err != nil {
				if c.Op != artifact.MemberTake {
					faults.add(c.Set, artifact.FaultMissing, err)
				}
				continue
			}
			m.seen[c.Set.ID()] = is
		}
		if width := keyWidth(c.Set); is.width != width {
			delete(m.seen, c.Set.ID())
			faults.add(c.Set, artifact.FaultMismatch, fmt.Errorf("its elements have %d bytes, those of the block %d: %w", is.width, width, errBadSet))
			continue
		}
		out = append(out, c)
	}
	return out
}

// try is one transaction; refused are the changes, by index, that the kernel
// did not take, and then none was made.
func (m *Members) try(changes []artifact.MemberChange) (refused map[int]unix.Errno, err error) {
	t := begin(unix.NFPROTO_UNSPEC, "")
	owner := make([]int, 1, 3*len(changes)+1) // the change of each message, by sequence number
	for i, c := range changes {
		t.family, t.table = families()[c.Set.Family], c.Set.Table
		is := m.seen[c.Set.ID()]
		e := member{set: c.Set, key: key(c.Set, &c.Member), interval: is.interval}
		if c.Op == artifact.MemberPut {
			// A member that is there keeps its old time on older kernels, and one
			// that is not there cannot be taken out.
			if is.timeout {
				e.lives = c.Set.Timeout
			}
			t.member(unix.NFT_MSG_NEWSETELEM, e)
			t.member(unix.NFT_MSG_DELSETELEM, e)
			t.member(unix.NFT_MSG_NEWSETELEM, e)
		} else {
			t.member(unix.NFT_MSG_DELSETELEM, e)
		}
		for len(owner) < int(t.seq) {
			owner = append(owner, i)
		}
	}
	return t.exchange(owner)
}

// exchange sends the transaction and sorts the answers.
func (t *transaction) exchange(owner []int) (refused map[int]unix.Errno, err error) {
	s, err := nfnl.Open(nfnl.Options{Acks: true, ReadBuffer: errorBuffer, WriteBuffer: 1<<16 + 2*len(t.buf)})
	if err != nil {
		return nil, err
	}
	defer func() { _ = s.Close() }()
	refused = make(map[int]unix.Errno)
	var whole error // of the transaction, not of a change
	done, err := t.hand(s, func(m nfnl.Message, errno unix.Errno) {
		switch {
		case int(m.Seq) < len(owner) && m.Seq > 0:
			refused[owner[m.Seq]] = errno
		case whole == nil:
			whole = refusal(errno, m.Explanation())
		}
	})
	switch {
	case err != nil:
		return nil, err
	case whole != nil:
		return nil, whole
	case len(refused) == 0 && !done:
		return nil, errNoAnswer
	}
	return refused, nil
}

// member is an element with what is written of it.
type member struct {
	set      *artifact.FlowSet
	key      []byte
	interval bool // the set takes ranges, which have an end
	lives    time.Duration
}

// member adds or deletes one element.
func (t *transaction) member(msg uint16, e member) {
	b, start := nfnl.Begin(t.buf, subsystem|msg, nfnl.FlagRequest|nfnl.FlagCreate, t.seq, t.family, 0)
	b = nfnl.String(b, unix.NFTA_SET_ELEM_LIST_TABLE, t.table)
	b = nfnl.String(b, unix.NFTA_SET_ELEM_LIST_SET, e.set.Name)
	b, list := nfnl.Nest(b, unix.NFTA_SET_ELEM_LIST_ELEMENTS)
	b, elem := nfnl.Nest(b, unix.NFTA_LIST_ELEM)
	b, nest := nfnl.Nest(b, unix.NFTA_SET_ELEM_KEY)
	b = nfnl.Unnest(nfnl.Bytes(b, unix.NFTA_DATA_VALUE, e.key), nest)
	if msg == unix.NFT_MSG_NEWSETELEM && e.lives > 0 {
		b = nfnl.Uint64(b, unix.NFTA_SET_ELEM_TIMEOUT, uint64(e.lives.Milliseconds()))
	}
	b = nfnl.Unnest(b, elem)
	if e.interval {
		if end, ok := after(e.key); ok {
			b = element(b, end, unix.NFT_SET_ELEM_INTERVAL_END)
		}
	}
	b = nfnl.Unnest(b, list)
	t.buf, t.last, t.seq = nfnl.End(b, start), start, t.seq+1
}

// fieldWidth is how many bytes a field has in an element of one field.
func fieldWidth(f artifact.FlowField, version uint8) int {
	switch f {
	case artifact.FieldLocalAddr, artifact.FieldOtherAddr:
		if version == 6 {
			return 16
		}
		return 4
	case artifact.FieldLocalMAC, artifact.FieldOtherMAC:
		return 6
	case artifact.FieldLocalPort, artifact.FieldOtherPort:
		return 2
	case artifact.FieldProto:
		return 1
	case artifact.FieldMark:
		return 4
	case artifact.FieldInterface:
		return unix.IFNAMSIZ
	}
	return 0
}

// keyWidth is how many bytes an element of a set has: in a concatenation each
// field fills whole registers of four bytes.
func keyWidth(s *artifact.FlowSet) int {
	if len(s.Fields) == 1 {
		return fieldWidth(s.Fields[0], s.Version)
	}
	n := 0
	for _, f := range s.Fields {
		n += (fieldWidth(f, s.Version) + 3) &^ 3
	}
	return n
}

// key is a member as the set has it.
func key(s *artifact.FlowSet, m *artifact.Member) []byte {
	var out []byte
	for _, f := range s.Fields {
		out = appendField(out, f, m)
		for len(s.Fields) > 1 && len(out)%4 != 0 {
			out = append(out, 0)
		}
	}
	return out
}

func appendField(b []byte, f artifact.FlowField, m *artifact.Member) []byte {
	switch f {
	case artifact.FieldLocalAddr:
		return append(b, m.Local.AsSlice()...)
	case artifact.FieldOtherAddr:
		return append(b, m.Other.AsSlice()...)
	case artifact.FieldLocalMAC:
		return append(b, m.LocalMAC[:]...)
	case artifact.FieldOtherMAC:
		return append(b, m.OtherMAC[:]...)
	case artifact.FieldLocalPort:
		return binary.BigEndian.AppendUint16(b, m.LocalPort)
	case artifact.FieldOtherPort:
		return binary.BigEndian.AppendUint16(b, m.OtherPort)
	case artifact.FieldProto:
		return append(b, m.Proto)
	case artifact.FieldMark: // marks are numbers of the host
		return binary.NativeEndian.AppendUint32(b, m.Mark)
	case artifact.FieldInterface:
		var name [unix.IFNAMSIZ]byte
		copy(name[:unix.IFNAMSIZ-1], m.Interface)
		return append(b, bytes.Clone(name[:])...)
	}
	return b
}
