package classify

import (
	"fmt"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang/fact"
)

// maxGuessRange is the widest port range that may name an application outside
// its networks. A flow to some port of a range of hundreds is rarely the
// application's: the ephemeral ports of every other program lie there too.
const maxGuessRange = 64

// portTable maps server ports to the index of an application or protocol plus
// one; 0 is none.
type portTable struct {
	tcp, udp [1 << 16]uint16
}

// claimed marks a port that several applications claim: it says nothing.
const claimed = 1<<16 - 1

// of gives the table of an IP protocol number, nil for other than TCP and UDP.
func (t *portTable) of(ipProtocol int) *[1 << 16]uint16 {
	switch ipProtocol {
	case ipTCP:
		return &t.tcp
	case ipUDP:
		return &t.udp
	}
	return nil
}

// lookup finds the owner of a port; ports outside 0..65535 have none.
func (t *portTable) lookup(ipProtocol, port int) (index int, ok bool) {
	table := t.of(ipProtocol)
	if table == nil || port < 0 || port >= len(table) {
		return 0, false
	}
	v := table[port]
	return int(v) - 1, v != 0 && v != claimed
}

// brandPort is a server port of a brand.
type brandPort struct {
	brand      string
	ipProtocol int
	port       int
}

func (c *Classifier) addBrandPorts(brand string, r artifact.PortRange, app int) {
	ipProtocol := ipTCP
	if r.Transport == "udp" {
		ipProtocol = ipUDP
	}
	for port := int(r.Low); port <= int(r.High); port++ {
		c.brandPorts[brandPort{brand, ipProtocol, port}] = uint16(app)
	}
}

// narrow finds which part of a brand a flow belongs to that is known as the
// brand's by what says no more: its server's network or certificate.
func (c *Classifier) narrow(v verdict, f *fact.Facts) verdict {
	if i, ok := c.brandPorts[brandPort{v.application, f.IPProtocol, f.DstPort}]; ok {
		v.application, v.category, v.brand = c.apps[i].tag, c.apps[i].category, c.apps[i].brand
	}
	return v
}

// add gives a range to an owner. Transports without ports are skipped.
func (t *portTable) add(r artifact.PortRange, index int) error {
	if r.High < r.Low {
		return fmt.Errorf("add ports %s/%d-%d: high end below low end", r.Transport, r.Low, r.High)
	}
	var table *[1 << 16]uint16
	switch r.Transport {
	case "tcp":
		table = &t.tcp
	case "udp":
		table = &t.udp
	case "sctp", "ip":
		return nil
	default:
		return fmt.Errorf("add ports %s/%d: unknown transport", r.Transport, r.Low)
	}
	for port := int(r.Low); port <= int(r.High); port++ {
		switch table[port] {
		case 0, uint16(index + 1):
			table[port] = uint16(index + 1)
		default:
			table[port] = claimed
		}
	}
	return nil
}
