package lab

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

// Packet is one unicast IP packet of a capture, without its link layer.
type Packet struct {
	At   time.Time
	Data []byte // whole: what the capture cut off is zero
	Sighting
}

// Capture is what a capture file holds for the lab.
type Capture struct {
	Packets []Packet
	// Skipped counts frames that no router forwards: not IP, broadcast,
	// multicast, link-local.
	Skipped int
}

// pcapngMagic is the block type of a pcapng section header (pcapng, 4.1).
const pcapngMagic = 0x0a0d0d0a

// maxSnaplen bounds what a packet header of a broken file can make us allocate;
// it is tcpdump's MAXIMUM_SNAPLEN.
const maxSnaplen = 262144

// errNoClient is a capture in which nobody talks.
var errNoClient = errors.New("it holds no packets that a router would forward")

// ReadCapture reads a pcap or pcapng file.
func ReadCapture(path string) (*Capture, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	c := &Capture{}
	if err := c.read(f); err != nil {
		return nil, fmt.Errorf("read capture %s: %w", path, err)
	}
	return c, nil
}

// frames is what pcapgo's two readers share.
type frames interface {
	ReadPacketData() ([]byte, gopacket.CaptureInfo, error)
	LinkType() layers.LinkType
}

func open(r *bufio.Reader) (frames, error) {
	magic, err := r.Peek(4)
	if err != nil {
		return nil, fmt.Errorf("read file header: %w", err)
	}
	if binary.BigEndian.Uint32(magic) == pcapngMagic {
		return pcapgo.NewNgReader(r, pcapgo.NgReaderOptions{WantMixedLinkType: false})
	}
	in, err := pcapgo.NewReader(r)
	if err != nil {
		return nil, err
	}
	if in.Snaplen() == 0 || in.Snaplen() > maxSnaplen {
		in.SetSnaplen(maxSnaplen)
	}
	return in, nil
}

func (c *Capture) read(r io.Reader) error {
	in, err := open(bufio.NewReader(r))
	if err != nil {
		return err
	}
	for {
		data, info, err := in.ReadPacketData()
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil // a cut file is played up to the cut
		}
		if err != nil {
			return err
		}
		p, ok := routable(data, in.LinkType())
		if !ok {
			c.Skipped++
			continue
		}
		p.At = info.Timestamp
		c.Packets = append(c.Packets, p)
	}
}

// routable finds the IP packet in a frame and says whether a router would
// forward it.
func routable(frame []byte, link layers.LinkType) (Packet, bool) {
	if link == layers.LinkTypeEthernet && len(frame) > 0 && frame[0]&1 == 1 {
		return Packet{}, false // group bit: broadcast or multicast (IEEE 802, 8.2)
	}
	decoded := gopacket.NewPacket(frame, link, gopacket.DecodeOptions{Lazy: true, NoCopy: true})
	network := decoded.NetworkLayer()
	if network == nil {
		return Packet{}, false
	}
	data := append(append([]byte(nil), network.LayerContents()...), network.LayerPayload()...)
	s, ok := sight(data)
	if !ok || !unicast(s.Src.Addr()) || !unicast(s.Dst.Addr()) || s.Length < len(network.LayerContents()) {
		return Packet{}, false
	}
	for len(data) < s.Length {
		data = append(data, 0)
	}
	return Packet{Data: data[:s.Length], Sighting: s}, true
}

func unicast(a netip.Addr) bool {
	return a.IsGlobalUnicast() && a != netip.AddrFrom4([4]byte{255, 255, 255, 255})
}

// Client guesses whose side of the capture is the LAN: the address that opened
// most conversations, a private one before a public one.
func (c *Capture) Client() (netip.Addr, error) {
	type pair struct {
		proto uint8
		a, b  netip.AddrPort
	}
	seen := map[pair]bool{}
	opened := map[netip.Addr]int{}
	var best netip.Addr
	for _, p := range c.Packets {
		if seen[pair{p.Proto, p.Src, p.Dst}] || seen[pair{p.Proto, p.Dst, p.Src}] {
			continue
		}
		seen[pair{p.Proto, p.Src, p.Dst}] = true
		a := p.Src.Addr()
		opened[a]++
		if !best.IsValid() || better(a, opened[a], best, opened[best]) {
			best = a
		}
	}
	if !best.IsValid() {
		return best, errNoClient
	}
	return best, nil
}

func better(a netip.Addr, opened int, than netip.Addr, thanOpened int) bool {
	if a.IsPrivate() != than.IsPrivate() {
		return a.IsPrivate()
	}
	return opened > thanOpened
}

// Of keeps the packets to and from one address.
func (c *Capture) Of(client netip.Addr) []Packet {
	var kept []Packet
	for _, p := range c.Packets {
		if p.Src.Addr() == client || p.Dst.Addr() == client {
			kept = append(kept, p)
		}
	}
	return kept
}

// fixIPv4Checksum recomputes the header checksum (RFC 1071): captures made
// on the sending host hold packets whose checksum the card was to fill in, and
// a router drops those.
func fixIPv4Checksum(b []byte) {
	if b[0]>>4 != 4 {
		return
	}
	header := b[:int(b[0]&0x0f)*4]
	header[10], header[11] = 0, 0
	var sum uint32
	for i := 0; i < len(header); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(header[i:]))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	binary.BigEndian.PutUint16(header[10:], ^uint16(sum))
}
