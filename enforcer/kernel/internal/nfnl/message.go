package nfnl

import "encoding/binary"

// Sizes of the fixed parts (linux/netlink.h, linux/netfilter/nfnetlink.h).
const (
	headerLen  = 16 // struct nlmsghdr
	genmsgLen  = 4  // struct nfgenmsg
	attrHeader = 4  // struct nlattr
	errorLen   = 4 + headerLen
)

// Message types and flags below are linux/netlink.h's.
const (
	typeError = 2
	typeDone  = 3

	FlagRequest = 0x1
	FlagAck     = 0x4
	FlagDump    = 0x300 // NLM_F_ROOT | NLM_F_MATCH
	FlagCreate  = 0x400
	FlagAppend  = 0x800

	// FlagDumpInterrupted stands on answers when what is dumped changed meanwhile.
	FlagDumpInterrupted = 0x10

	flagCapped = 0x100 // on an error: the message is not copied behind it
	flagTLVs   = 0x200 // on an error: attributes follow

	flagNested = 0x8000
	typeMask   = 0x3fff
)

// Begin appends the header and the nfgenmsg of a message to b: typ is
// subsystem<<8 | message, family an AF_*, resID a group or a subsystem. It
// returns where the message starts, for End.
func Begin(b []byte, typ, flags uint16, seq uint32, family uint8, resID uint16) ([]byte, int) {
	start := len(b)
	b = append(b, 0, 0, 0, 0)
	b = binary.NativeEndian.AppendUint16(b, typ)
	b = binary.NativeEndian.AppendUint16(b, flags)
	b = binary.NativeEndian.AppendUint32(b, seq)
	b = append(b, 0, 0, 0, 0) // port: the kernel fills it in
	b = append(b, family, 0)  // version NFNETLINK_V0
	return binary.BigEndian.AppendUint16(b, resID), start
}

// End writes the length of the message that starts at start.
func End(b []byte, start int) []byte {
	binary.NativeEndian.PutUint32(b[start:], uint32(len(b)-start))
	return b
}

// AddFlags sets flags on the message that starts at b[0].
func AddFlags(b []byte, flags uint16) {
	binary.NativeEndian.PutUint16(b[6:], binary.NativeEndian.Uint16(b[6:])|flags)
}

// Bytes appends one attribute. data must be shorter than 64 KiB.
func Bytes(b []byte, typ uint16, data []byte) []byte {
	b = binary.NativeEndian.AppendUint16(b, uint16(attrHeader+len(data)))
	b = binary.NativeEndian.AppendUint16(b, typ)
	b = append(b, data...)
	return pad(b, len(data))
}

// String appends one NUL-terminated attribute.
func String(b []byte, typ uint16, s string) []byte {
	b = binary.NativeEndian.AppendUint16(b, uint16(attrHeader+len(s)+1))
	b = binary.NativeEndian.AppendUint16(b, typ)
	b = append(b, s...)
	b = append(b, 0)
	return pad(b, len(s)+1)
}

// Uint8 appends one byte.
func Uint8(b []byte, typ uint16, v uint8) []byte {
	b = binary.NativeEndian.AppendUint16(b, attrHeader+1)
	b = binary.NativeEndian.AppendUint16(b, typ)
	return append(b, v, 0, 0, 0)
}

// Uint16 appends a big-endian number.
func Uint16(b []byte, typ, v uint16) []byte {
	b = binary.NativeEndian.AppendUint16(b, attrHeader+2)
	b = binary.NativeEndian.AppendUint16(b, typ)
	b = binary.BigEndian.AppendUint16(b, v)
	return append(b, 0, 0)
}

// Uint32 appends a big-endian number.
func Uint32(b []byte, typ uint16, v uint32) []byte {
	b = binary.NativeEndian.AppendUint16(b, attrHeader+4)
	b = binary.NativeEndian.AppendUint16(b, typ)
	return binary.BigEndian.AppendUint32(b, v)
}

// Uint64 appends a big-endian number.
func Uint64(b []byte, typ uint16, v uint64) []byte {
	b = binary.NativeEndian.AppendUint16(b, attrHeader+8)
	b = binary.NativeEndian.AppendUint16(b, typ)
	return binary.BigEndian.AppendUint64(b, v)
}

// Nest opens a nested attribute; Unnest closes it.
func Nest(b []byte, typ uint16) ([]byte, int) {
	start := len(b)
	b = append(b, 0, 0)
	return binary.NativeEndian.AppendUint16(b, typ|flagNested), start
}

// Unnest writes the length of the nest that starts at start.
func Unnest(b []byte, start int) []byte {
	binary.NativeEndian.PutUint16(b[start:], uint16(len(b)-start))
	return b
}

// pad aligns to 4 bytes behind a payload of n bytes (NLA_ALIGN).
func pad(b []byte, n int) []byte {
	for ; n%4 != 0; n++ {
		b = append(b, 0)
	}
	return b
}

// Message is one received message; Data starts behind the nfgenmsg for
// messages of a subsystem, behind the header for NLMSG_ERROR and NLMSG_DONE.
type Message struct {
	Type, Flags uint16
	Seq         uint32
	Family      uint8
	ResID       uint16
	Data        []byte
}

// Next cuts the first message off b. ok is false at the end, and where the
// lengths make no sense: nothing behind such a place can be trusted.
func Next(b []byte) (m Message, rest []byte, ok bool) {
	if len(b) < headerLen {
		return Message{}, nil, false
	}
	n := int(binary.NativeEndian.Uint32(b))
	if n < headerLen || n > len(b) {
		return Message{}, nil, false
	}
	m = Message{
		Type:  binary.NativeEndian.Uint16(b[4:]),
		Flags: binary.NativeEndian.Uint16(b[6:]),
		Seq:   binary.NativeEndian.Uint32(b[8:]),
		Data:  b[headerLen:n],
	}
	if m.Type > 0xff {
		if len(m.Data) < genmsgLen {
			return Message{}, nil, false
		}
		m.Family, m.ResID = m.Data[0], binary.BigEndian.Uint16(m.Data[2:])
		m.Data = m.Data[genmsgLen:]
	}
	return m, b[min(align(n), len(b)):], true
}

// IsDone reports the end of a dump, or of a group of logged packets.
func (m Message) IsDone() bool { return m.Type == typeDone }

// Errno is what an NLMSG_ERROR says: 0 is an acknowledgement. ok is false for
// other messages.
func (m Message) Errno() (errno uint32, ok bool) {
	if m.Type != typeError || len(m.Data) < 4 {
		return 0, false
	}
	return uint32(-int32(binary.NativeEndian.Uint32(m.Data))), true
}

// DumpErrno is the error that ended a dump; 0 is success.
func (m Message) DumpErrno() uint32 {
	if m.Type != typeDone || len(m.Data) < 4 {
		return 0
	}
	return uint32(-int32(binary.NativeEndian.Uint32(m.Data)))
}

// Explanation is the kernel's own words on an error (NLMSGERR_ATTR_MSG),
// empty if it has none.
func (m Message) Explanation() string {
	if m.Type != typeError || m.Flags&flagTLVs == 0 || len(m.Data) < errorLen {
		return ""
	}
	skip := errorLen
	if m.Flags&flagCapped == 0 {
		// The whole failed message stands before the attributes.
		skip = 4 + align(int(binary.NativeEndian.Uint32(m.Data[4:])))
	}
	if skip < errorLen || skip > len(m.Data) {
		return ""
	}
	for a, rest, ok := NextAttr(m.Data[skip:]); ok; a, rest, ok = NextAttr(rest) {
		if a.Type == 1 { // NLMSGERR_ATTR_MSG
			return a.String()
		}
	}
	return ""
}

// Attr is one attribute; Data has no padding.
type Attr struct {
	Type uint16 // without the nested and byte-order flags
	Data []byte
}

// NextAttr cuts the first attribute off b, as Next does messages.
func NextAttr(b []byte) (a Attr, rest []byte, ok bool) {
	if len(b) < attrHeader {
		return Attr{}, nil, false
	}
	n := int(binary.NativeEndian.Uint16(b))
	if n < attrHeader || n > len(b) {
		return Attr{}, nil, false
	}
	a = Attr{Type: binary.NativeEndian.Uint16(b[2:]) & typeMask, Data: b[attrHeader:n]}
	return a, b[min(align(n), len(b)):], true
}

// String is the attribute's text up to its NUL.
func (a Attr) String() string {
	for i, c := range a.Data {
		if c == 0 {
			return string(a.Data[:i])
		}
	}
	return string(a.Data)
}

// Uint8 is the attribute's first byte, 0 if it has none.
func (a Attr) Uint8() uint8 {
	if len(a.Data) < 1 {
		return 0
	}
	return a.Data[0]
}

// Uint16 is a big-endian number, 0 if the attribute is too short.
func (a Attr) Uint16() uint16 {
	if len(a.Data) < 2 {
		return 0
	}
	return binary.BigEndian.Uint16(a.Data)
}

// Uint32 is a big-endian number, 0 if the attribute is too short.
func (a Attr) Uint32() uint32 {
	if len(a.Data) < 4 {
		return 0
	}
	return binary.BigEndian.Uint32(a.Data)
}

// Uint64 is a big-endian number, 0 if the attribute is too short.
func (a Attr) Uint64() uint64 {
	if len(a.Data) < 8 {
		return 0
	}
	return binary.BigEndian.Uint64(a.Data)
}

// align is NLMSG_ALIGN and NLA_ALIGN: up to a multiple of 4.
func align(n int) int { return (n + 3) &^ 3 }
