package enforcer

import (
	"github.com/netpol/netpol/enforcer/classify"
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/telemetry/record"
	"github.com/netpol/netpol/lang/fact"
)

// saidSlots bounds the sets of facts whose records are remembered, each 1.6 kB. 41,717 flows of
// a large capture have 871 different sets.
const saidSlots = 1024

// said is what records say of all flows of which the same is known.
type said struct {
	detail   record.Detail // of a flow without a tuple
	rendered record.Rendered
	names    record.Rendered // of its members
	policies []int           // that hold of such flows after analysis
	held     bool            // valid iff true
}

// saidSlot is where what is said of a set of facts is remembered, by its place in the store and
// version. Both are looked at much more often than what they lead to.
type saidSlot struct {
	facts, version uint32
	of             *said // nil for nothing
}

// saidOf is what records say of a flow as far as it follows from f. It is valid until the next
// call.
func (w *worker) saidOf(r *flow.Record, f *fact.Facts) *record.Detail {
	if w.foretelling {
		w.say(&w.told.fresh, f)
		return &w.told.fresh
	}
	if k := w.saidBefore(r); k != nil {
		return &k.detail
	}
	facts := w.factsOf(r)
	at := &w.said[facts%saidSlots]
	if at.of == nil {
		at.of = new(said)
	}
	at.facts, at.version = facts, w.store.version(facts)
	k := at.of
	k.held = false
	k.rendered.Reset()
	k.names.Reset()
	w.say(&k.detail, f)
	k.detail.Rendered, k.detail.Names = &k.rendered, &k.names
	return &k.detail
}

// saidBefore is what is remembered of flows of which the same is known as of r, or nil.
func (w *worker) saidBefore(r *flow.Record) *said {
	facts := w.factsOf(r)
	if at := &w.said[facts%saidSlots]; at.facts == facts && at.version == w.store.version(facts) {
		return at.of
	}
	return nil
}

// outline is what it takes to tell of a flow again of which k has been said: its headers, protocol
// and category, without unpacking what else is known. Conditions of sinks may ask for more:
// it is for those who find none. It is valid until the next call.
func (w *worker) outline(r *flow.Record, k *said) *fact.Facts {
	f := &w.told.outline
	f.Protocol, f.Category = k.detail.ProtocolName, k.detail.Category.Application
	w.fillHeaders(f, r)
	return f
}

// holding are the policies that hold of a flow, all of which is in f. They are remembered where they
// follow from what is known of it.
func (w *worker) holding(r *flow.Record, f *fact.Facts) []int {
	policies := w.eval(r, f).Policies
	if w.holdsAlike(r) {
		if k := w.saidBefore(r); k != nil {
			k.policies, k.held = append(k.policies[:0], policies...), true
		}
	}
	return policies
}

// heldBefore says that what is remembered of a flow is all that telling of it takes.
func (w *worker) heldBefore(r *flow.Record) *said {
	if w.when != nil || !w.holdsAlike(r) {
		return nil
	}
	if k := w.saidBefore(r); k != nil && k.held {
		return k
	}
	return nil
}

// holdsAlike says that the same policies hold of the flow as of all others of which the same is
// known: its analysis is over, and nothing is hidden from the policies.
func (w *worker) holdsAlike(r *flow.Record) bool {
	return w.policy.alike && r.Has(flow.Done) && !r.Has(flow.Adopted) && (!w.config.Live || w.traitsOf(r).iface != 0)
}

// say fills in what is known of a flow.
func (w *worker) say(to *record.Detail, f *fact.Facts) {
	application, by := w.application(f)
	*to = record.Detail{
		Brief: record.Brief{ApplicationName: application, BrandName: w.policy.classifier.Brand(application), ProtocolName: f.Protocol},
		Category: record.Category{
			Application: f.Category, Protocol: f.ProtocolCategory, Domain: f.DomainCategory,
			Network: f.NetworkCategory, LocalNetwork: f.LocalNetworkCategory, OtherNetwork: f.OtherNetworkCategory,
		},
		Guessed: f.Guessed, Complete: f.Complete, Evidence: by, Confidence: f.Confidence,
		HostName: f.Hostname, DNSHostName: f.DNSHostname, Evasive: f.Evasive,
		Risks: record.Risks{Names: record.List(f.Risks), Score: f.RiskScore, ScoreClient: f.RiskClient, ScoreServer: f.RiskServer},
	}
	if tunnel := classify.Tunnel(f.Protocol); tunnel != fact.TunnelNone {
		to.Tunnel = tunnel
	}
	protocols(to, f)
}

// protocols fills in what the flow's protocol showed.
func protocols(to *record.Detail, f *fact.Facts) {
	to.SSL = record.SSL{
		Version: record.Hex16(f.TLSVersion), CipherSuite: record.Hex16(f.TLSCipher),
		ClientJA4: f.JA4, ServerJA4: f.JA4S, ALPN: record.List(f.ALPN), ALPNServer: record.List(f.TLSALPNServer),
		ServerCN: f.TLSServerCN, SubjectDN: f.TLSSubjectDN, IssuerDN: f.TLSIssuerDN, Fingerprint: f.TLSCertFingerprint,
		EncryptedCH: f.TLSECH, QUICVersion: f.QUICVersion, CertRead: f.TLSProcCertificate, HelloWasRead: f.TLSProcHello,
	}
	if to.SSL != (record.SSL{}) {
		to.SSL.ClientSNI = f.Hostname
	}
	to.HTTP = record.HTTP{Method: f.HTTPMethod, URL: f.HTTPURL, UserAgent: f.UserAgent}
	to.SSH = record.SSH{Client: f.SSHClientAgent, Server: f.SSHServerAgent}
	to.DHCP = record.DHCP{Fingerprint: f.DHCPFingerprint, ClassIdent: f.DHCPClassIdent}
	to.MDNS = record.MDNS{DomainName: f.MDNSDomainName}
	to.SSDP = record.SSDP{UserAgent: f.SSDPUserAgent, Server: f.SSDPServer}
	to.STUN = record.STUN{Mapped: f.STUNMapped, Peer: f.STUNPeer, Relayed: f.STUNRelayed, Response: f.STUNResponse, Other: f.STUNOther}
	to.BT = record.BitTorrent{InfoHash: f.BTInfoHash}
}
