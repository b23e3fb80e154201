package lab

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Wire puts packets on both links of a topology as they are, whatever is wrong
// with them. The router is strict, as its kernel comes. Nobody answers.
type Wire struct {
	lan, wan *end
}

// NewWire prepares the router for packets of clients in a network on its LAN side
// and of everybody else on the other. The caller must Close it.
func (t *Topology) NewWire(clients ...netip.Prefix) (*Wire, error) {
	var clientMAC, serverMAC net.HardwareAddr
	err := errors.Join(
		t.Client.Do(func() (err error) { clientMAC, err = hardware(Inside); return err }),
		t.Server.Do(func() (err error) { serverMAC, err = hardware(Inside); return err }),
	)
	if err != nil {
		return nil, err
	}
	neighbours := []netip.Addr{routerLAN[0].Addr().Next(), routerLAN[1].Addr().Next()}
	err = t.Router.Do(func() error {
		err := errors.Join(
			sysctl("net/ipv4/conf/all/rp_filter", "0"), sysctl("net/ipv4/conf/"+LAN+"/rp_filter", "0"), sysctl("net/ipv4/conf/"+WAN+"/rp_filter", "0"),
			assign(LAN, routerLAN), assign(WAN, routerWAN),
			neighbour(LAN, neighbours[0], clientMAC), neighbour(LAN, neighbours[1], clientMAC),
			neighbour(WAN, serverWAN[0].Addr(), serverMAC), neighbour(WAN, serverWAN[1].Addr(), serverMAC),
			defaultRoute(WAN, serverWAN[0].Addr()), defaultRoute(WAN, serverWAN[1].Addr()),
		)
		for _, p := range clients {
			via := neighbours[0]
			if p.Addr().Is6() {
				via = neighbours[1]
			}
			err = errors.Join(err, gateway(LAN, p, via))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	w := &Wire{}
	if w.lan, err = newEnd(t.Client, t.Router, LAN); err != nil {
		return nil, fmt.Errorf("open client end: %w", err)
	}
	if w.wan, err = newEnd(t.Server, t.Router, WAN); err != nil {
		return nil, errors.Join(fmt.Errorf("open server end: %w", err), w.lan.close())
	}
	return w, nil
}

// Send puts an IP packet on the client's or the server's link.
func (w *Wire) Send(fromClient bool, ip []byte) error {
	e := w.wan
	if fromClient {
		e = w.lan
	}
	etherType := uint16(etherIPv4)
	if ip[0]>>4 == 6 {
		etherType = etherIPv6
	}
	b := binary.BigEndian.AppendUint16(e.frame[:2*6:2*6], etherType)
	if _, err := unix.Write(e.fd, append(b, ip...)); err != nil {
		return fmt.Errorf("send packet: %w", err)
	}
	return nil
}

// Close gives both ends up.
func (w *Wire) Close() error { return errors.Join(w.lan.close(), w.wan.close()) }

// gateway routes a network through a neighbour.
func gateway(name string, dst netip.Prefix, via netip.Addr) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return fmt.Errorf("find %s: %w", name, err)
	}
	route := &netlink.Route{LinkIndex: link.Attrs().Index, Dst: ipNet(dst), Gw: via.AsSlice(), Flags: int(netlink.FLAG_ONLINK)}
	if err := netlink.RouteReplace(route); err != nil {
		return fmt.Errorf("add route to %s: %w", dst, err)
	}
	return nil
}
