package ct

import (
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/kernel/internal/nfnl"
)

// Conn is one tracked connection.
type Conn struct {
	Orig, Reply flow.Tuple
	// Labels are valid iff HasLabels: a connection older than the first rule
	// that sets a label has no room for them, and neither does one whose
	// labels were never set show them.
	Labels    [16]byte
	HasLabels bool
	Mark      uint32
	ID        uint32
	Zone      uint16
	// Packets and Bytes of both directions; 0 where accounting is off.
	Packets, Bytes uint64
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
		case ctaCountersOrig, ctaCountersReply:
			c.count(a.Data)
		}
	}
	return c
}

func (c *Conn) count(b []byte) {
	for a, rest, ok := nfnl.NextAttr(b); ok; a, rest, ok = nfnl.NextAttr(rest) {
		switch a.Type {
		case ctaCountersPackets:
			c.Packets += a.Uint64()
		case ctaCountersBytes:
			c.Bytes += a.Uint64()
		}
	}
}
