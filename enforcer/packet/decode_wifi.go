package packet

import "encoding/binary"

// IEEE 802.11-2020, 9.2.4 and 9.3.2: data frames.
const (
	wifiHeader    = 24
	wifiTypeData  = 2
	wifiNullData  = 0x4 // bit of the subtype: no data follows
	wifiQoS       = 0x8 // bit of the subtype
	wifiToDS      = 0x01
	wifiFromDS    = 0x02
	wifiMoreFrags = 0x04
	wifiProtected = 0x40
	wifiOrder     = 0x80
	wifiAMSDU     = 0x80 // bit of QoS control
)

// Lengths of the headers that cards put before a frame.
const (
	prismHeader = 144 // the wlan-ng header has a fixed length
	avsMagic    = 0x80211001
	// Radiotap (radiotap.org): the TSFT field is 8 bytes, aligned; the flags
	// come next.
	radiotapTSFT    = 1 << 0
	radiotapFlags   = 1 << 1
	radiotapMore    = 1 << 31 // another word of present bits follows
	radiotapDataPad = 0x20    // in flags: the 802.11 header is padded to 4 bytes
)

// decodeWiFi reads a frame of IEEE 802.11 in a capture file, behind the header
// that the card put before it. Frames that are encrypted, or part of an
// aggregate or of a fragmented one, are left alone.
func decodeWiFi(link LinkType, b []byte, p *Parsed) {
	skip, padded := 0, false
	if link == LinkRadiotap {
		skip, padded = radiotap(b)
	} else if link != LinkWiFi {
		skip = prism(b)
	}
	if skip < 0 || len(b) < skip+wifiHeader {
		p.Drop = DropShort
		return
	}
	decodeWiFiFrame(b[skip:], padded, p)
}

// radiotap is the header's length and whether the frame's header is padded; -1
// for a header that is not whole.
func radiotap(b []byte) (length int, padded bool) {
	if len(b) < 8 || b[0] != 0 {
		return -1, false
	}
	length = int(binary.LittleEndian.Uint16(b[2:]))
	if length < 8 || length > len(b) {
		return -1, false
	}
	present, at := binary.LittleEndian.Uint32(b[4:]), 8
	for word := present; word&radiotapMore != 0; at += 4 {
		if at+4 > length {
			return -1, false
		}
		word = binary.LittleEndian.Uint32(b[at:])
	}
	if present&radiotapTSFT != 0 {
		at = (at+7)&^7 + 8
	}
	if present&radiotapFlags != 0 && at < length {
		padded = b[at]&radiotapDataPad != 0
	}
	return length, padded
}

// prism is the length of a Prism or AVS header, which captures give one link
// type; -1 for a header that is not whole.
func prism(b []byte) int {
	if len(b) < 8 {
		return -1
	}
	if binary.BigEndian.Uint32(b) == avsMagic {
		return int(min(binary.BigEndian.Uint32(b[4:]), 1<<16))
	}
	return prismHeader
}

func decodeWiFiFrame(b []byte, padded bool, p *Parsed) {
	kind, subtype, flags := b[0]>>2&3, b[0]>>4, b[1]
	fragment := b[22] & 0x0f
	if kind != wifiTypeData || subtype&wifiNullData != 0 ||
		flags&(wifiProtected|wifiMoreFrags) != 0 || fragment != 0 {
		p.Drop = DropLink
		return
	}
	header := wifiHeader
	if flags&(wifiToDS|wifiFromDS) == wifiToDS|wifiFromDS {
		header += 6 // a fourth address
	}
	if subtype&wifiQoS != 0 {
		if len(b) >= header+2 && b[header]&wifiAMSDU != 0 {
			p.Drop = DropLink
			return
		}
		header += 2
		if flags&wifiOrder != 0 {
			header += 4 // HT control
		}
	}
	if padded {
		header = (header + 3) &^ 3
	}
	if len(b) < header {
		p.Drop = DropShort
		return
	}
	wifiMACs(b, flags, p)
	if !isSNAP(b[header:]) {
		p.Drop = DropLink
		return
	}
	decodeEther(binary.BigEndian.Uint16(b[header+6:]), b[header+8:], p)
}

// wifiMACs notes who sent the frame to whom, by the direction bits
// (IEEE 802.11-2020, table 9-30).
func wifiMACs(b []byte, flags byte, p *Parsed) {
	first, second, third := b[4:10], b[10:16], b[16:22]
	switch flags & (wifiToDS | wifiFromDS) {
	case 0:
		copy(p.DstMAC[:], first)
		copy(p.SrcMAC[:], second)
	case wifiToDS:
		copy(p.DstMAC[:], third)
		copy(p.SrcMAC[:], second)
	case wifiFromDS:
		copy(p.DstMAC[:], first)
		copy(p.SrcMAC[:], third)
	default:
		copy(p.DstMAC[:], third)
		copy(p.SrcMAC[:], b[24:])
	}
}
