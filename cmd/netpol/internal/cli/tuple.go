package cli

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/netpol/netpol/enforcer/flow"
)

// errTuple says how to name a connection.
var errTuple = errors.New("name a connection as  PROTO SRC:PORT DST:PORT  " +
	"(tcp 192.168.1.117:50100 170.114.52.2:443, IPv6 in brackets), or paste a line of conntrack -L")

// ipProtocols are the protocols that people write by name (IANA
// protocol-numbers).
var ipProtocols = map[string]uint8{"icmp": 1, "tcp": 6, "udp": 17, "icmpv6": 58, "sctp": 132, "udplite": 136}

// parseTuple reads a connection as people write and paste it. The words may
// be split over several arguments or not, parted by spaces, commas or arrows;
// ports stand behind a colon or as words of their own.
func parseTuple(args []string) (flow.Tuple, error) {
	text := strings.ReplaceAll(strings.Join(args, " "), "->", " ")
	words := strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == '\t' || r == '\n' || r == ',' })
	var p tupleParser
	if strings.Contains(text, "src=") {
		p.conntrack(words)
	} else {
		p.words(words)
	}
	return p.tuple()
}

// tupleParser collects what the words say, in their order.
type tupleParser struct {
	proto uint8
	addrs []netip.Addr
	ports []uint16
	err   error
}

func (p *tupleParser) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf(format+"; %w", append(args, errTuple)...)
	}
}

// words reads protocol names, addresses, ports, and addresses with ports.
func (p *tupleParser) words(words []string) {
	for _, w := range words {
		if n, ok := ipProtocols[strings.ToLower(w)]; ok {
			p.proto = n
			continue
		}
		if addr, err := netip.ParseAddr(strings.Trim(w, "[]")); err == nil {
			p.addrs = append(p.addrs, addr.Unmap())
			continue
		}
		if both, err := netip.ParseAddrPort(w); err == nil {
			p.addrs = append(p.addrs, both.Addr().Unmap())
			p.ports = append(p.ports, both.Port())
			continue
		}
		p.port(w)
	}
}

func (p *tupleParser) port(w string) {
	n, err := strconv.ParseUint(w, 10, 16)
	if err != nil {
		p.fail("%q is not a protocol, address or port", w)
		return
	}
	p.ports = append(p.ports, uint16(n))
}

// conntrack reads the original direction of a line of conntrack -L, which is
// the first of the two in it.
func (p *tupleParser) conntrack(words []string) {
	for _, w := range words {
		key, value, ok := strings.Cut(w, "=")
		if !ok {
			if n, known := ipProtocols[strings.ToLower(w)]; known && p.proto == 0 {
				p.proto = n
			}
			continue
		}
		switch {
		case (key == "src" || key == "dst") && len(p.addrs) < 2:
			addr, err := netip.ParseAddr(value)
			if err != nil {
				p.fail("%q is not an address", value)
				return
			}
			p.addrs = append(p.addrs, addr)
		case (key == "sport" || key == "dport") && len(p.ports) < 2:
			p.port(value)
		}
	}
}

func (p *tupleParser) tuple() (flow.Tuple, error) {
	hasPorts := p.proto != ipProtocols["icmp"] && p.proto != ipProtocols["icmpv6"]
	switch {
	case p.err != nil:
		return flow.Tuple{}, p.err
	case len(p.addrs) != 2:
		p.fail("%d addresses instead of 2", len(p.addrs))
	case p.proto == 0:
		p.fail("the protocol is missing")
	case p.addrs[0].Is4() != p.addrs[1].Is4():
		p.fail("one address is IPv4 and the other IPv6")
	case hasPorts && len(p.ports) != 2:
		p.fail("%d ports instead of 2", len(p.ports))
	case !hasPorts && len(p.ports) != 0:
		p.fail("ICMP has no ports")
	}
	if p.err != nil {
		return flow.Tuple{}, p.err
	}
	t := flow.Tuple{Src: p.addrs[0], Dst: p.addrs[1], Proto: p.proto}
	if hasPorts {
		t.SrcPort, t.DstPort = p.ports[0], p.ports[1]
	}
	return t, nil
}
