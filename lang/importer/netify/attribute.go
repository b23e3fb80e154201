package netify

import (
	"slices"
	"strings"

	"github.com/netpol/netpol/lang/fact"
)

// class says what may be done with an attribute in criteria.
type class uint8

// Classes of attributes.
const (
	classNumber  class = iota // bare, !, == != < <= > >=
	classEqual                // a number with == and != only
	classFlag                 // bare, !, == and != with true or false
	className                 // bare, !, == and != with a string or an id
	classString               // == and != with a string
	classBare                 // classString, bare and !
	classPattern              // classBare, and regular expressions
	classAddress              // == and != with an address
	classMAC                  // == and != with a MAC address
	classConst                // == and != with one of a few words
	classTunnel               // classConst, bare and !
)

// sides says that an attribute means either end of a flow.
type sides uint8

const (
	oneSide sides = iota
	bothSides
)

// attribute is one attribute of Netify's criteria.
type attribute struct {
	name  string
	class class
	// as is the attribute of lang/fact that means the same, where the two share
	// no name.
	as        string
	sides     sides
	uncertain bool // of the third-party copy of 5.2 only: not every agent has it
	old       bool // not in version 4
	constants []string
}

// attributes lists what the agents' lexers know, by group: version 4 and 5,
// version 5, version 5.2, and the tail of the third-party copy of 5.2.
var attributes = slices.Concat(
	both(classEqual, "ip_version"),
	both(classNumber, "ip_protocol", "vlan_id", "local_port", "other_port", "ndpi_risk_score", "ndpi_risk_client",
		"ndpi_risk_server", "ssl_version", "ssl_cipher", "fwmark>ct_mark"),
	both(classFlag, "ip_nat", "detection_guessed", "detection_updated"),
	both(className, "app", "application", "app_id>application", "application_id>application",
		"proto", "protocol", "proto_id>protocol", "protocol_id>protocol"),
	both(classString, "app_category", "application_category", "proto_category", "protocol_category",
		"dom_category>domain_category", "domain_category", "cat>category", "category"),
	both(classBare, "risks"),
	both(classPattern, "detected_hostname"),
	both(classAddress, "local_ip", "other_ip"),
	both(classMAC, "local_mac", "other_mac"),
	[]attribute{
		{name: "other_type", class: classConst, constants: []string{
			"other_local", "other_remote", "other_multicast", "other_broadcast", "other_unknown", "other_unsupported", "other_error",
		}},
		{name: "origin", class: classConst, constants: []string{"origin_local", "origin_other", "origin_unknown"}},
		{name: "tunnel_type", class: classTunnel, constants: []string{"tunnel_none", "tunnel_gtp"}},
	},

	since5(classPattern, "dns_hostname", "iface>interface", "iface_nfq_src>interface_in", "iface_nfq_dst>interface_out"),
	since5(classFlag, "detection_complete", "tls_ech"),
	since5(classNumber, "tls_version", "tls_cipher"),

	since5(classString, "net_category>network_category", "network_category", "local_net_category", "local_network_category",
		"other_net_category", "other_network_category", "src_net_category", "src_network_category", "dst_net_category", "dst_network_category",
		"tag", "tag_category", "app_category_id>application_category", "application_category_id>application_category",
		"proto_category_id>protocol_category", "protocol_category_id>protocol_category", "dom_category_id>domain_category",
		"domain_category_id>domain_category", "net_category_id>network_category", "network_category_id>network_category", "cat_id>category", "category_id>category"),
	since5(classAddress, "src_ip", "dst_ip", "ct_reply_src_ip", "ct_reply_dst_ip"),
	since5(classMAC, "src_mac", "dst_mac"),
	since5(classNumber, "src_port", "dst_port", "ct_id", "conntrack_id>ct_id", "ct_mark", "conntrack_mark>ct_mark", "ip_dscp",
		"vlan>vlan_id", "local_pvid", "other_pvid"),
	since5(classPattern, "ssid", "tls_ja4"),
	since5(classFlag, "detection_init", "dhc_hit", "fhc_hit", "expiring", "expired", "soft_dissector"),
	[]attribute{
		{name: "ip", class: classAddress, sides: bothSides, old: true},
		{name: "mac", class: classMAC, sides: bothSides, old: true},
		{name: "port", class: classNumber, sides: bothSides, old: true},
	},

	fork(classFlag, "app_ip_override", "app_proto_twins", "tls_proc_hello", "tls_proc_certificate", "smtp_tls"),
	fork(classPattern, "dhcp_class_ident", "dhcp_fingerprint", "http_url", "http_user_agent", "ssh_client_agent", "ssh_server_agent",
		"mdns_domain_name", "tls_alpn", "tls_alpn_server", "tls_issuer_dn", "tls_server_cn", "tls_subject_dn", "tls_cert_fingerprint", "bt_info_hash"),
	fork(classAddress, "stun_mapped", "stun_peer", "stun_relayed", "stun_response", "stun_other"),
	fork(classNumber, counters()...),
)

// counters are the attributes that grow while a flow lives.
func counters() []string {
	list := []string{
		"total_bytes", "total_packets", "detection_packets", "tcp_resets", "tcp_retrans", "tcp_seq_errors", "tcp_fin_ack",
		"tcp_last_seq", "ts_first_seen", "ts_last_seen", "nfq_src_ifindex", "nfq_dst_ifindex",
	}
	for _, side := range []string{"local", "other", "src", "dst"} {
		list = append(list, side+"_bytes", side+"_packets", side+"_rate", "total_"+side+"_bytes", "total_"+side+"_packets")
	}
	return list
}

func both(c class, names ...string) []attribute { return rows(attribute{class: c}, names) }

func since5(c class, names ...string) []attribute {
	return rows(attribute{class: c, old: true}, names)
}

func fork(c class, names ...string) []attribute {
	return rows(attribute{class: c, old: true, uncertain: true}, names)
}

// rows makes attributes of names; "name>as" gives the name that lang/fact has.
func rows(like attribute, names []string) []attribute {
	out := make([]attribute, len(names))
	for i, name := range names {
		out[i] = like
		out[i].name, out[i].as, _ = strings.Cut(name, ">")
	}
	return out
}

// spellings are attributes and words as the documentation spells them and the
// grammar does not.
var spellings = map[string]string{"remote_port": "other_port", "origin_remote": "origin_other"}

// findAttribute is the attribute of a name, which is case-sensitive.
func findAttribute(name string) (attribute, bool) {
	for _, a := range attributes {
		if a.name == name {
			return a, true
		}
	}
	for _, prefix := range []string{"intel_criteria_", "intel_"} { // followed by a key of the site's own
		if rest, ok := strings.CutPrefix(name, prefix); ok && rest != "" {
			return attribute{name: name, class: classPattern, old: true}, true
		}
	}
	return attribute{}, false
}

// fact is the attribute of netpol that means the same.
func (a attribute) fact() (fact.Attribute, bool) {
	if a.as != "" {
		if f, ok := fact.Lookup(a.as); ok {
			return f, true
		}
	}
	return fact.Lookup(a.name)
}

// attributeNames lists every name, for did-you-mean.
func attributeNames() []string {
	names := make([]string, 0, len(attributes))
	for _, a := range attributes {
		names = append(names, a.name)
	}
	return names
}

// bare reports whether the attribute may stand alone, or after a !.
func (a attribute) bare() bool {
	switch a.class {
	case classNumber, classFlag, className, classBare, classPattern, classTunnel:
		return true
	case classEqual, classString, classAddress, classMAC, classConst:
	}
	return false
}
