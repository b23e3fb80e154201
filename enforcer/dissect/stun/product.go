package stun

import (
	"encoding/binary"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/lang/fact"
)

// typeAllocate is an Allocate request (RFC 8656 section 18.1).
const typeAllocate = 0x0003

// attrWhatsApp stands first in the Allocate requests of WhatsApp's calls, and
// holds a token of some 150 bytes. IANA has the number unassigned, in the range
// that a server must understand, so no other client can send it to any other
// server.
const attrWhatsApp = 0x4000

// product names the application whose own messages these are.
func product(b []byte, f *fact.Facts) {
	if !modern(b) || binary.BigEndian.Uint16(b) != typeAllocate {
		return
	}
	c := dissect.NewCursor(b[headerLen:])
	if typ, token := c.Uint16(), c.Vector16(); typ == attrWhatsApp && token.Len() >= minToken {
		f.Application, f.By = "whatsapp", fact.ByPayload
	}
}

// minToken is less than any token seen, and more than another's attribute of
// that number would hold by chance.
const minToken = 64
