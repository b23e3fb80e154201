package capture

import (
	"encoding/binary"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/enforcer/packet"
)

// Sizes of a block's parts (linux/if_packet.h): struct tpacket_block_desc with
// its union, and struct tpacket3_hdr, aligned, before the sockaddr_ll.
const (
	blockHeader  = unsafe.Offsetof(unix.TpacketBlockDesc{}.Hdr)
	packetHeader = unsafe.Sizeof(unix.Tpacket3Hdr{}) // 48: TPACKET_ALIGN changes nothing
	addressType  = unsafe.Offsetof(unix.RawSockaddrLinklayer{}.Pkttype)
	vlanTag      = 4  // TPID and TCI (IEEE 802.1Q)
	macs         = 12 // two hardware addresses stand before the tag
)

// header is the header of a block, which the kernel writes as well.
func (s *Ring) header(block int) *unix.TpacketHdrV1 {
	return (*unix.TpacketHdrV1)(unsafe.Pointer(&s.socket.mem[uint32(block)*s.cfg.BlockBytes+uint32(blockHeader)]))
}

// take makes the next block ours, if the kernel has filled it.
func (s *Ring) take() bool {
	if s.socket == nil {
		return false
	}
	h := s.header(s.block)
	if atomic.LoadUint32(&h.Block_status)&unix.TP_STATUS_USER == 0 {
		return false
	}
	s.held, s.at, s.left = true, h.Offset_to_first_pkt, h.Num_pkts
	return true
}

// giveBack lets the kernel have the block that was read.
func (s *Ring) giveBack() {
	if !s.held {
		return
	}
	s.held = false
	atomic.StoreUint32(&s.header(s.block).Block_status, unix.TP_STATUS_KERNEL)
	s.block = (s.block + 1) % int(s.cfg.Blocks)
}

// fill reads the next packet of the block; false if it is not to be read.
func (s *Ring) fill(r *packet.Raw) bool {
	block := s.socket.mem[uint32(s.block)*s.cfg.BlockBytes:][:s.cfg.BlockBytes]
	at := s.at
	h := (*unix.Tpacket3Hdr)(unsafe.Pointer(&block[at]))
	s.left--
	s.at += h.Next_offset
	if s.cfg.Incoming && block[uintptr(at)+packetHeader+addressType] == unix.PACKET_OUTGOING {
		return false
	}
	from := at + uint32(h.Mac)
	data := block[from : from+h.Snaplen]
	if h.Status&unix.TP_STATUS_VLAN_VALID != 0 && s.socket.link == packet.LinkEthernet && len(data) >= macs {
		data = tagged(block, from, h)
	}
	*r = packet.Raw{
		Data: data, LinkType: s.socket.link, Interface: s.cfg.Interface,
		Timestamp: int64(h.Sec)*1e9 + int64(h.Nsec),
		Length:    max(int(h.Len), len(data)),
	}
	s.packets.Add(1)
	s.bytes.Add(uint64(len(data)))
	return true
}

// tagged puts the VLAN tag back that the kernel has taken out of a packet, into
// the room that PACKET_RESERVE left before it.
func tagged(block []byte, from uint32, h *unix.Tpacket3Hdr) []byte {
	tpid := uint16(unix.ETH_P_8021Q)
	if h.Status&unix.TP_STATUS_VLAN_TPID_VALID != 0 {
		tpid = h.Hv1.Vlan_tpid
	}
	data := block[from-vlanTag : from+h.Snaplen]
	copy(data, data[vlanTag:vlanTag+macs])
	binary.BigEndian.PutUint16(data[macs:], tpid)
	binary.BigEndian.PutUint16(data[macs+2:], uint16(h.Hv1.Vlan_tci))
	return data
}
