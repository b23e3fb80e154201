package capture

import (
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
	r      *slab
	big    bool  // numbers have their first byte highest
	factor int64 // nanoseconds per unit of the fraction field
	link   packet.LinkType
}

func newPcapReader(r *slab) (*pcapReader, error) {
	b, err := r.peek(4)
	if err != nil {
		return nil, errNotCapture
	}
	p := &pcapReader{r: r, factor: nanosPerMicro}
	var order binary.ByteOrder = binary.LittleEndian
	switch {
	case binary.LittleEndian.Uint32(b) == pcapMicros:
	case binary.BigEndian.Uint32(b) == pcapMicros:
		order = binary.BigEndian
	case binary.LittleEndian.Uint32(b) == pcapNanos:
		p.factor = 1
	case binary.BigEndian.Uint32(b) == pcapNanos:
		order, p.factor = binary.BigEndian, 1
	default:
		return nil, errNotCapture
	}
	p.big = order == binary.BigEndian
	if b, err = r.takeRest(pcapHeader); err != nil {
		return nil, fmt.Errorf("file header: %w", err)
	}
	if v := order.Uint16(b[4:]); v != pcapVersion {
		return nil, fmt.Errorf("pcap version %d is not supported, only 2", v)
	}
	p.link, err = linkType(order.Uint32(b[20:]) & linkTypeMask)
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
	head, err := p.r.take(pcapRecord)
	if err != nil {
		return err
	}
	captured := p.number(head[8:])
	if captured > maxPacket {
		return fmt.Errorf("packet of %d bytes, more than %d: the file is damaged", captured, maxPacket)
	}
	// What take gives next may lie elsewhere.
	kept := [pcapRecord]byte(head)
	data, err := p.r.takeRest(int(captured))
	p.fill(raw, kept[:], data)
	return err
}

// more goes over the bytes that are there in one loop: by way of next a packet took
// three calls more and twice as long (2026-11).
func (p *pcapReader) more(raws []packet.Raw) (n int) {
	b := p.r.rest()
	at := 0
	for n < len(raws) && len(b)-at >= pcapRecord {
		head := b[at : at+pcapRecord]
		captured := p.number(head[8:])
		if captured > maxPacket || len(b)-at-pcapRecord < int(captured) {
			break
		}
		data := at + pcapRecord
		at = data + int(captured)
		p.fill(&raws[n], head, b[data:at:at])
		n++
	}
	p.r.at += at
	return n
}

// fill makes a packet of its record's header and bytes.
func (p *pcapReader) fill(raw *packet.Raw, head, data []byte) {
	seconds, fraction, length := p.number(head), p.number(head[4:]), p.number(head[12:])
	*raw = packet.Raw{}
	raw.Data, raw.LinkType, raw.Length = data, p.link, recordedLength(length, data)
	raw.Timestamp = int64(seconds)*nanosPerSecond + int64(fraction)*p.factor
}

// number reads a field of a packet's header. A call by way of
// binary.ByteOrder's methods, four times a packet, costs more than the reading.
func (p *pcapReader) number(b []byte) uint32 {
	if p.big {
		return binary.BigEndian.Uint32(b)
	}
	return binary.LittleEndian.Uint32(b)
}

// recordedLength is a packet's length on the wire as the file tells it, which may
// be no less than what was captured and no more than an int holds.
func recordedLength(said uint32, data []byte) int {
	return max(int(min(said, math.MaxInt32)), len(data))
}
