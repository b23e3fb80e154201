package control

import (
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/telemetry"
)

// Version is the protocol's version. A server refuses requests of another one.
const Version = 1

// Lease is how long a table that was let go of is left alone at most: one that is
// replaced takes a second at ten thousand rules.
const Lease = 15 * time.Second

const (
	// maxRequest bounds a request line: the longest have a program in them, of criteria
	// that somebody has typed.
	maxRequest = 64 << 10
	// MaxFlows is the most flows, and the most rows, that one answer lists.
	MaxFlows = 20000
	// maxAnswer bounds an answer line: MaxFlows of 2 kB each.
	maxAnswer = 64 << 20
)

// op names a request.
type op string

const (
	opStatus op = "status"
	opReload op = "reload"
	opFlows  op = "flows"
	opWhy    op = "why"

	opOverview op = "overview"

	opTrySinks op = "try-sinks"

	opChanges op = "changes"
	opRelease op = "release"
	opAdopt   op = "adopt"
)

// request is one line from the client.
type request struct {
	Version int `json:"version"`
	Op      op  `json:"op"`
	Max     int `json:"max,omitempty"` // flows: how many at most
	// Where is a program whose first policy says which flows an overview is of.
	Where    *artifact.Program   `json:"where,omitempty"`
	Question *telemetry.Question `json:"question,omitempty"` // overview
	Tuple    *flow.Tuple         `json:"tuple,omitempty"`    // why: either direction
	Names    []string            `json:"names,omitempty"`    // try-sinks: which; none is all
}

// answer is one line from the server. Error is empty on success.
type answer struct {
	Version int              `json:"version"`
	Error   string           `json:"error,omitempty"`
	Status  *Status          `json:"status,omitempty"`
	Flows   []telemetry.Flow `json:"flows,omitempty"`
	// Overview answers a question.
	Overview *telemetry.Overview   `json:"overview,omitempty"`
	Why      *telemetry.Why        `json:"why,omitempty"` // nil: no such flow
	Changes  []Change              `json:"changes,omitempty"`
	Trials   []telemetry.SinkTrial `json:"trials,omitempty"`
}

// Status is what a running netpold says of itself.
type Status struct {
	Version  string    `json:"version"` // of the program
	PID      int       `json:"pid"`
	Started  time.Time `json:"started"`
	Waiting  bool      `json:"waiting"`          // no bundle is in force
	Digest   string    `json:"digest"`           // of the bundle in force, empty while waiting
	Policies int       `json:"policies"`         // in the bundle
	Labels   int       `json:"labels"`           // in the bundle
	Detail   string    `json:"detail,omitempty"` // what it waits for, or why it does not follow, for people
	// Degraded is what is not as it should be, and not fatal.
	Degraded []Reason          `json:"degraded,omitempty"`
	Counters map[string]uint64 `json:"counters,omitempty"`
	Sinks    []telemetry.Sink  `json:"sinks,omitempty"`
	// SinkKinds are the types of sinks that this netpold was built with.
	SinkKinds []string `json:"sink_kinds,omitempty"`
}

// Reason is something that is not as it should be while netpold works on.
type Reason struct {
	Code   string    `json:"code"`            // for machines; it stays what it is
	About  string    `json:"about,omitempty"` // of several with one code, which: a set, a directory
	Detail string    `json:"detail"`          // a sentence for people, with the values
	WayOut string    `json:"way_out"`
	Since  time.Time `json:"since,omitzero"`
	// Count is how often it has happened since netpold began; 0 where that is no
	// question.
	Count uint64 `json:"count,omitempty"`
}

// Handler answers requests. Its methods are called from several goroutines at
// once.
type Handler interface {
	Status() Status
	// Reload takes the applied bundle as it is on disk now and returns the
	// status after.
	Reload() (Status, error)
	Flows(limit int) []telemetry.Flow
	// Overview answers a question about the flows of which the first policy of a program
	// holds.
	Overview(telemetry.Question, *artifact.Program) (telemetry.Overview, error)
	Why(flow.Tuple) (telemetry.Why, bool)
	// TrySinks gives a record to the sinks of some names, all where none is named, and says
	// what became of it.
	TrySinks(names []string) []telemetry.SinkTrial
	// Release lets go of netpol's table, so that another process can change it. It
	// is taken back by Adopt, or by itself after Lease.
	Release() error
	Adopt() error
	// Changes are what others did to netpol's table, the oldest first.
	Changes() []Change
}

// Change is a change of netpol's table, or of a set that it fills, by somebody else, as the kernel announced
// it: Process is the name of the thread that made it, Command its command line if
// it still ran.
type Change struct {
	Time     time.Time `json:"time"`
	PID      int       `json:"pid"`
	Process  string    `json:"process"`
	Command  string    `json:"command,omitempty"`
	Removed  bool      `json:"removed"`       // the table was gone after it, or the ipset
	Set      string    `json:"set,omitempty"` // that lost elements; empty: it was about the table
	Messages int       `json:"messages"`
}
