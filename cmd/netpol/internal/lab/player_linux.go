package lab

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Pace of playing: the capture's own gaps, but none longer than maxGap, and
// shorter ones still when the whole would take longer than maxPlay.
const (
	maxGap  = 2 * time.Millisecond
	maxPlay = 4 * time.Second
)

// Ethernet frame types (IEEE 802 numbers).
const (
	etherIPv4 = 0x0800
	etherIPv6 = 0x86dd
)

// AssignForCapture prepares the router for packets that neither end owns: the
// client's address is routed to the LAN, everything else to the WAN, with
// neighbours that need not answer.
func (t *Topology) AssignForCapture(client netip.Addr) error {
	var clientMAC, serverMAC net.HardwareAddr
	err := errors.Join(
		t.Client.Do(func() (err error) { clientMAC, err = hardware(Inside); return err }),
		t.Server.Do(func() (err error) { serverMAC, err = hardware(Inside); return err }),
	)
	if err != nil {
		return err
	}
	return t.Router.Do(func() error {
		return errors.Join(
			lenient(),
			assign(WAN, routerWAN),
			route(LAN, netip.PrefixFrom(client, client.BitLen())),
			neighbour(LAN, client, clientMAC),
			neighbour(WAN, serverWAN[0].Addr(), serverMAC),
			neighbour(WAN, serverWAN[1].Addr(), serverMAC),
			defaultRoute(WAN, serverWAN[0].Addr()),
			defaultRoute(WAN, serverWAN[1].Addr()),
		)
	})
}

// lenient makes the router take captured packets as they are: addresses from
// anywhere, checksums that the sender's card was to fill in, TCP that the
// capture has holes in.
func lenient() error {
	return errors.Join(
		sysctl("net/ipv4/conf/all/rp_filter", "0"),
		sysctl("net/ipv4/conf/"+LAN+"/rp_filter", "0"),
		sysctl("net/ipv4/conf/"+WAN+"/rp_filter", "0"),
		sysctl("net/netfilter/nf_conntrack_checksum", "0"),
		sysctl("net/netfilter/nf_conntrack_tcp_be_liberal", "1"),
	)
}

func hardware(name string) (net.HardwareAddr, error) {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return nil, fmt.Errorf("find %s: %w", name, err)
	}
	return link.Attrs().HardwareAddr, nil
}

func route(name string, dst netip.Prefix) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return fmt.Errorf("find %s: %w", name, err)
	}
	r := &netlink.Route{LinkIndex: link.Attrs().Index, Dst: ipNet(dst), Scope: netlink.SCOPE_LINK}
	if err := netlink.RouteReplace(r); err != nil {
		return fmt.Errorf("add route to %s: %w", dst, err)
	}
	return nil
}

func neighbour(name string, addr netip.Addr, mac net.HardwareAddr) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return fmt.Errorf("find %s: %w", name, err)
	}
	n := &netlink.Neigh{LinkIndex: link.Attrs().Index, State: netlink.NUD_PERMANENT, IP: addr.AsSlice(), HardwareAddr: mac}
	if err := netlink.NeighSet(n); err != nil {
		return fmt.Errorf("add neighbour %s: %w", addr, err)
	}
	return nil
}

// end is one injector: a packet socket at the client or the server, and the
// Ethernet header that leads to the router.
type end struct {
	fd    int
	frame []byte
}

func newEnd(ns, router *Namespace, routerSide string) (*end, error) {
	e := &end{fd: -1}
	var from, to net.HardwareAddr
	err := errors.Join(
		router.Do(func() (err error) { to, err = hardware(routerSide); return err }),
		ns.Do(func() (err error) { from, err = hardware(Inside); return err }),
		ns.Do(func() (err error) { e.fd, err = packetSocket(Inside, 0); return err }),
	)
	e.frame = append(append(e.frame, to...), from...)
	return e, err
}

func (e *end) send(p Packet) error {
	etherType := uint16(etherIPv4)
	if p.Src.Addr().Is6() {
		etherType = etherIPv6
	}
	b := binary.BigEndian.AppendUint16(e.frame[:2*6:2*6], etherType)
	b = append(b, p.Data...)
	fixIPv4Checksum(b[ethernetLen:])
	_, err := unix.Write(e.fd, b)
	return err
}

func (e *end) close() error {
	if e.fd < 0 {
		return nil
	}
	return unix.Close(e.fd)
}

// PlayCapture sends the packets through the router, those of the client from
// the LAN and all others from the WAN. It returns how many it sent.
func (t *Topology) PlayCapture(ctx context.Context, client netip.Addr, packets []Packet) (sent int, err error) {
	lan, err := newEnd(t.Client, t.Router, LAN)
	if err != nil {
		return 0, fmt.Errorf("open client end: %w", err)
	}
	defer func() { err = errors.Join(err, lan.close()) }()
	wan, err := newEnd(t.Server, t.Router, WAN)
	if err != nil {
		return 0, fmt.Errorf("open server end: %w", err)
	}
	defer func() { err = errors.Join(err, wan.close()) }()

	gap := min(maxGap, maxPlay/time.Duration(max(1, len(packets))))
	for i, p := range packets {
		if i > 0 {
			select {
			case <-ctx.Done():
				return sent, ctx.Err()
			case <-time.After(min(gap, max(0, p.At.Sub(packets[i-1].At)))):
			}
		}
		from := wan
		if p.Src.Addr() == client {
			from = lan
		}
		if err := from.send(p); err != nil {
			return sent, fmt.Errorf("send packet %d: %w", i+1, err)
		}
		sent++
	}
	return sent, nil
}
