package stun

import (
	"net/netip"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/lang/fact"
)

// Attributes with an address (IANA STUN attributes).
const (
	attrMapped     = 0x0001 // RFC 8489 section 14.1, not obscured
	attrXORPeer    = 0x0012 // RFC 8656 section 18.3
	attrXORRelayed = 0x0016 // RFC 8656 section 18.5
	attrXORMapped  = 0x0020 // RFC 8489 section 14.2
	attrChanged    = 0x0005 // RFC 3489 section 11.2.3, now OTHER-ADDRESS
	attrResponse   = 0x802b // RESPONSE-ORIGIN, RFC 5780 section 7.3
	attrOther      = 0x802c // OTHER-ADDRESS, RFC 5780 section 7.4
)

// addresses sets what the messages tell of addresses, the first of each kind.
// A client that relays tells its peer later than anything else.
func addresses(looks []dissect.Datagram, f *fact.Facts) dissect.Result {
	for _, d := range looks {
		if modern(d.Payload) || classic(d.Payload) {
			readAddresses(d.Payload, f)
		}
	}
	relayed := f.STUNRelayed.IsValid()
	if len(looks) == maxLooks || f.STUNMapped.IsValid() && (!relayed || f.STUNPeer.IsValid()) {
		return dissect.Match
	}
	return dissect.Partial
}

// readAddresses reads the attributes of a message whose lengths fit.
func readAddresses(b []byte, f *fact.Facts) {
	for c := dissect.NewCursor(b[headerLen:]); c.Len() > 0; {
		typ, value := c.Uint16(), c.Vector16()
		c.Skip(min(-value.Len()&3, c.Len())) // padding
		var to *netip.Addr
		switch typ {
		case attrMapped, attrXORMapped:
			to = &f.STUNMapped
		case attrXORPeer:
			to = &f.STUNPeer
		case attrXORRelayed:
			to = &f.STUNRelayed
		case attrResponse:
			to = &f.STUNResponse
		case attrOther, attrChanged:
			to = &f.STUNOther
		default:
			continue
		}
		if a, ok := address(value.Rest(), obscured(typ), b[4:headerLen]); ok && !to.IsValid() {
			*to = a
		}
	}
}

// obscured says that an attribute's address is XORed.
func obscured(attr uint16) bool {
	return attr == attrXORMapped || attr == attrXORPeer || attr == attrXORRelayed
}

// address reads an address attribute: a zero, the family, the port, the
// address. An obscured one is XORed with the magic cookie and the transaction
// ID, both in mask.
func address(b []byte, obscured bool, mask []byte) (netip.Addr, bool) {
	v4, v6 := len(b) == 8, len(b) == 20
	if !v4 && !v6 || v4 && b[1] != 1 || v6 && b[1] != 2 {
		return netip.Addr{}, false
	}
	var raw [16]byte
	n := copy(raw[:], b[4:])
	if obscured {
		for i := range n {
			raw[i] ^= mask[i]
		}
	}
	return netip.AddrFromSlice(raw[:n])
}
