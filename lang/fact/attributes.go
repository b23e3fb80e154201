package fact

// Type is what kind of value an attribute has, and so which operators and
// constants a criterion may use with it.
type Type uint8

// Types of attributes.
const (
	// Text is a free string, compared without regard to case.
	Text Type = iota
	// ApplicationName is a catalogue application's tag.
	ApplicationName
	// ProtocolName is a catalogue protocol's tag.
	ProtocolName
	// CategoryName is a catalogue category's tag.
	CategoryName
	// Hostname is a DNS name: lower case, no trailing dot.
	Hostname
	// Number is a whole number; its Go type is int, because expr allocates
	// for every other width.
	Number
	// Port is a Number between 0 and 65535.
	Port
	// TLSVersion is the wire value (0x0303), written '1.2' in criteria.
	TLSVersion
	// Address is an IPv4 or IPv6 address; constants may be CIDR blocks or
	// @groups.
	Address
	// TextList is several strings joined by commas; a comparison holds when
	// any of them equals.
	TextList
	// EvidenceName is one of the By constants.
	EvidenceName
	// Flag is true or false.
	Flag
	// MAC is a hardware address, written 'aa:bb:cc:dd:ee:ff'.
	MAC
	// EnumName is one of the attribute's Values.
	EnumName
	// TimeOfDay is a Number: the seconds since midnight, written '18:30' or
	// '18:30:00' in criteria.
	TimeOfDay
	// ScheduleName is several names of schedule blocks joined by commas; a
	// comparison holds when any of them equals.
	ScheduleName
	// InterfaceName is the name of a network interface, compared byte by byte as
	// the kernel does.
	InterfaceName
	// BrandName is the tag of a catalogue application that is no part of another.
	BrandName
)

// String is the word the documentation uses for the type.
func (t Type) String() string {
	switch t {
	case Text:
		return "string"
	case ApplicationName:
		return "application"
	case ProtocolName:
		return "protocol"
	case CategoryName:
		return "category"
	case Hostname:
		return "host name"
	case Number:
		return "number"
	case Port:
		return "port"
	case TLSVersion:
		return "TLS version"
	case Address:
		return "address"
	case TextList:
		return "list of strings"
	case EvidenceName:
		return "evidence"
	case Flag:
		return "bool"
	case MAC:
		return "MAC address"
	case EnumName:
		return "word"
	case TimeOfDay:
		return "time of day"
	case ScheduleName:
		return "schedule"
	case InterfaceName:
		return "interface"
	case BrandName:
		return "brand"
	}
	return "unknown"
}

// IsList says that a value is several texts joined by commas, and that a
// comparison holds when it holds for any of them.
func (t Type) IsList() bool { return t == TextList || t == ScheduleName }

// Stage says where an attribute can be decided, cheapest first.
type Stage uint8

// Stages.
const (
	// Kernel attributes can be matched by an nftables rule.
	Kernel Stage = iota
	// Once attributes are known to the enforcer after the flow's first packets.
	Once
	// Changing attributes may have another value later in the flow's life; the
	// enforcer runs its program again when they do.
	Changing
	// Packet attributes are asked of each packet, by a rule of the kernel's: the
	// enforcer sees neither a flow's bulk nor the clock strike.
	Packet
	// Measured attributes say how a flow has fared so far. No policy is decided by them: they
	// are known when a record is made, or somebody looks.
	Measured
)

// String is the word the documentation uses for the stage.
func (s Stage) String() string {
	switch s {
	case Kernel:
		return "kernel"
	case Once:
		return "once per flow"
	case Changing:
		return "changing"
	case Packet:
		return "each packet"
	case Measured:
		return "measured"
	}
	return "unknown"
}

// Attribute is one name that criteria may use.
type Attribute struct {
	Name    string
	Aliases []string // Netify's other names for it
	Field   string   // Go field of Facts
	Type    Type
	Unit    string // empty when the value has none
	Decided Stage
	From    string // which part of the enforcer provides it
	Doc     string // one sentence
	// Values are all that the attribute, or an element of a list, can be; nil
	// when that is not bounded.
	Values []string
}

// FromHeaders says that the headers of the flow's first packet, and where it
// was captured, tell the value.
func (a Attribute) FromHeaders() bool { return a.From == "packet" || a.From == "capture" }

// OfRecord says that the value follows from what a flow's record holds, and from the
// time: it differs from flow to flow by nature, or from moment to moment, and is no
// part of what is packed.
func (a Attribute) OfRecord() bool {
	switch a.From {
	case "packet", "capture", "conntrack", "clock", "kpi":
		return true
	case "enforcer":
		return a.Name != "evasive" && a.Name != "detection_complete"
	}
	return a.Name == "tunnel_type" // follows from the protocol
}

// Attributes lists every attribute, in the order of the documentation.
// zfacts.go and docs/attributes.md are generated from it.
var Attributes = []Attribute{
	{Name: "application", Aliases: []string{"app", "app_id", "application_id"}, Field: "Application", Type: ApplicationName, Decided: Once, From: "classify", Doc: "The application (product or service) of the flow, by its catalogue tag."},
	{Name: "brand", Field: "Brand", Type: BrandName, Decided: Once, From: "classify", Doc: "The brand that the application is part of, by the catalogue tag of the brand itself: 'google' for google, gmail and youtube. The application's own tag where it is part of none."},
	{Name: "protocol", Aliases: []string{"proto", "proto_id", "protocol_id"}, Field: "Protocol", Type: ProtocolName, Decided: Once, From: "dissect", Doc: "The application-layer protocol, by its catalogue tag."},
	{Name: "category", Aliases: []string{"cat", "cat_id", "category_id"}, Field: "Category", Type: CategoryName, Decided: Once, From: "classify", Doc: "The application's category, or the protocol's where no application is known, or only the cloud or CDN that the server stands in."},
	{Name: "application_category", Aliases: []string{"app_category", "app_category_id", "application_category_id"}, Field: "ApplicationCategory", Type: CategoryName, Decided: Once, From: "classify", Doc: "The category of the application."},
	{Name: "protocol_category", Aliases: []string{"proto_category", "proto_category_id", "protocol_category_id"}, Field: "ProtocolCategory", Type: CategoryName, Decided: Once, From: "classify", Doc: "The category of the protocol."},
	{Name: "hostname", Aliases: []string{"detected_hostname", "host_server_name"}, Field: "Hostname", Type: Hostname, Decided: Once, From: "dissect", Doc: "The server's name as the flow itself says it: TLS or QUIC SNI, or HTTP Host."},
	{Name: "dns_hostname", Aliases: []string{"dns_host_name"}, Field: "DNSHostname", Type: Hostname, Decided: Once, From: "classify", Doc: "The name that a DNS answer seen earlier gave for the server's address; in a DNS flow, the name asked for."},
	{Name: "by", Aliases: []string{"evidence"}, Field: "By", Type: EvidenceName, Decided: Once, From: "classify", Doc: "What the application was recognised by: 'payload', 'sni', 'cert', 'http', 'dns', 'network', 'port' or 'correlation'."},
	{Name: "confidence", Field: "Confidence", Type: Number, Unit: "percent", Decided: Once, From: "classify", Doc: "How sure the name is, 0 to 100 by the evidence: payload 100, sni and http 95, cert 90, dns 80, correlation 60, network 50, port 20. A protocol without an application counts as payload, or as port when it is guessed. 0 while there is no name."},
	{Name: "domain_category", Aliases: []string{"dom_category", "dom_category_id", "domain_category_id"}, Field: "DomainCategory", Type: CategoryName, Decided: Once, From: "classify", Doc: "The category of the application that owns the flow's host name, or its DNS name where the flow shows none."},
	{Name: "network_category", Aliases: []string{"net_category", "net_category_id", "network_category_id"}, Field: "NetworkCategory", Type: CategoryName, Decided: Once, From: "classify", Doc: "The category of the application in whose network the server lies: also of the cloud or CDN that hosts another's service."},
	{Name: "local_network_category", Aliases: []string{"local_net_category"}, Field: "LocalNetworkCategory", Type: CategoryName, Decided: Once, From: "classify", Doc: "The category of the application in whose network the address on the local side lies, as are the next three for the other sides; empty for addresses of nobody known."},
	{Name: "other_network_category", Aliases: []string{"other_net_category"}, Field: "OtherNetworkCategory", Type: CategoryName, Decided: Once, From: "classify", Doc: "The category of the network on the other side."},
	{Name: "src_network_category", Aliases: []string{"src_net_category"}, Field: "SrcNetworkCategory", Type: CategoryName, Decided: Once, From: "classify", Doc: "The category of the network of the side that opened the flow."},
	{Name: "dst_network_category", Aliases: []string{"dst_net_category"}, Field: "DstNetworkCategory", Type: CategoryName, Decided: Once, From: "classify", Doc: "The category of the network of the side that the flow was opened to."},
	{Name: "detection_packets", Field: "DetectionPackets", Type: Number, Unit: "packets", Decided: Once, From: "enforcer", Doc: "How many packets of the flow had been seen when its name was first known; 0 while it has none."},
	{Name: "detection_guessed", Field: "Guessed", Type: Flag, Decided: Changing, From: "classify", Doc: "True while the name rests on address or port only."},
	{Name: "detection_complete", Field: "Complete", Type: Flag, Decided: Changing, From: "enforcer", Doc: "True when analysis of the flow is over."},
	{Name: "detection_updated", Field: "Updated", Type: Flag, Decided: Changing, From: "enforcer", Doc: "True once the flow's name has become another one than it first had."},
	{Name: "local_ip", Field: "LocalIP", Type: Address, Decided: Kernel, From: "packet", Doc: "The address on the local side (see local_networks)."},
	{Name: "other_ip", Field: "OtherIP", Type: Address, Decided: Kernel, From: "packet", Doc: "The address on the other side."},
	{Name: "src_ip", Field: "SrcIP", Type: Address, Decided: Kernel, From: "packet", Doc: "The address of the side that opened the flow."},
	{Name: "dst_ip", Field: "DstIP", Type: Address, Decided: Kernel, From: "packet", Doc: "The address of the side that the flow was opened to."},
	{Name: "local_port", Field: "LocalPort", Type: Port, Decided: Kernel, From: "packet", Doc: "The port on the local side."},
	{Name: "other_port", Field: "OtherPort", Type: Port, Decided: Kernel, From: "packet", Doc: "The port on the other side."},
	{Name: "asn", Field: "ASN", Type: Number, Decided: Kernel, From: "compiler", Doc: "The autonomous system of the address on the other side, as the set's asn_database has it; the router gets the networks."},
	{Name: "country", Field: "Country", Type: Text, Decided: Kernel, From: "compiler", Doc: "The country of the address on the other side, two letters of ISO 3166-1 such as 'DE', as the set's country_database has it; the router gets the networks."},
	{Name: "src_port", Field: "SrcPort", Type: Port, Decided: Kernel, From: "packet", Doc: "The port of the side that opened the flow."},
	{Name: "dst_port", Field: "DstPort", Type: Port, Decided: Kernel, From: "packet", Doc: "The port that the flow was opened to."},
	{Name: "local_mac", Field: "LocalMAC", Type: MAC, Decided: Once, From: "enforcer", Doc: "The hardware address on the local side, written 'aa:bb:cc:dd:ee:ff': the device's own, or that of the last router before this one. Known in Ethernet and Linux cooked captures; live from the packets that arrive from that side."},
	{Name: "other_mac", Field: "OtherMAC", Type: MAC, Decided: Once, From: "enforcer", Doc: "The hardware address on the other side, as far as packets from there were seen."},
	{Name: "src_mac", Field: "SrcMAC", Type: MAC, Decided: Once, From: "packet", Doc: "The hardware address of the side that opened the flow."},
	{Name: "dst_mac", Field: "DstMAC", Type: MAC, Decided: Once, From: "enforcer", Doc: "The hardware address of the side that the flow was opened to; live it comes with that side's first packet."},
	{Name: "other_type", Field: "OtherType", Type: EnumName, Decided: Once, From: "packet", Doc: "What the address on the other side is: 'other_local', 'other_remote', 'other_multicast' or 'other_broadcast'.", Values: []string{OtherLocal, OtherRemote, OtherMulticast, OtherBroadcast}},
	{Name: "origin", Field: "Origin", Type: EnumName, Decided: Once, From: "packet", Doc: "Which side opened the flow: 'origin_local' or 'origin_other'; 'origin_unknown' when neither side is local.", Values: []string{OriginLocal, OriginOther, OriginUnknown}},
	{Name: "tunnel_type", Field: "TunnelType", Type: EnumName, Decided: Once, From: "classify", Doc: "'tunnel_gtp' for a flow that carries subscribers' packets in GTP-U, otherwise 'tunnel_none'. Policies act on the tunnel, not on what it carries.", Values: []string{TunnelNone, TunnelGTP}},
	{Name: "ip_dscp", Field: "IPDSCP", Type: Number, Decided: Once, From: "packet", Doc: "The differentiated services code point of the first packet seen of the flow, 0 to 63, before any policy changes it."},
	{Name: "ip_nat", Field: "IPNAT", Type: Flag, Decided: Once, From: "enforcer", Doc: "True when the kernel translates the flow's addresses, from its first reply on. Never in capture files."},
	{Name: "ct_reply_src_ip", Field: "CTReplySrcIP", Type: Address, Decided: Once, From: "enforcer", Doc: "The source of replies, behind the kernel's translation: the inside host of a port forwarding. The same as dst_ip where nothing is translated, and in capture files."},
	{Name: "ct_reply_dst_ip", Field: "CTReplyDstIP", Type: Address, Decided: Once, From: "enforcer", Doc: "The destination of replies, behind the kernel's translation: the router's outside address where it hides the client. Otherwise the same as src_ip."},
	{Name: "ip_protocol", Field: "IPProtocol", Type: Number, Decided: Kernel, From: "packet", Doc: "The IP protocol number (6 TCP, 17 UDP); 'tcp', 'udp', 'icmp', 'icmpv6' and 'sctp' may be written by name."},
	{Name: "ip_version", Field: "IPVersion", Type: Number, Decided: Kernel, From: "packet", Doc: "4 or 6."},
	{Name: "interface", Aliases: []string{"iface", "iface_nfq_src"}, Field: "Interface", Type: Text, Decided: Kernel, From: "capture", Doc: "The interface the flow's first packet was seen on: where it arrived, or left when the router itself opened the flow."},
	{Name: "vlan_id", Aliases: []string{"vlan"}, Field: "VLANID", Type: Number, Decided: Kernel, From: "packet", Doc: "The outermost VLAN id, 0 for none."},
	{Name: "tls_version", Aliases: []string{"ssl_version"}, Field: "TLSVersion", Type: TLSVersion, Decided: Once, From: "dissect/tls", Doc: "The TLS version of the flow: the one the server chose, or the highest the client offers until then. Written '1.0' to '1.3', ordered."},
	{Name: "alpn", Aliases: []string{"tls_alpn"}, Field: "ALPN", Type: TextList, Decided: Once, From: "dissect/tls", Doc: "The application protocols that the client offers (RFC 7301)."},
	{Name: "ja4", Aliases: []string{"tls_ja4"}, Field: "JA4", Type: Text, Decided: Once, From: "dissect/tls", Doc: "The JA4 fingerprint of the client's TLS hello."},
	{Name: "ja4s", Aliases: []string{"tls_ja4s"}, Field: "JA4S", Type: Text, Decided: Once, From: "dissect/tls", Doc: "The JA4S fingerprint of the server's TLS hello, over TCP and DTLS."},
	{Name: "tls_cipher", Aliases: []string{"ssl_cipher"}, Field: "TLSCipher", Type: Number, Decided: Once, From: "dissect/tls", Doc: "The cipher suite that the server chose, over TCP and DTLS: its number (0xc02f) or its registered name in quotes."},
	{Name: "tls_ech", Field: "TLSECH", Type: Flag, Decided: Once, From: "dissect/tls", Doc: "True when the client sends an encrypted_client_hello extension (RFC 9849); whether it holds a name or is GREASE cannot be told."},
	{Name: "tls_alpn_server", Field: "TLSALPNServer", Type: Text, Decided: Once, From: "dissect/tls", Doc: "The application protocol that the server chose; encrypted from TLS 1.3 on."},
	{Name: "tls_server_cn", Field: "TLSServerCN", Type: Text, Decided: Once, From: "dissect/tls", Doc: "The common name of the server's certificate, as are the next three: encrypted from TLS 1.3 on, and read only when a policy asks for it."},
	{Name: "tls_subject_dn", Field: "TLSSubjectDN", Type: Text, Decided: Once, From: "dissect/tls", Doc: "The subject of the server's certificate, such as 'C=US, O=Example, CN=www.example.com', in its own order."},
	{Name: "tls_issuer_dn", Field: "TLSIssuerDN", Type: Text, Decided: Once, From: "dissect/tls", Doc: "The issuer of the server's certificate, written likewise."},
	{Name: "tls_cert_fingerprint", Field: "TLSCertFingerprint", Type: Text, Decided: Once, From: "dissect/tls", Doc: "The SHA-1 of the server's certificate, 40 hexadecimal digits; colons between them may be written."},
	{Name: "tls_proc_hello", Field: "TLSProcHello", Type: Flag, Decided: Once, From: "classify", Doc: "True once the client's TLS hello has been read."},
	{Name: "tls_proc_certificate", Field: "TLSProcCertificate", Type: Flag, Decided: Once, From: "classify", Doc: "True once the server's certificate has been read."},
	{Name: "risks", Field: "Risks", Type: TextList, Decided: Once, From: "dissect", Doc: "What an operator may want to act on; the values are below. A policy that asks for it has flows inspected until their certificate or login has been seen.", Values: riskNames()},
	{Name: "risk_score", Aliases: []string{"ndpi_risk_score"}, Field: "RiskScore", Type: Number, Decided: Once, From: "classify", Doc: "How grave the flow's risks are together: the sum of their scores, which are below and nDPI's; 0 without a risk. It asks for what risks asks for."},
	{Name: "risk_client", Aliases: []string{"ndpi_risk_client"}, Field: "RiskClient", Type: Number, Decided: Once, From: "classify", Doc: "The client's share of risk_score."},
	{Name: "risk_server", Aliases: []string{"ndpi_risk_server"}, Field: "RiskServer", Type: Number, Decided: Once, From: "classify", Doc: "The server's share of risk_score."},
	{Name: "evasive", Field: "Evasive", Type: Flag, Decided: Once, From: "enforcer", Doc: "True when the flow's packets contradict each other, so that its ends may have read other bytes than netpol did: overlapping segments or fragments that differ, urgent data or a hello that does not end in the flow's opening, a second hello with another name, two different Host fields."},
	{Name: "http_user_agent", Field: "UserAgent", Type: Text, Decided: Once, From: "dissect/http", Doc: "The User-Agent of the first HTTP request."},
	{Name: "http_method", Field: "HTTPMethod", Type: Text, Decided: Once, From: "dissect/http", Doc: "The method of the first HTTP request."},
	{Name: "http_url", Field: "HTTPURL", Type: Text, Decided: Once, From: "dissect/http", Doc: "The host and target of the first HTTP request, such as 'www.example.com/a?b'; read only when a policy asks for it."},
	{Name: "ssh_client_agent", Field: "SSHClientAgent", Type: Text, Decided: Once, From: "dissect/fixed", Doc: "The version line of the SSH client, such as 'SSH-2.0-OpenSSH_9.6'; both sides' are waited for only when a policy asks for one."},
	{Name: "ssh_server_agent", Field: "SSHServerAgent", Type: Text, Decided: Once, From: "dissect/fixed", Doc: "The version line of the SSH server."},
	{Name: "dhcp_class_ident", Field: "DHCPClassIdent", Type: Text, Decided: Once, From: "dissect/fixed", Doc: "The vendor class that a DHCP client says of itself (option 60)."},
	{Name: "dhcp_fingerprint", Field: "DHCPFingerprint", Type: Text, Decided: Once, From: "dissect/fixed", Doc: "The options that a DHCP client asks for (option 55), in its order: '1,3,6,15'."},
	{Name: "mdns_domain_name", Field: "MDNSDomainName", Type: Text, Decided: Once, From: "dissect/dns", Doc: "The name that a multicast DNS flow first asks for, or answers."},
	{Name: "ssdp_user_agent", Field: "SSDPUserAgent", Type: Text, Decided: Once, From: "dissect/fixed", Doc: "The USER-AGENT of an SSDP search."},
	{Name: "ssdp_server", Field: "SSDPServer", Type: Text, Decided: Once, From: "dissect/fixed", Doc: "The SERVER that an SSDP device announces or answers with."},
	{Name: "stun_mapped", Field: "STUNMapped", Type: Address, Decided: Once, From: "dissect/stun", Doc: "The client's address as a STUN server sees it; this and the next four over UDP, and only when a policy asks for one."},
	{Name: "stun_peer", Field: "STUNPeer", Type: Address, Decided: Once, From: "dissect/stun", Doc: "The peer that a TURN client wants to reach."},
	{Name: "stun_relayed", Field: "STUNRelayed", Type: Address, Decided: Once, From: "dissect/stun", Doc: "The address that a TURN server relays for."},
	{Name: "stun_response", Field: "STUNResponse", Type: Address, Decided: Once, From: "dissect/stun", Doc: "The address that a STUN server says it answers from (RESPONSE-ORIGIN, RFC 5780)."},
	{Name: "stun_other", Field: "STUNOther", Type: Address, Decided: Once, From: "dissect/stun", Doc: "The other address of a STUN server (OTHER-ADDRESS, RFC 5780; CHANGED-ADDRESS before)."},
	{Name: "quic_version", Field: "QUICVersion", Type: Text, Decided: Once, From: "dissect/quic", Doc: "The version of QUIC: '1', '2', 'draft-29', Google's 'Q046', or the number in hexadecimal."},
	{Name: "bt_info_hash", Field: "BTInfoHash", Type: Text, Decided: Once, From: "dissect/bittorrent", Doc: "The info hash of a BitTorrent handshake, 40 hexadecimal digits."},
	{Name: "total_bytes", Field: "TotalBytes", Type: Number, Unit: "bytes", Decided: Packet, From: "conntrack", Doc: "Bytes of the flow so far, IP headers and the packet at hand included. The kernel counts them: while it does not (net.netfilter.nf_conntrack_acct), they are 0."},
	{Name: "src_bytes", Aliases: []string{"total_src_bytes"}, Field: "SrcBytes", Type: Number, Unit: "bytes", Decided: Packet, From: "conntrack", Doc: "Bytes sent by the side that opened the flow."},
	{Name: "dst_bytes", Aliases: []string{"total_dst_bytes"}, Field: "DstBytes", Type: Number, Unit: "bytes", Decided: Packet, From: "conntrack", Doc: "Bytes sent by the side that the flow was opened to."},
	{Name: "local_bytes", Aliases: []string{"total_local_bytes"}, Field: "LocalBytes", Type: Number, Unit: "bytes", Decided: Packet, From: "conntrack", Doc: "Bytes sent by the local side."},
	{Name: "other_bytes", Aliases: []string{"total_other_bytes"}, Field: "OtherBytes", Type: Number, Unit: "bytes", Decided: Packet, From: "conntrack", Doc: "Bytes sent by the other side."},
	{Name: "total_packets", Field: "TotalPackets", Type: Number, Unit: "packets", Decided: Packet, From: "conntrack", Doc: "Packets of the flow so far, the packet at hand included."},
	{Name: "src_packets", Aliases: []string{"total_src_packets"}, Field: "SrcPackets", Type: Number, Unit: "packets", Decided: Packet, From: "conntrack", Doc: "Packets sent by the side that opened the flow."},
	{Name: "dst_packets", Aliases: []string{"total_dst_packets"}, Field: "DstPackets", Type: Number, Unit: "packets", Decided: Packet, From: "conntrack", Doc: "Packets sent by the side that the flow was opened to."},
	{Name: "local_packets", Aliases: []string{"total_local_packets"}, Field: "LocalPackets", Type: Number, Unit: "packets", Decided: Packet, From: "conntrack", Doc: "Packets sent by the local side."},
	{Name: "other_packets", Aliases: []string{"total_other_packets"}, Field: "OtherPackets", Type: Number, Unit: "packets", Decided: Packet, From: "conntrack", Doc: "Packets sent by the other side."},
	{Name: "total_rate", Field: "TotalRate", Type: Number, Unit: "bytes per second", Decided: Changing, From: "conntrack", Doc: "Bytes a second over the last interval between two readings of the kernel's counters (5 seconds)."},
	{Name: "src_rate", Field: "SrcRate", Type: Number, Unit: "bytes per second", Decided: Changing, From: "conntrack", Doc: "Bytes a second sent by the side that opened the flow."},
	{Name: "dst_rate", Field: "DstRate", Type: Number, Unit: "bytes per second", Decided: Changing, From: "conntrack", Doc: "Bytes a second sent by the side that the flow was opened to."},
	{Name: "local_rate", Field: "LocalRate", Type: Number, Unit: "bytes per second", Decided: Changing, From: "conntrack", Doc: "Bytes a second sent by the local side."},
	{Name: "other_rate", Field: "OtherRate", Type: Number, Unit: "bytes per second", Decided: Changing, From: "conntrack", Doc: "Bytes a second sent by the other side."},
	{Name: "duration", Field: "Duration", Type: Number, Unit: "seconds", Decided: Changing, From: "enforcer", Doc: "How long ago the flow's first packet was seen, as of the last reading of the kernel's counters."},
	{Name: "measured_packets", Field: "MeasuredPackets", Type: Number, Unit: "packets", Decided: Measured, From: "kpi", Doc: "How many packets of the flow were measured, which this and the following are from: of what the router forwards the first, of captures and inputs that read all packets all. 0 is none, and a time of 0 is not known."},
	{Name: "tcp_retransmissions", Aliases: []string{"tcp_retrans"}, Field: "TCPRetransmissions", Type: Number, Unit: "packets", Decided: Measured, From: "kpi", Doc: "Segments of TCP that were sent again, by either side."},
	{Name: "tcp_sequence_errors", Aliases: []string{"tcp_seq_errors"}, Field: "TCPSequenceErrors", Type: Number, Unit: "packets", Decided: Measured, From: "kpi", Doc: "Segments of TCP that came out of order."},
	{Name: "tcp_resets", Field: "TCPResets", Type: Number, Unit: "packets", Decided: Measured, From: "kpi", Doc: "Segments of TCP with RST."},
	{Name: "tcp_zero_windows", Field: "TCPZeroWindows", Type: Number, Unit: "packets", Decided: Measured, From: "kpi", Doc: "Segments of TCP whose sender has no room for more."},
	{Name: "rtt_server", Field: "RTTServer", Type: Number, Unit: "microseconds", Decided: Measured, From: "kpi", Doc: "From the router to the server and back, by the handshake of TCP or QUIC; written '20ms', as are the following times."},
	{Name: "rtt_client", Field: "RTTClient", Type: Number, Unit: "microseconds", Decided: Measured, From: "kpi", Doc: "From the router to the client and back, by the handshake of TCP or QUIC."},
	{Name: "app_response", Field: "AppResponse", Type: Number, Unit: "microseconds", Decided: Measured, From: "kpi", Doc: "From the first byte of a TCP client to the server's first byte after it has that one."},
	{Name: "tls_handshake", Field: "TLSHandshake", Type: Number, Unit: "microseconds", Decided: Measured, From: "kpi", Doc: "From the ClientHello to the client's first record of application data."},
	{Name: "dns_response", Field: "DNSResponse", Type: Number, Unit: "microseconds", Decided: Measured, From: "kpi", Doc: "How long answers of DNS took, in the mean."},
	{Name: "rtp_loss", Field: "RTPLoss", Type: Number, Unit: "percent", Decided: Measured, From: "kpi", Doc: "Of the packets of RTP those that are missing, 0 to 100, rounded up, of the side that lost more: rtp_loss > 0 is any loss, rtp_loss > 1 more than 1 %."},
	{Name: "rtp_jitter", Field: "RTPJitter", Type: Number, Unit: "microseconds", Decided: Measured, From: "kpi", Doc: "The interarrival jitter of RTP (RFC 3550, A.8), its mean, of the side where it is larger."},
	{Name: "interface_out", Aliases: []string{"iface_nfq_dst"}, Field: "InterfaceOut", Type: InterfaceName, Decided: Packet, From: "kernel", Doc: "The interface that the flow's first packet leaves by; empty for flows to the router itself."},
	{Name: "ct_mark", Aliases: []string{"conntrack_mark", "fwmark"}, Field: "CTMark", Type: Number, Decided: Packet, From: "conntrack", Doc: "The conntrack mark, without the bits that are netpol's own."},
	{Name: "time_of_day", Field: "TimeOfDay", Type: TimeOfDay, Unit: "seconds", Decided: Packet, From: "clock", Doc: "The time, written '18:30' or '18:30:00', in the set's time zone."},
	{Name: "weekday", Field: "Weekday", Type: EnumName, Decided: Packet, From: "clock", Doc: "The day of the week, 'mon' to 'sun', in the set's time zone.", Values: Weekdays()},
	{Name: "schedule", Field: "Schedules", Type: ScheduleName, Decided: Packet, From: "clock", Doc: "The names of the schedules in force."},
}

// Values of the attribute "other_type".
const (
	OtherLocal     = "other_local"
	OtherRemote    = "other_remote"
	OtherMulticast = "other_multicast"
	OtherBroadcast = "other_broadcast"
)

// Weekdays lists the values of the attribute "weekday", Monday first.
func Weekdays() []string { return []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"} }

// Values of the attribute "origin".
const (
	OriginLocal = "origin_local"
	OriginOther = "origin_other"
	// OriginUnknown is a flow between two ends of which neither is local.
	OriginUnknown = "origin_unknown"
)

// Values of the attribute "tunnel_type".
const (
	TunnelNone = "tunnel_none"
	TunnelGTP  = "tunnel_gtp" // 3GPP TS 29.281
)

// What an application was recognised by; the values of the attribute "by".
const (
	ByPayload     = "payload"     // the protocol belongs to one product
	BySNI         = "sni"         // server name in a TLS or QUIC hello
	ByCert        = "cert"        // name in the server's certificate
	ByHTTP        = "http"        // Host of an HTTP request
	ByDNS         = "dns"         // an earlier DNS answer
	ByNetwork     = "network"     // the server's address
	ByPort        = "port"        // the server's port
	ByCorrelation = "correlation" // another flow of the same client
)

// Evidences lists the values of the attribute "by", strongest first.
var Evidences = []string{ByPayload, BySNI, ByCert, ByHTTP, ByDNS, ByCorrelation, ByNetwork, ByPort}

// Lookup finds an attribute by its name or one of its aliases. Names are
// case-sensitive, as in Netify.
func Lookup(name string) (Attribute, bool) {
	for _, a := range Attributes {
		if a.Name == name {
			return a, true
		}
		for _, alias := range a.Aliases {
			if alias == name {
				return a, true
			}
		}
	}
	return Attribute{}, false
}
