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
	*pool
	local [2]rid // networks on the inside: IPv4, IPv6
	ports rid    // transports with ports; of other protocols they are 0
	lists map[group]rid
}

// group is a list of prefixes by where it lies in memory: conditions share
// long ones. The lists outlive the space.
type group struct {
	first   *netip.Prefix
	length  int
	version uint8
}

func newSpace(s artifact.Settings) space {
	out := space{pool: newPool(), lists: map[group]rid{}}
	inside := s.Inside()
	out.local = [2]rid{out.addresses(inside, 4), out.addresses(inside, 6)}
	var ports region
	// What the enforcer reads ports of: TCP, UDP, SCTP and UDP-Lite.
	for _, proto := range []int{6, 17, 132, 136} {
		v := number(proto, artifact.SetProto.Width())
		ports = append(ports, interval{v, v})
	}
	out.ports = out.name(union(ports))
	return out
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
				if b, ok := s.boxOf(reading{version, ports, inward}, c); ok {
					out = s.bound(out, b, reading{version, ports, inward}, a)
				}
			}
		}
	}
	return s.outermost(out)
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
			ports = s.not(ports, width(fieldProto, 0))
		}
		if !s.narrow(&b, fieldProto, ports) {
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
	outside := s.not(local, width(fieldSrc, r.version))
	if r.inward {
		if s.narrow(&b, fieldDst, local) && s.narrow(&b, fieldSrc, outside) {
			to = append(to, b)
		}
		return to
	}
	opener, opened := b, b
	if s.narrow(&opener, fieldSrc, local) {
		to = append(to, opener)
	}
	if s.narrow(&opened, fieldDst, outside) {
		to = append(to, opened)
	}
	return to
}

// outermost drops boxes that lie in another.
func (p *pool) outermost(list []box) []box {
	var out []box
	for i := range list {
		keep := true
		for j := range list {
			if i != j && p.covers(list[j], list[i]) && (j < i || list[i] != list[j]) {
				keep = false
			}
		}
		if keep {
			out = append(out, list[i])
		}
	}
	return out
}

// boxOf is the box of a conjunction, false if it cannot hold.
func (s space) boxOf(w reading, c ir.Conjunction) (box, bool) {
	b := box{version: w.version}
	for _, l := range c {
		f, r := s.resolve(w, l.Test)
		if f == fields { // the case alone says the answer
			if (r == nothing) != l.Not {
				return b, false
			}
			continue
		}
		if l.Not {
			r = s.not(r, width(f, w.version))
		}
		if !s.narrow(&b, f, r) {
			return b, false
		}
	}
	return b, true
}

// resolve is the field that a comparison asks for, and the values that it
// takes. Where the case alone says the answer, there is no field, and the
// region is anything or nothing.
func (s space) resolve(w reading, c *ir.Compare) (field, rid) {
	switch c.Attr.Name {
	case "src_ip":
		return fieldSrc, s.addresses(c.Prefixes, w.version)
	case "dst_ip":
		return fieldDst, s.addresses(c.Prefixes, w.version)
	case "local_ip":
		return w.sided(fieldSrc, fieldDst), s.addresses(c.Prefixes, w.version)
	case "other_ip":
		return w.sided(fieldDst, fieldSrc), s.addresses(c.Prefixes, w.version)
	case "ip_version":
		return fields, answer(contains(c.Ranges, int(w.version)))
	case "ip_protocol":
		return fieldProto, s.name(numbers(c.Ranges, width(fieldProto, 0)))
	case "interface":
		return fieldDevice, s.name(devices(c.Strings))
	}
	if !w.ports {
		return fields, answer(contains(c.Ranges, 0))
	}
	r := s.name(numbers(c.Ranges, width(fieldSport, 0)))
	switch c.Attr.Name {
	case "src_port":
		return fieldSport, r
	case "local_port":
		return w.sided(fieldSport, fieldDport), r
	case "other_port":
		return w.sided(fieldDport, fieldSport), r
	}
	return fieldDport, r
}

// sided is the first field, or the second where the opened side is local.
func (w reading) sided(out, in field) field {
	if w.inward {
		return in
	}
	return out
}

func answer(yes bool) rid {
	if yes {
		return anything
	}
	return nothing
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
func (s space) addresses(list []netip.Prefix, version uint8) rid {
	if len(list) == 0 {
		return nothing
	}
	key := group{&list[0], len(list), version}
	if id, ok := s.lists[key]; ok {
		return id
	}
	var out region
	for _, p := range list {
		if p.Addr().Is4() == (version == 4) {
			out = append(out, block(p))
		}
	}
	id := s.name(union(out))
	s.lists[key] = id
	return id
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
