package irtest

import (
	"net/netip"
	"slices"

	"pgregory.net/rapid"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
)

// Opening is the first packet of a connection, and what else is known of it.
type Opening struct {
	Facts  *fact.Facts
	Output bool // the router itself opens it
}

// Worlds of packet headers: private, public and configured-local addresses of
// both families, transports with and without ports.
var (
	headerAddresses = map[int][]string{
		4: {"10.0.0.1", "10.1.2.3", "192.168.1.5", "172.16.0.9", "8.8.8.8", "203.0.113.7", "203.0.113.8", "255.255.255.255"},
		6: {"fd00::5", "fe80::1", "2001:db8::1", "2001:db8:1::1", "2606:4700::1"},
	}
	headerPrefixes = []string{
		"10.0.0.0/8", "10.1.0.0/16", "192.168.1.5/32", "203.0.113.0/24", "203.0.113.7/32", "0.0.0.0/0", "128.0.0.0/1",
		"fd00::/8", "2001:db8::/32", "2001:db8:1::1/128", "::/0", "fe80::/10",
	}
	headerPorts     = []int{0, 22, 53, 80, 443, 8801, 9999, 65535}
	headerProtocols = []int{1, 6, 17, 47, 58, 132, 136}
	headerDevices   = []string{"lan0", "wan0", "tun-1.5"}
	headerNames     = []string{
		"local_ip", "other_ip", "src_ip", "dst_ip", "local_port", "other_port", "src_port", "dst_port",
		"ip_protocol", "ip_version", "interface",
	}
)

// OpeningPacket draws one. Inside says which addresses are local: the side
// that opens a connection is, unless the other is and it is not.
func OpeningPacket(t *rapid.T, inside func(netip.Addr) bool) Opening {
	f := Facts(t)
	f.VLANID = 0
	f.IPVersion = rapid.SampledFrom([]int{4, 6}).Draw(t, "version")
	f.SrcIP = netip.MustParseAddr(rapid.SampledFrom(headerAddresses[f.IPVersion]).Draw(t, "src"))
	f.DstIP = netip.MustParseAddr(rapid.SampledFrom(headerAddresses[f.IPVersion]).Draw(t, "dst"))
	f.IPProtocol = rapid.SampledFrom(headerProtocols).Draw(t, "protocol")
	f.SrcPort, f.DstPort = 0, 0
	if slices.Contains([]int{6, 17, 132, 136}, f.IPProtocol) {
		f.SrcPort = rapid.SampledFrom(headerPorts).Draw(t, "sport")
		f.DstPort = rapid.SampledFrom(headerPorts).Draw(t, "dport")
	}
	f.Interface = rapid.SampledFrom(headerDevices).Draw(t, "interface")
	f.LocalIP, f.LocalPort, f.OtherIP, f.OtherPort = f.SrcIP, f.SrcPort, f.DstIP, f.DstPort
	if inside(f.DstIP) && !inside(f.SrcIP) {
		f.LocalIP, f.LocalPort, f.OtherIP, f.OtherPort = f.DstIP, f.DstPort, f.SrcIP, f.SrcPort
	}
	return Opening{Facts: f, Output: rapid.Bool().Draw(t, "output")}
}

// HeaderExpr draws a condition that asks for packet headers alone.
func HeaderExpr(t *rapid.T, depth int) ir.Expr {
	kind := rapid.IntRange(0, 9).Draw(t, "kind")
	if depth == 0 {
		kind = 9
	}
	switch kind {
	case 0, 1, 2:
		return ir.NewAnd(diag.Range{}, headerList(t, depth)...)
	case 3, 4:
		return ir.NewOr(diag.Range{}, headerList(t, depth)...)
	case 5:
		return ir.NewNot(diag.Range{}, HeaderExpr(t, depth-1))
	}
	return headerComparison(t)
}

func headerList(t *rapid.T, depth int) []ir.Expr {
	out := make([]ir.Expr, rapid.IntRange(2, 3).Draw(t, "operands"))
	for i := range out {
		out[i] = HeaderExpr(t, depth-1)
	}
	return out
}

func headerComparison(t *rapid.T) ir.Expr {
	attr, _ := fact.Lookup(rapid.SampledFrom(headerNames).Draw(t, "attribute"))
	c := &ir.Compare{Attr: attr}
	switch attr.Type {
	case fact.Address:
		c.Op = ir.OpPrefix
		for _, s := range rapid.SliceOfN(rapid.SampledFrom(headerPrefixes), 1, 3).Draw(t, "networks") {
			if p := netip.MustParsePrefix(s); !slices.ContainsFunc(c.Prefixes, p.Overlaps) {
				c.Prefixes = append(c.Prefixes, p)
			}
		}
		slices.SortFunc(c.Prefixes, netip.Prefix.Compare)
	case fact.Text:
		c.Op = ir.OpEqual
		c.Strings = rapid.SliceOfNDistinct(rapid.SampledFrom(headerDevices), 1, 2, rapid.ID).Draw(t, "devices")
		slices.Sort(c.Strings)
	default:
		c.Op = ir.OpRange
		pool := headerPorts
		if attr.Type == fact.Number {
			pool = []int{4, 6, 17, 47, 58, 132}
		}
		c.Ranges = rangesOf(t, pool)
	}
	if rapid.IntRange(0, 3).Draw(t, "not") == 0 {
		return ir.NewNot(diag.Range{}, c)
	}
	return c
}
