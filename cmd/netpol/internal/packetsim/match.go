package packetsim

import (
	"encoding/binary"
	"fmt"
	"net/netip"

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
		return c.Has(m.Bit) != m.Not, nil
	case artifact.MatchCTMark:
		return (c.Mark&m.Mask == m.Value) != m.Not, nil
	case artifact.MatchCTPackets:
		return (c.Packets[Original]+c.Packets[Reply] < uint64(m.Value)) != m.Not, nil
	case artifact.MatchCTDirection:
		return (p.Direction.String() == m.Name) != m.Not, nil
	case artifact.MatchCTState:
		return (w.state() == m.Name) != m.Not, nil
	case artifact.MatchCTStatus:
		return w.status(m)
	case artifact.MatchL4Proto:
		return w.number(m, uint32(p.Protocol), 1)
	case artifact.MatchFamily:
		return (p.version() == m.Value) != m.Not, nil
	case artifact.MatchIIFName:
		return w.device(m, w.in())
	case artifact.MatchOIFName:
		return w.device(m, w.out())
	case artifact.MatchSport:
		return w.port(m, p.SrcPort)
	case artifact.MatchDport:
		return w.port(m, p.DstPort)
	case artifact.MatchSaddr4:
		return w.address(m, p.Src, 4)
	case artifact.MatchDaddr4:
		return w.address(m, p.Dst, 4)
	case artifact.MatchSaddr6:
		return w.address(m, p.Src, 6)
	case artifact.MatchDaddr6:
		return w.address(m, p.Dst, 6)
	case artifact.MatchTCPReset:
		return p.Protocol == 6 && p.Reset != m.Not, nil
	}
	return false, fmt.Errorf("match %q: %w", m.Kind, errUnknown)
}

func isConntrack(k artifact.MatchKind) bool {
	switch k {
	case artifact.MatchCTLabel, artifact.MatchCTMark, artifact.MatchCTPackets, artifact.MatchCTDirection,
		artifact.MatchCTState, artifact.MatchCTStatus:
		return true
	case artifact.MatchL4Proto, artifact.MatchFamily, artifact.MatchIIFName, artifact.MatchOIFName, artifact.MatchSport,
		artifact.MatchDport, artifact.MatchSaddr4, artifact.MatchDaddr4, artifact.MatchSaddr6, artifact.MatchDaddr6,
		artifact.MatchTCPReset:
	}
	return false
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

// number compares a number, or looks it up as so many bytes.
func (w *walk) number(m *artifact.Match, v uint32, width int) (bool, error) {
	if m.Set == "" {
		return (v == m.Value) != m.Not, nil
	}
	key := binary.BigEndian.AppendUint32(nil, v)
	hit, err := w.table.contains(m.Set, key[4-width:])
	return hit != m.Not, err
}

// port breaks where the layer-4 header has none.
func (w *walk) port(m *artifact.Match, port uint16) (bool, error) {
	if !w.packet.hasPorts() {
		return false, nil
	}
	return w.number(m, uint32(port), 2)
}

func (w *walk) address(m *artifact.Match, a netip.Addr, version uint32) (bool, error) {
	if w.packet.version() != version {
		return false, nil
	}
	hit, err := w.table.contains(m.Set, a.AsSlice())
	return hit != m.Not, err
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

// device compares a name; one that there is not is empty
// (nft_meta_store_ifname).
func (w *walk) device(m *artifact.Match, name string) (bool, error) {
	if m.Set == "" {
		return (name == m.Name) != m.Not, nil
	}
	key := make([]byte, ifNameSize)
	copy(key, name)
	hit, err := w.table.contains(m.Set, key)
	return hit != m.Not, err
}
