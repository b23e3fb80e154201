package policydiff

import (
	"github.com/netpol/netpol/cmd/netpol/internal/flowfacts"
	"github.com/netpol/netpol/cmd/netpol/internal/outcome"
	"github.com/netpol/netpol/compiler/artifact"
)

// Report is what differs.
type Report struct {
	Result   Result         `json:"result"`
	Policies []PolicyChange `json:"policies"`
	Regions  []Region       `json:"regions"`
	// More is how many regions were found beyond those listed: combinations
	// of what those show.
	More int `json:"more_regions,omitempty"`
	// Complete says that the regions are all there are, while netpold runs.
	Complete bool `json:"complete"`
	// FailuresTried says that policies fail closed, and that what becomes of
	// flows while netpold does not answer was tried with some, not proved.
	FailuresTried bool `json:"failures_tried,omitempty"`
	// Tried is how many flows both sides were asked about.
	Tried int `json:"flows_tried"`
	// Sampled names the attributes whose values could not be enumerated.
	Sampled []string `json:"sampled_attributes,omitempty"`
	// Unshown are kinds of change that could not be ruled out, and of which no
	// flow was found.
	Unshown []string `json:"unshown,omitempty"`
	// Names are host names, networks and ports that lead to another application.
	Names []NameChange `json:"names,omitempty"`
	// Settings are those of the netpol block that connections show and no policy
	// speaks of.
	Settings []SettingChange `json:"settings,omitempty"`
	Replay   *Replay         `json:"replay,omitempty"`
}

// SettingChange is an argument of the netpol block that has another value; empty
// is none.
type SettingChange struct {
	Name   string `json:"name"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// Result is the answer in a word.
type Result string

// Results.
const (
	Equivalent Result = "equivalent"          // proved: every flow is treated alike
	NotFound   Result = "no difference found" // by the flows tried
	Changed    Result = "changed"
)

// Kind says how a policy of one side relates to the other side.
type Kind string

// Kinds of change.
const (
	Added       Kind = "added"
	Removed     Kind = "removed"
	Modified    Kind = "changed"
	Moved       Kind = "moved"        // it comes before or after others than it did
	SameMeaning Kind = "same meaning" // written otherwise, proved to match the same flows
)

// PolicyChange is one policy that is not the same on both sides. Before is nil
// for Added, After for Removed.
type PolicyChange struct {
	Kind   Kind             `json:"kind"`
	Name   string           `json:"name"`
	Before *artifact.Policy `json:"before"`
	After  *artifact.Policy `json:"after"`
	// Schedules are those that the conditions name, as they were and as they
	// are.
	SchedulesBefore []string `json:"schedules_before,omitempty"`
	SchedulesAfter  []string `json:"schedules_after,omitempty"`
}

// NameChange is something that flows are named by, and the application it leads
// to; empty for none.
type NameChange struct {
	Kind   string `json:"kind"` // domain, network, port
	Value  string `json:"value"`
	Before string `json:"before"`
	After  string `json:"after"`
}

// Region is a set of flows that are treated otherwise in one way, and one of
// them.
type Region struct {
	// Witness is the flow: what must be known of it; anything else may be.
	Witness []flowfacts.Pair `json:"witness"`
	// Time is when it is sent, where that matters.
	Time string `json:"time,omitempty"`
	// Netpold is how netpold does, where that matters: down, or undecided about
	// the flow.
	Netpold string          `json:"netpold,omitempty"`
	Before  outcome.Outcome `json:"before"`
	After   outcome.Outcome `json:"after"`
	// Policies are the changed ones that match the witness, before or after;
	// empty when the change is in what flows are called.
	Policies []string `json:"policies"`
	// Naming says that the sides give the witness different names.
	Naming string `json:"naming,omitempty"`
}
