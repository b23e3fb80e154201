package nftset

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/internal/nfnl"
)

// askBatch is how many elements are asked for at a time: an answer has the whole
// element, and all of them wait in the socket's buffer.
const askBatch = 256

// there leaves out what is to be kept and is not there.
func (m *Members) there(changes []artifact.MemberChange) []artifact.MemberChange {
	var ask, out []artifact.MemberChange
	for _, c := range changes {
		if c.Op == artifact.MemberKeep {
			ask = append(ask, c)
		} else {
			out = append(out, c)
		}
	}
	for len(ask) > 0 {
		part := ask[:min(askBatch, len(ask))]
		ask = ask[len(part):]
		for i, found := range m.ask(part) {
			if found {
				c := part[i]
				c.Op = artifact.MemberPut
				out = append(out, c)
			}
		}
	}
	return out
}

// ask says of each element whether the kernel has it; what cannot be found out
// counts as not there.
func (m *Members) ask(list []artifact.MemberChange) []bool {
	found := make([]bool, len(list))
	t := &transaction{seq: 1}
	for i, c := range list {
		t.family, t.table = families()[c.Set.Family], c.Set.Table
		t.member(unix.NFT_MSG_GETSETELEM, member{set: c.Set, key: key(c.Set, &c.Member)})
		if i == len(list)-1 {
			nfnl.AddFlags(t.buf[t.last:], nfnl.FlagAck)
		}
	}
	s, err := nfnl.Open(nfnl.Options{Acks: true, ReadBuffer: errorBuffer, WriteBuffer: 1<<16 + 2*len(t.buf)})
	if err != nil {
		return found
	}
	defer func() { _ = s.Close() }()
	if err := s.Send(t.buf); err != nil {
		return found
	}
	in := make([]byte, 1<<14)
	for {
		n, err := s.TryReceive(in)
		if errors.Is(err, unix.ENOBUFS) {
			continue
		}
		if err != nil {
			return found // EAGAIN: that was all
		}
		for msg, rest, ok := nfnl.Next(in[:n]); ok; msg, rest, ok = nfnl.Next(rest) {
			if _, isError := msg.Errno(); !isError && msg.Seq >= 1 && int(msg.Seq) <= len(found) {
				found[msg.Seq-1] = true
			}
		}
	}
}
