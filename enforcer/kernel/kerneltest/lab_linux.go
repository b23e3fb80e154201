package kerneltest

import (
	"net"
	"net/netip"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Interfaces of a Lab's router.
const (
	ClientDevice = "lan0" // the router's interface towards the client
	ServerDevice = "wan0" // the router's interface towards the server
)

// Lab is a client, a router that forwards IPv4 and IPv6, and a server. The
// client's addresses are private, so that a classifier takes them for the local
// network; the server's are documentation space (RFC 5737, RFC 3849).
type Lab struct {
	Client, Router, Server   *NS
	ClientAddr4, ClientAddr6 netip.Addr
	ServerAddr4, ServerAddr6 netip.Addr
}

// NewLab builds the three namespaces; they go when the test ends. The caller
// stays where it is (Lab.Router.Enter moves it).
func NewLab(tb testing.TB) *Lab {
	tb.Helper()
	lab := &Lab{
		Client: create(tb, "client"), Router: create(tb, "router"), Server: create(tb, "server"),
		ClientAddr4: netip.MustParseAddr("192.168.77.2"), ClientAddr6: netip.MustParseAddr("fd77::2"),
		ServerAddr4: netip.MustParseAddr("198.51.100.2"), ServerAddr6: netip.MustParseAddr("2001:db8::2"),
	}
	for _, ns := range []*NS{lab.Client, lab.Router, lab.Server} {
		ns.Sysctl("net/ipv6/conf/default/accept_dad", "0") // link-local addresses at once, too
	}
	lab.Router.Sysctl("net/ipv4/ip_forward", "1")
	lab.Router.Sysctl("net/ipv6/conf/all/forwarding", "1")
	join(tb, lab.Client, ClientDevice, lab.Router, "192.168.77.", "fd77::")
	join(tb, lab.Server, ServerDevice, lab.Router, "198.51.100.", "2001:db8::")
	return lab
}

// join connects host (address 2, device eth0) to router (address 1, device
// named routerDev) and makes the router the host's default gateway.
func join(tb testing.TB, host *NS, routerDev string, router *NS, net4, net6 string) {
	tb.Helper()
	var err error
	router.Do(func() {
		veth := &netlink.Veth{
			LinkAttrs: netlink.LinkAttrs{Name: routerDev},
			PeerName:  "eth0", PeerNamespace: netlink.NsFd(host.Handle()),
		}
		if err = netlink.LinkAdd(veth); err == nil {
			err = address(routerDev, net4+"1/24", net6+"1/64")
		}
	})
	if err == nil {
		host.Do(func() {
			if err = address("eth0", net4+"2/24", net6+"2/64"); err != nil {
				return
			}
			for _, gw := range []string{net4 + "1", net6 + "1"} {
				if err == nil {
					err = netlink.RouteAdd(&netlink.Route{Gw: net.ParseIP(gw)})
				}
			}
		})
	}
	if err != nil {
		tb.Fatalf("join %s to the router: %v", host.name, err)
	}
}

// address sets a device up with the given prefixes, usable at once: no
// duplicate address detection.
func address(device string, prefixes ...string) error {
	link, err := netlink.LinkByName(device)
	if err != nil {
		return err
	}
	for _, p := range prefixes {
		addr, err := netlink.ParseAddr(p)
		if err != nil {
			return err
		}
		addr.Flags = unix.IFA_F_NODAD
		if err := netlink.AddrAdd(link, addr); err != nil {
			return err
		}
	}
	return netlink.LinkSetUp(link)
}
