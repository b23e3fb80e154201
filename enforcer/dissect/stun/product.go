package stun

import (
	"encoding/binary"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/lang/fact"
)

// Attributes in which products write their names.
const (
	attrRealm    = 0x0014 // who runs a relay (RFC 8489 section 14.9)
	attrSoftware = 0x8022 // RFC 8489 section 14.14
)

// attrProduct is the product that alone sends an attribute. IANA has none of
// these numbers assigned but Webex', and a server must understand or refuse
// those below 0x8000.
func attrProduct(attr uint16) string {
	switch attr {
	case 0x0101, 0x0103: // nDPI's stun
		return "zoom"
	case 0x4000, 0x4001, 0x4002, 0x4003, 0x4004, 0x4007: // nDPI's stun
		return "whatsapp"
	case 0x8008, 0x8050, 0x8055, 0x8095, // MS-TURN: version, sequence number, service quality, multiplexed session
		0x8054, 0x8070, // MS-ICE2: candidate identifier, implementation version
		0x24df, 0x3802, 0x8006, 0x8036: // nDPI's stun
		return "microsoft-teams"
	case 0xc003: // IANA: CISCO-WEBEX-FLOW-INFO
		return "webex"
	case 0xff03: // nDPI's stun
		return "google-meet"
	}
	return ""
}

// messageProduct is the product that alone sends messages of a type: methods
// that IANA has not assigned (nDPI's stun).
func messageProduct(typ uint16) string {
	switch typ {
	case 0x0800, 0x0801, 0x0802, 0x0804, 0x0805:
		return "whatsapp"
	}
	return ""
}

// products looks at all messages of today among datagrams: whose they are, and
// which peers the newest is about.
func products(w *dissect.Window, datagrams []dissect.Datagram, f *fact.Facts) {
	for i, d := range datagrams {
		if !modern(d.Payload) {
			continue
		}
		product(w, d.Payload, f)
		if i == len(datagrams)-1 {
			peers(w, d.Payload)
		}
	}
}

// product names the application whose own message this is, unless the bytes have
// named one already. The lengths of b fit.
func product(w *dissect.Window, b []byte, f *fact.Facts) {
	if f.Application != "" && f.By == fact.ByPayload {
		return
	}
	name := messageProduct(binary.BigEndian.Uint16(b))
	for c := dissect.NewCursor(b[headerLen:]); name == "" && c.Len() > 0; {
		typ, value := c.Uint16(), c.Vector16()
		c.Skip(min(-value.Len()&3, c.Len())) // padding
		switch typ {
		case attrRealm:
			w.Sign(dissect.STUNRealm, value.Rest(), fact.ByPayload, f)
		case attrSoftware:
			w.Sign(dissect.STUNSoftware, value.Rest(), fact.ByPayload, f)
		}
		name = attrProduct(typ)
	}
	if name != "" {
		f.Application, f.By = name, fact.ByPayload
	}
}

// peers tells of the addresses that a TURN message is about. The lengths of b fit.
func peers(w *dissect.Window, b []byte) {
	for c := dissect.NewCursor(b[headerLen:]); c.Len() > 0; {
		typ, value := c.Uint16(), c.Vector16()
		c.Skip(min(-value.Len()&3, c.Len())) // padding
		if typ != attrXORPeer && typ != attrXORRelayed {
			continue
		}
		if a, ok := address(value.Rest(), true, b[4:headerLen]); ok {
			w.Peers = append(w.Peers, a)
		}
	}
}
