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

// said is what records say of all flows of which the same is known, by the set's place in the
// store and version.
type said struct {
	facts, version uint32
	detail         record.Detail // of a flow without a tuple
	rendered       record.Rendered
}

// saidOf is what records say of a flow as far as it follows from f. It is valid until the next
// call.
func (w *worker) saidOf(r *flow.Record, f *fact.Facts) *record.Detail {
	if w.foretelling {
		w.say(&w.told.fresh, f)
		return &w.told.fresh
	}
	facts := w.factsOf(r)
	version := w.store.version(facts)
	k := w.said[facts%saidSlots]
	switch {
	case k == nil:
		k = new(said)
		w.said[facts%saidSlots] = k
	case k.facts == facts && k.version == version:
		return &k.detail
	}
	k.facts, k.version = facts, version
	k.rendered.Reset()
	w.say(&k.detail, f)
	k.detail.Rendered = &k.rendered
	return &k.detail
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
