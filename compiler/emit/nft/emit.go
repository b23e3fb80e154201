package nft

import (
	"fmt"
	"slices"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/compiler/ir"
)

// Names of the table and its chains. The prefix keeps clear of nft keywords
// ("fwd" is one) and says whose they are in a listing.
const (
	Family = "inet"
	Table  = "netpol"

	chainInit       = "np_init"
	chainHold       = "np_hold"
	chainHoldPre    = "np_hold_pre"
	chainHoldOut    = "np_hold_out"
	chainHoldTold   = "np_hold_told"
	chainHoldBack   = "np_hold_back"
	chainCapturePre = "np_capture_pre"
	chainCaptureOut = "np_capture_out"
	chainDSCP       = "np_dscp"
	chainPriority   = "np_priority"
	chainVerdict    = "np_verdict"
	chainForward    = "np_forward"
	chainInput      = "np_input"
	chainOutput     = "np_output"
)

// priorityMangle is NF_IP_PRI_MANGLE (linux/netfilter_ipv4.h): after
// conntrack (-200), so that a packet has its connection and is counted, and
// before destination NAT (-100), so that its own addresses are a conntrack key. It
// is where chains stand unless settings say otherwise.
const priorityMangle = -150

// snaplen is how many bytes of a packet the enforcer is given. It is larger
// than a frame because receive offload (GRO) merges segments before the hook:
// a post-quantum ClientHello (about 1.8 kB in two segments) arrives as one
// packet, and cut at the size of a frame would lose its server name.
const snaplen = 8192

// Defaults for the zero value of artifact.Settings.
const (
	defaultLogGroup       = 4788
	defaultInspectPackets = 32
	defaultDoneMark       = 0x80000000
)

// IP protocol numbers (IANA).
const (
	protoTCP = 6
	protoUDP = 17
)

// dnsPort is the server port of DNS (RFC 1035 section 4.2.1).
const dnsPort = 53

// Effect is what the kernel does to connections that carry Label, or to all if
// it has no name. Only the dimensions that are set count: a nil DSCP or an empty
// Verdict asks nothing.
type Effect struct {
	Policy  artifact.Policy
	Label   artifact.Label
	DSCP    *uint8 // 0..63
	IfUnset bool   // the DSCP is for packets without one
	Verdict string // accept, drop, reject
	// RejectWith is what reject answers: "tcp-reset", or an icmpx code after
	// "icmp-"; empty for both ends' reset or admin-prohibited.
	RejectWith string
	Priority   *uint32
	Route      *artifact.Route
	Offload    bool
	// Own says that the policy has rules of its own on the label, which nobody
	// else's stand for.
	Own bool
	// Packet is what a packet must be besides; Sets and Mark are what the first
	// such packet writes.
	Packet ir.Conjunction
	Sets   []artifact.Label
	Mark   *artifact.Mark
	Log    *ir.Log
	Count  *ir.Count
	Quota  *ir.Quota
	Over   artifact.Label // of flows that met the quota used up
	Rate   *ir.Rate
	Audit  bool // only counted
	Fail   bool // the verdict is for the time when the enforcer cannot tell
	// OnFail and OnOverload say which such times, and Shed is the label of flows
	// that the enforcer had no room for, if the second is closed.
	OnFail, OnOverload ir.OnFail
	Shed               artifact.Label
	Holds              bool // packets wait for the enforcer
}

// Input is what the table is made of. Effects are in policy order: for each
// dimension the first whose label a connection carries wins.
type Input struct {
	Settings  artifact.Settings
	Schedules []artifact.Schedule // that Effects name
	Outs      []Out               // that Effects ask for
	Effects   []Effect
	Decisions []Decision       // policies that need no enforcer
	Labels    []artifact.Label // of the set, for their names
	NoCapture bool             // no policy needs the enforcer
	Narrow    bool             // the enforcer is shown only what Interest holds of
	Interest  []ir.Conjunction // connections of which policies ask for more than the kernel knows
	Hold      Hold             // whose packets wait for the enforcer
	InitLabel artifact.Label   // the label that np_init sets, so that flows get the label extension
	Sticky    []int            // labels that rules set on decided connections too, sorted
}

// Out is the label of flows that leave by one of some interfaces, or with Invert
// by any other.
type Out struct {
	Label  artifact.Label
	Names  []string // sorted
	Invert bool
}

// Emit makes the table. The same input gives the same table on every host.
func Emit(in Input) artifact.Ruleset {
	in.Settings = withDefaults(in.Settings)
	t, q := newPacketTests(in), newQuiet(in)
	later := laterChains(in, t, q)
	sets, first := decide(in, q)
	rs := artifact.Ruleset{
		Family: Family, Table: Table, Persist: in.Settings.TableOwner, Sets: t.list(sets), Objects: t.objects, Loud: q.loud,
		Chains: slices.Concat([]artifact.Chain{initChain(in.InitLabel)}, first, later),
	}
	if slices.ContainsFunc(in.Effects, func(e Effect) bool { return e.Offload }) {
		rs.Flowtables = []artifact.Flowtable{{Name: flowtable, Devices: in.Settings.OffloadDevices, Hardware: in.Settings.OffloadHardware}}
	}
	return rs
}

// laterChains are for every packet, where the first ones of a connection have passed
// those that decide it.
func laterChains(in Input, t *packetTests, q *quiet) []artifact.Chain {
	var out []artifact.Chain
	if !in.NoCapture {
		out = append(out, holdChains(in, t)...)
		out = append(out, captureChains(in, chainCapturePre, "prerouting", artifact.MatchIIFName, "pre")...)
		out = append(out, captureChains(in, chainCaptureOut, "output", artifact.MatchOIFName, "out")...)
	}
	out = append(out, routeChains(in.Effects, t, q)...)
	out = append(out, outChains(in.Outs, t)...)
	packet := packetRules(in, t)
	out = append(out, leavingChains(in.Settings, dscpRules(in.Effects, t), priorityRules(in.Effects, t), q)...)
	out = append(out, passingChains(in.Settings, packet, verdictRules(in.Effects, t), q)...)
	return append(out, offloadChains(in.Settings, offloadRules(in, t), q)...)
}

func withDefaults(s artifact.Settings) artifact.Settings {
	if s.LogGroup == 0 {
		s.LogGroup = defaultLogGroup
	}
	if s.InspectPacket <= 0 {
		s.InspectPacket = defaultInspectPackets
	}
	if s.DoneMark == 0 {
		s.DoneMark = defaultDoneMark
	}
	if s.CapturePriority == 0 {
		s.CapturePriority = priorityMangle
	}
	if s.DSCPPriority == 0 {
		s.DSCPPriority = priorityMangle
	}
	return s
}

// initChain has no hook and never runs: the kernel gives new connections room
// for labels as soon as a rule that sets one is loaded (nf_connlabels_get).
func initChain(l artifact.Label) artifact.Chain {
	return artifact.Chain{Name: chainInit, Rules: []artifact.Rule{{
		ID:      "init/" + l.Name,
		Comment: "never runs: makes room for labels on new connections",
		Do:      []artifact.Statement{{Kind: artifact.DoSetCTLabel, Name: l.Name, Bit: l.Bit}},
	}}}
}

// dscpRules are two rules a label, one a family; accept ends the base chain, and
// nothing else, so the first policy wins.
func dscpRules(effects []Effect, t *packetTests) []artifact.Rule {
	var rules []artifact.Rule
	seen := ruled{}
	for i, e := range effects {
		if e.DSCP == nil || seen.again(e) {
			continue
		}
		for _, f := range []struct {
			version uint32
			set     artifact.StatementKind
		}{{4, artifact.DoSetDSCP4}, {6, artifact.DoSetDSCP6}} {
			also := []artifact.Match{{Kind: artifact.MatchFamily, Value: f.version}}
			if e.IfUnset {
				also = append(also, artifact.Match{Kind: map[uint32]artifact.MatchKind{4: artifact.MatchDSCP4, 6: artifact.MatchDSCP6}[f.version]})
			}
			rules = append(rules, t.rules(e, fmt.Sprintf("dscp%d", f.version), also,
				artifact.Statement{Kind: f.set, Value: uint32(*e.DSCP)}, artifact.Statement{Kind: artifact.DoAccept})...)
		}
		// A packet that keeps its own code point keeps it whatever later policies say:
		// the first that matches has decided.
		if e.IfUnset && slices.ContainsFunc(effects[i+1:], func(later Effect) bool { return later.DSCP != nil }) {
			rules = append(rules, t.rules(e, "dscp-kept", nil, artifact.Statement{Kind: artifact.DoAccept})...)
		}
	}
	return rules
}

// priorityRules are one rule a label; the first policy wins in the same way.
func priorityRules(effects []Effect, t *packetTests) []artifact.Rule {
	var rules []artifact.Rule
	seen := ruled{}
	for _, e := range effects {
		if e.Priority == nil || seen.again(e) {
			continue
		}
		rules = append(rules, t.rules(e, "priority", nil,
			artifact.Statement{Kind: artifact.DoSetPriority, Value: *e.Priority}, artifact.Statement{Kind: artifact.DoAccept})...)
	}
	return rules
}

// ruled are the labels whose rules of one kind are made: the first policy's
// stand for all that the label alone leads to.
type ruled map[int]bool

// again says that an effect's rules are there already, and notes them.
func (r ruled) again(e Effect) bool {
	if !e.always() {
		return false
	}
	was := r[e.Label.Bit]
	r[e.Label.Bit] = true
	return was
}

// always says that the label alone leads to the effect.
func (e Effect) always() bool { return !e.Own && len(e.Packet) == 0 && !e.Fail && e.Label.Name != "" }

func hasLabel(l artifact.Label) artifact.Match {
	return artifact.Match{Kind: artifact.MatchCTLabel, Name: l.Name, Bit: l.Bit}
}

// origin tells a reader of "nft list" which line of policy a rule comes from.
func origin(p artifact.Policy) string {
	return fmt.Sprintf("%s:%d %s", p.File, p.Line, p.Name)
}
