package classify

import (
	"net/netip"

	"github.com/netpol/netpol/lang/fact"
)

// owner is the application that a name or an address belongs to, an index in
// Classifier.apps; ok is false when it is nobody's.
type owner struct {
	app uint16
	ok  bool
}

// owners are those of a flow's names and addresses. Several questions lead to
// them, so they are looked up once for all.
type owners struct {
	src, dst owner // of the addresses
	// server is that of the network which the flow was opened to.
	server owner
	// name is that of the name which the flow goes to, whatever the flow itself is
	// recognised as.
	name owner
}

func (c *Classifier) ownersOf(f *fact.Facts) (o owners) {
	o.src.app, o.src.ok = c.network(f.SrcIP)
	o.dst.app, o.dst.ok = c.network(f.DstIP)
	// The client's network counts only where the server's address can be in none:
	// a flow first seen in its middle may be turned around, but a client that
	// calls from Amazon's network to a server of ours is not Amazon.
	o.server = o.dst
	if !o.dst.ok && f.DstIP.IsPrivate() && f.SrcPort < f.DstPort {
		o.server = o.src
	}
	name := f.DNSHostname
	if isName(f.Hostname) {
		name = f.Hostname
	}
	if name != "" {
		o.name.app, o.name.ok = c.suffixes.lookup(name)
	}
	return o
}

// ownerOf is the owner of one of the flow's addresses, or of another that stands
// for one of them.
func (c *Classifier) ownerOf(a netip.Addr, f *fact.Facts, o *owners) (w owner) {
	switch a {
	case f.SrcIP:
		return o.src
	case f.DstIP:
		return o.dst
	}
	w.app, w.ok = c.network(a)
	return w
}

// category is that of an owner, empty for nobody.
func (c *Classifier) category(o owner) string {
	if !o.ok {
		return ""
	}
	return c.apps[o.app].category
}
