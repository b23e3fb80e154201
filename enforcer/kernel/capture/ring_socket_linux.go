package capture

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/enforcer/packet"
)

// ringSocket is an AF_PACKET socket with the memory that it shares with the
// kernel. It reads one interface for its life: a socket of a fan-out group cannot
// be bound anew (packet_do_bind in net/packet/af_packet.c).
type ringSocket struct {
	fd   int
	mem  []byte
	link packet.LinkType
}

// openPacketSocket makes a socket that hears nothing before it is bound.
func openPacketSocket() (fd int, err error) {
	fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if errors.Is(err, unix.EPERM) {
		err = fmt.Errorf("%w: needs CAP_NET_RAW in this network namespace", err)
	}
	return fd, err
}

// newRingSocket makes a socket with its ring; the caller must close it.
func newRingSocket(cfg *RingConfig) (*ringSocket, error) {
	fd, err := cfg.Socket()
	if err != nil {
		return nil, err
	}
	s := &ringSocket{fd: fd}
	if err := s.share(cfg); err != nil {
		return nil, errors.Join(err, s.close())
	}
	if cfg.Incoming {
		// Since Linux 4.20; before, Next leaves such packets out itself.
		_ = unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1)
	}
	return s, nil
}

// share makes the ring and maps it.
func (s *ringSocket) share(cfg *RingConfig) error {
	if err := unix.SetsockoptInt(s.fd, unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V3); err != nil {
		return fmt.Errorf("TPACKET_V3: %w", err)
	}
	// Room before each packet for the VLAN tag that the kernel took out.
	if err := unix.SetsockoptInt(s.fd, unix.SOL_PACKET, unix.PACKET_RESERVE, vlanTag); err != nil {
		return fmt.Errorf("PACKET_RESERVE: %w", err)
	}
	size := cfg.Blocks * cfg.BlockBytes
	req := unix.TpacketReq3{
		Block_size: cfg.BlockBytes, Block_nr: cfg.Blocks,
		Frame_size: ringFrame, Frame_nr: size / ringFrame,
		Retire_blk_tov: uint32(max(1, cfg.Wait.Milliseconds())),
	}
	if err := unix.SetsockoptTpacketReq3(s.fd, unix.SOL_PACKET, unix.PACKET_RX_RING, &req); err != nil {
		return fmt.Errorf("a ring of %d bytes: %w", size, err)
	}
	mem, err := unix.Mmap(s.fd, 0, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return fmt.Errorf("map ring: %w", err)
	}
	s.mem = mem
	return nil
}

// bind begins to listen on an interface.
func (s *ringSocket) bind(l iface, promiscuous bool) error {
	var err error
	if s.link, err = linkOf(l.hardware); err != nil {
		return err
	}
	if err := unix.Bind(s.fd, &unix.SockaddrLinklayer{Protocol: hostToNet(unix.ETH_P_ALL), Ifindex: l.index}); err != nil {
		return fmt.Errorf("bind: %w", err)
	}
	if promiscuous {
		mreq := unix.PacketMreq{Ifindex: int32(l.index), Type: unix.PACKET_MR_PROMISC}
		if err := unix.SetsockoptPacketMreq(s.fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &mreq); err != nil {
			return fmt.Errorf("promiscuous mode: %w", err)
		}
	}
	return nil
}

// lost is how many packets have found the ring full since it was asked last.
func (s *ringSocket) lost() uint64 {
	if s == nil {
		return 0
	}
	st, err := unix.GetsockoptTpacketStatsV3(s.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err != nil {
		return 0
	}
	return uint64(st.Drops)
}

func (s *ringSocket) close() error {
	if s == nil {
		return nil
	}
	var errs []error
	if s.mem != nil {
		errs = append(errs, unix.Munmap(s.mem))
		s.mem = nil
	}
	return errors.Join(append(errs, unix.Close(s.fd))...)
}

// linkOf is how packets of an interface begin, from its ARPHRD_*
// (linux/if_arp.h).
func linkOf(hardware uint16) (packet.LinkType, error) {
	switch hardware {
	case unix.ARPHRD_ETHER, unix.ARPHRD_LOOPBACK:
		return packet.LinkEthernet, nil
	case unix.ARPHRD_NONE, unix.ARPHRD_PPP, unix.ARPHRD_RAWIP, unix.ARPHRD_TUNNEL, unix.ARPHRD_TUNNEL6, unix.ARPHRD_SIT, unix.ARPHRD_IPGRE:
		return packet.LinkRaw, nil
	case unix.ARPHRD_IEEE80211_RADIOTAP:
		return packet.LinkRadiotap, nil
	}
	return 0, fmt.Errorf("packets of its kind (ARPHRD %d) cannot be read", hardware)
}

// iface is an interface as it is now; the zero value is none.
type iface struct {
	index    int
	hardware uint16 // ARPHRD_*
	up       bool
}

// findDevice looks an interface up by name, in the network namespace of a socket.
func findDevice(fd int, name string) (iface, error) {
	req, err := unix.NewIfreq(name)
	if err != nil {
		return iface{}, err
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFINDEX, req); err != nil {
		return iface{}, err
	}
	d := iface{index: int(req.Uint32())}
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFHWADDR, req); err != nil {
		return iface{}, err
	}
	d.hardware = req.Uint16() // sa_family of ifr_hwaddr
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFFLAGS, req); err != nil {
		return iface{}, err
	}
	d.up = req.Uint16()&unix.IFF_UP != 0
	return d, nil
}
