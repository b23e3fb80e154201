package nft

import (
	"encoding/binary"
	"net/netip"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/compiler/ir"
)

// space turns conditions into boxes. Which address is the local one, and
// whether a packet has ports, are no fields of their own; a condition that
// depends on them is written once for each case, with the case's own tests.
type space struct {
	local [2]region // networks on the inside: IPv4, IPv6
	ports region    // transports with ports; of other protocols they are 0
}

func newSpace(s artifact.Settings) space {
	var out space
	for _, p := range insideNetworks(s) {
		i := 0
		if p.Addr().Is6() {
			i = 1
		}
		out.local[i] = append(out.local[i], block(p))
	}
	for i := range out.local {
		out.local[i] = union(out.local[i])
	}
	// What the enforcer reads ports of: TCP, UDP, SCTP and UDP-Lite.
	for _, proto := range []int{6, 17, 132, 136} {
		v := number(proto, artifact.SetProto.Width())
		out.ports = append(out.ports, interval{v, v})
	}
	return out
}

// insideNetworks are what the enforcer takes for local: the private ranges
// (RFC 1918, RFC 4193), the link itself (RFC 3927, RFC 4291), the host, and
// the operator's own.
func insideNetworks(s artifact.Settings) []netip.Prefix {
	var out []netip.Prefix
	for _, p := range []string{
		"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8",
		"fc00::/7", "fe80::/10", "::1/128",
	} {
		out = append(out, netip.MustParsePrefix(p))
	}
	return append(out, s.LocalNetworks...)
}

// reading is one case of what a condition may mean.
type reading struct {
	version uint8 // 4 or 6; 0 where the condition does not ask
	ports   bool
	inward  bool // the opened side is the local one, and the opener is not
}

// asked says which cases a conjunction has to be written for.
type asked struct{ version, ports, side bool }

func asks(c ir.Conjunction) (a asked) {
	for _, l := range c {
		switch l.Test.Attr.Name {
		case "src_ip", "dst_ip", "ip_version":
			a.version = true
		case "local_ip", "other_ip":
			a.version, a.side = true, true
		case "src_port", "dst_port":
			a.ports = true
		case "local_port", "other_port":
			a.version, a.side, a.ports = true, true, true
		}
	}
	return a
}

// boxes are what the conjunction holds in: any of them.
func (s space) boxes(c ir.Conjunction) []box {
	a := asks(c)
	versions := []uint8{0}
	if a.version {
		versions = []uint8{4, 6}
	}
	var out []box
	for _, version := range versions {
		for _, ports := range choices(a.ports) {
			for _, inward := range choices(a.side) {
				if b, ok := (reading{version, ports, inward}).boxOf(c); ok {
					out = s.bound(out, b, reading{version, ports, inward}, a)
				}
			}
		}
	}
	return outermost(out)
}

func choices(asked bool) []bool {
	if asked {
		return []bool{false, true}
	}
	return []bool{false}
}

// bound adds the box with the tests of its case.
func (s space) bound(to []box, b box, r reading, a asked) []box {
	if a.ports {
		ports := s.ports
		if !r.ports {
			ports = ports.complement(width(fieldProto, 0))
		}
		if !b.and(fieldProto, ports) {
			return to
		}
	}
	if !a.side {
		return append(to, b)
	}
	local := s.local[0]
	if r.version == 6 {
		local = s.local[1]
	}
	outside := local.complement(width(fieldSrc, r.version))
	if r.inward {
		if b.and(fieldDst, local) && b.and(fieldSrc, outside) {
			to = append(to, b)
		}
		return to
	}
	opener, opened := b, b
	if opener.and(fieldSrc, local) {
		to = append(to, opener)
	}
	if opened.and(fieldDst, outside) {
		to = append(to, opened)
	}
	return to
}

// outermost drops boxes that lie in another.
func outermost(list []box) []box {
	var out []box
	for i := range list {
		keep := true
		for j := range list {
			if i != j && list[j].covers(&list[i]) && (j < i || !list[i].covers(&list[j])) {
				keep = false
			}
		}
		if keep {
			list[i].tidy()
			out = append(out, list[i])
		}
	}
	return out
}

// boxOf is the box of a conjunction, false if it cannot hold.
func (w reading) boxOf(c ir.Conjunction) (box, bool) {
	b := box{version: w.version}
	for _, l := range c {
		f, r, fixed := w.resolve(l.Test)
		if fixed {
			if (r != nil) == l.Not {
				return b, false
			}
			continue
		}
		if l.Not {
			r = r.complement(width(f, w.version))
		}
		if !b.and(f, r) {
			return b, false
		}
	}
	return b, true
}

// resolve is the field that a comparison asks for, and the values that it
// takes. Where the case alone says the answer, fixed is true and the region
// not nil for yes.
func (w reading) resolve(c *ir.Compare) (f field, r region, fixed bool) {
	switch c.Attr.Name {
	case "src_ip":
		return fieldSrc, w.addresses(c.Prefixes), false
	case "dst_ip":
		return fieldDst, w.addresses(c.Prefixes), false
	case "local_ip":
		return w.sided(fieldSrc, fieldDst), w.addresses(c.Prefixes), false
	case "other_ip":
		return w.sided(fieldDst, fieldSrc), w.addresses(c.Prefixes), false
	case "ip_version":
		return 0, answer(contains(c.Ranges, int(w.version))), true
	case "ip_protocol":
		return fieldProto, numbers(c.Ranges, width(fieldProto, 0)), false
	case "interface":
		return fieldDevice, devices(c.Strings), false
	}
	if !w.ports {
		return 0, answer(contains(c.Ranges, 0)), true
	}
	r = numbers(c.Ranges, width(fieldSport, 0))
	switch c.Attr.Name {
	case "src_port":
		return fieldSport, r, false
	case "local_port":
		return w.sided(fieldSport, fieldDport), r, false
	case "other_port":
		return w.sided(fieldDport, fieldSport), r, false
	}
	return fieldDport, r, false
}

// sided is the first field, or the second where the opened side is local.
func (w reading) sided(out, in field) field {
	if w.inward {
		return in
	}
	return out
}

func answer(yes bool) region {
	if yes {
		return region{}
	}
	return nil
}

func contains(ranges []ir.Interval, v int) bool {
	for _, r := range ranges {
		if r.Low <= v && v <= r.High {
			return true
		}
	}
	return false
}

// addresses are the blocks of the family.
func (w reading) addresses(list []netip.Prefix) region {
	var out region
	for _, p := range list {
		if p.Addr().Is4() == (w.version == 4) {
			out = append(out, block(p))
		}
	}
	return union(out)
}

// block is a prefix as an interval.
func block(p netip.Prefix) interval {
	low := p.Masked().Addr().AsSlice()
	high := p.Masked().Addr().AsSlice()
	for i := p.Bits(); i < len(high)*8; i++ {
		high[i/8] |= 0x80 >> (i % 8)
	}
	return interval{string(low), string(high)}
}

// numbers are ranges cut to what fits the width.
func numbers(ranges []ir.Interval, width int) region {
	limit := 1<<(8*width) - 1
	var out region
	for _, r := range ranges {
		if low, high := max(r.Low, 0), min(r.High, limit); low <= high {
			out = append(out, interval{number(low, width), number(high, width)})
		}
	}
	return union(out)
}

func number(v, width int) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(v))
	return string(b[len(b)-width:])
}

// devices are names, each a point.
func devices(names []string) region {
	var out region
	for _, n := range names {
		v := string(append([]byte(n), make([]byte, artifact.SetDevice.Width()-len(n))...))
		out = append(out, interval{v, v})
	}
	return union(out)
}
