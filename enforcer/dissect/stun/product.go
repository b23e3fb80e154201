package stun

import (
	"bytes"
	"encoding/binary"

	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/lang/fact"
)

// attrRealm names who runs a relay (RFC 8489 section 14.9).
const attrRealm = 0x0014

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

// realms are parts of the names that products' relays give themselves.
var realms = [...]struct{ part, product string }{
	{"google.com", "google-meet"},
	{"signal.org", "signal"},
	{"whispersystems.org", "signal"},
	{"facebook", "facebook"}, // "turner.facebook"
	{"telegram", "telegram"},
	{"viber.com", "viber"},
}

// product names the application whose own message this is, unless one is named
// already. The lengths of b fit.
func product(b []byte, f *fact.Facts) {
	if f.Application != "" {
		return
	}
	name := messageProduct(binary.BigEndian.Uint16(b))
	for c := dissect.NewCursor(b[headerLen:]); name == "" && c.Len() > 0; {
		typ, value := c.Uint16(), c.Vector16()
		c.Skip(min(-value.Len()&3, c.Len())) // padding
		if typ == attrRealm {
			name = realmProduct(value.Rest())
		} else {
			name = attrProduct(typ)
		}
	}
	if name != "" {
		f.Application, f.By = name, fact.ByPayload
	}
}

func realmProduct(realm []byte) string {
	for _, r := range &realms {
		if bytes.Contains(realm, []byte(r.part)) {
			return r.product
		}
	}
	return ""
}

// products looks at all messages of today among datagrams.
func products(datagrams []dissect.Datagram, f *fact.Facts) {
	for _, d := range datagrams {
		if f.Application == "" && modern(d.Payload) {
			product(d.Payload, f)
		}
	}
}
