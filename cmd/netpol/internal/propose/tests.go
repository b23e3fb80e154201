package propose

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/netpol/netpol/lang"
)

// maxTests bounds the tests of a proposal.
const maxTests = 30

// sample is a connection that a policy matches, by the fields of conditions.
type sample map[field]string

// tests writes a test for each policy whose conditions a connection can be made of:
// with the policies that match it, by the conditions as they were read.
func tests(list []policy) []byte {
	var w writer
	n := 0
	for _, p := range list {
		s, ok := sampleOf(p.where)
		if !ok || !p.matches(s) || n == maxTests {
			continue
		}
		n++
		var names []string
		for _, q := range list {
			if q.matches(s) {
				names = append(names, quote(q.title))
			}
		}
		w.line("test %s {\nflow {", quote(p.title))
		for f := protocol; f <= inInterface; f++ {
			switch value, given := s[f]; {
			case !given || f == version:
			case f == sourcePort || f == targetPort:
				w.line("%s = %s", f.attribute(), value)
			default:
				w.line("%s = %s", f.attribute(), quote(value))
			}
		}
		w.line("}\nexpect {\npolicies = [%s]\n}\n}\n", strings.Join(names, ", "))
	}
	if n == 0 {
		return nil
	}
	text, diags := lang.Format(TestFile, []byte(strings.TrimSpace(w.text.String())+"\n"))
	if diags.HasErrors() {
		return nil // a proposal without tests is one as well
	}
	return text
}

// sampleOf makes a connection of the first value of each condition.
func sampleOf(where []condition) (sample, bool) {
	s := sample{protocol: "tcp", version: "4", sourcePort: "40000"}
	for _, c := range where {
		if !c.not {
			s[c.field] = first(c)
		}
	}
	for _, f := range []field{sourceAddress, targetAddress} {
		if a, err := netip.ParseAddr(s[f]); err == nil && a.Is6() {
			s[version] = "6"
		}
	}
	ends := map[string][2]string{"4": {"192.168.1.10", "203.0.113.1"}, "6": {"fd00::10", "2001:db8::1"}}[s[version]]
	for i, f := range []field{sourceAddress, targetAddress} {
		if s[f] == "" {
			s[f] = ends[i]
		}
	}
	switch s[protocol] {
	case "tcp", "udp":
		if s[targetPort] == "" {
			s[targetPort] = "9"
		}
	default:
		return s, false // their flows have no ports
	}
	return s, ends[0] != ""
}

// first is a value that the condition holds for.
func first(c condition) string {
	value := c.values[0]
	switch c.field {
	case sourcePort, targetPort:
		value, _, _ = strings.Cut(value, "..")
	case sourceAddress, targetAddress:
		if p, err := netip.ParsePrefix(value); err == nil {
			value = p.Addr().Next().String() // networks have no host of number zero
		}
	case protocol, version, inInterface:
	}
	return value
}

// matches reports whether the policy's conditions hold for a connection.
func (p *policy) matches(s sample) bool {
	for _, c := range p.where {
		value, given := s[c.field]
		if !given {
			return false // which interface it came by is not said
		}
		if slices.ContainsFunc(c.values, func(v string) bool { return holds(c.field, v, value) }) == c.not {
			return false
		}
	}
	return true
}

// holds reports whether one value of a condition holds.
func holds(f field, wanted, got string) bool {
	switch f {
	case sourcePort, targetPort:
		from, to, isRange := strings.Cut(wanted, "..")
		if !isRange {
			return wanted == got
		}
		a, _ := strconv.Atoi(from) // they were read as numbers
		b, _ := strconv.Atoi(to)
		n, _ := strconv.Atoi(got)
		return a <= n && n <= b
	case sourceAddress, targetAddress:
		addr, err := netip.ParseAddr(got)
		if p, isNetwork := netip.ParsePrefix(wanted); isNetwork == nil {
			return err == nil && p.Contains(addr)
		}
		return wanted == got
	case protocol:
		return wanted == got || number(wanted) == got || wanted == number(got)
	case version, inInterface:
	}
	return wanted == got
}

// number is an IP protocol's number where criteria know its name.
func number(name string) string {
	if n, ok := map[string]int{"icmp": 1, "tcp": 6, "udp": 17, "icmpv6": 58, "sctp": 132}[name]; ok {
		return fmt.Sprint(n)
	}
	return name
}
