package ir

import (
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang/diag"
)

// Set is one resolved policy set.
type Set struct {
	Settings  artifact.Settings   // defaults filled in
	RouteMark uint32              // bits of packets' marks that stand for routing tables
	Catalogue *artifact.Catalogue // with the set's own applications and categories in it
	Schedules []artifact.Schedule // those that conditions name, by name
	FlowSets  []artifact.FlowSet  // that policies may add flows to, by name; one for each IP version
	Inputs    []artifact.Input    // by name
	Sinks     []Sink              // where records go, by name
	// Aggregates are what is added up of flows, by name.
	Aggregates []Aggregate
	Policies   []Policy // in evaluation order: file name, then position; disabled ones are absent
}

// Sink is where records go. Cond holds of the flows of which it is told; nil is
// all of them.
type Sink struct {
	Sink  artifact.Sink
	Cond  Expr
	Range diag.Range // of the block's header
}

// Aggregate is what is added up of flows. Cond holds of those that count; nil is
// all of them.
type Aggregate struct {
	Aggregate artifact.Aggregate
	Cond      Expr
	Range     diag.Range // of the block's header
}

// Policy is one enabled policy.
type Policy struct {
	ID          int // index in Set.Policies
	Name        string
	Description string
	Range       diag.Range // of the block's header
	Criteria    string     // as written; a list is joined by " or "
	// Cond holds when the policy applies. The policy's own exemptions and the
	// set's are already folded in.
	Cond Expr
	// Packet is what is asked of each packet besides; opt takes it out of Cond.
	// Without it the effects act on every packet of the flow.
	Packet  Conjunction
	Part    int      // of the policies that were one before that, 0 the first
	Labels  []string // as written, unique
	Mark    *artifact.Mark
	DSCP    *DSCP
	Verdict Verdict
	// RejectWith is what Reject answers; empty is a reset for TCP and
	// "icmp-admin-prohibited" for the rest.
	RejectWith string
	Priority   *Priority
	Route      *Route
	Log        *Log
	Count      *Count
	Quota      *Quota
	Rate       *Rate
	Adds       []string // blocks of FlowSets that the flows are put into
	NoTrack    bool     // packets pass without conntrack, and by no other policy
	Offload    bool     // packets pass by the flowtable, once the flow is decided
	Notify     []string // sinks that are told of each flow
	Audit      bool     // counted and logged, without any effect
	From       string   // the argument of the netpol block that stands for the policy; empty for an author's
	OnFail     OnFail
	OnOverload OnFail // while the enforcer answers and has no room for the flow
	Hold       bool   // packets of flows that it could match wait until it is decided
	// Remarks: each packet writes the policy's mark, because packets of a later one
	// write other bits there. opt fills it in.
	Remarks bool
	// Split is filled by opt.
	Split Split
}

// OnFail says what becomes of flows that a policy could match while the
// enforcer cannot tell.
type OnFail uint8

// Ways to fail.
const (
	FailOpen   OnFail = iota // they pass
	FailClosed               // they get the policy's verdict
)

// String is the word of the language.
func (f OnFail) String() string {
	switch f {
	case FailOpen:
		return "open"
	case FailClosed:
		return "closed"
	}
	return "unknown"
}

// Closes says that the policy's verdict comes in some case of failure.
func (p *Policy) Closes() bool { return p.OnFail == FailClosed || p.OnOverload == FailClosed }

// DSCP is a differentiated services code point (RFC 2474).
type DSCP struct {
	Name  string // as nft spells it ("cs5", "af41", "ef"), or the number
	Value uint8  // 0..63
	// IfUnset leaves packets alone that have another code point than 0.
	IfUnset bool
}

// Verdict is what happens to the packets of a matching flow.
type Verdict uint8

// Verdicts.
const (
	NoVerdict Verdict = iota
	Accept
	Drop
	Reject
)

// String is the word of the language; NoVerdict is empty.
func (v Verdict) String() string {
	switch v {
	case NoVerdict:
		return ""
	case Accept:
		return "accept"
	case Drop:
		return "drop"
	case Reject:
		return "reject"
	}
	return "unknown"
}
