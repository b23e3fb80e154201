package capture

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/vishvananda/netlink"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
	"github.com/netpol/netpol/enforcer/packet"
)

// TestFilters sends datagrams through a router and looks at which of them each
// filter lets a ring read. They go to the ports 1001 to 1004 of the server, over
// IPv4 and IPv6 in turn.
func TestFilters(t *testing.T) {
	lab := kerneltest.NewLab(t)
	var client net.HardwareAddr
	var err error
	lab.Client.Do(func() {
		var link netlink.Link
		if link, err = netlink.LinkByName("eth0"); err == nil {
			client = link.Attrs().HardwareAddr
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	ports := func(low, high int) artifact.Filter {
		return artifact.Filter{Kind: artifact.FilterPort, Ranges: []artifact.Range{{Low: low, High: high}}}
	}
	address := func(texts ...string) artifact.Filter {
		f := artifact.Filter{Kind: artifact.FilterAddress}
		for _, text := range texts {
			f.Prefixes = append(f.Prefixes, netip.MustParsePrefix(text))
		}
		return f
	}
	version := func(v int) artifact.Filter {
		return artifact.Filter{Kind: artifact.FilterVersion, Ranges: []artifact.Range{{Low: v, High: v}}}
	}
	protocol := func(low, high int) artifact.Filter {
		return artifact.Filter{Kind: artifact.FilterProtocol, Ranges: []artifact.Range{{Low: low, High: high}}}
	}
	mac := func(a net.HardwareAddr) artifact.Filter {
		return artifact.Filter{Kind: artifact.FilterMAC, MACs: []artifact.HardwareAddr{artifact.HardwareAddr(a)}}
	}
	of := func(kind artifact.FilterKind, list ...artifact.Filter) artifact.Filter {
		return artifact.Filter{Kind: kind, Of: list}
	}
	not := func(f artifact.Filter) artifact.Filter { return of(artifact.FilterNot, f) }
	all, even, odd := []int{1001, 1002, 1003, 1004}, []int{1002, 1004}, []int{1001, 1003}
	for _, tt := range []struct {
		name   string
		filter artifact.Filter
		want   []int
	}{
		{"ports", ports(1002, 1003), []int{1002, 1003}},
		{"no port", not(ports(1002, 1003)), []int{1001, 1004}},
		{"several ports", artifact.Filter{Kind: artifact.FilterPort, Ranges: []artifact.Range{{Low: 1, High: 1001}, {Low: 1004, High: 65535}}}, all}, // clients' are above
		{"IPv4", version(4), odd},
		{"IPv6", version(6), even},
		{"UDP", protocol(17, 17), all},
		{"TCP", protocol(6, 6), nil},
		{"the client's network", address("192.168.77.0/24"), odd},
		{"the server's, of either version", address("198.51.100.2/32", "2001:db8::/32"), all},
		{"a long prefix", address("fd77::2/128"), even},
		{"nearly", address("fd77::3/128", "192.168.77.3/32", "fd77:0:0:1::/64"), nil},
		{"everything", address("0.0.0.0/0"), odd},
		{"the sender's hardware address", mac(client), all},
		{"another's", mac(net.HardwareAddr{2, 0, 0x5e, 0, 0x53, 1}), nil},
		{"bypassed", not(mac(client)), nil},
		{"all of", of(artifact.FilterAll, ports(1001, 1002), version(6), protocol(17, 17)), []int{1002}},
		{"any of", of(artifact.FilterAny, ports(1001, 1001), ports(1004, 1004)), []int{1001, 1004}},
		{"nested", of(artifact.FilterAll, not(of(artifact.FilterAny, ports(1001, 1001), address("fd77::2/128"))), of(artifact.FilterAny, version(4), ports(1002, 1002))), []int{1003}},
	} {
		for _, first := range []uint32{0, 5} {
			got := filtered(t, lab, RingConfig{Interface: kerneltest.ClientDevice, Incoming: true, FirstPackets: first, Filter: &tt.filter, Idle: 20 * time.Millisecond})
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s, first %d packets: ports read, -want +got:\n%s", tt.name, first, diff)
			}
		}
	}
}

// filtered sends a datagram to each port and returns the ports of those read.
func filtered(t *testing.T, lab *kerneltest.Lab, cfg RingConfig) (ports []int) {
	t.Helper()
	var rings *Rings
	var err error
	lab.Router.Do(func() { rings, err = OpenRings(cfg) })
	if err != nil {
		t.Fatal(err)
	}
	defer rings.Close()
	ring := rings.List()[0]
	lab.Client.Do(func() {
		for i, to := range []netip.Addr{lab.ServerAddr4, lab.ServerAddr6, lab.ServerAddr4, lab.ServerAddr6} {
			var c net.Conn
			if c, err = net.Dial("udp", netip.AddrPortFrom(to, uint16(1001+i)).String()); err != nil {
				return
			}
			_, err = c.Write([]byte("x"))
			c.Close()
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	var r packet.Raw
	var p packet.Parsed
	for idle := 0; idle < 2; {
		switch err := ring.Next(&r); {
		case errors.Is(err, packet.ErrIdle):
			idle++
		case err != nil:
			t.Fatal(err)
		default:
			packet.Decode(&r, &p)
			if port := int(p.DstPort); p.Proto == packet.ProtoUDP && port > 1000 && port < 1005 && !slices.Contains(ports, port) {
				ports = append(ports, port)
			}
		}
	}
	slices.Sort(ports)
	return ports
}
