package artifact

import (
	"net/netip"
	"slices"
)

// Bundle is a compiled policy set.
type Bundle struct {
	Format    int       `json:"format"` // FormatVersion of the writer
	ABI       string    `json:"abi"`    // hash of the fact table the program was compiled against
	Settings  Settings  `json:"settings"`
	Labels    []Label   `json:"labels"`   // sorted by bit
	Policies  []Policy  `json:"policies"` // in evaluation order; an index here is a policy's id
	Program   Program   `json:"program"`
	Ruleset   Ruleset   `json:"ruleset"`
	Catalogue Catalogue `json:"catalogue"`
	Routes    []Route   `json:"routes,omitempty"`    // by table
	FlowSets  []FlowSet `json:"flow_sets,omitempty"` // Effect.Adds refers to them
	Sinks     []Sink    `json:"sinks,omitempty"`     // by name; Effect.Notify refers to them
	// SinkProgram decides the conditions of sinks: a policy of it is the sink of
	// the same index.
	SinkProgram Program `json:"sink_program,omitzero"`
	Inputs      []Input `json:"inputs,omitempty"` // by name
	// Aggregates add up what flows carry, by name.
	Aggregates []Aggregate `json:"aggregates,omitempty"`
}

// Settings are the values of the policy set's netpol block, defaults filled in.
type Settings struct {
	LocalNetworks []netip.Prefix `json:"local_networks,omitempty"` // in addition to the private ranges
	LogGroup      uint16         `json:"log_group"`                // NFLOG group, default 4788
	// LogGroups is over how many groups, from LogGroup on, connections are spread: a
	// power of two; 0 is 1.
	LogGroups     int    `json:"log_groups,omitempty"`
	InspectPacket int    `json:"inspect_packets"` // first packets of each flow to inspect, default 32
	DoneMark      uint32 `json:"done_mark"`       // ct mark bit that says "analysis is over", default 0x80000000
	// QuietMark is the ct mark bit of connections that carry none of Ruleset.Loud;
	// 0 where no rule asks for it.
	QuietMark uint32 `json:"quiet_mark,omitempty"`
	Priority  int    `json:"priority"` // hook priority of the verdict chains, default 10
	// CapturePriority is the hook priority of the chains that decide and show
	// packets where they come in, DSCPPriority that of those that change packets
	// where they leave; 0 is -150 for both.
	CapturePriority int     `json:"capture_priority,omitempty"`
	DSCPPriority    int     `json:"dscp_priority,omitempty"`
	Inspect         Inspect `json:"inspect,omitempty"` // which connections netpold is shown; empty is what policies need
	// HoldQueue is the first of the queues that held packets wait in, default
	// 4788, and HoldPackets how many may wait in each; 0 when nothing is held.
	HoldQueue   uint16 `json:"hold_queue,omitempty"`
	HoldPackets int    `json:"hold_packets,omitempty"`
	// HoldMark is the bits of packets' marks that held packets carry; 0 is
	// DefaultHoldMark.
	HoldMark HoldMark `json:"hold_mark,omitempty"`
	// AnalysedLabel is the label of connections that have the done mark, for
	// rules of the operator's own; empty for none.
	AnalysedLabel string `json:"analysed_label,omitempty"`
	Timezone      string `json:"timezone,omitempty"` // IANA zone of time_of_day, weekday and schedules without one; empty is UTC

	// OffloadDevices are the interfaces of the flowtable, sorted, and
	// OffloadHardware says that they forward by themselves what is in it.
	OffloadDevices  []string `json:"offload_devices,omitempty"`
	OffloadHardware bool     `json:"offload_hardware,omitempty"`

	TableOwner bool `json:"table_owner,omitempty"` // see Ruleset.Persist
}

// OwnMark is the bits of the conntrack mark that are netpold's.
func (s Settings) OwnMark() uint32 { return s.DoneMark | s.QuietMark }

// gateFactor is how many times the packets that netpold is to inspect are shown
// to it: an opening in tiny segments, and acknowledgements, take more.
const gateFactor = 4

// Groups are the NFLOG groups that connections are spread over.
func (s Settings) Groups() []uint16 {
	groups := make([]uint16, max(1, s.LogGroups))
	for i := range groups {
		groups[i] = s.LogGroup + uint16(i)
	}
	return groups
}

// FirstPackets is how many packets of a flow netpold is shown.
func (s Settings) FirstPackets() int { return gateFactor * s.InspectPacket }

// Inspect says which connections netpold is shown.
type Inspect string

// Connections to show.
const (
	InspectNeeded Inspect = ""    // those of which a policy asks for more than headers
	InspectAll    Inspect = "all" // all, for what is told of them, whether a policy needs netpold or not
)

// Label is a conntrack label that this bundle owns.
type Label struct {
	Name string `json:"name"`
	Bit  int    `json:"bit"` // 0..127
	// Auto labels are netpol's own (prefix "np-"), not written by the author.
	Auto bool `json:"auto,omitempty"`
}

// Policy is what people are shown of one policy; the enforcer acts on Program
// and Ruleset instead.
type Policy struct {
	Name        string   `json:"name"`
	Description string   `json:"description,omitempty"`
	File        string   `json:"file"` // relative to the policy directory
	Line        int      `json:"line"`
	Criteria    string   `json:"criteria"` // as written; a list is joined by " or "
	Labels      []string `json:"labels,omitempty"`
	Mark        *Mark    `json:"mark,omitempty"`
	DSCP        string   `json:"dscp,omitempty"`    // as written: "cs5", "46"
	Verdict     string   `json:"verdict,omitempty"` // accept, drop, reject
	Also        []string `json:"also,omitempty"`    // further effects, in words: "rate 10 packets/second per host"
	Decided     Decided  `json:"decided,omitempty"` // where
	// When is what is asked of each packet besides, as people read it; empty
	// when nothing is.
	When   string `json:"when,omitempty"`
	Part   int    `json:"part,omitempty"`    // of the policies that were one before When was taken out; 0 the first
	Audit  bool   `json:"audit,omitempty"`   // only counted and logged
	OnFail string `json:"on_fail,omitempty"` // "closed", or empty for open
	// OnOverload is "closed", or empty for open.
	OnOverload string `json:"on_overload,omitempty"`
	From       string `json:"from,omitempty"` // the argument of the netpol block that stands for it; empty for an author's
	Hold       bool   `json:"hold,omitempty"` // its flows' packets wait for the enforcer
}

// SeenLabel is the label of a bundle that has no other. No connection carries it.
const SeenLabel = "np-seen"

// ShedLabel is the label of connections that netpold gave up without a name
// because it was overloaded; a bundle has it where a policy asks for it.
const ShedLabel = "np-shed"

// Decided says where a policy is decided.
type Decided string

// Where policies are decided.
const (
	DecidedEnforcer Decided = ""       // by netpold's program
	DecidedKernel   Decided = "kernel" // by rules, on a connection's first packet
)

// NeedEnforcer says that some policy or sink cannot do without netpold.
func NeedEnforcer(policies []Policy, sinks []Sink) bool {
	return slices.ContainsFunc(policies, func(p Policy) bool { return p.Decided == DecidedEnforcer }) ||
		slices.ContainsFunc(sinks, func(s Sink) bool { return len(s.Records) > 0 })
}

// Mark is a masked conntrack mark: new = old &^ Mask | Value.
type Mark struct {
	Value uint32 `json:"value"`
	Mask  uint32 `json:"mask"`
}

// Catalogue is what is known of applications and protocols. All lists are
// sorted by tag; Domains, Networks and Ports refer to applications by tag.
type Catalogue struct {
	Digest       string        `json:"digest"` // sha256 of its own canonical encoding without this field
	Categories   []Category    `json:"categories"`
	Protocols    []Protocol    `json:"protocols"`
	Applications []Application `json:"applications"`
}

// Category groups applications and protocols.
type Category struct {
	Tag         string `json:"tag"`
	Description string `json:"description,omitempty"`
}

// Protocol is an application-layer protocol.
type Protocol struct {
	Tag      string      `json:"tag"`
	Name     string      `json:"name"`
	Category string      `json:"category"`
	Ports    []PortRange `json:"ports,omitempty"` // weak hints only
	// Application is the product the protocol belongs to, if it is the
	// protocol of one product (zoom, spotify); empty otherwise.
	Application string `json:"application,omitempty"`
}

// Application is a product or service.
type Application struct {
	Tag      string         `json:"tag"`
	Name     string         `json:"name"`
	Category string         `json:"category"`
	Brand    string         `json:"brand,omitempty"`    // tag of the application that it is part of; empty for none
	Domains  []string       `json:"domains,omitempty"`  // suffixes, lower case, no leading dot
	Networks []netip.Prefix `json:"networks,omitempty"` // longest prefix over all applications wins
	Ports    []PortRange    `json:"ports,omitempty"`
	// Signatures are values that the product alone writes in protocols that many
	// use, sorted by place and value.
	Signatures []Signature `json:"signatures,omitempty"`
}

// Signature is a value of a place in a protocol, such as a certificate's issuer.
type Signature struct {
	Where string `json:"where"` // one of SignaturePlaces
	Value string `json:"value"` // what it is, or begins with if Prefix
	// Prefix: longer values count as well.
	Prefix bool `json:"prefix,omitempty"`
}

// String writes it as it is written in tables and policies, "http-agent Intranet/*".
func (s Signature) String() string {
	if s.Prefix {
		return s.Where + " " + s.Value + "*"
	}
	return s.Where + " " + s.Value
}

// Places of signatures.
const (
	CertSubject  = "cert-subject" // a part of the subject of a server's certificate, "O=Example"
	CertIssuer   = "cert-issuer"  // a part of its issuer
	HTTPAgent    = "http-agent"   // User-Agent
	HTTPPath     = "http-path"    // path of a request, without its query
	STUNRealm    = "stun-realm"
	STUNSoftware = "stun-software"
	// DNSName is a host name suffix that answers encrypted DNS and nothing else.
	DNSName = "dns-name"
)

// MinSignature bounds the value of a signature from below: "O=HP" is the shortest
// that one product alone can have.
const MinSignature = 4

// ResolverCategory is the category of who answers encrypted DNS.
const ResolverCategory = "dns-over-https"

// SignaturePlaces lists the places of signatures, sorted.
func SignaturePlaces() []string {
	return []string{CertIssuer, CertSubject, DNSName, HTTPAgent, HTTPPath, STUNRealm, STUNSoftware}
}

// BrandTag is the tag of the brand: its own where it is part of none.
func (a *Application) BrandTag() string {
	if a.Brand == "" {
		return a.Tag
	}
	return a.Brand
}

// PortRange is Low..High inclusive of one transport.
type PortRange struct {
	Transport string `json:"transport"` // tcp, udp, sctp; "ip" means IP protocol numbers
	Low       uint16 `json:"low"`
	High      uint16 `json:"high"`
	// NeedsNetwork: the range says something only inside the application's networks.
	NeedsNetwork bool `json:"needs_network,omitempty"`
	// NeedsBrand: the range says something only of a flow that is the application's
	// brand's already, by network or certificate.
	NeedsBrand bool `json:"needs_brand,omitempty"`
}
