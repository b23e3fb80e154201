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
// enforcer would: the application from host name, DNS name and network, and
// all that Derive fills in. It never changes what given holds, which are names
// of attributes. What rests on the port alone is not guessed.
func (w *World) Complete(f *fact.Facts, given map[string]bool) {
	w.classify(f, given)
	w.Derive(f, given)
}

// Derive fills in what follows without a look at the catalogue's domains and
// networks: sides from addresses, categories from names.
func (w *World) Derive(f *fact.Facts, given map[string]bool) {
	w.sides(f, given)
	if !given["ip_version"] {
		f.IPVersion = versionOf(f)
	}
	if !given["application_category"] {
		f.ApplicationCategory = w.categories[f.Application]
	}
	if !given["brand"] {
		f.Brand = w.classifier.Brand(f.Application)
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

// classify gives the flow the names that the enforcer would find. What was
// written stays, and what was found of another application goes.
func (w *World) classify(f *fact.Facts, given map[string]bool) {
	named := *f
	if named.IPProtocol == 0 {
		named.IPProtocol = w.transport(f.Protocol)
	}
	w.classifier.Classify(&named, false, nil, 0)
	chosen := given["application"] || given["brand"] || given["application_category"] || given["category"]
	if chosen && named.Application != f.Application {
		named.Application, named.By, named.Guessed, named.Confidence = f.Application, "", false, 0
	}
	for _, a := range fact.Attributes {
		if (a.From == "classify" || a.Name == "protocol") && !given[a.Name] {
			fieldOf(f, a).Set(fieldOf(&named, a))
		}
	}
	score(f, given)
}

// score sums the risks that were written; the classifier may have found more,
// by ports that were not.
func score(f *fact.Facts, given map[string]bool) {
	all, client, server := fact.RiskScores(f.Risks)
	for name, to := range map[string]struct {
		field *int
		value int
	}{"risk_score": {&f.RiskScore, all}, "risk_client": {&f.RiskClient, client}, "risk_server": {&f.RiskServer, server}} {
		if !given[name] {
			*to.field = to.value
		}
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
