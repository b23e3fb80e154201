package ipfix

import "encoding/binary"

// Enterprise numbers (RFC 5103, 6.1; RFC 5612). netpol has none of its own: until the
// operator gives one, its elements have the number that is for documentation.
const (
	reversePEN       = 29305
	DocumentationPEN = 32473
	enterpriseBit    = 1 << 15
)

// Lengths. Names in tables have fixed ones: nfdump reads no others there.
const (
	variable        = 0xffff // of what says its own (RFC 7011, 7)
	longString      = 0xff   // a length of three bytes follows
	maxShort        = longString - 1
	applicationName = 40
	interfaceName   = 16 // IFNAMSIZ (linux/if.h)
)

// owner says whose number an element has.
type owner uint8

const (
	iana owner = iota
	reverse
	netpol
)

// Types of elements (RFC 5610, 3.1).
const (
	typeUnsigned16 = 2
	typeUnsigned32 = 3
	typeString     = 13
)

// element is an information element.
type element struct {
	id     uint16
	length uint16 // bytes, or variable
	owner  owner
}

// appendSpecifier appends a field specifier (RFC 7011, 3.2).
func (e element) appendSpecifier(b []byte, pen uint32) []byte {
	if e.owner == iana {
		return binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16(b, e.id), e.length)
	}
	if e.owner == reverse {
		pen = reversePEN
	}
	b = binary.BigEndian.AppendUint16(b, e.id|enterpriseBit)
	return binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint16(b, e.length), pen)
}

// Own is an information element of netpol's.
type Own struct {
	ID   uint16
	Name string
	Type uint8 // RFC 5610, 3.1
}

// Owns are netpol's elements, which exporters tell of with their templates
// (RFC 5610). Numbers are never given anew.
func Owns() []Own {
	return []Own{
		{1, "protocolName", typeString},
		{2, "brandName", typeString},
		{3, "hostName", typeString},
		{4, "dnsHostName", typeString},
		{5, "tlsServerName", typeString},
		{6, "tlsVersion", typeUnsigned16},
		{7, "tlsCipherSuite", typeUnsigned16},
		{8, "ja4", typeString},
		{9, "ja4s", typeString},
		{10, "alpn", typeString},
		{11, "quicVersion", typeString},
		{12, "conntrackMark", typeUnsigned32},
		{13, "conntrackLabels", typeString},
		{14, "policyNames", typeString},
		{15, "riskScore", typeUnsigned16},
		{16, "risks", typeString},
	}
}
