package record

import "net/netip"

// Head is what each record begins with. The JSON of Type is the Kind's word.
type Head struct {
	Type          Kind  `json:"type" doc:"Which record it is."`
	SchemaVersion int   `json:"schema_version" doc:"The version of this schema."`
	Timestamp     int64 `json:"timestamp" doc:"When the record was made."`
}

// FlowHead is what each record of a flow begins with.
type FlowHead struct {
	Head
	Interface string `json:"interface" doc:"The interface that the flow's first packet was seen on; empty when it is not known."`
	Input     string `json:"input,omitempty" doc:"The input of the policies that the flow was seen by, where its packets were read by AF_PACKET; absent for what the router's own rules show, and for capture files."`
	Internal  bool   `json:"internal" doc:"Whether the flow was opened from the local side."`
	PCAP      string `json:"pcap,omitempty" doc:"The capture file that the flow was read from; absent on live input."`
}

// Flow is told when a flow is named (flow) and when its name or the policies
// that match it change (flow_update).
type Flow struct {
	FlowHead
	Flow Detail `json:"flow" doc:"The flow."`
}

// FlowStats is what a flow has carried so far, at intervals.
type FlowStats struct {
	FlowHead
	Flow Progress `json:"flow" doc:"The flow."`

	// Whole is all that is known of the flow, for sinks whose format wants it in each
	// record; nil where none does.
	Whole *Detail `json:"-"`
}

// Progress is a flow in FlowStats.
type Progress struct {
	Brief
	Counters
	Quality
}

// FlowEnd is told once a flow is over, with all that is known of it.
type FlowEnd struct {
	FlowHead
	Reason Reason `json:"reason" doc:"Why it is over: its ends closed it, it fell silent or the kernel forgot it, it made room for another in a full table, or netpold stopped or read its capture file to the end."`
	Flow   Total  `json:"flow" doc:"The flow."`
}

// Total is a flow in FlowEnd.
type Total struct {
	Detail
	Counters
	Quality
}

// Reason says why a flow is over.
type Reason string

// Reasons of FlowEnd; closed and expired are Netify's.
const (
	ReasonClosed  Reason = "closed"
	ReasonExpired Reason = "expired"
	ReasonEvicted Reason = "evicted"
	ReasonStopped Reason = "stopped"
)

// PolicyMatch is told when a policy with notify matches a flow, once for each of
// them.
type PolicyMatch struct {
	FlowHead
	Policy Policy `json:"policy" doc:"The policy that matches."`
	Flow   Detail `json:"flow" doc:"The flow."`
}

// Policy is the policy of a PolicyMatch.
type Policy struct {
	Name     string      `json:"name" doc:"Its name."`
	File     string      `json:"file" doc:"The policy file that it stands in."`
	Line     int         `json:"line" doc:"The line that it begins on."`
	Criteria string      `json:"criteria" doc:"Its criteria, as written."`
	Labels   []string    `json:"labels" doc:"The conntrack labels that it sets."`
	Verdict  string      `json:"verdict,omitempty" doc:"Its verdict; absent without one." enum:"accept,drop,reject"`
	DSCP     string      `json:"dscp,omitempty" doc:"The code point that it sets; absent without one."`
	Audit    bool        `json:"audit" doc:"Whether it is on trial: it counts and tells, and changes nothing."`
	Evidence []Attribute `json:"evidence" doc:"The attributes that its criteria ask for, with the values that the flow has."`
}

// Attribute is one fact.
type Attribute struct {
	Name  string `json:"attribute" doc:"The attribute, as criteria write it."`
	Value string `json:"value" doc:"Its value; empty when it is not known."`
}

// Brief says which flow it is. What is marked names follows from what is known of it, like facts of a
// Detail.
type Brief struct {
	Digest           Digest `json:"digest" doc:"Names the flow in all of its records."`
	LastSeenAt       int64  `json:"last_seen_at" doc:"When its last packet was seen, or counted by the kernel."`
	ApplicationName  string `json:"detected_application_name" names:"true" doc:"The application, by its catalogue tag; empty while it is not known."`
	BrandName        string `json:"detected_brand_name" names:"true" doc:"The brand that the application is part of, by its catalogue tag; the application's own where it is part of none, empty while it is not known."`
	ProtocolName     string `json:"detected_protocol_name" names:"true" doc:"The application-layer protocol, by its catalogue tag; empty while it is not known."`
	DetectionPackets int    `json:"detection_packets" doc:"How many packets had been seen when the name was first known; 0 while there is none."`

	// Names has the members that are marked names, where they have been written before; nil where
	// that is not known.
	Names *Rendered `json:"-"`
}

// Detail is all that is known of a flow but what it carried. What is marked facts follows from
// what is known of it and is the same for many flows. What is marked once, or facts, is left out
// where the reader knows it.
type Detail struct {
	Brief
	FirstSeenAt int64      `json:"first_seen_at" once:"Tuple" doc:"When its first packet was seen."`
	IPVersion   int        `json:"ip_version" once:"Tuple" doc:"4 or 6."`
	IPProtocol  int        `json:"ip_protocol" once:"Tuple" doc:"The IP protocol number."`
	IPDSCP      int        `json:"ip_dscp" once:"Tuple" doc:"The code point of the first packet seen, before any policy changed it."`
	IPNAT       bool       `json:"ip_nat" once:"Tuple" doc:"Whether the kernel translates its addresses."`
	VLANID      int        `json:"vlan_id" once:"Tuple" doc:"The outermost VLAN; 0 for none."`
	LocalOrigin bool       `json:"local_origin" once:"Tuple" doc:"Whether the local side opened it."`
	LocalIP     netip.Addr `json:"local_ip,omitempty" once:"Tuple" doc:"The address on the local side; absent when a sink drops it."`
	LocalMAC    string     `json:"local_mac,omitempty" once:"Tuple" doc:"The hardware address on the local side."`
	LocalPort   int        `json:"local_port" once:"Tuple" doc:"The port on the local side; 0 without ports."`
	OtherIP     netip.Addr `json:"other_ip,omitempty" once:"Tuple" doc:"The address on the other side."`
	OtherMAC    string     `json:"other_mac,omitempty" once:"Tuple" doc:"The hardware address on the other side."`
	OtherPort   int        `json:"other_port" once:"Tuple" doc:"The port on the other side; 0 without ports."`
	OtherType   string     `json:"other_type,omitempty" once:"Tuple" doc:"What the address on the other side is." enum:"local,remote,multicast,broadcast"`
	Category    Category   `json:"category" facts:"true" doc:"Categories, by their catalogue tags; empty where there is none."`
	Guessed     bool       `json:"detection_guessed" facts:"true" doc:"Whether the name rests on address or port only."`
	Updated     bool       `json:"detection_updated" doc:"Whether the name became another than it first was."`
	Complete    bool       `json:"detection_complete" facts:"true" doc:"Whether analysis is over."`
	Evidence    string     `json:"detection_evidence,omitempty" facts:"true" doc:"What the application was recognised by: payload, sni, cert, http, dns, network, port, correlation, or query where it was only asked for."`
	Confidence  int        `json:"detection_confidence" facts:"true" doc:"How sure the name is, in percent."`
	HostName    string     `json:"host_server_name,omitempty" facts:"true" doc:"The server's name as the flow itself says it."`
	DNSHostName string     `json:"dns_host_name,omitempty" facts:"true" doc:"The name that an earlier DNS answer gave for the server's address; in a DNS flow, the name asked for."`
	Evasive     bool       `json:"evasive,omitempty" facts:"true" doc:"Whether its packets contradict each other."`
	Tunnel      string     `json:"tunnel_type,omitempty" facts:"true" doc:"The tunnel that it is."`
	Policies    []string   `json:"policies" doc:"The policies that match, by name."`
	Labels      []string   `json:"labels" doc:"Its conntrack labels."`
	Conntrack   Conntrack  `json:"conntrack,omitempty" doc:"What the kernel has on it."`
	SSL         SSL        `json:"ssl,omitempty" facts:"true" doc:"TLS, DTLS or QUIC."`
	HTTP        HTTP       `json:"http,omitempty" facts:"true" doc:"The first HTTP request."`
	SSH         SSH        `json:"ssh,omitempty" facts:"true" doc:"SSH version lines."`
	DHCP        DHCP       `json:"dhcp,omitempty" facts:"true" doc:"What a DHCP client says of itself."`
	MDNS        MDNS       `json:"mdns,omitempty" facts:"true" doc:"Multicast DNS."`
	SSDP        SSDP       `json:"ssdp,omitempty" facts:"true" doc:"SSDP."`
	STUN        STUN       `json:"stun,omitempty" facts:"true" doc:"STUN and TURN."`
	BT          BitTorrent `json:"bt,omitempty" facts:"true" doc:"BitTorrent."`
	Risks       Risks      `json:"risks,omitempty" facts:"true" doc:"What an operator may want to act on."`

	// Rendered has the members that are marked facts, where they have been written before; nil
	// where that is not known.
	Rendered *Rendered `json:"-"`
	// Known is what of it the reader has been told before.
	Known Known `json:"-"`
}

// Known says which details of a flow a reader has been told, and are the same still.
type Known struct {
	Tuple bool // when it began, and its addresses, ports and headers
	Facts bool // what is marked facts
}

// Counters are what a flow has carried.
type Counters struct {
	LocalBytes   uint64 `json:"local_bytes" doc:"Bytes sent by the local side, IP headers included."`
	LocalPackets uint64 `json:"local_packets" doc:"Packets sent by the local side."`
	LocalRate    uint64 `json:"local_rate" doc:"Bytes a second sent by the local side, over the last interval between two readings."`
	OtherBytes   uint64 `json:"other_bytes" doc:"Bytes sent by the other side."`
	OtherPackets uint64 `json:"other_packets" doc:"Packets sent by the other side."`
	OtherRate    uint64 `json:"other_rate" doc:"Bytes a second sent by the other side."`
	TotalBytes   uint64 `json:"total_bytes" doc:"Both sides together."`
	TotalPackets uint64 `json:"total_packets" doc:"Both sides together."`

	// Earlier is what of it was carried before this netpold saw the flow, for sinks that
	// tell what comes to what: a netpold before it has told of that.
	Earlier Carried `json:"-"`
}

// Carried is what each side has sent.
type Carried struct{ LocalBytes, LocalPackets, OtherBytes, OtherPackets uint64 }
