package ct

import (
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/kernel/internal/nfnl"
)

// Conn is one tracked connection. A connection older than the first rule that
// sets a label has no room for Labels, and neither does one whose labels were
// never set show them: HasLabels is false then.
type Conn struct {
	flow.Connection
}

// Has reports whether label bit n is set.
func (c *Conn) Has(n int) bool {
	return n >= 0 && n < 128 && c.Labels[n/8]&(1<<(n%8)) != 0
}

// parseConn reads the attributes of an IPCTNL_MSG_CT_NEW message.
func parseConn(b []byte) Conn {
	var c Conn
	for a, rest, ok := nfnl.NextAttr(b); ok; a, rest, ok = nfnl.NextAttr(rest) {
		switch a.Type {
		case ctaTupleOrig:
			c.Orig = parseTuple(a.Data)
		case ctaTupleReply:
			c.Reply = parseTuple(a.Data)
		case ctaMark:
			c.Mark = a.Uint32()
		case ctaID:
			c.ID = a.Uint32()
		case ctaZone:
			c.Zone = a.Uint16()
		case ctaLabels:
			c.HasLabels = true
			copy(c.Labels[:], a.Data)
		case ctaCountersOrig:
			c.Sent = parseCounts(a.Data)
		case ctaCountersReply:
			c.Returned = parseCounts(a.Data)
		case ctaProtoInfo:
			c.Closing = closing(a.Data)
		case ctaTimestamp:
			c.Start = start(a.Data)
		}
	}
	return c
}

func parseCounts(b []byte) (c flow.Counts) {
	for a, rest, ok := nfnl.NextAttr(b); ok; a, rest, ok = nfnl.NextAttr(rest) {
		switch a.Type {
		case ctaCountersPackets:
			c.Packets = a.Uint64()
		case ctaCountersBytes:
			c.Bytes = a.Uint64()
		}
	}
	return c
}

// start is when the kernel saw the connection begin.
func start(b []byte) int64 {
	for a, rest, ok := nfnl.NextAttr(b); ok; a, rest, ok = nfnl.NextAttr(rest) {
		if a.Type == ctaTimestampStart {
			return int64(a.Uint64())
		}
	}
	return 0
}

// closing says that a connection's TCP state is one in which the entry only
// lingers.
func closing(b []byte) bool {
	for info, rest, ok := nfnl.NextAttr(b); ok; info, rest, ok = nfnl.NextAttr(rest) {
		if info.Type != ctaProtoInfoTCP {
			continue
		}
		for a, rest, ok := nfnl.NextAttr(info.Data); ok; a, rest, ok = nfnl.NextAttr(rest) {
			if a.Type == ctaProtoInfoTCPState {
				return a.Uint8() == tcpTimeWait || a.Uint8() == tcpClose
			}
		}
	}
	return false
}
