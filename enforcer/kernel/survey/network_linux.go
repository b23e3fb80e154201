package survey

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/vishvananda/netlink"
)

// Interface is a network interface that is up.
type Interface struct {
	Name     string
	Networks []netip.Prefix // of its addresses, link-local ones left out
	// Routed are networks behind routers on this interface.
	Routed []netip.Prefix
	// Default says that a default route leads out here.
	Default bool
}

// Network lists the interfaces, loopback left out, by name.
func Network() ([]Interface, error) {
	links, err := netlink.LinkList()
	if err != nil {
		return nil, fmt.Errorf("list interfaces: %w", err)
	}
	var list []Interface
	for _, link := range links {
		attrs := link.Attrs()
		if attrs.Flags&net.FlagLoopback != 0 || attrs.Flags&net.FlagUp == 0 {
			continue
		}
		i := Interface{Name: attrs.Name}
		addrs, err := netlink.AddrList(link, netlink.FAMILY_ALL)
		if err != nil {
			return nil, fmt.Errorf("list addresses of %s: %w", attrs.Name, err)
		}
		for _, a := range addrs {
			if p, ok := prefixOf(a.IPNet); ok && !p.Addr().IsLinkLocalUnicast() {
				i.Networks = append(i.Networks, p)
			}
		}
		if err := i.readRoutes(link); err != nil {
			return nil, err
		}
		i.Networks, i.Routed = sorted(i.Networks), sorted(i.Routed)
		list = append(list, i)
	}
	slices.SortFunc(list, func(a, b Interface) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

// readRoutes looks through the main table.
func (i *Interface) readRoutes(link netlink.Link) error {
	routes, err := netlink.RouteList(link, netlink.FAMILY_ALL)
	if err != nil {
		return fmt.Errorf("list routes of %s: %w", i.Name, err)
	}
	for _, r := range routes {
		p, ok := prefixOf(r.Dst)
		switch {
		case r.Dst == nil, ok && p.Bits() == 0:
			i.Default = true
		case ok && r.Gw != nil && !p.Addr().IsLinkLocalUnicast() && !p.Addr().IsMulticast():
			i.Routed = append(i.Routed, p)
		}
	}
	return nil
}

func prefixOf(n *net.IPNet) (netip.Prefix, bool) {
	if n == nil {
		return netip.Prefix{}, false
	}
	addr, ok := netip.AddrFromSlice(n.IP)
	ones, _ := n.Mask.Size()
	if addr = addr.Unmap(); !ok || ones > addr.BitLen() {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(addr, ones).Masked(), true
}

func sorted(list []netip.Prefix) []netip.Prefix {
	slices.SortFunc(list, func(a, b netip.Prefix) int {
		if c := a.Addr().Compare(b.Addr()); c != 0 {
			return c
		}
		return a.Bits() - b.Bits()
	})
	return slices.Compact(list)
}

// Class is a class of a queue that has any (tc class).
type Class struct {
	Interface string
	Kind      string // htb, hfsc, ...
	ID        string // 1:10
	Rate      uint64 // bytes a second that it is sure of; 0 if that is not known
}

// MarkFilter brings packets with a mark into a class (tc filter ... fw).
type MarkFilter struct {
	Interface string
	Mark      uint32
	Class     string
}

// Queues lists the classes of all interfaces, and the filters that go by marks.
func Queues() ([]Class, []MarkFilter, error) {
	links, err := netlink.LinkList()
	if err != nil {
		return nil, nil, fmt.Errorf("list interfaces: %w", err)
	}
	var classes []Class
	var filters []MarkFilter
	for _, link := range links {
		name := link.Attrs().Name
		list, err := netlink.ClassList(link, netlink.HANDLE_NONE)
		if err != nil && !absent(err) {
			return nil, nil, fmt.Errorf("list classes of %s: %w", name, err)
		}
		for _, c := range list {
			one := Class{Interface: name, Kind: c.Type(), ID: classID(c.Attrs().Handle)}
			if htb, ok := c.(*netlink.HtbClass); ok {
				one.Rate = htb.Rate
			}
			classes = append(classes, one)
		}
		found, err := markFilters(link)
		if err != nil {
			return nil, nil, err
		}
		filters = append(filters, found...)
	}
	return classes, filters, nil
}

func markFilters(link netlink.Link) ([]MarkFilter, error) {
	qdiscs, err := netlink.QdiscList(link)
	if err != nil && !absent(err) {
		return nil, fmt.Errorf("list queues of %s: %w", link.Attrs().Name, err)
	}
	var filters []MarkFilter
	for _, q := range qdiscs {
		list, err := netlink.FilterList(link, q.Attrs().Handle)
		if err != nil && !absent(err) {
			return nil, fmt.Errorf("list filters of %s: %w", link.Attrs().Name, err)
		}
		for _, f := range list {
			if fw, ok := f.(*netlink.FwFilter); ok {
				filters = append(filters, MarkFilter{link.Attrs().Name, fw.Handle, classID(fw.ClassId)})
			}
		}
	}
	return filters, nil
}

// classID is a class as tc writes it, in hexadecimal digits.
func classID(handle uint32) string { return fmt.Sprintf("%x:%x", handle>>16, handle&0xffff) }
