package ipset

import (
	"errors"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/internal/nfnl"
)

// Write makes the changes, each by itself. Each of the caller's lists should
// have at most a thousand. An element that is put again has its whole life.
func Write(changes []artifact.MemberChange) []artifact.MemberFault {
	changes = there(changes)
	if len(changes) == 0 {
		return nil
	}
	refused, err := send(changes, func(c artifact.MemberChange) uint16 {
		if c.Op == artifact.MemberTake {
			return cmdDel
		}
		return cmdAdd
	})
	var faults []artifact.MemberFault
	for i, c := range changes {
		errno, bad := refused[uint32(i+1)]
		switch {
		case err != nil:
			faults = join(faults, c.Set, artifact.FaultOther, err)
		case bad && (c.Op != artifact.MemberTake || errno != uint32(unix.ENOENT)):
			faults = join(faults, c.Set, kindOf(errno), refusal(errno))
		}
	}
	return faults
}

// send makes a message of each change; refused are the answers by sequence
// number, which counts from 1.
func send(changes []artifact.MemberChange, cmd func(artifact.MemberChange) uint16) (refused map[uint32]uint32, err error) {
	var q request
	for i, c := range changes {
		var flags uint16
		if i == len(changes)-1 {
			flags = nfnl.FlagAck
		}
		b, start := q.begin(cmd(c), flags, c.Set.Version, c.Set.Name)
		b, data := nfnl.Nest(b, attrData)
		b = appendMember(b, c)
		q.end(nfnl.Unnest(b, data), start)
	}
	return q.exchange(nil)
}

// there leaves out what is to be kept and is not there.
func there(changes []artifact.MemberChange) []artifact.MemberChange {
	var ask, out []artifact.MemberChange
	for _, c := range changes {
		if c.Op == artifact.MemberKeep {
			ask = append(ask, c)
		} else {
			out = append(out, c)
		}
	}
	if len(ask) == 0 {
		return out
	}
	refused, err := send(ask, func(artifact.MemberChange) uint16 { return cmdTest })
	for i, c := range ask {
		if _, absent := refused[uint32(i+1)]; err == nil && !absent {
			c.Op = artifact.MemberPut
			out = append(out, c)
		}
	}
	return out
}

func join(faults []artifact.MemberFault, s *artifact.FlowSet, kind artifact.FaultKind, err error) []artifact.MemberFault {
	i := slices.IndexFunc(faults, func(f artifact.MemberFault) bool { return f.Set == s && f.Kind == kind })
	if i >= 0 {
		faults[i].Count++
		return faults
	}
	return append(faults, artifact.MemberFault{Set: s, Kind: kind, Err: err, Count: 1})
}

// kindOf sorts the kernel's reasons.
func kindOf(errno uint32) artifact.FaultKind {
	switch err := refusal(errno); {
	case errors.Is(err, errFull):
		return artifact.FaultFull
	case errors.Is(err, ErrNoSet):
		return artifact.FaultMissing
	case errors.Is(err, unix.EPERM):
		return artifact.FaultDenied
	case errno >= 4096:
		return artifact.FaultMismatch
	}
	return artifact.FaultOther
}

// appendMember writes an element: the parts of its set's type, in order, are
// attributes of their own, the second address and network with others.
func appendMember(b []byte, c artifact.MemberChange) []byte {
	s, m := c.Set, &c.Member
	addresses := 0
	for i, f := range s.Fields {
		part := partOf(s.Type, i)
		switch f {
		case artifact.FieldLocalAddr, artifact.FieldOtherAddr:
			b = appendAddress(b, f, m, part, addresses)
			addresses++
		case artifact.FieldLocalPort, artifact.FieldOtherPort:
			port := m.LocalPort
			if f == artifact.FieldOtherPort {
				port = m.OtherPort
			}
			b = nfnl.Uint16(b, dataPort|netOrder, port)
			b = nfnl.Uint8(b, dataProto, m.Proto)
		case artifact.FieldLocalMAC:
			b = nfnl.Bytes(b, dataEther, m.LocalMAC[:])
		case artifact.FieldOtherMAC:
			b = nfnl.Bytes(b, dataEther, m.OtherMAC[:])
		case artifact.FieldMark:
			b = number32(b, dataMark, m.Mark)
		case artifact.FieldInterface:
			b = nfnl.String(b, dataIface, m.Interface)
		case artifact.FieldProto: // ipset has it with the port
		}
	}
	if c.Op == artifact.MemberTake {
		return b
	}
	if s.Timeout > 0 {
		b = number32(b, dataTimeout, uint32(s.Timeout.Seconds()))
	}
	return appendSkb(b, s.Skb)
}

// partOf is the word of an ipset's type that a field stands for.
func partOf(typ string, i int) string {
	_, list, _ := strings.Cut(typ, ":")
	parts := strings.Split(list, ",")
	if i < len(parts) {
		return parts[i]
	}
	return ""
}

func appendAddress(b []byte, f artifact.FlowField, m *artifact.Member, part string, before int) []byte {
	addr := m.Local
	if f == artifact.FieldOtherAddr {
		addr = m.Other
	}
	ip, cidr := uint16(dataIP), uint16(dataCIDR)
	if before > 0 {
		ip, cidr = dataIP2, dataCIDR2
	}
	b = addressAttr(b, ip, addr.AsSlice())
	if part == "net" {
		b = nfnl.Uint8(b, cidr, uint8(addr.BitLen()))
	}
	return b
}

// appendSkb writes what packets are to be given.
func appendSkb(b []byte, skb *artifact.SkbInfo) []byte {
	if skb == nil {
		return b
	}
	if skb.Mark != nil {
		b = nfnl.Bytes(b, dataSkbMark|netOrder, uint64Of(skb.Mark.Value, skb.Mark.Mask))
	}
	if skb.Priority != nil {
		b = number32(b, dataSkbPrio, *skb.Priority)
	}
	if skb.Queue != nil {
		b = nfnl.Uint16(b, dataSkbQueue|netOrder, *skb.Queue)
	}
	return b
}
