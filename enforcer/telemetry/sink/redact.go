package sink

import (
	"crypto/sha256"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/telemetry/record"
	"github.com/netpol/netpol/lang/fact"
)

// redactor takes out of records what a sink is not to be told. The copy that it
// gives is valid until its next one. Not safe for concurrent use.
type redactor struct {
	privacy artifact.Privacy
	key     [32]byte

	flow      record.Flow
	end       record.FlowEnd
	stats     record.FlowStats
	whole     record.Detail
	match     record.PolicyMatch
	endpoints record.Endpoints
	aggregate record.Aggregate
	rows      []record.AggregateRow
}

// newRedactor is nil when a sink is told all.
func newRedactor(p artifact.Privacy, key [32]byte) *redactor {
	if p == (artifact.Privacy{}) {
		return nil
	}
	return &redactor{privacy: p, key: key}
}

func (r *redactor) redact(in record.Record) record.Record {
	switch in := in.(type) {
	case *record.Flow:
		r.flow = *in
		r.detail(&r.flow.Flow)
		return &r.flow
	case *record.FlowEnd:
		r.end = *in
		r.detail(&r.end.Flow.Detail)
		return &r.end
	case *record.FlowStats:
		if in.Whole == nil {
			return in
		}
		r.stats, r.whole = *in, *in.Whole
		r.detail(&r.whole)
		r.stats.Whole = &r.whole
		return &r.stats
	case *record.PolicyMatch:
		r.match = *in
		r.detail(&r.match.Flow)
		r.evidence(&r.match.Policy)
		return &r.match
	case *record.Endpoints:
		r.endpoints = *in
		r.hosts(&r.endpoints)
		return &r.endpoints
	case *record.Aggregate:
		r.aggregate = *in
		r.rowsOf(&r.aggregate)
		return &r.aggregate
	}
	return in // the others have neither addresses nor names
}

func (r *redactor) detail(d *record.Detail) {
	d.Rendered = nil // it has been written with all there is
	if r.privacy.Addresses != artifact.DisclosePlain {
		r.address(&d.LocalIP)
		r.mac(&d.LocalMAC)
		if d.OtherType == "local" {
			r.address(&d.OtherIP)
			r.mac(&d.OtherMAC)
		}
		r.address(&d.Conntrack.ReplySrcIP)
		r.address(&d.Conntrack.ReplyDstIP)
		d.STUN = record.STUN{}
	}
	if r.privacy.Names != artifact.DisclosePlain {
		for _, name := range []*string{&d.HostName, &d.DNSHostName, &d.SSL.ClientSNI, &d.SSL.ServerCN} {
			r.name(name)
		}
		d.SSL.SubjectDN, d.SSL.Fingerprint = "", "" // either says whose the server is
		d.HTTP.URL, d.MDNS.DomainName = "", ""
	}
}

// evidence empties those values of a policy's evidence that are addresses or
// names.
func (r *redactor) evidence(p *record.Policy) {
	p.Evidence = slices.Clone(p.Evidence)
	for i := range p.Evidence {
		a, _ := fact.Lookup(p.Evidence[i].Name)
		switch {
		case a.Type == fact.Address || a.Type == fact.MAC:
			if r.privacy.Addresses != artifact.DisclosePlain {
				p.Evidence[i].Value = ""
			}
		case a.Type == fact.Hostname || slices.Contains(named, a.Name):
			if r.privacy.Names != artifact.DisclosePlain {
				p.Evidence[i].Value = ""
			}
		}
	}
}

// named are the attributes of type string that say who was asked for.
var named = []string{"http_url", "tls_server_cn", "tls_subject_dn", "tls_cert_fingerprint", "mdns_domain_name"}

func (r *redactor) hosts(e *record.Endpoints) {
	switch r.privacy.Addresses {
	case artifact.DisclosePlain, artifact.DiscloseDomain:
		return
	case artifact.DiscloseNone:
		e.Hosts = nil
		return
	case artifact.DiscloseHash:
	}
	e.Hosts = slices.Clone(e.Hosts)
	for i := range e.Hosts {
		h := &e.Hosts[i]
		r.mac(&h.MAC)
		h.Addresses = slices.Clone(h.Addresses)
		for j := range h.Addresses {
			r.address(&h.Addresses[j])
		}
	}
}

// rowsOf hides the hosts of an aggregate's rows. Without their addresses rows may
// be alike; who adds them up loses nothing.
func (r *redactor) rowsOf(a *record.Aggregate) {
	if r.privacy.Addresses == artifact.DisclosePlain {
		return
	}
	r.rows = append(r.rows[:0], a.Rows...)
	for i := range r.rows {
		row := &r.rows[i]
		r.address(&row.LocalIP)
		r.mac(&row.LocalMAC)
		if row.OtherIsLocal {
			r.address(&row.OtherIP)
		}
	}
	a.Rows = r.rows
}

// address makes an address a pseudonym in the discard prefix 100::/64 (RFC
// 6666), or drops it.
func (r *redactor) address(a *netip.Addr) {
	if !a.IsValid() {
		return
	}
	if r.privacy.Addresses == artifact.DiscloseNone {
		*a = netip.Addr{}
		return
	}
	b := a.As16()
	sum := r.hash(b[:])
	out := [16]byte{0: 1}
	copy(out[8:], sum[:8])
	*a = netip.AddrFrom16(out)
}

// mac makes a hardware address a pseudonym among those that are given locally
// (IEEE 802, 8.4), or drops it.
func (r *redactor) mac(m *string) {
	if *m == "" {
		return
	}
	if r.privacy.Addresses == artifact.DiscloseNone {
		*m = ""
		return
	}
	sum := r.hash([]byte(*m))
	*m = fmt.Sprintf("02:%02x:%02x:%02x:%02x:%02x", sum[0], sum[1], sum[2], sum[3], sum[4])
}

// hash is keyed: without the key, all addresses there are could be tried. Inputs
// are shorter than a block of SHA-256, so what is known of two sums says nothing
// of a third.
func (r *redactor) hash(b []byte) [sha256.Size]byte {
	var in [32 + 24]byte
	copy(in[:], r.key[:])
	n := copy(in[32:], b)
	return sha256.Sum256(in[:32+n])
}

// name leaves the last two labels of a host name, or nothing.
func (r *redactor) name(s *string) {
	if r.privacy.Names == artifact.DiscloseNone {
		*s = ""
		return
	}
	if i := strings.LastIndexByte(*s, '.'); i > 0 {
		*s = (*s)[strings.LastIndexByte((*s)[:i], '.')+1:]
	}
}
