package classify

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/gaissmai/bart"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang/fact"
)

// Classifier is a catalogue compiled for look-ups. It is immutable and safe
// for concurrent use; a new catalogue means a new Classifier.
type Classifier struct {
	apps       []application
	byTag      map[string]uint16   // index in apps
	within     map[string][]string // tags of those whose networks an application's own lie in
	protocols  []protocol          // the first is the zero value, for none that is known
	byProtocol map[string]uint16   // index in protocols, by tag
	suffixes   *suffixTable
	signatures signatureTable
	resolvers  *suffixTable         // of hosts that answer encrypted DNS and nothing else
	networks   *bart.Table[uint16]  // index in apps
	inPrivate  bool                 // some network is of private addresses
	appPorts   portTable            // index in apps; "anywhere" rows only
	brandPorts map[brandPort]uint16 // index in apps
	wellKnown  portTable            // index in protocols
	byNumber   [256]string          // protocol tag by IP protocol number
}

// application is what classification needs of a catalogue application.
type application struct {
	tag, category string
	brand         string // its own tag where it is part of none
	platform      bool   // cloud or CDN: its networks say who hosts, not what
}

// protocol is what classification needs of a catalogue protocol.
type protocol struct {
	tag         string
	category    string
	application verdict // the one that it belongs to, by payload; empty when it is nobody's
	hasPorts    bool
}

// privateNetworks are what netip.Addr.IsPrivate knows (RFC 1918, RFC 4193).
var privateNetworks = [...]string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"}

// New compiles a catalogue. It fails on what the tables cannot hold: two
// owners of a suffix or a prefix, an unknown transport, too many rows.
func New(cat *artifact.Catalogue) (*Classifier, error) {
	c := &Classifier{byProtocol: make(map[string]uint16, len(cat.Protocols)), byTag: make(map[string]uint16, len(cat.Applications)), brandPorts: make(map[brandPort]uint16), within: make(map[string][]string), networks: new(bart.Table[uint16])}
	if len(cat.Applications) >= claimed || len(cat.Protocols) >= claimed {
		return nil, fmt.Errorf("compile catalogue: more than %d applications or protocols", claimed-1)
	}
	if err := c.addApplications(cat.Applications); err != nil {
		return nil, fmt.Errorf("compile catalogue: %w", err)
	}
	if err := c.addProtocols(cat.Protocols); err != nil {
		return nil, fmt.Errorf("compile catalogue: %w", err)
	}
	c.nest(cat.Applications)
	for _, p := range privateNetworks {
		c.inPrivate = c.inPrivate || c.networks.OverlapsPrefix(netip.MustParsePrefix(p))
	}
	return c, nil
}

func (c *Classifier) addApplications(apps []artifact.Application) error {
	domains := 0
	for i := range apps {
		domains += len(apps[i].Domains)
	}
	entries := make([]suffixEntry, 0, domains)
	var resolvers []suffixEntry
	c.apps = make([]application, 0, len(apps))
	for i, a := range apps {
		c.byTag[a.Tag] = uint16(i)
		c.apps = append(c.apps, application{tag: a.Tag, category: a.Category, brand: cmp.Or(a.Brand, a.Tag), platform: isPlatform(a.Category)})
		for _, d := range a.Domains {
			entries = append(entries, suffixEntry{strings.ToLower(strings.Trim(d, ".")), uint16(i)})
		}
		for _, p := range a.Networks {
			if other, ok := c.networks.Get(p); ok && int(other) != i {
				return fmt.Errorf("add network %s: belongs to %s and %s", p, apps[other].Tag, a.Tag)
			}
			c.networks.Insert(p.Masked(), uint16(i))
		}
		for _, s := range a.Signatures {
			if s.Where == artifact.DNSName {
				resolvers = append(resolvers, suffixEntry{s.Value, uint16(i)})
				continue
			}
			if err := c.signatures.add(s, i); err != nil {
				return err
			}
		}
		for _, r := range a.Ports {
			if r.NeedsNetwork || r.High >= r.Low && int(r.High-r.Low) >= maxGuessRange {
				continue // the network alone names the application there
			}
			if a.Brand != "" {
				c.addBrandPorts(a.Brand, r, i)
			}
			if r.NeedsBrand {
				continue
			}
			if err := c.appPorts.add(r, i); err != nil {
				return err
			}
		}
	}
	var err error
	if c.resolvers, err = newSuffixTable(resolvers); err != nil {
		return err
	}
	c.suffixes, err = newSuffixTable(entries)
	return err
}

func (c *Classifier) addProtocols(protocols []artifact.Protocol) error {
	c.protocols = make([]protocol, 1, 1+len(protocols))
	for _, p := range protocols {
		known := protocol{tag: p.Tag, category: p.Category, hasPorts: hasPorts(p.Ports)}
		if p.Application != "" {
			known.application = c.tagged(p.Application, fact.ByPayload)
		}
		c.byProtocol[p.Tag] = uint16(len(c.protocols))
		c.protocols = append(c.protocols, known)
		for _, r := range p.Ports {
			if r.Transport == "ip" {
				for n := int(r.Low); n <= min(int(r.High), 255); n++ {
					c.byNumber[n] = p.Tag
				}
				continue
			}
			if err := c.wellKnown.add(r, len(c.protocols)-1); err != nil {
				return err
			}
		}
	}
	return nil
}

// nest finds, for each application, in whose networks its own lie: what a
// client does with WhatsApp tells of its calls in Meta's other networks too.
func (c *Classifier) nest(apps []artifact.Application) {
	for _, a := range apps {
		for _, p := range a.Networks {
			for _, outer := range c.networks.Supernets(p.Masked()) {
				tag := c.apps[outer].tag
				if tag != a.Tag && !c.apps[outer].platform && !slices.Contains(c.within[a.Tag], tag) {
					c.within[a.Tag] = append(c.within[a.Tag], tag)
				}
			}
		}
	}
}

// isPlatform reports whether an application of this category lends its
// addresses to others.
func isPlatform(category string) bool {
	return category == "cloud" || category == "cdn"
}

// Host finds the application of a host name by its longest suffix.
func (c *Classifier) Host(name string) (tag string, ok bool) {
	i, ok := c.suffixes.lookup(name)
	if !ok {
		return "", false
	}
	return c.apps[i].tag, true
}

// Asked finds the application that owns the name which a look-up asks for. The
// look-up itself is not that application (see the package's text): Classify
// leaves it without one, and records for people tell the two apart as they do
// for hostname and dns_hostname.
func (c *Classifier) Asked(f *fact.Facts) (tag string, ok bool) {
	if !isLookup(f.Protocol) || f.DNSHostname == "" {
		return "", false
	}
	return c.Host(f.DNSHostname)
}

// Brand is the brand that an application is part of: itself where it is part of
// none, empty for an empty tag.
func (c *Classifier) Brand(application string) string {
	if i, ok := c.byTag[application]; ok {
		return c.apps[i].brand
	}
	return application
}

// Address finds the application of an address by its longest prefix.
func (c *Classifier) Address(a netip.Addr) (tag string, ok bool) {
	i, ok := c.network(a)
	if !ok {
		return "", false
	}
	return c.apps[i].tag, true
}

func (c *Classifier) network(a netip.Addr) (uint16, bool) {
	if !a.IsValid() || !c.inPrivate && a.IsPrivate() {
		return 0, false // most clients', so that no look-up is worth its time
	}
	return c.networks.Lookup(a.Unmap().WithZone(""))
}

// Classify fills the application, its brand, the categories, DNSHostname, By, Guessed and
// Confidence of f from the rest of it. Each call decides anew, so a stronger evidence
// replaces a weaker one as the flow shows more. A dissector that sets
// f.Hostname says in f.By where from; without that it follows from the
// protocol.
//
// final says that analysis of the flow is over: what rests on port or a
// platform's network alone is then allowed, and a flow whose bytes told
// nothing gets the protocol that owns its port. It must not be set for a flow
// that has carried no payload: a port that was only knocked at says nothing.
//
// A protocol that a control connection has announced (Names.Announced) comes with
// f.By correlation, and no application.
//
// nowNanos is packet time, for the age of DNS answers. names may be nil.
// Classify does not allocate.
func (c *Classifier) Classify(f *fact.Facts, final bool, names *Names, nowNanos int64) {
	announced := f.Protocol != "" && !f.Guessed && f.By == fact.ByCorrelation && f.Application == ""
	guessed := c.nameProtocol(f, final)
	if c.answersDNS(f) {
		f.Protocol = encryptedDNS
	}
	proto := &c.protocols[c.byProtocol[f.Protocol]]
	f.ProtocolCategory = proto.category
	asks := isLookup(f.Protocol)
	if !asks {
		c.recallName(f, names, nowNanos)
	}
	o := c.ownersOf(f)
	v := verdict{}
	if !asks && carriesPorts(f.IPProtocol) {
		v = c.decide(f, &o, proto, guessed, final, names, nowNanos)
		c.teach(f, &o, v, names, nowNanos)
	}
	if announced && v.by == "" {
		v.by = fact.ByCorrelation
	}
	f.Application, f.Brand, f.ApplicationCategory, f.By = v.application, v.brand, v.category, v.by
	f.Guessed = guessed || v.guessed()
	f.Confidence = confidence(f, guessed)
	fact.SetRisk(&f.Risks, fact.RiskNonstandardPort, !guessed && c.offItsPorts(f, proto))
	f.DomainCategory, f.NetworkCategory = c.category(o.name), c.category(o.server)
	c.follow(f, &o)
	f.Category = f.ApplicationCategory
	// What a flow speaks says more of it than in whose cloud its server stands,
	// unless it is what everything speaks.
	if f.Category == "" || v.host && !guessed && f.ProtocolCategory != "" && !namesFollow(f.Protocol) {
		f.Category = f.ProtocolCategory
	}
}

// recallName fills DNSHostname from an earlier DNS answer. The client is the
// side that opened the flow; a flow first seen in its middle may be turned
// around, so the other reading is tried as well.
func (c *Classifier) recallName(f *fact.Facts, names *Names, nowNanos int64) {
	if names == nil {
		return
	}
	if name, ok := names.between(f.SrcIP, f.DstIP, nowNanos); ok {
		f.DNSHostname = name
	}
}

// nameProtocol fills f.Protocol where the payload did not: at once from the IP
// protocol number, and when analysis is over from the port. It reports
// whether the protocol is a guess, also on a second call with guessed facts.
func (c *Classifier) nameProtocol(f *fact.Facts, final bool) (guessed bool) {
	if !carriesPorts(f.IPProtocol) {
		if f.Protocol == "" && f.IPProtocol > 0 && f.IPProtocol < len(c.byNumber) {
			f.Protocol = c.byNumber[f.IPProtocol]
		}
		return false
	}
	if f.Protocol != "" && !f.Guessed || f.Protocol == "" && !final {
		return false
	}
	owner, ok := c.portOwner(f)
	if f.Protocol == "" && ok {
		f.Protocol = owner
		return true
	}
	weak := f.By == "" || f.By == fact.ByNetwork || f.By == fact.ByPort || f.By == fact.ByCorrelation
	return ok && weak && f.Protocol == owner
}

// portOwner is the protocol that owns the server's port, or the client's when
// the server's is nobody's: captures begin in the middle of flows.
func (c *Classifier) portOwner(f *fact.Facts) (string, bool) {
	i, ok := c.wellKnown.lookup(f.IPProtocol, f.DstPort)
	if !ok {
		i, ok = c.wellKnown.lookup(f.IPProtocol, f.SrcPort)
	}
	if !ok {
		return "", false
	}
	return c.protocols[i].tag, true
}
