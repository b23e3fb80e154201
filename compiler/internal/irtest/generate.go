package irtest

import (
	"net/netip"
	"reflect"
	"slices"
	"strings"

	"pgregory.net/rapid"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
)

// Small worlds: few values, so that conditions and flows meet, with the odd
// ones that code gets wrong.
var (
	names     = []string{"", "zoom", "teams", "zo", "tls"}
	hosts     = []string{"", "zoom.us", "us02web.zoom.us", "notzoom.us", "us", "a.b.example.org", "example.org"}
	domains   = []string{"zoom.us", "us", "example.org", "b.example.org", "web.zoom.us"}
	texts     = []string{"", "Mozilla/5.0", "mozilla", "wlan0", "WLAN0", "ÄÖ zoom", "zoom"}
	lists     = []string{"", "h2", "h2,http/1.1", "H2", "http/1.1,h3"}
	numbers   = []int{0, 1, 4, 6, 17, 80, 443, 0x0303, 0x0304, 8801, 65535}
	addresses = []string{"", "10.0.0.1", "10.1.2.3", "192.168.1.5", "2001:db8::1", "::ffff:10.0.0.1", "8.8.8.8"}
	prefixes  = []string{"10.0.0.0/8", "10.1.0.0/16", "10.1.2.3/32", "0.0.0.0/0", "192.168.0.0/16", "2001:db8::/32", "::/0", "8.8.8.8/32"}
	patterns  = []string{"(?i)zoom", "^$", "(?i)^moz.*0$", "h2$", "[A-Z]"}
	residuals = []string{
		"src_port == dst_port", "len(hostname) > 7", "src_port + 1 in [81, 444]", "lower(http_user_agent) contains 'zoom'",
		"hostname == dns_hostname", "src_ip == local_ip", "int(hostname) > 0", "any([1, 2, 443], # == dst_port)",
	}
)

// Facts draws a flow.
func Facts(t *rapid.T) *fact.Facts {
	f := &fact.Facts{}
	for _, a := range fact.Attributes {
		var v any
		switch a.Type {
		case fact.Text, fact.InterfaceName:
			v = rapid.SampledFrom(texts).Draw(t, a.Name)
		case fact.TextList, fact.ScheduleName:
			v = rapid.SampledFrom(lists).Draw(t, a.Name)
		case fact.Hostname:
			v = rapid.SampledFrom(hosts).Draw(t, a.Name)
		case fact.ApplicationName, fact.BrandName, fact.ProtocolName, fact.CategoryName, fact.EvidenceName, fact.MAC, fact.EnumName:
			v = rapid.SampledFrom(names).Draw(t, a.Name)
		case fact.Number, fact.Port, fact.TLSVersion, fact.TimeOfDay:
			v = rapid.SampledFrom(numbers).Draw(t, a.Name)
		case fact.Flag:
			v = rapid.Bool().Draw(t, a.Name)
		case fact.Address:
			addr, _ := netip.ParseAddr(rapid.SampledFrom(addresses).Draw(t, a.Name))
			v = addr
		}
		reflect.ValueOf(f).Elem().FieldByName(a.Field).Set(reflect.ValueOf(v))
	}
	return f
}

// Policies draws the policies of a set, with conditions and marks.
func Policies(t *rapid.T) []ir.Policy {
	out := make([]ir.Policy, rapid.IntRange(1, 6).Draw(t, "policies"))
	for i := range out {
		out[i] = ir.Policy{ID: i, Name: "p", Cond: Expr(t, 4)}
		if mask := rapid.Uint32Range(0, 15).Draw(t, "mask"); mask != 0 {
			out[i].Mark = &artifact.Mark{Value: rapid.Uint32().Draw(t, "mark") & mask, Mask: mask}
		}
	}
	return out
}

// Expr draws a condition of at most the given depth.
func Expr(t *rapid.T, depth int) ir.Expr {
	kind := rapid.IntRange(0, 9).Draw(t, "kind")
	if depth == 0 {
		kind = max(kind, 4)
	}
	switch kind {
	case 0, 1:
		return ir.NewAnd(diag.Range{}, exprList(t, depth)...)
	case 2:
		return ir.NewOr(diag.Range{}, exprList(t, depth)...)
	case 3, 4:
		return ir.NewNot(diag.Range{}, Expr(t, max(depth-1, 0)))
	case 5:
		return &ir.Residual{Source: rapid.SampledFrom(residuals).Draw(t, "residual")}
	}
	return comparison(t)
}

// MixedExpr draws a condition that asks of packets as well as of flows.
func MixedExpr(t *rapid.T, depth int) ir.Expr {
	kind := rapid.IntRange(0, 6).Draw(t, "mixed")
	if depth == 0 {
		kind = max(kind, 3)
	}
	list := func() []ir.Expr {
		out := make([]ir.Expr, rapid.IntRange(2, 3).Draw(t, "operands"))
		for i := range out {
			out[i] = MixedExpr(t, depth-1)
		}
		return out
	}
	switch kind {
	case 0, 1:
		return ir.NewAnd(diag.Range{}, list()...)
	case 2:
		return ir.NewOr(diag.Range{}, list()...)
	case 3:
		return ir.NewNot(diag.Range{}, MixedExpr(t, max(depth-1, 0)))
	case 4:
		packet := slices.DeleteFunc(slices.Clone(fact.Attributes), func(a fact.Attribute) bool { return a.Decided != fact.Packet })
		return compareWith(t, rapid.SampledFrom(packet).Draw(t, "attribute"))
	}
	return comparison(t)
}

func exprList(t *rapid.T, depth int) []ir.Expr {
	out := make([]ir.Expr, rapid.IntRange(2, 5).Draw(t, "operands"))
	for i := range out {
		out[i] = Expr(t, depth-1)
	}
	return out
}

func comparison(t *rapid.T) ir.Expr {
	return compareWith(t, rapid.SampledFrom(flowAttributes()).Draw(t, "attribute"))
}

// flowAttributes are those that policies ask of a flow, and not of each of its packets.
func flowAttributes() []fact.Attribute {
	return slices.DeleteFunc(slices.Clone(fact.Attributes), func(a fact.Attribute) bool { return a.Decided == fact.Packet || a.Decided == fact.Measured })
}

// compareWith draws a comparison of an attribute.
func compareWith(t *rapid.T, a fact.Attribute) ir.Expr {
	c := &ir.Compare{Attr: a}
	switch c.Attr.Type {
	case fact.Number, fact.Port, fact.TLSVersion, fact.TimeOfDay:
		c.Op, c.Ranges = ir.OpRange, ranges(t)
		if a.Name == "ct_mark" {
			c.Mask = rapid.SampledFrom([]uint32{0, 0x5, 0x11}).Draw(t, "mask")
		}
	case fact.Flag:
		c.Op = ir.OpTrue
	case fact.Address:
		c.Op, c.Prefixes = ir.OpPrefix, networks(t)
	case fact.ApplicationName, fact.BrandName, fact.ProtocolName, fact.CategoryName, fact.EvidenceName, fact.MAC, fact.EnumName, fact.ScheduleName, fact.InterfaceName:
		c.Op, c.Strings = ir.OpEqual, strs(t, c, names)
	case fact.Hostname:
		c.Op = rapid.SampledFrom([]ir.Op{ir.OpEqual, ir.OpDomain, ir.OpContains, ir.OpEndsWith, ir.OpMatches}).Draw(t, "op")
		pool := map[ir.Op][]string{ir.OpDomain: domains, ir.OpMatches: patterns}[c.Op]
		if pool == nil {
			pool = hosts
		}
		c.Strings = strs(t, c, pool)
	case fact.Text, fact.TextList:
		c.Op = rapid.SampledFrom([]ir.Op{ir.OpEqual, ir.OpStartsWith, ir.OpEndsWith, ir.OpContains, ir.OpMatches}).Draw(t, "op")
		pool := slices.Concat(texts, []string{"h2", "http/1.1"})
		if c.Op == ir.OpMatches {
			pool = patterns
		}
		c.Strings = strs(t, c, pool)
	}
	return c
}

// strs draws constants as resolve leaves them: folded, sorted, unique. Some
// lists are long, because long ones are looked up in another way.
func strs(t *rapid.T, c *ir.Compare, pool []string) []string {
	list := rapid.SliceOfN(rapid.SampledFrom(pool), 1, 3).Draw(t, "strings")
	if rapid.IntRange(0, 9).Draw(t, "long") == 0 && c.Op != ir.OpMatches {
		for _, s := range "abcdefghijklm" {
			list = append(list, "x"+string(s))
		}
	}
	if c.Op != ir.OpMatches && ir.FoldsCase(c.Attr) {
		for i, s := range list {
			list[i] = strings.ToLower(s)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// ranges draws sorted ranges that neither overlap nor touch.
func ranges(t *rapid.T) []ir.Interval { return rangesOf(t, numbers) }

func rangesOf(t *rapid.T, pool []int) []ir.Interval {
	points := rapid.SliceOfNDistinct(rapid.SampledFrom(pool), 1, 4, rapid.ID).Draw(t, "points")
	slices.Sort(points)
	var out []ir.Interval
	for len(points) > 0 {
		n := min(len(points), rapid.IntRange(1, 2).Draw(t, "ends"))
		r := ir.Interval{Low: points[0], High: points[n-1]}
		if len(out) == 0 || out[len(out)-1].High+1 < r.Low {
			out = append(out, r)
		}
		points = points[n:]
	}
	return out
}

// networks draws sorted prefixes that do not contain each other.
func networks(t *rapid.T) []netip.Prefix {
	var out []netip.Prefix
	for _, s := range rapid.SliceOfN(rapid.SampledFrom(prefixes), 1, 3).Draw(t, "networks") {
		p := netip.MustParsePrefix(s)
		if !slices.ContainsFunc(out, p.Overlaps) {
			out = append(out, p)
		}
	}
	if rapid.IntRange(0, 9).Draw(t, "long") == 0 {
		for i := range 12 {
			p := netip.PrefixFrom(netip.AddrFrom4([4]byte{11, byte(2 * i), 0, 0}), 16)
			if !slices.ContainsFunc(out, p.Overlaps) {
				out = append(out, p)
			}
		}
	}
	slices.SortFunc(out, netip.Prefix.Compare)
	return out
}
