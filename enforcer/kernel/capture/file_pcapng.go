package capture

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"strconv"

	"github.com/netpol/netpol/enforcer/packet"
)

// Block types of pcapng (draft-ietf-opsawg-pcapng, section 4).
const (
	ngSectionHeader  = 0x0a0d0d0a // a palindrome: the same in both byte orders
	ngInterface      = 1
	ngOldPacket      = 2 // obsolete, still found in files
	ngSimplePacket   = 3
	ngEnhancedPacket = 6
	ngByteOrder      = 0x1a2b3c4d
)

// Options of an interface description block.
const (
	ngOptEnd      = 0
	ngOptIfName   = 2
	ngOptTSResol  = 9
	ngOptTSOffset = 14
)

const (
	ngMinBlock = 12 // type, length, length again
	// ngMaxBlock bounds what a block's length may be: a packet and its options.
	ngMaxBlock = maxPacket + 64<<10
	// ngMaxInterfaces and ngMaxName bound what a file can make us remember;
	// dumpcap itself takes no more than some dozens of interfaces.
	ngMaxInterfaces = 4096
	ngMaxName       = 256
)

var errBlock = errors.New("a block's length is wrong: the file is damaged")

// ngReader reads pcapng. gopacket's reader takes a file cut short for a whole
// one, and lets lengths from the file index and allocate unchecked, so we have
// our own. Each packet has the link type of its own interface.
type ngReader struct {
	r          *slab
	order      binary.ByteOrder
	interfaces []ngIface
	last       int64   // time stamp, for packets without one
	unread     int     // packets of interfaces that cannot be read
	first      ngIface // of which the first of them was
}

// ngIface is an interface of the current section.
type ngIface struct {
	link    packet.LinkType
	err     error  // why its packets cannot be read
	snaplen uint32 // 0 for no limit
	name    string
	units   uint64 // time stamp units per second
	offset  int64  // seconds to add to time stamps
}

func (n *ngReader) next(raw *packet.Raw) error {
	for {
		kind, body, err := n.block()
		if err != nil {
			return n.end(err)
		}
		switch kind {
		case ngSectionHeader:
			err = n.section(body)
		case ngInterface:
			err = n.describe(body)
		case ngEnhancedPacket:
			err = n.enhanced(body, raw)
		case ngOldPacket:
			err = n.old(body, raw)
		case ngSimplePacket:
			err = n.simple(body, raw)
		default:
			continue
		}
		switch {
		case errors.Is(err, errUnread):
			continue
		case err == nil && (kind == ngSectionHeader || kind == ngInterface):
			continue
		default:
			return err
		}
	}
}

// errUnread says that a packet is of an interface that cannot be read.
var errUnread = errors.New("not read")

// end is how the file ends: not well where packets had to be left out.
func (n *ngReader) end(err error) error {
	if !errors.Is(err, io.EOF) || n.unread == 0 {
		return err
	}
	packets := "1 packet"
	if n.unread > 1 {
		packets = strconv.Itoa(n.unread) + " packets"
	}
	return fmt.Errorf("%s could not be read, the first of the interface %q: %w", packets, n.first.name, n.first.err)
}

// section begins another section, whose interfaces are its own.
func (n *ngReader) section(b []byte) error {
	n.interfaces = n.interfaces[:0]
	if len(b) < 12 {
		return errBlock
	}
	if major := n.order.Uint16(b); major != 1 {
		return fmt.Errorf("pcapng version %d", major)
	}
	return nil
}

// more gives none: what a block holds and whether it is whole is for next to find.
func (n *ngReader) more([]packet.Raw) int { return 0 }

// block reads one block and gives its body, valid until the next call.
func (n *ngReader) block() (kind uint32, body []byte, err error) {
	head, err := n.r.take(8)
	if err != nil {
		return 0, nil, err
	}
	kind, read := n.order.Uint32(head), 8
	length := n.order.Uint32(head[4:])
	if kind == ngSectionHeader {
		// Its length is in the byte order that the mark after it tells.
		bytes := [4]byte(head[4:])
		if err := n.byteOrder(); err != nil {
			return 0, nil, err
		}
		length, read = n.order.Uint32(bytes[:]), 12
	}
	if length < ngMinBlock || length%4 != 0 || int64(length) < int64(read)+4 {
		return 0, nil, errBlock
	}
	if !n.wanted(kind) {
		return kind, nil, n.r.skip(int64(length) - int64(read))
	}
	if length > ngMaxBlock {
		return 0, nil, errBlock
	}
	rest, err := n.r.takeRest(int(length) - read)
	if err != nil {
		return 0, nil, err
	}
	if n.order.Uint32(rest[len(rest)-4:]) != length {
		return 0, nil, errBlock
	}
	return kind, rest[:len(rest)-4], nil
}

// byteOrder reads the mark of a section header.
func (n *ngReader) byteOrder() error {
	mark, err := n.r.takeRest(4)
	switch {
	case err != nil:
		return err
	case binary.LittleEndian.Uint32(mark) == ngByteOrder:
		n.order = binary.LittleEndian
	case binary.BigEndian.Uint32(mark) == ngByteOrder:
		n.order = binary.BigEndian
	default:
		return errors.New("a section header has no byte order mark")
	}
	return nil
}

// wanted says that the block's body is looked into.
func (n *ngReader) wanted(kind uint32) bool {
	switch kind {
	case ngSectionHeader, ngInterface, ngEnhancedPacket, ngOldPacket, ngSimplePacket:
		return true
	}
	return false
}

// describe reads an interface description block. A link type we do not read
// is an error only when a packet of that interface comes.
func (n *ngReader) describe(b []byte) error {
	if len(b) < 8 || len(n.interfaces) == ngMaxInterfaces {
		return errBlock
	}
	iface := ngIface{units: 1e6, snaplen: n.order.Uint32(b[4:])}
	iface.link, iface.err = linkType(uint32(n.order.Uint16(b)))
	for b = b[8:]; len(b) >= 4; {
		code, size := n.order.Uint16(b), int(n.order.Uint16(b[2:]))
		padded := (size + 3) &^ 3
		if code == ngOptEnd || 4+padded > len(b) {
			break
		}
		iface.option(n.order, code, b[4:4+size])
		b = b[4+padded:]
	}
	n.interfaces = append(n.interfaces, iface)
	return nil
}

func (i *ngIface) option(order binary.ByteOrder, code uint16, value []byte) {
	switch {
	case code == ngOptIfName && len(value) <= ngMaxName:
		i.name = string(value)
	case code == ngOptTSResol && len(value) >= 1:
		i.units = resolution(value[0])
	case code == ngOptTSOffset && len(value) >= 8:
		i.offset = int64(order.Uint64(value))
	}
}

// resolution is how many units a second has: a power of 10, or of 2 when the
// top bit is set. What does not fit 64 bits leaves microseconds.
func resolution(v byte) uint64 {
	base, power := uint64(10), int(v&0x7f)
	if v&0x80 != 0 {
		base = 2
	}
	units := uint64(1)
	for range power {
		hi, lo := bits.Mul64(units, base)
		if hi != 0 {
			return 1e6
		}
		units = lo
	}
	return units
}

// nanos turns a time stamp of the interface into nanoseconds since 1970.
func (i *ngIface) nanos(stamp uint64) int64 {
	seconds, rest := stamp/i.units, stamp%i.units
	hi, lo := bits.Mul64(rest, uint64(nanosPerSecond))
	fraction, _ := bits.Div64(hi, lo, i.units) // rest < units: no overflow
	return (int64(seconds)+i.offset)*nanosPerSecond + int64(fraction)
}

func (n *ngReader) enhanced(b []byte, raw *packet.Raw) error {
	if len(b) < 20 {
		return errBlock
	}
	stamp := uint64(n.order.Uint32(b[4:]))<<32 | uint64(n.order.Uint32(b[8:]))
	return n.packet(n.order.Uint32(b), &stamp, n.order.Uint32(b[12:]), n.order.Uint32(b[16:]), b[20:], raw)
}

func (n *ngReader) old(b []byte, raw *packet.Raw) error {
	if len(b) < 20 {
		return errBlock
	}
	stamp := uint64(n.order.Uint32(b[4:]))<<32 | uint64(n.order.Uint32(b[8:]))
	return n.packet(uint32(n.order.Uint16(b)), &stamp, n.order.Uint32(b[12:]), n.order.Uint32(b[16:]), b[20:], raw)
}

// simple reads a packet without a time stamp; its length is bounded by the
// snap length of the first interface.
func (n *ngReader) simple(b []byte, raw *packet.Raw) error {
	if len(b) < 4 || len(n.interfaces) == 0 {
		return errBlock
	}
	length := n.order.Uint32(b)
	captured := length
	if snap := n.interfaces[0].snaplen; snap != 0 {
		captured = min(captured, snap)
	}
	return n.packet(0, nil, captured, length, b[4:], raw)
}

// packet fills raw. stamp is nil when the block has none.
func (n *ngReader) packet(iface uint32, stamp *uint64, captured, length uint32, data []byte, raw *packet.Raw) error {
	if uint64(iface) >= uint64(len(n.interfaces)) {
		return fmt.Errorf("a packet of interface %d, which the file does not describe", iface)
	}
	i := &n.interfaces[iface]
	if i.err != nil {
		if n.unread++; n.unread == 1 {
			n.first = *i
		}
		return errUnread
	}
	if uint64(captured) > uint64(len(data)) || captured > maxPacket {
		return errBlock
	}
	*raw = packet.Raw{
		Data:      data[:captured],
		LinkType:  i.link,
		Length:    recordedLength(length, data[:captured]),
		Interface: i.name,
	}
	if stamp != nil {
		n.last = i.nanos(*stamp)
	}
	raw.Timestamp = n.last
	return nil
}
