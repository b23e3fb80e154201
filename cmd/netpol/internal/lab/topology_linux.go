package lab

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Interface names. Inside is the end at the client or the server, LAN and WAN
// are the router's.
const (
	Inside = "eth0"
	LAN    = "lan0"
	WAN    = "wan0"
)

// The router's own addresses and the server end's.
var (
	routerLAN = []netip.Prefix{netip.MustParsePrefix("192.168.1.1/24"), netip.MustParsePrefix("fd4e:6574:706f::1/64")}
	routerWAN = []netip.Prefix{netip.MustParsePrefix("198.51.100.2/30"), netip.MustParsePrefix("2001:db8:ffff::2/64")}
	serverWAN = []netip.Prefix{netip.MustParsePrefix("198.51.100.1/30"), netip.MustParsePrefix("2001:db8:ffff::1/64")}
)

// maxMTU is the largest a veth takes: captures made on a host hold segments
// that its network card would have cut (65535 bytes with headers).
const maxMTU = 65535

// lanMTU is what generated traffic travels with, as on Ethernet: a client hello
// with a post-quantum key share does not fit into one segment of it.
const lanMTU = 1500

// Topology is client -- lan0 router wan0 -- server.
type Topology struct {
	Client, Router, Server *Namespace
}

// New makes the three namespaces and the two links between them, all up and
// without addresses. The caller must Close it.
func New() (*Topology, error) {
	t := &Topology{}
	for _, n := range []struct {
		name string
		to   **Namespace
	}{{"client", &t.Client}, {"router", &t.Router}, {"server", &t.Server}} {
		ns, err := NewNamespace(n.name)
		if err != nil {
			return nil, errors.Join(err, t.Close())
		}
		*n.to = ns
		if err := ns.Do(prepare); err != nil {
			return nil, errors.Join(fmt.Errorf("prepare %s: %w", n.name, err), t.Close())
		}
	}
	err := errors.Join(
		t.Router.Do(func() error { return connect(LAN, t.Client) }),
		t.Router.Do(func() error { return connect(WAN, t.Server) }),
		t.Client.Do(func() error { return up(Inside) }),
		t.Server.Do(func() error { return up(Inside) }),
		t.Router.Do(forwarding),
	)
	if err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

// Close removes the namespaces.
func (t *Topology) Close() error {
	var errs []error
	for _, ns := range []*Namespace{t.Client, t.Router, t.Server} {
		if ns != nil {
			errs = append(errs, ns.Close())
		}
	}
	return errors.Join(errs...)
}

// prepare sets what must be set before interfaces exist: without it the first
// IPv6 packets wait a second for duplicate address detection.
func prepare() error {
	return errors.Join(
		sysctl("net/ipv6/conf/default/accept_dad", "0"),
		sysctl("net/ipv6/conf/default/router_solicitations", "0"),
		up("lo"),
	)
}

func forwarding() error {
	return errors.Join(
		sysctl("net/ipv4/ip_forward", "1"),
		sysctl("net/ipv6/conf/all/forwarding", "1"),
	)
}

// connect makes a veth pair: name here, Inside in the peer's namespace.
func connect(name string, peer *Namespace) error {
	attrs := netlink.NewLinkAttrs()
	attrs.Name = name
	attrs.MTU = maxMTU
	link := &netlink.Veth{
		LinkAttrs:     attrs,
		PeerName:      Inside,
		PeerMTU:       maxMTU,
		PeerNamespace: netlink.NsFd(int(peer.file.Fd())),
	}
	if err := netlink.LinkAdd(link); err != nil {
		return fmt.Errorf("add veth %s: %w", name, err)
	}
	return up(name)
}

func up(name string) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return fmt.Errorf("find %s: %w", name, err)
	}
	if err := netlink.LinkSetUp(link); err != nil {
		return fmt.Errorf("set %s up: %w", name, err)
	}
	return nil
}

// assign gives an interface of the calling thread's namespace addresses that
// are usable at once.
func assign(name string, prefixes []netip.Prefix) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return fmt.Errorf("find %s: %w", name, err)
	}
	for _, p := range prefixes {
		addr := &netlink.Addr{IPNet: ipNet(p)}
		if p.Addr().Is6() {
			addr.Flags = unix.IFA_F_NODAD
		}
		if err := netlink.AddrReplace(link, addr); err != nil {
			return fmt.Errorf("add address %s to %s: %w", p, name, err)
		}
	}
	return nil
}

// ethernet makes a veth carry what an Ethernet card would: no packet beyond the
// MTU, no super-segments left for hardware to cut.
func ethernet(name string) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return fmt.Errorf("find %s: %w", name, err)
	}
	if err := errors.Join(netlink.LinkSetMTU(link, lanMTU), netlink.LinkSetGSOMaxSegs(link, 1)); err != nil {
		return fmt.Errorf("limit segments of %s: %w", name, err)
	}
	return nil
}

// defaultRoute sends everything else through an interface to a neighbour.
func defaultRoute(name string, via netip.Addr) error {
	link, err := netlink.LinkByName(name)
	if err != nil {
		return fmt.Errorf("find %s: %w", name, err)
	}
	any4, any6 := netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")
	dst := any4
	if via.Is6() {
		dst = any6
	}
	route := &netlink.Route{LinkIndex: link.Attrs().Index, Dst: ipNet(dst), Gw: via.AsSlice(), Flags: int(netlink.FLAG_ONLINK)}
	if err := netlink.RouteReplace(route); err != nil {
		return fmt.Errorf("add default route via %s: %w", via, err)
	}
	return nil
}

// AssignFor gives the three namespaces the addresses that a list of
// conversations needs, and the routes between them.
func (t *Topology) AssignFor(conversations []Conversation) error {
	servers := append([]netip.Prefix(nil), serverWAN...)
	for _, c := range conversations {
		a := c.Server.Addr()
		servers = append(servers, netip.PrefixFrom(a, a.BitLen()))
	}
	clients := []netip.Prefix{netip.PrefixFrom(client4, 24), netip.PrefixFrom(client6, 64)}
	return errors.Join(
		t.Client.Do(func() error { return ethernet(Inside) }),
		t.Server.Do(func() error { return ethernet(Inside) }),
		t.Router.Do(func() error {
			return errors.Join(ethernet(LAN), ethernet(WAN), assign(LAN, routerLAN), assign(WAN, routerWAN),
				defaultRoute(WAN, serverWAN[0].Addr()), defaultRoute(WAN, serverWAN[1].Addr()))
		}),
		t.Client.Do(func() error {
			return errors.Join(assign(Inside, clients),
				defaultRoute(Inside, routerLAN[0].Addr()), defaultRoute(Inside, routerLAN[1].Addr()))
		}),
		t.Server.Do(func() error {
			return errors.Join(assign(Inside, servers),
				defaultRoute(Inside, routerWAN[0].Addr()), defaultRoute(Inside, routerWAN[1].Addr()))
		}),
	)
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

// sysctl writes a kernel setting of the calling thread's namespace.
func sysctl(name, value string) error {
	if err := os.WriteFile(filepath.Join("/proc/sys", name), []byte(value), 0); err != nil {
		return fmt.Errorf("set %s: %w", name, err)
	}
	return nil
}
