package lang

import (
	"net/netip"

	"github.com/netpol/netpol/lang/diag"
)

// Policy is the policy set of one directory. File names in its ranges are
// relative to Dir.
type Policy struct {
	Dir          string
	Settings     Settings
	Exempt       []Criteria // of the netpol block: a flow that any of them matches is left alone
	Groups       []*AddressGroup
	AppGroups    []*ApplicationGroup
	Applications []*Application
	Categories   []*Category
	Schedules    []*Schedule
	Sets         []*FlowSet
	Inputs       []*Input       `json:",omitempty"`
	Sinks        []*Sink        `json:",omitempty"`
	Aggregates   []*Aggregate   `json:",omitempty"`
	Policies     []*PolicyBlock // in evaluation order: Order, then file name, then position
	Lock         *Lock          // never nil; empty without a lock file
	// Incomplete says that whole blocks could not be read, so that a name which
	// nothing here defines may be defined after all.
	Incomplete bool

	sources map[string][]byte
}

// Source returns the bytes of one of the set's files, or nil. Files that did
// not parse are included, because diagnostics show their lines.
func (p *Policy) Source(filename string) []byte { return p.sources[filename] }

// Text is a string and the place it was written.
type Text struct {
	Value string
	Range diag.Range
}

// Settings are the netpol block's arguments with the defaults filled in.
type Settings struct {
	LocalNetworks  []netip.Prefix // in addition to the private ranges
	LogGroup       uint16         // NFLOG group
	LogGroups      int            // so many from LogGroup on, a power of two
	HoldQueue      uint16         // the first of the queues that held packets wait in
	HoldPackets    int            // so many may wait in each
	HoldMark       uint32         // bits of packets' marks that waiting packets carry, two to eight side by side
	InspectPackets int            // first packets of each flow to inspect
	DoneMark       uint32         // the ct mark bit that says "analysis is over"
	QuietMark      uint32         // the ct mark bit that says "no rule has an effect on this connection"; 0 for none
	QuietChosen    bool           `json:",omitempty"` // the author wrote quiet_mark; otherwise policies come first
	RouteMark      uint32         // bits of packets' marks that say which routing table they go by, side by side
	Priority       int            // hook priority of the verdict chains
	// CapturePriority is that of the chains that decide and show packets on their
	// first hooks, DSCPPriority that of those that change packets on their last.
	CapturePriority, DSCPPriority int
	Inspect                       string // which connections netpold is shown: needed or all
	// ASNDatabase and CountryDatabase say whose an address is; nil where none is
	// given.
	ASNDatabase     *Database `json:",omitempty"`
	CountryDatabase *Database `json:",omitempty"`

	// LabelApplications and LabelCategories are tags, groups of applications
	// ("@group") and the words LabelNamed and LabelAll: what connections get a
	// label for without a policy that says so.
	LabelApplications []Text `json:",omitempty"`
	LabelCategories   []Text `json:",omitempty"`
	// AnalysedLabel is the label of connections whose analysis is over; empty for
	// none.
	AnalysedLabel Text `json:",omitzero"`
	// OffloadDevices are the interfaces between which flows may be offloaded, and
	// OffloadHardware says that they may do it themselves.
	OffloadDevices  []string `json:",omitempty"`
	OffloadHardware bool     `json:",omitempty"`

	TableOwner bool `json:",omitempty"` // netpold owns the table: nobody else can change it

	Timezone string     // of times of day, weekdays and schedules: an IANA name
	Range    diag.Range // of the netpol block; zero without one
}

// OwnMark is the bits of the conntrack mark that policies may not touch. A quiet
// mark that nobody has chosen gives way to policies instead.
func (s Settings) OwnMark() uint32 {
	if s.QuietChosen {
		return s.DoneMark | s.QuietMark
	}
	return s.DoneMark
}

// AddressGroup is a named list of addresses, used as '@name' in criteria.
type AddressGroup struct {
	Name        string // with its module before it, "iot/cameras"
	Module      string // empty for the set itself
	Description string
	Members     []Member
	Range       diag.Range // of the block's header
}

// Member is one entry of an address group: a prefix, a hardware address, or
// another group.
type Member struct {
	Prefix netip.Prefix // valid unless Group or MAC is set; an address is a /32 or /128
	MAC    string       // a hardware address, "aa:bb:cc:dd:ee:ff"
	Group  string       // name without the @
	Range  diag.Range
}

// ApplicationGroup is a named list of applications, used as '@name' in criteria.
type ApplicationGroup struct {
	Name         string // with its module before it, "iot/cameras"
	Module       string // empty for the set itself
	Description  string
	Applications []Text     // tags, or "@group"
	Range        diag.Range // of the block's header
}

// Application adds to the catalogue, or replaces an entry of it.
type Application struct {
	Tag         Text
	Name        string // empty: as in the catalogue, or the tag
	Category    Text   // empty: as in the catalogue
	Brand       Text   // empty: as in the catalogue
	Description string
	Domains     []Text // suffixes, lower case, no leading dot
	Networks    []Network
	Ports       []Ports
	Signatures  []Signature
	Override    bool // the catalogue's own facts of this tag are dropped
	Range       diag.Range
}

// Network is a prefix and the place it was written.
type Network struct {
	Prefix netip.Prefix
	Range  diag.Range
}

// Signature is a value that one product alone writes in a protocol that many
// use, and the place it was written.
type Signature struct {
	Where  string // one of artifact.SignaturePlaces, if it is right
	Value  string // not empty
	Prefix bool   // longer values count as well
	Range  diag.Range
}

// Ports is a port range of one transport and the place it was written.
type Ports struct {
	Transport string // tcp, udp, sctp
	Low, High uint16 // both included
	Range     diag.Range
}

// Category adds a category to the catalogue.
type Category struct {
	Tag         Text
	Description string
	Range       diag.Range
}

// PolicyBlock is one policy.
type PolicyBlock struct {
	Name        string // with its module before it, "iot/cameras"
	Module      string // of the file that it stands in; empty for the set itself
	Description string
	Enabled     bool
	Criteria    []Criteria // any of them
	Exempt      []Criteria // none of them
	Interfaces  []Text     // any of them; empty for all
	Schedules   []Text     // names, any of which is in force; empty for always
	Order       int        // policies of a lower one come first
	Halt        bool       // policies after this one leave its flows alone
	Audit       bool       // count and log, change nothing
	OnFail      Text       // open, closed or empty
	OnOverload  Text       // open, closed or empty, which is as OnFail
	Hold        *Hold      // nil: packets do not wait
	Labels      []Text
	Mark        *Mark
	DSCP        *DSCP
	Verdict     Text // accept, drop, reject or empty
	RejectWith  Text // tcp-reset, icmp-... or empty
	Priority    *Priority
	Route       *Route
	Log         *Log
	Count       *Count
	Quota       *Quota
	Rate        *Rate
	Adds        []Text // sets that the flows are put into
	Notify      []Text `json:",omitempty"` // sinks that are told of each flow
	NoTrack     bool   // packets pass without conntrack
	Offload     Text   // "true": packets pass without the rules, once the flow is decided
	Range       diag.Range
}

// Hold has packets wait until the policy is decided.
type Hold struct{ Range diag.Range }

// Mark is a masked mark: new = old &^ Mask | Value. Value has no bit outside Mask.
type Mark struct {
	Value, Mask uint32
	Range       diag.Range
}

// DSCP is a code point and its name.
type DSCP struct {
	Name  string // as nft spells it, or the number
	Value uint8  // 0..63
	// IfUnset leaves packets alone that have another code point than 0.
	IfUnset bool
	Range   diag.Range
}
