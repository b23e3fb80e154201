package localnet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// answerTime is how long the kernel may take for a part of an answer.
const answerTime = 5 // seconds

// maxTries bounds how often a list is asked for that changes while it is read.
const maxTries = 10

// read asks the kernel for interfaces, addresses and routes.
func read(open func() (int, error)) (*state, error) {
	fd, err := open()
	if err != nil {
		return nil, err
	}
	defer func() { _ = unix.Close(fd) }()
	if err := unix.SetNonblock(fd, false); err != nil {
		return nil, err
	}
	if err := unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &unix.Timeval{Sec: answerTime}); err != nil {
		return nil, err
	}
	// With it the kernel leaves other tables' routes out itself (Linux 4.20).
	_ = unix.SetsockoptInt(fd, unix.SOL_NETLINK, unix.NETLINK_GET_STRICT_CHK, 1)
	s := &state{names: map[int]string{}}
	link := make([]byte, unix.SizeofIfInfomsg)
	if err := list(fd, unix.RTM_GETLINK, link, s.takeLink); err != nil {
		return nil, fmt.Errorf("list interfaces: %w", err)
	}
	if err := list(fd, unix.RTM_GETADDR, make([]byte, unix.SizeofIfAddrmsg), s.takeAddress); err != nil {
		return nil, fmt.Errorf("list addresses: %w", err)
	}
	for _, family := range []byte{unix.AF_INET, unix.AF_INET6} {
		route := make([]byte, unix.SizeofRtMsg)
		route[0], route[4] = family, unix.RT_TABLE_MAIN
		if err := list(fd, unix.RTM_GETROUTE, route, s.takeRoute); err != nil {
			return nil, fmt.Errorf("list routes: %w", err)
		}
	}
	return s, nil
}

var errChanged = errors.New("it changed while it was read")

// list asks for all objects of a kind, again where they changed meanwhile. What was
// taken twice does no harm.
func list(fd int, kind uint16, body []byte, take func(*syscall.NetlinkMessage)) (err error) {
	for range maxTries {
		if err = listOnce(fd, kind, body, take); !errors.Is(err, errChanged) {
			return err
		}
	}
	return err
}

func listOnce(fd int, kind uint16, body []byte, take func(*syscall.NetlinkMessage)) error {
	req := make([]byte, unix.SizeofNlMsghdr, unix.SizeofNlMsghdr+len(body))
	h := (*unix.NlMsghdr)(unsafe.Pointer(&req[0]))
	h.Len, h.Type, h.Flags, h.Seq = uint32(cap(req)), kind, unix.NLM_F_REQUEST|unix.NLM_F_DUMP, 1
	if err := unix.Sendto(fd, append(req, body...), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	changed := false
	buf := make([]byte, 64<<10)
	for {
		n, _, err := unix.Recvfrom(fd, buf, 0)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return err
		}
		messages, err := syscall.ParseNetlinkMessage(buf[:n])
		if err != nil {
			return err
		}
		for i := range messages {
			m := &messages[i]
			changed = changed || m.Header.Flags&unix.NLM_F_DUMP_INTR != 0
			switch {
			case m.Header.Type == unix.NLMSG_DONE && changed:
				return errChanged
			case m.Header.Type == unix.NLMSG_DONE:
				return nil
			case m.Header.Type == unix.NLMSG_ERROR && len(m.Data) >= 4:
				return unix.Errno(-int32(binary.NativeEndian.Uint32(m.Data)))
			default:
				take(m)
			}
		}
	}
}

func (s *state) takeLink(m *syscall.NetlinkMessage) {
	if m.Header.Type != unix.RTM_NEWLINK || len(m.Data) < unix.SizeofIfInfomsg {
		return
	}
	index := int(binary.NativeEndian.Uint32(m.Data[4:]))
	for _, a := range attributes(m) {
		if a.Attr.Type == unix.IFLA_IFNAME {
			s.names[index] = unix.ByteSliceToString(a.Value)
		}
	}
}

// takeAddress reads an address; on a link between two, IFA_ADDRESS is the other's,
// and this end's own is IFA_LOCAL (linux/if_addr.h).
func (s *state) takeAddress(m *syscall.NetlinkMessage) {
	if m.Header.Type != unix.RTM_NEWADDR || len(m.Data) < unix.SizeofIfAddrmsg {
		return
	}
	bits, index := int(m.Data[1]), int(binary.NativeEndian.Uint32(m.Data[4:]))
	var own, peer netip.Addr
	for _, a := range attributes(m) {
		switch addr, ok := netip.AddrFromSlice(a.Value); {
		case !ok:
		case a.Attr.Type == unix.IFA_LOCAL:
			own = addr
		case a.Attr.Type == unix.IFA_ADDRESS:
			peer = addr
		}
	}
	if !own.IsValid() {
		own = peer
	}
	if !own.IsValid() || bits > own.BitLen() {
		return
	}
	if peer != own { // the network is the other end's, and ours one address
		s.routes = append(s.routes, entry{index, netip.PrefixFrom(peer, bits).Masked()})
		bits = own.BitLen()
	}
	s.addresses = append(s.addresses, entry{index, netip.PrefixFrom(own, bits)})
}

// takeRoute reads a route of the main table that packets are sent by.
func (s *state) takeRoute(m *syscall.NetlinkMessage) {
	if m.Header.Type != unix.RTM_NEWROUTE || len(m.Data) < unix.SizeofRtMsg {
		return
	}
	bits, table, kind := int(m.Data[1]), uint32(m.Data[4]), m.Data[7]
	flags := binary.NativeEndian.Uint32(m.Data[8:])
	var to netip.Addr
	index := 0
	for _, a := range attributes(m) {
		switch {
		case a.Attr.Type == unix.RTA_DST:
			to, _ = netip.AddrFromSlice(a.Value)
		case a.Attr.Type == unix.RTA_OIF && len(a.Value) == 4:
			index = int(binary.NativeEndian.Uint32(a.Value))
		case a.Attr.Type == unix.RTA_TABLE && len(a.Value) == 4:
			table = binary.NativeEndian.Uint32(a.Value)
		}
	}
	if table != unix.RT_TABLE_MAIN || kind != unix.RTN_UNICAST || flags&unix.RTM_F_CLONED != 0 || !to.IsValid() || bits > to.BitLen() {
		return
	}
	s.routes = append(s.routes, entry{index, netip.PrefixFrom(to, bits).Masked()})
}

// attributes of a message; none where they cannot be read.
func attributes(m *syscall.NetlinkMessage) []syscall.NetlinkRouteAttr {
	list, err := syscall.ParseNetlinkRouteAttr(m)
	if err != nil {
		return nil
	}
	return list
}
