package ipfix

import (
	"encoding/binary"
	"net/netip"
	"unicode/utf8"

	"github.com/netpol/netpol/enforcer/telemetry/record"
)

// Reasons why a record is made (RFC 5102, 5.11.3, flowEndReason).
const (
	IdleTimeout     = 1
	ActiveTimeout   = 2
	EndOfFlow       = 3
	ForcedEnd       = 4
	LackOfResources = 5
)

// Counts are what one side sent.
type Counts struct{ Bytes, Packets uint64 }

// Flow is what a record is made of.
type Flow struct {
	Detail  *record.Detail
	Total   [2]Counts // of the source, of the destination
	Delta   [2]Counts // since the record before
	Reason  uint8
	Ingress uint32 // index of the interface; 0 when it is not known

	text int // how many bytes of each string are told
	pen  uint32
}

// source is the side that opened the flow, and destination the other.
func (f *Flow) source() (netip.Addr, string, int) {
	if d := f.Detail; !d.LocalOrigin {
		return d.OtherIP, d.OtherMAC, d.OtherPort
	}
	return f.Detail.LocalIP, f.Detail.LocalMAC, f.Detail.LocalPort
}

func (f *Flow) destination() (netip.Addr, string, int) {
	if d := f.Detail; !d.LocalOrigin {
		return d.LocalIP, d.LocalMAC, d.LocalPort
	}
	return f.Detail.OtherIP, f.Detail.OtherMAC, f.Detail.OtherPort
}

// field is an element of a record of a flow, and how it is written.
type field struct {
	element
	put func(b []byte, f *Flow) []byte
}

// flowFields are the elements of a record of a flow, addresses left out: those that
// have a fixed length first, strings last.
func flowFields() []field {
	number := func(id, length uint16, of func(*Flow) uint64) field {
		return field{element{id: id, length: length}, func(b []byte, f *Flow) []byte { return appendNumber(b, length, of(f)) }}
	}
	own := func(id, length uint16, of func(*Flow) uint64) field {
		n := number(id, length, of)
		n.owner = netpol
		return n
	}
	back := func(id uint16, of func(*Flow) uint64) field {
		n := number(id, 8, of)
		n.owner = reverse
		return n
	}
	text := func(id uint16, whose owner, of func(*record.Detail) string) field {
		return field{element{id, variable, whose}, func(b []byte, f *Flow) []byte { return appendText(b, of(f.Detail), f.text) }}
	}
	texts := func(id uint16, of func(*record.Detail) []string) field {
		return field{element{id, variable, netpol}, func(b []byte, f *Flow) []byte { return appendTexts(b, of(f.Detail), f.text) }}
	}
	return []field{
		number(148, 8, func(f *Flow) uint64 { return binary.BigEndian.Uint64(f.Detail.Digest[:]) }),                             // flowId
		number(7, 2, func(f *Flow) uint64 { _, _, port := f.source(); return uint64(port) }),                                    // sourceTransportPort
		number(11, 2, func(f *Flow) uint64 { _, _, port := f.destination(); return uint64(port) }),                              // destinationTransportPort
		number(4, 1, func(f *Flow) uint64 { return uint64(f.Detail.IPProtocol) }),                                               // protocolIdentifier
		number(5, 1, func(f *Flow) uint64 { return uint64(f.Detail.IPDSCP) << 2 }),                                              // ipClassOfService: the bits of ECN are not known
		number(195, 1, func(f *Flow) uint64 { return uint64(f.Detail.IPDSCP) }),                                                 // ipDiffServCodePoint
		number(58, 2, func(f *Flow) uint64 { return uint64(f.Detail.VLANID) }),                                                  // vlanId
		number(10, 4, func(f *Flow) uint64 { return uint64(f.Ingress) }),                                                        // ingressInterface
		{element{id: 56, length: 6}, func(b []byte, f *Flow) []byte { _, mac, _ := f.source(); return appendMAC(b, mac) }},      // sourceMacAddress
		{element{id: 80, length: 6}, func(b []byte, f *Flow) []byte { _, mac, _ := f.destination(); return appendMAC(b, mac) }}, // destinationMacAddress
		number(152, 8, func(f *Flow) uint64 { return uint64(f.Detail.FirstSeenAt) }),                                            // flowStartMilliseconds
		number(153, 8, func(f *Flow) uint64 { return uint64(f.Detail.LastSeenAt) }),                                             // flowEndMilliseconds
		number(136, 1, func(f *Flow) uint64 { return uint64(f.Reason) }),                                                        // flowEndReason
		number(239, 1, func(*Flow) uint64 { return 1 }),                                                                         // biflowDirection: the source opened it
		// Totals come before what was carried since the last record: collectors with one
		// place for both keep the later one.
		number(85, 8, func(f *Flow) uint64 { return f.Total[0].Bytes }),   // octetTotalCount
		number(86, 8, func(f *Flow) uint64 { return f.Total[0].Packets }), // packetTotalCount
		back(85, func(f *Flow) uint64 { return f.Total[1].Bytes }),
		back(86, func(f *Flow) uint64 { return f.Total[1].Packets }),
		number(1, 8, func(f *Flow) uint64 { return f.Delta[0].Bytes }),   // octetDeltaCount
		number(2, 8, func(f *Flow) uint64 { return f.Delta[0].Packets }), // packetDeltaCount
		back(1, func(f *Flow) uint64 { return f.Delta[1].Bytes }),
		back(2, func(f *Flow) uint64 { return f.Delta[1].Packets }),
		{element{id: 95, length: applicationIDLength}, func(b []byte, f *Flow) []byte { return appendApplicationID(b, f.pen, f.Detail.ApplicationName) }},
		own(6, 2, func(f *Flow) uint64 { return uint64(f.Detail.SSL.Version) }),
		own(7, 2, func(f *Flow) uint64 { return uint64(f.Detail.SSL.CipherSuite) }),
		own(12, 4, func(f *Flow) uint64 { return uint64(f.Detail.Conntrack.Mark) }),
		own(15, 2, func(f *Flow) uint64 { return uint64(min(f.Detail.Risks.Score, 0xffff)) }),
		text(96, iana, func(d *record.Detail) string { return d.ApplicationName }),       // applicationName
		text(372, iana, func(d *record.Detail) string { return d.Category.Application }), // applicationCategoryName
		text(1, netpol, func(d *record.Detail) string { return d.ProtocolName }),
		text(2, netpol, func(d *record.Detail) string { return d.BrandName }),
		text(3, netpol, func(d *record.Detail) string { return d.HostName }),
		text(4, netpol, func(d *record.Detail) string { return d.DNSHostName }),
		text(5, netpol, func(d *record.Detail) string { return d.SSL.ClientSNI }),
		text(8, netpol, func(d *record.Detail) string { return d.SSL.ClientJA4 }),
		text(9, netpol, func(d *record.Detail) string { return d.SSL.ServerJA4 }),
		text(10, netpol, func(d *record.Detail) string { return string(d.SSL.ALPN) }),
		text(11, netpol, func(d *record.Detail) string { return d.SSL.QUICVersion }),
		texts(13, func(d *record.Detail) []string { return d.Labels }),
		texts(14, func(d *record.Detail) []string { return d.Policies }),
		text(16, netpol, func(d *record.Detail) string { return string(d.Risks.Names) }),
		text(468, iana, func(d *record.Detail) string { return d.HTTP.UserAgent }), // httpUserAgent
	}
}

// addressFields are the elements of a flow's addresses; those after translation, and their ports, only
// of flows that are translated.
func addressFields(v6, nat bool) []field {
	ids, length := [4]uint16{8, 12, 225, 226}, uint16(4) // source, destination, post-NAT source and destination
	if v6 {
		ids, length = [4]uint16{27, 28, 281, 282}, 16
	}
	address := func(id uint16, of func(*Flow) netip.Addr) field {
		return field{element{id: id, length: length}, func(b []byte, f *Flow) []byte { return appendAddr(b, of(f), v6) }}
	}
	port := func(id uint16, of func(*Flow) int) field {
		return field{element{id: id, length: 2}, func(b []byte, f *Flow) []byte { return appendNumber(b, 2, uint64(of(f))) }}
	}
	fields := []field{
		address(ids[0], func(f *Flow) netip.Addr { a, _, _ := f.source(); return a }),
		address(ids[1], func(f *Flow) netip.Addr { a, _, _ := f.destination(); return a }),
	}
	if nat {
		fields = append(fields,
			address(ids[2], func(f *Flow) netip.Addr { return f.Detail.Conntrack.ReplyDstIP }),
			address(ids[3], func(f *Flow) netip.Addr { return f.Detail.Conntrack.ReplySrcIP }),
			port(227, func(f *Flow) int { return f.Detail.Conntrack.ReplyDstPort }), // postNAPTSourceTransportPort
			port(228, func(f *Flow) int { return f.Detail.Conntrack.ReplySrcPort })) // postNAPTDestinationTransportPort
	}
	return fields
}

// zeros are what is not known.
const zeros = "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"

func appendNumber(b []byte, length uint16, n uint64) []byte {
	for shift := 8 * (int(length) - 1); shift >= 0; shift -= 8 {
		b = append(b, byte(n>>shift))
	}
	return b
}

// appendAddr appends an address; zeros where there is none. One of IPv4 beside one of IPv6 is mapped (RFC
// 4291, 2.5.5.2).
func appendAddr(b []byte, a netip.Addr, v6 bool) []byte {
	switch {
	case v6 && a.IsValid():
		out := a.As16()
		return append(b, out[:]...)
	case v6:
		return append(b, zeros[:16]...)
	case a.Is4():
		out := a.As4()
		return append(b, out[:]...)
	}
	return append(b, 0, 0, 0, 0)
}

// appendMAC appends a hardware address from its text; zeros when there is none.
func appendMAC(b []byte, text string) []byte {
	const bytes = 6
	if len(text) != 3*bytes-1 {
		return append(b, zeros[:bytes]...)
	}
	for i := range bytes {
		b = append(b, nibble(text[3*i])<<4|nibble(text[3*i+1]))
	}
	return b
}

func nibble(c byte) byte {
	switch {
	case c >= 'a':
		return (c - 'a' + 10) & 15
	case c >= 'A':
		return (c - 'A' + 10) & 15
	}
	return (c - '0') & 15
}

// appendTexts appends a list, joined by commas, as far as whole words fit.
func appendTexts(b []byte, list []string, most int) []byte {
	start := len(b)
	b = append(b, longString, 0, 0)
	for i, word := range list {
		if len(b)-start-3+1+len(word) > most {
			break
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = appendClean(b, word, most)
	}
	return closeText(b, start)
}

// appendText appends a string with its length before it.
func appendText(b []byte, s string, most int) []byte {
	if s == "" {
		return append(b, 0)
	}
	start := len(b)
	return closeText(appendClean(append(b, longString, 0, 0), s, most), start)
}

// closeText writes the length of the text that began, with three bytes for it, at
// start; in one byte where that is enough (RFC 7011, 7).
func closeText(b []byte, start int) []byte {
	n := len(b) - start - 3
	if n > maxShort {
		binary.BigEndian.PutUint16(b[start+1:], uint16(n))
		return b
	}
	b[start] = byte(n)
	copy(b[start+1:], b[start+3:])
	return b[:len(b)-2]
}

// appendClean appends at most so many bytes of a word, in whole characters. What
// steers terminals, and bytes that are not UTF-8, become U+FFFD: collectors print what
// they get.
func appendClean(b []byte, s string, most int) []byte {
	end := len(b) + most
	if len(s) <= most && plain(s) {
		return append(b, s...)
	}
	for _, r := range s {
		if r < ' ' || r == 0x7f || record.Deceptive(r) {
			r = '\ufffd'
		}
		if len(b)+utf8.RuneLen(r) > end {
			break
		}
		b = utf8.AppendRune(b, r)
	}
	return b
}

// appendPadded appends a string of a fixed length, with zeros after it.
func appendPadded(b []byte, s string, length int) []byte {
	end := len(b) + length
	b = appendClean(b, s, length)
	for len(b) < end {
		b = append(b, 0)
	}
	return b
}

// plain says that a word is ASCII without controls, as nearly all are.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= 0x7f {
			return false
		}
	}
	return true
}
