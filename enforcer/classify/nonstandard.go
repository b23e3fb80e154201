package classify

import (
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang/fact"
)

// hasPorts says that the catalogue knows ports of TCP or UDP for a protocol.
func hasPorts(ranges []artifact.PortRange) bool {
	for _, r := range ranges {
		if r.Transport == "tcp" || r.Transport == "udp" {
			return true
		}
	}
	return false
}

// offItsPorts says that a protocol, read from a flow's bytes, runs on no port
// that the catalogue gives it, nor on one of its own kind (SMTP on the port of
// mail submission). Protocols that others ride on, or that choose their ports,
// are at home on any.
func (c *Classifier) offItsPorts(f *fact.Facts, proto *protocol) bool {
	switch f.Protocol {
	case "", "tls", "dtls", "quic", "dcerpc", "tftp", "ftp-data": // the last three move to a port they agree on
		return false
	}
	switch proto.category {
	case "file-sharing", "games", "voip-conferencing", "dns-over-https":
		return false
	}
	if !proto.hasPorts || !carriesPorts(f.IPProtocol) {
		return false
	}
	for _, port := range [...]int{f.DstPort, f.SrcPort} { // a flow first seen in its middle may be turned around
		i, ok := c.wellKnown.lookup(f.IPProtocol, port)
		if !ok {
			continue
		}
		if owner := &c.protocols[i]; owner.tag == f.Protocol || owner.category == proto.category {
			return false
		}
	}
	return true
}
