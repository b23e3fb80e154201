package propose

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// field is what a condition asks for.
type field uint8

const (
	protocol field = iota
	version
	sourceAddress
	targetAddress
	sourcePort
	targetPort
	inInterface
)

// condition is a test of a rule: the field is one of the values, or none of them.
type condition struct {
	field  field
	not    bool
	values []string // as criteria write them: tcp, 443, 5000..5100, 10.0.0.0/8
}

// attribute is the field's name in criteria.
func (f field) attribute() string {
	switch f {
	case protocol:
		return "ip_protocol"
	case version:
		return "ip_version"
	case sourceAddress:
		return "src_ip"
	case targetAddress:
		return "dst_ip"
	case sourcePort:
		return "src_port"
	case targetPort:
		return "dst_port"
	case inInterface:
		return "interface"
	}
	panic("a field without an attribute")
}

// text is the condition in criteria.
func (c condition) text() string {
	values := make([]string, len(c.values))
	for i, v := range c.values {
		values[i] = v
		if _, err := strconv.Atoi(v); err != nil && !strings.Contains(v, "..") {
			values[i] = "'" + v + "'"
		}
	}
	text := c.field.attribute() + " in [" + strings.Join(values, ", ") + "]"
	if len(values) == 1 {
		text = c.field.attribute() + " == " + values[0]
		if strings.ContainsAny(values[0], "/") || strings.Contains(values[0], "..") {
			text = c.field.attribute() + " in " + values[0]
		}
	}
	if c.not {
		return "not (" + text + ")"
	}
	return text
}

// criteria joins conditions, the same one once. An address says its version.
func criteria(list []condition) string {
	told := slices.ContainsFunc(list, func(c condition) bool { return !c.not && (c.field == sourceAddress || c.field == targetAddress) })
	var parts []string
	for _, c := range list {
		if c.field == version && told {
			continue
		}
		if text := c.text(); !slices.Contains(parts, text) {
			parts = append(parts, text)
		}
	}
	slices.SortStableFunc(parts, func(a, b string) int { return fieldOrder(a) - fieldOrder(b) })
	if len(parts) == 0 {
		return "true"
	}
	return strings.Join(parts, " && ")
}

// fieldOrder brings criteria of equal rules into one order, as people read them.
func fieldOrder(text string) int {
	for f := protocol; f <= inInterface; f++ {
		if strings.HasPrefix(strings.TrimPrefix(text, "not ("), f.attribute()) {
			return int(f)
		}
	}
	return int(inInterface) + 1
}

// portRange is a port or a range as criteria write it.
func portRange(from, to int) (string, error) {
	if from < 0 || to > 65535 || from > to {
		return "", fmt.Errorf("policies cannot ask for the ports %d-%d", from, to)
	}
	if from == to {
		return strconv.Itoa(from), nil
	}
	return fmt.Sprintf("%d..%d", from, to), nil
}

// address is an address or network as criteria write it.
func address(text string) (string, error) {
	if p, err := netip.ParsePrefix(text); err == nil {
		if p = p.Masked(); p.IsSingleIP() {
			return p.Addr().String(), nil
		}
		return p.String(), nil
	}
	a, err := netip.ParseAddr(text)
	if err != nil || a.Zone() != "" {
		return "", fmt.Errorf("policies cannot ask for the address %q", text)
	}
	return a.String(), nil
}

// addressRange is the networks that make up a range.
func addressRange(from, to string) ([]string, error) {
	a, err1 := netip.ParseAddr(from)
	b, err2 := netip.ParseAddr(to)
	if err1 != nil || err2 != nil || a.BitLen() != b.BitLen() || b.Less(a) {
		return nil, fmt.Errorf("policies cannot ask for the addresses %s-%s", from, to)
	}
	var out []string
	for {
		p := netip.PrefixFrom(a, a.BitLen())
		for p.Bits() > 0 { // the largest network that begins at a and ends by b
			wider := netip.PrefixFrom(a, p.Bits()-1)
			if wider.Masked().Addr() != a || b.Less(last(wider)) {
				break
			}
			p = wider
		}
		text, err := address(p.String())
		if err != nil {
			return nil, err
		}
		out = append(out, text)
		if end := last(p); end == b {
			return out, nil
		} else {
			a = end.Next()
		}
	}
}

// last is the last address of a network.
func last(p netip.Prefix) netip.Addr {
	raw := p.Addr().AsSlice()
	for i := p.Bits(); i < len(raw)*8; i++ {
		raw[i/8] |= 1 << (7 - i%8)
	}
	addr, _ := netip.AddrFromSlice(raw) // as long as it was
	return addr
}
