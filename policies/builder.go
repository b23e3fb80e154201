package policies

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/netpol/netpol/compiler/artifact"
)

// builder fills a catalogue from the tables, which must come in the order of
// parseCatalogue: a tag is known before it is used.
type builder struct {
	cat *artifact.Catalogue
	// held says that the tables have been held to the rules for domains and networks, of which
	// there are tens of thousands: TestCatalogue does it for those in the program.
	held       bool
	categories map[string]bool
	apps       map[string]int  // index in cat.Applications
	brands     map[string]bool // applications that others are part of
	suffixes   map[string]string
	prefixes   map[netip.Prefix]string
	signatures map[string]string  // by place and value
	owners     map[portKey]string // the protocol that owns a port

	lastOwner   int    // index in cat.Applications
	last        string // sort key of the table's previous row
	lastNetwork networkKey
	lastPorts   portsKey
}

// portKey is one port of one transport.
type portKey struct {
	transport string
	port      uint16
}

// What the standard catalogue has, so that maps need not grow to it.
const (
	usualDomains  = 21_000
	usualNetworks = 5_500
)

// reset is called before each table.
func (b *builder) reset() {
	b.last = ""
	if b.categories == nil {
		b.categories = make(map[string]bool)
		b.apps = make(map[string]int)
		b.brands = make(map[string]bool)
		if !b.held {
			b.suffixes = make(map[string]string, usualDomains)
			b.prefixes = make(map[netip.Prefix]string, usualNetworks)
		}
		b.signatures = make(map[string]string)
		b.owners = make(map[portKey]string)
	}
}

// ascending holds a table to its sort order, which also rules out duplicates.
func (b *builder) ascending(r row, key string) error {
	if key <= b.last {
		return r.errorf("out of order or repeated: %s", strings.ReplaceAll(key, "\x00", " "))
	}
	b.last = key
	return nil
}

func (b *builder) category(r row) error {
	tag := r.fields[0]
	if err := cmp.Or(r.checkTag(tag), b.ascending(r, tag)); err != nil {
		return err
	}
	b.categories[tag] = true
	b.cat.Categories = append(b.cat.Categories, artifact.Category{Tag: tag, Description: r.fields[1]})
	return nil
}

func (b *builder) application(r row) error {
	tag, category := r.fields[0], r.fields[1]
	if err := cmp.Or(r.checkTag(tag), b.ascending(r, tag)); err != nil {
		return err
	}
	if !b.categories[category] {
		return r.errorf("unknown category %q", category)
	}
	b.apps[tag] = len(b.cat.Applications)
	b.cat.Applications = append(b.cat.Applications, artifact.Application{Tag: tag, Category: category, Name: r.fields[2]})
	return nil
}

// brand makes an application part of another, which must be part of none: there
// is one level, so that every application has one brand.
func (b *builder) brand(r row) error {
	app, err := b.owner(r)
	if err != nil {
		return err
	}
	if err := b.ascending(r, app.Tag); err != nil {
		return err
	}
	i, ok := b.apps[r.fields[1]]
	switch {
	case !ok:
		return r.errorf("unknown brand %q", r.fields[1])
	case r.fields[1] == app.Tag:
		return r.errorf("%s is part of itself", app.Tag)
	case b.cat.Applications[i].Brand != "":
		return r.errorf("%s is itself part of %s", r.fields[1], b.cat.Applications[i].Brand)
	case b.brands[app.Tag]:
		return r.errorf("%s has parts of its own", app.Tag)
	}
	b.brands[r.fields[1]] = true
	app.Brand = r.fields[1]
	return nil
}

func (b *builder) protocol(r row) error {
	p := artifact.Protocol{Tag: r.fields[0], Category: r.fields[1], Name: r.fields[4]}
	if err := cmp.Or(r.checkTag(p.Tag), b.ascending(r, p.Tag)); err != nil {
		return err
	}
	if !b.categories[p.Category] {
		return r.errorf("unknown category %q", p.Category)
	}
	if app := r.fields[2]; app != "-" {
		if _, ok := b.apps[app]; !ok {
			return r.errorf("unknown application %q", app)
		}
		p.Application = app
	}
	if r.fields[3] != "-" {
		for s := range strings.SplitSeq(r.fields[3], ",") {
			ports, err := r.parsePorts(s, "tcp", "udp", "sctp", "ip")
			if err != nil {
				return err
			}
			if err := b.own(r, p.Tag, ports); err != nil {
				return err
			}
			p.Ports = append(p.Ports, ports)
		}
	}
	b.cat.Protocols = append(b.cat.Protocols, p)
	return nil
}

// own claims a range's ports for a protocol.
func (b *builder) own(r row, tag string, ports artifact.PortRange) error {
	for port := int(ports.Low); port <= int(ports.High); port++ {
		key := portKey{ports.Transport, uint16(port)}
		if other, taken := b.owners[key]; taken {
			return r.errorf("%s/%d belongs to %s already", key.transport, port, other)
		}
		b.owners[key] = tag
	}
	return nil
}

// owner finds the application that a row of a later table belongs to.
func (b *builder) owner(r row) (*artifact.Application, error) {
	if app := &b.cat.Applications[b.lastOwner]; app.Tag == r.fields[0] {
		return app, nil // as for most rows: they are in order
	}
	i, ok := b.apps[r.fields[0]]
	if !ok {
		return nil, r.errorf("unknown application %q", r.fields[0])
	}
	b.lastOwner = i
	return &b.cat.Applications[i], nil
}

func (b *builder) domain(r row) error {
	app, err := b.owner(r)
	if err != nil {
		return err
	}
	suffix := r.fields[1]
	if b.held {
		app.Domains = append(app.Domains, suffix)
		return nil
	}
	if err := cmp.Or(r.checkSuffix(suffix), b.ascending(r, app.Tag+"\x00"+suffix)); err != nil {
		return err
	}
	if other, taken := b.suffixes[suffix]; taken {
		return r.errorf("suffix %s belongs to %s already", suffix, other)
	}
	b.suffixes[suffix] = app.Tag
	app.Domains = append(app.Domains, suffix)
	return nil
}

// networkKey is what networks.txt is sorted by.
type networkKey struct {
	tag    string
	prefix netip.Prefix
}

func (a networkKey) compare(b networkKey) int {
	return cmp.Or(cmp.Compare(a.tag, b.tag),
		cmp.Compare(a.prefix.Addr().BitLen(), b.prefix.Addr().BitLen()),
		a.prefix.Addr().Compare(b.prefix.Addr()),
		cmp.Compare(a.prefix.Bits(), b.prefix.Bits()))
}

func (b *builder) network(r row) error {
	app, err := b.owner(r)
	if err != nil {
		return err
	}
	if b.held {
		prefix, err := netip.ParsePrefix(r.fields[1])
		app.Networks = append(app.Networks, prefix)
		return err
	}
	prefix, err := r.parsePrefix(r.fields[1])
	if err != nil {
		return err
	}
	key := networkKey{app.Tag, prefix}
	if b.lastNetwork.tag != "" && key.compare(b.lastNetwork) <= 0 {
		return r.errorf("out of order or repeated: %s %s", app.Tag, prefix)
	}
	b.lastNetwork = key
	if other, taken := b.prefixes[prefix]; taken {
		return r.errorf("prefix %s belongs to %s already", prefix, other)
	}
	b.prefixes[prefix] = app.Tag
	app.Networks = append(app.Networks, prefix)
	return nil
}

// portsKey is what ports.txt is sorted by.
type portsKey struct {
	tag   string
	ports artifact.PortRange
}

func (a portsKey) compare(b portsKey) int {
	return cmp.Or(cmp.Compare(a.tag, b.tag), cmp.Compare(a.ports.Transport, b.ports.Transport),
		cmp.Compare(a.ports.Low, b.ports.Low), cmp.Compare(a.ports.High, b.ports.High))
}

func (b *builder) port(r row) error {
	app, err := b.owner(r)
	if err != nil {
		return err
	}
	ports, err := r.parsePorts(r.fields[1], "tcp", "udp")
	if err != nil {
		return err
	}
	key := portsKey{app.Tag, ports}
	if b.lastPorts.tag != "" && key.compare(b.lastPorts) <= 0 {
		return r.errorf("out of order or repeated: %s %s", app.Tag, r.fields[1])
	}
	b.lastPorts = key
	switch r.fields[2] {
	case "anywhere":
	case "network":
		if len(app.Networks) == 0 {
			return r.errorf("%s needs a network but has none", app.Tag)
		}
		ports.NeedsNetwork = true
	case "brand":
		if app.Brand == "" {
			return r.errorf("%s needs a brand but is part of none", app.Tag)
		}
		ports.NeedsBrand = true
	default:
		return r.errorf("%q is neither network, brand nor anywhere", r.fields[2])
	}
	app.Ports = append(app.Ports, ports)
	return nil
}

// signature reads a value that a product alone writes; the note is for readers.
func (b *builder) signature(r row) error {
	app, err := b.owner(r)
	if err != nil {
		return err
	}
	where, text := r.fields[1], r.fields[2]
	if err := b.ascending(r, app.Tag+"\x00"+where+"\x00"+text); err != nil {
		return err
	}
	value, prefix := strings.CutSuffix(text, "*")
	switch {
	case !slices.Contains(artifact.SignaturePlaces(), where):
		return r.errorf("unknown place %q, want one of %s", where, strings.Join(artifact.SignaturePlaces(), ", "))
	case where == artifact.DNSName && app.Category != artifact.ResolverCategory:
		return r.errorf("%s is of category %q, and answers to DNS are of %q", app.Tag, app.Category, artifact.ResolverCategory)
	case len(value) < artifact.MinSignature:
		return r.errorf("%q is too short to be one product's", text)
	}
	if where == artifact.DNSName {
		if err := r.checkSuffix(text); err != nil {
			return err
		}
	}
	key := where + "\x00" + text
	if other, taken := b.signatures[key]; taken {
		return r.errorf("%s %s belongs to %s already", where, text, other)
	}
	b.signatures[key] = app.Tag
	app.Signatures = append(app.Signatures, artifact.Signature{Where: where, Value: value, Prefix: prefix})
	return nil
}

// finish holds every application to be recognisable by something, and fills
// the digest.
func (b *builder) finish() error {
	byProtocol := make(map[string]bool)
	for _, p := range b.cat.Protocols {
		byProtocol[p.Application] = true
	}
	for _, a := range b.cat.Applications {
		if len(a.Domains)+len(a.Networks)+len(a.Ports)+len(a.Signatures) == 0 && !byProtocol[a.Tag] {
			return fmt.Errorf("applications.txt: %s has no domain, network, port, signature or protocol", a.Tag)
		}
	}
	var err error
	b.cat.Digest, err = digest(*b.cat)
	return err
}
