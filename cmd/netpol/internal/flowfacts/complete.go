package flowfacts

import (
	"net/netip"
	"slices"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/classify"
	"github.com/netpol/netpol/lang/fact"
)

// World is what a policy set says of flows in general: its catalogue and what
// is local. It is immutable and safe for concurrent use.
type World struct {
	Catalogue  *artifact.Catalogue
	classifier *classify.Classifier
	local      []netip.Prefix
	categories map[string]string // by application
	protocols  map[string]artifact.Protocol
}

// NewWorld takes the world of a bundle.
func NewWorld(b *artifact.Bundle) (*World, error) {
	c, err := classify.New(&b.Catalogue)
	if err != nil {
		return nil, err
	}
	w := &World{
		Catalogue: &b.Catalogue, classifier: c, local: b.Settings.LocalNetworks,
		categories: make(map[string]string, len(b.Catalogue.Applications)),
		protocols:  make(map[string]artifact.Protocol, len(b.Catalogue.Protocols)),
	}
	for _, a := range b.Catalogue.Applications {
		w.categories[a.Tag] = a.Category
	}
	for _, p := range b.Catalogue.Protocols {
		w.protocols[p.Tag] = p
	}
	return w, nil
}

// Complete fills in what follows from the attributes that were written, as the
// enforcer would: sides from addresses, the application from host name, DNS
// name and network, categories from the names. It never changes what given
// holds, which are names of attributes. What rests on the port alone is not
// guessed.
func (w *World) Complete(f *fact.Facts, given map[string]bool) {
	w.sides(f, given)
	if !given["ip_version"] {
		f.IPVersion = versionOf(f)
	}
	w.classify(f, given)
	if !given["application_category"] {
		f.ApplicationCategory = w.categories[f.Application]
	}
	if !given["protocol_category"] {
		f.ProtocolCategory = w.protocols[f.Protocol].Category
	}
	if !given["category"] {
		f.Category = f.ApplicationCategory
		if f.Category == "" {
			f.Category = f.ProtocolCategory
		}
	}
	if !given["detection_complete"] {
		f.Complete = true
	}
}

// classify names the application unless that was written.
func (w *World) classify(f *fact.Facts, given map[string]bool) {
	if given["application"] || given["application_category"] || given["category"] {
		return
	}
	named := *f
	if named.IPProtocol == 0 {
		named.IPProtocol = w.transport(f.Protocol)
	}
	w.classifier.Classify(&named, false, nil, 0)
	f.Application = named.Application
	if !given["protocol"] {
		f.Protocol = named.Protocol
	}
	if !given["by"] {
		f.By = named.By
	}
	if !given["detection_guessed"] {
		f.Guessed = named.Guessed
	}
}

// transport is the IP protocol that a protocol runs over, for a flow that does
// not say: UDP if its ports are UDP's only.
func (w *World) transport(protocol string) int {
	const tcp, udp = 6, 17
	ports := w.protocols[protocol].Ports
	if len(ports) > 0 && !slices.ContainsFunc(ports, func(r artifact.PortRange) bool { return r.Transport != "udp" }) {
		return udp
	}
	return tcp
}

// sides fills local and other from source and destination, or the other way
// round.
func (w *World) sides(f *fact.Facts, given map[string]bool) {
	if given["local_ip"] || given["other_ip"] || given["local_port"] || given["other_port"] {
		w.sourceFromLocal(f, given)
		return
	}
	f.LocalIP, f.LocalPort, f.OtherIP, f.OtherPort = f.SrcIP, f.SrcPort, f.DstIP, f.DstPort
	if w.IsLocal(f.DstIP) && !w.IsLocal(f.SrcIP) {
		f.LocalIP, f.LocalPort, f.OtherIP, f.OtherPort = f.DstIP, f.DstPort, f.SrcIP, f.SrcPort
	}
}

// sourceFromLocal takes the local side as the one that opened the flow, unless
// the addresses written say otherwise.
func (w *World) sourceFromLocal(f *fact.Facts, given map[string]bool) {
	local, other := netip.AddrPortFrom(f.LocalIP, uint16(f.LocalPort)), netip.AddrPortFrom(f.OtherIP, uint16(f.OtherPort))
	inward := given["dst_ip"] && w.IsLocal(f.DstIP) && !w.IsLocal(f.SrcIP) || given["src_ip"] && f.SrcIP.IsValid() && f.SrcIP == f.OtherIP
	src, dst := local, other
	if inward {
		src, dst = other, local
	}
	pick := func(name string, addr *netip.Addr, from netip.Addr) {
		if !given[name] && from.IsValid() {
			*addr = from
		}
	}
	pickPort := func(name string, port *int, from uint16) {
		if !given[name] && from != 0 {
			*port = int(from)
		}
	}
	pick("src_ip", &f.SrcIP, src.Addr())
	pick("dst_ip", &f.DstIP, dst.Addr())
	pickPort("src_port", &f.SrcPort, src.Port())
	pickPort("dst_port", &f.DstPort, dst.Port())
	localEnd, otherEnd := netip.AddrPortFrom(f.SrcIP, uint16(f.SrcPort)), netip.AddrPortFrom(f.DstIP, uint16(f.DstPort))
	if inward {
		localEnd, otherEnd = otherEnd, localEnd
	}
	pick("local_ip", &f.LocalIP, localEnd.Addr())
	pick("other_ip", &f.OtherIP, otherEnd.Addr())
	pickPort("local_port", &f.LocalPort, localEnd.Port())
	pickPort("other_port", &f.OtherPort, otherEnd.Port())
}

// IsLocal says what the enforcer says: a private range (RFC 1918, RFC 4193),
// the link itself, or one of the operator's networks.
func (w *World) IsLocal(a netip.Addr) bool {
	if a.IsPrivate() || a.IsLinkLocalUnicast() || a.IsLoopback() {
		return true
	}
	return slices.ContainsFunc(w.local, func(n netip.Prefix) bool { return n.Contains(a) })
}

// Named runs the set's own classifier over a flow, so that two worlds can be
// compared. Guesses are made as at the end of an analysis.
func (w *World) Named(f *fact.Facts) { w.classifier.Classify(f, true, nil, 0) }

// versionOf is the IP version of the flow's addresses; 0 when it has none.
func versionOf(f *fact.Facts) int {
	for _, a := range []netip.Addr{f.SrcIP, f.DstIP, f.LocalIP, f.OtherIP} {
		switch {
		case a.Is4():
			return 4
		case a.IsValid():
			return 6
		}
	}
	return 0
}
