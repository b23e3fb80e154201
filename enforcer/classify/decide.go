package classify

import (
	"net/netip"
	"strings"

	"github.com/netpol/netpol/lang/fact"
)

// verdict is an application and what it was recognised by; empty for none.
type verdict struct {
	application, category, by string
	brand                     string // the application itself where it is part of none
	weak                      bool   // by correlation with flows that were guessed
	host                      bool   // the platform that the server stands in, and no more is known
}

func (c *Classifier) verdict(i uint16, by string) verdict {
	a := &c.apps[i]
	return verdict{application: a.tag, category: a.category, brand: a.brand, by: by}
}

// tagged is the verdict for an application by its tag, which the catalogue need not know.
func (c *Classifier) tagged(application, by string) verdict {
	if i, ok := c.byTag[application]; ok {
		return c.verdict(i, by)
	}
	return verdict{application: application, brand: application, by: by}
}

// guessed says that the application rests on addresses and ports alone.
func (v verdict) guessed() bool {
	return v.by == fact.ByNetwork || v.by == fact.ByPort || v.weak
}

// confidence is how sure a name is, in percent, by what it was recognised by;
// by is empty for a protocol without an application. The attribute
// "confidence" documents the same numbers.
func confidence(f *fact.Facts, guessed bool) int {
	switch f.By {
	case fact.ByPayload:
		return 100
	case fact.BySNI, fact.ByHTTP:
		return 95 // the client's own word: it may lie, rarely does
	case fact.ByCert:
		return 90 // the server's word, for all its names
	case fact.ByDNS:
		return 80 // another name may share the address
	case fact.ByCorrelation:
		if f.Guessed {
			return 50 // no more than the flow that points here
		}
		return 60
	case fact.ByNetwork:
		return 50
	case fact.ByPort:
		return 20
	}
	switch {
	case f.Protocol == "":
		return 0
	case guessed:
		return 20 // by its port
	}
	return 100 // by its bytes
}

// decide weighs the evidence, strongest first; doc.go tells the order.
func (c *Classifier) decide(f *fact.Facts, o *owners, proto *protocol, guessed, final bool, names *Names, nowNanos int64) verdict {
	if proto.application.by != "" && !guessed {
		return proto.application
	}
	// A dissector that knows a product by its bytes, inside of a protocol that
	// others use as well, says so itself.
	if f.By == fact.ByPayload && !guessed {
		if i, ok := c.byTag[f.Application]; ok {
			return c.verdict(i, fact.ByPayload)
		}
	}
	named := isName(f.Hostname)
	if named && o.name.ok {
		return c.verdict(o.name.app, hostnameEvidence(f))
	}
	// So does one that found a product's signature; a name that somebody is known by says more.
	if (f.By == fact.ByCert || f.By == fact.ByHTTP) && !guessed {
		if i, ok := c.byTag[f.Application]; ok {
			return c.narrow(c.verdict(i, f.By), f)
		}
	}
	if named {
		return verdict{}
	}
	if o.name.ok {
		return c.verdict(o.name.app, fact.ByDNS)
	}
	if !final && (f.Protocol == "" || namesFollow(f.Protocol)) {
		return verdict{}
	}
	return c.infer(f, o, guessed, final, names, nowNanos)
}

// infer names a flow that shows no name by other flows of its client, by its
// server's address and by its port.
func (c *Classifier) infer(f *fact.Facts, o *owners, guessed, final bool, names *Names, nowNanos int64) verdict {
	i, ok := o.server.app, o.server.ok
	if f.Protocol == "" || guessed || isMedia(f.Protocol) {
		h, found := c.correlate(f, o, names, nowNanos)
		if known := h.weak && ok && c.apps[i].tag == h.application; found && !known {
			v := c.tagged(h.application, fact.ByCorrelation)
			v.weak = h.weak
			return v
		}
	}
	if ok && (final || !c.apps[i].platform) {
		v := c.verdict(i, fact.ByNetwork)
		v.host = c.apps[i].platform
		return c.narrow(v, f)
	}
	if final && (f.Protocol == "" || guessed) {
		if i, ok := c.appPorts.lookup(f.IPProtocol, f.DstPort); ok {
			return c.verdict(uint16(i), fact.ByPort)
		}
	}
	return verdict{}
}

// hostnameEvidence says where the host name was read, from the dissector's
// word or else from the protocol.
func hostnameEvidence(f *fact.Facts) string {
	switch f.By {
	case fact.BySNI, fact.ByCert, fact.ByHTTP:
		return f.By
	}
	switch f.Protocol {
	case "tls", "quic", "dtls", "doh", "dot", "doq":
		return fact.BySNI
	}
	return fact.ByHTTP
}

// isName reports whether a host name names somebody: it has two labels and is
// no address.
func isName(host string) bool {
	dot := strings.IndexByte(strings.TrimSuffix(host, "."), '.')
	if dot < 0 {
		return false
	}
	last := host[len(host)-1]
	if '0' <= last && last <= '9' || last == ']' || strings.IndexByte(host, ':') >= 0 {
		// No top-level domain ends in a digit (RFC 3696 section 2).
		_, err := netip.ParseAddr(strings.Trim(host, "[]"))
		return err != nil
	}
	return true
}

// isLookup reports whether flows of a protocol ask for names on behalf of
// other flows.
func isLookup(protocol string) bool {
	switch protocol {
	case "dns", "dns-tunnel", "mdns", "llmnr", "netbios":
		return true
	}
	return false
}

// namesFollow reports whether flows of a protocol are about to show a host
// name, so that the address must not name them before they had the time.
func namesFollow(protocol string) bool {
	switch protocol {
	case "tls", "quic", "http", "http2", "http-connect", "http-proxy", "websocket", "webdav", "socks", "proxy-protocol":
		return true
	}
	return false
}
