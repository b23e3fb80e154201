package packetsim

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/netpol/netpol/compiler/artifact"
)

// match answers one match. What a packet does not have, such as the state of a
// connection that it has none of, ends the rule whether the match is inverted
// or not (NFT_BREAK).
func (w *walk) match(m *artifact.Match) (bool, error) {
	p, c := w.packet, w.conn
	if isConntrack(m.Kind) && p.Untracked {
		return m.Kind == artifact.MatchCTState && (m.Name == "untracked") != m.Not, nil
	}
	switch m.Kind {
	case artifact.MatchCTLabel:
		if len(m.Bits) > 0 {
			return slices.ContainsFunc(m.Bits, c.Has) != m.Not, nil
		}
		return c.Has(m.Bit) != m.Not, nil
	case artifact.MatchCTMark:
		return (c.Mark&m.Mask == m.Value) != m.Not, nil
	case artifact.MatchMark:
		return (w.result.Mark&m.Mask == m.Value) != m.Not, nil
	case artifact.MatchCTPackets:
		return (counted(c.Packets, m.Name) < m.Limit) != m.Not, nil
	case artifact.MatchCTBytes:
		return (counted(c.Bytes, m.Name) < m.Limit) != m.Not, nil
	case artifact.MatchCTDirection:
		return (p.Direction.String() == m.Name) != m.Not, nil
	case artifact.MatchCTState:
		return (w.state() == m.Name) != m.Not, nil
	case artifact.MatchCTStatus:
		return w.status(m)
	case artifact.MatchFamily:
		return (p.version() == m.Value) != m.Not, nil
	case artifact.MatchL4Proto, artifact.MatchIIFName, artifact.MatchOIFName, artifact.MatchSport, artifact.MatchDport,
		artifact.MatchSaddr4, artifact.MatchDaddr4, artifact.MatchSaddr6, artifact.MatchDaddr6:
		return w.compare(m)
	case artifact.MatchDSCP4, artifact.MatchDSCP6:
		same := (m.Kind == artifact.MatchDSCP4) == (p.version() == 4)
		return same && (uint32(p.DSCP) == m.Value) != m.Not, nil
	case artifact.MatchTime:
		hit, err := w.table.inForce(m.Set, p.Time)
		return hit != m.Not, err
	case artifact.MatchAlive:
		return w.table.Alive != m.Not, nil
	case artifact.MatchCTID: // the kernel's number of a connection; here it is 0
		return (m.Value == 0) != m.Not, nil
	case artifact.MatchTCPReset:
		return p.Protocol == 6 && p.Reset != m.Not, nil
	}
	return false, fmt.Errorf("match %q: %w", m.Kind, errUnknown)
}

func isConntrack(k artifact.MatchKind) bool {
	switch k {
	case artifact.MatchCTLabel, artifact.MatchCTMark, artifact.MatchCTPackets, artifact.MatchCTBytes, artifact.MatchCTDirection,
		artifact.MatchCTState, artifact.MatchCTStatus, artifact.MatchCTID:
		return true
	case artifact.MatchDSCP4, artifact.MatchDSCP6, artifact.MatchL4Proto, artifact.MatchFamily, artifact.MatchIIFName, artifact.MatchOIFName, artifact.MatchSport,
		artifact.MatchDport, artifact.MatchSaddr4, artifact.MatchDaddr4, artifact.MatchSaddr6, artifact.MatchDaddr6,
		artifact.MatchTCPReset, artifact.MatchTime, artifact.MatchAlive, artifact.MatchMark:
	}
	return false
}

// counted is a counter of one direction, or of both where none is named.
func counted(c [2]uint64, direction string) uint64 {
	switch direction {
	case Original.String():
		return c[Original]
	case Reply.String():
		return c[Reply]
	}
	return c[Original] + c[Reply]
}

// state is nft's word for where in its connection a packet stands
// (nf_conntrack_in: a connection is new until the other side has answered).
func (w *walk) state() string {
	switch {
	case w.packet.Direction == Reply || w.conn.Answered:
		if w.conn.Related && !w.conn.Confirmed {
			return "related"
		}
		return "established"
	case w.conn.Related:
		return "related"
	}
	return "new"
}

func (w *walk) status(m *artifact.Match) (bool, error) {
	if m.Name != "confirmed" {
		return false, fmt.Errorf("ct status %q: %w", m.Name, errUnknown)
	}
	return w.conn.Confirmed != m.Not, nil
}

// compare compares what a packet has with the constants of a match. What it
// does not have ends the rule.
func (w *walk) compare(m *artifact.Match) (bool, error) {
	key, ok := w.key(m.Kind)
	if !ok {
		return false, nil
	}
	var hit bool
	switch {
	case m.Set != "":
		e, err := w.table.find(m.Set, key)
		if err != nil {
			return false, err
		}
		hit = e != nil
	case m.Low != nil:
		hit = bytes.Compare(m.Low, key) <= 0 && bytes.Compare(key, m.High) <= 0
	case m.Kind == artifact.MatchIIFName, m.Kind == artifact.MatchOIFName:
		hit = bytes.Equal(key, deviceKey(m.Name))
	default:
		wide := binary.BigEndian.AppendUint32(nil, m.Value)
		hit = len(key) <= len(wide) && bytes.Equal(key, wide[len(wide)-len(key):])
	}
	return hit != m.Not, nil
}

// key is the value that a match or a map asks for, as the elements of a set
// have it; false where the packet has none.
func (w *walk) key(k artifact.MatchKind) (key []byte, ok bool) {
	p := w.packet
	switch k {
	case artifact.MatchL4Proto:
		return []byte{p.Protocol}, true
	case artifact.MatchIIFName:
		return deviceKey(w.in()), true
	case artifact.MatchOIFName:
		return deviceKey(w.out()), true
	case artifact.MatchSport:
		return binary.BigEndian.AppendUint16(nil, p.SrcPort), p.hasPorts()
	case artifact.MatchDport:
		return binary.BigEndian.AppendUint16(nil, p.DstPort), p.hasPorts()
	case artifact.MatchSaddr4:
		return p.Src.AsSlice(), p.version() == 4
	case artifact.MatchDaddr4:
		return p.Dst.AsSlice(), p.version() == 4
	case artifact.MatchSaddr6:
		return p.Src.AsSlice(), p.version() == 6
	case artifact.MatchDaddr6:
		return p.Dst.AsSlice(), p.version() == 6
	case artifact.MatchCTLabel, artifact.MatchCTMark, artifact.MatchCTPackets, artifact.MatchCTBytes, artifact.MatchCTDirection,
		artifact.MatchCTState, artifact.MatchCTStatus, artifact.MatchFamily, artifact.MatchTCPReset, artifact.MatchTime, artifact.MatchAlive,
		artifact.MatchDSCP4, artifact.MatchDSCP6, artifact.MatchCTID, artifact.MatchMark:
	}
	return nil, false
}

// in is the interface that a packet came by; empty where it did not come.
func (w *walk) in() string {
	if w.packet.Path == Output || w.hooked == "postrouting" && w.packet.Path != Forward {
		return ""
	}
	return w.packet.In
}

// out is the interface that a packet leaves by, once it is known.
func (w *walk) out() string {
	if w.packet.Path == Input || w.hooked == "prerouting" {
		return ""
	}
	return w.packet.Out
}

// ifNameSize is IFNAMSIZ of linux/if.h.
const ifNameSize = 16

// deviceKey is a name as sets have it; one that there is not is empty
// (nft_meta_store_ifname).
func deviceKey(name string) []byte {
	key := make([]byte, ifNameSize)
	copy(key, name)
	return key
}
