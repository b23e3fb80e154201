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
		r.evidence(&r.match.Policy, &r.match.Flow)
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
	if r.hidesAddresses() {
		r.addresses(d)
	}
	if r.hidesNames() {
		for _, name := range namesOf(d) {
			*name = r.name(*name)
		}
		if d.SSL.IssuerDN == d.SSL.SubjectDN {
			d.SSL.IssuerDN = "" // it has signed itself
		}
		d.SSL.SubjectDN, d.SSL.Fingerprint = "", "" // either says whose the server is
		d.HTTP.URL, d.MDNS.DomainName = "", ""
	}
}

func (r *redactor) hidesAddresses() bool { return r.privacy.Addresses != artifact.DisclosePlain }

func (r *redactor) hidesNames() bool { return r.privacy.Names != artifact.DisclosePlain }

// namesOf are the host names of a flow.
func namesOf(d *record.Detail) [4]*string {
	return [...]*string{&d.HostName, &d.DNSHostName, &d.SSL.ClientSNI, &d.SSL.ServerCN}
}

// addresses hides the hosts on the local side, also where a name says their addresses or is
// what they are called on the link.
func (r *redactor) addresses(d *record.Detail) {
	local := d.LocalIP
	r.address(&d.LocalIP)
	r.mac(&d.LocalMAC)
	if d.OtherType == "local" || solicits(d.OtherIP) {
		r.address(&d.OtherIP)
		r.mac(&d.OtherMAC)
	}
	r.address(&d.Conntrack.ReplySrcIP)
	r.address(&d.Conntrack.ReplyDstIP)
	d.STUN = record.STUN{}
	for _, name := range namesOf(d) {
		if saysAddress(*name) {
			*name = ""
		}
	}
	if host, _, _ := strings.Cut(d.HTTP.URL, "/"); saysAddress(host) || local.IsValid() && strings.Contains(d.HTTP.URL, local.String()) {
		d.HTTP.URL = ""
	}
	d.MDNS.DomainName = ""
}

// solicits says that an address is the multicast group of hosts by the end of their own
// (RFC 4291, 2.7.1), which names its only member mostly.
func solicits(a netip.Addr) bool { return solicitedNodes.Contains(a) }

var solicitedNodes = netip.MustParsePrefix("ff02::1:ff00:0/104")

// saysAddress says that what stands for a host's name is an address, with a port or without
// (RFC 9110, 7.2), or the name of one (RFC 1035, 3.5; RFC 3596, 2.5), or what a host is called
// on its link (RFC 6762).
func saysAddress(name string) bool {
	if isLiteral(name) {
		return true
	}
	for _, zone := range [...]string{".in-addr.arpa", ".ip6.arpa", ".local"} {
		if strings.HasSuffix(name, zone) {
			return true
		}
	}
	return false
}

// isLiteral says that a name is an address as text.
func isLiteral(name string) bool {
	if _, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		return true
	}
	_, err := netip.ParseAddrPort(name)
	return err == nil
}

// evidence empties those values of a policy's evidence that are addresses or
// names, and with them its criteria, which say the same.
func (r *redactor) evidence(p *record.Policy, d *record.Detail) {
	p.Evidence = slices.Clone(p.Evidence)
	for i := range p.Evidence {
		if e := &p.Evidence[i]; r.hides(e, d) {
			e.Value, p.Criteria = "", ""
		}
	}
}

// hides says that a value is not to be told; d is what is told of the flow.
func (r *redactor) hides(e *record.Attribute, d *record.Detail) bool {
	a, _ := fact.Lookup(e.Name)
	switch {
	case a.Type == fact.Address || a.Type == fact.MAC:
		return r.hidesAddresses()
	case a.Name == "mdns_domain_name":
		return r.hidesAddresses() || r.hidesNames()
	case a.Name == "http_url":
		return d.HTTP.URL == ""
	case a.Name == "tls_issuer_dn":
		return d.SSL.IssuerDN == ""
	case a.Type == fact.Hostname || slices.Contains(named, a.Name):
		return r.hidesNames() || r.hidesAddresses() && saysAddress(e.Value)
	}
	return false
}

// named are the other attributes of type string that say who was asked for.
var named = []string{"tls_server_cn", "tls_subject_dn", "tls_cert_fingerprint"}

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
	if !r.hidesAddresses() {
		return
	}
	r.rows = append(r.rows[:0], a.Rows...)
	for i := range r.rows {
		row := &r.rows[i]
		r.address(&row.LocalIP)
		r.mac(&row.LocalMAC)
		if row.OtherIsLocal || solicits(row.OtherIP) {
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

// name is the last two labels of a host name, or nothing, as where it has but one: that is a
// host's own. So is what stands before "local" (RFC 6762).
func (r *redactor) name(s string) string {
	i := strings.LastIndexByte(s, '.')
	switch {
	case r.privacy.Names == artifact.DiscloseNone || i <= 0 || isLiteral(s):
		return ""
	case s[i:] == ".local":
		return "local"
	}
	return s[strings.LastIndexByte(s[:i], '.')+1:]
}
