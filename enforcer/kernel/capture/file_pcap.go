package capture

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"github.com/netpol/netpol/enforcer/packet"
)

// The pcap file format: draft-ietf-opsawg-pcap. Every number is in the byte
// order of the machine that wrote the file, which the magic number tells.
const (
	pcapMicros     = 0xa1b2c3d4
	pcapNanos      = 0xa1b23c4d
	pcapHeader     = 24
	pcapRecord     = 16
	pcapVersion    = 2
	linkTypeMask   = 0x03ffffff // the upper bits tell of a frame check sequence
	nanosPerMicro  = int64(time.Microsecond)
	nanosPerSecond = int64(time.Second)
)

// pcapReader reads the classic format.
type pcapReader struct {
	r      *bufio.Reader
	order  binary.ByteOrder
	factor int64 // nanoseconds per unit of the fraction field
	link   packet.LinkType
}

func newPcapReader(r *bufio.Reader) (*pcapReader, error) {
	magic, err := r.Peek(4)
	if err != nil {
		return nil, errNotCapture
	}
	p := &pcapReader{r: r, factor: nanosPerMicro}
	switch {
	case binary.LittleEndian.Uint32(magic) == pcapMicros:
		p.order = binary.LittleEndian
	case binary.BigEndian.Uint32(magic) == pcapMicros:
		p.order = binary.BigEndian
	case binary.LittleEndian.Uint32(magic) == pcapNanos:
		p.order, p.factor = binary.LittleEndian, 1
	case binary.BigEndian.Uint32(magic) == pcapNanos:
		p.order, p.factor = binary.BigEndian, 1
	default:
		return nil, errNotCapture
	}
	b, err := takeRest(r, pcapHeader)
	if err != nil {
		return nil, fmt.Errorf("file header: %w", err)
	}
	if v := p.order.Uint16(b[4:]); v != pcapVersion {
		return nil, fmt.Errorf("pcap version %d is not supported, only 2", v)
	}
	p.link, err = linkType(p.order.Uint32(b[20:]) & linkTypeMask)
	return p, err
}

// linkType checks a file's link type.
func linkType(n uint32) (packet.LinkType, error) {
	const dltRaw, dltRawOpenBSD = 12, 14 // DLT_RAW where LINKTYPE_RAW is meant
	switch n {
	case dltRaw, dltRawOpenBSD:
		return packet.LinkRaw, nil
	}
	link := packet.LinkType(n)
	if n > 0xffff || !link.Supported() {
		return 0, errLinkType(n)
	}
	return link, nil
}

func (p *pcapReader) next(raw *packet.Raw) error {
	head, err := take(p.r, pcapRecord)
	if err != nil {
		return err
	}
	*raw = packet.Raw{
		LinkType:  p.link,
		Timestamp: int64(p.order.Uint32(head))*nanosPerSecond + int64(p.order.Uint32(head[4:]))*p.factor,
	}
	captured, length := p.order.Uint32(head[8:]), p.order.Uint32(head[12:])
	if captured > maxPacket {
		return fmt.Errorf("packet of %d bytes, more than %d: the file is damaged", captured, maxPacket)
	}
	raw.Data, err = takeRest(p.r, int(captured))
	raw.Length = recordedLength(length, raw.Data)
	return err
}

// recordedLength is a packet's length on the wire as the file tells it, which may
// be no less than what was captured and no more than an int holds.
func recordedLength(said uint32, data []byte) int {
	return max(int(min(said, math.MaxInt32)), len(data))
}
