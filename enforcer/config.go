package enforcer

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/dissect"
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/packet"
	"github.com/netpol/netpol/enforcer/telemetry"
)

// Defaults of Config.
const (
	DefaultMaxFlows   = 65536
	DefaultMaxOpening = 8192
	defaultBuffers    = 16 << 20 // bytes
	// DefaultPanics is how many panics of a dissector within PanicTime switch it
	// off: of a bug that a sender has found, not of one that a network has now and then.
	DefaultPanics = 10
	PanicTime     = time.Minute
)

// Timeouts of live input. A record need not outlive the kernel's own entry by
// much: a packet that comes later begins a new one.
var liveTimeouts = flow.Timeouts{
	Opening:     10 * time.Second,  // a sender that drips bytes is decided on what it sent
	Established: time.Hour,         //
	Datagram:    180 * time.Second, // nf_conntrack_udp_timeout_stream is 120
	Closed:      120 * time.Second, // nf_conntrack_tcp_timeout_time_wait
}

// Timeouts of capture files: flows last as long as their file. Only buffers
// are given back earlier.
var fileTimeouts = flow.Timeouts{
	Opening:     time.Minute,
	Established: 1 << 62,
	Datagram:    1 << 62,
	Closed:      1 << 62,
}

// Config is what an Engine works with. Source, Dissectors and Bundle are
// needed; everything else may be left zero. Its bounds are of all lanes together.
type Config struct {
	Source    Source
	Labels    LabelSink   // nil: verdicts are only recorded
	Resolver  Resolver    // nil: replies are taken as they are
	Recorder  Recorder    // nil: nobody is told
	Outlets   Outlets     // nil: the bundle's sinks get nothing
	Tracker   Tracker     // nil: what connections carry, and those before the engine, are not known; live only
	Ends      Ends        // nil: the end of connections is found in lists; live only
	Heartbeat Heartbeat   // nil: nobody waits for it; live only
	Elements  ElementSink // nil: flows are not put into sets; live only
	// Lanes are read besides Source by a worker each; live only. All packets of a
	// connection must come by one lane.
	Lanes []Lane
	// LaneOf says by which lane a connection's packets come, Source's being 0. It is
	// needed where there are Lanes and a Tracker, and called by any goroutine.
	LaneOf     func(*flow.Connection) int
	Dissectors []dissect.Dissector
	// Fuse says when a dissector that fails is asked no more until Reload. The
	// zero value is DefaultPanics within PanicTime where Live is set, and never where
	// files are read; fewer than 0 panics are never.
	Fuse       dissect.Fuse
	Bundle     *artifact.Bundle
	MaxFlows   int // default DefaultMaxFlows
	MaxOpening int // flows inspected at once, default DefaultMaxOpening; of several lanes each has its share for sure
	// MaxBuffers bounds the bytes held for reassembly, default 16 MiB.
	MaxBuffers int
	// MaxNames bounds the cache of DNS answers, default classify.DefaultNames.
	MaxNames int
	// Interval is how far readings of the counters lie apart, default
	// DefaultInterval. They are made only if a policy asks for what they tell.
	Interval time.Duration
	// Live says that packets come from the kernel as they pass, through a gate
	// that lets only undecided flows by, and that the clock may be read.
	Live bool
	// Unwrap names the tunnels whose inner connections are the flows, instead of
	// the tunnel. Live it is for interfaces that only watch: conntrack knows a
	// tunnel that passes as one connection.
	Unwrap packet.Tunnels
	// Input names the interface that is read, in records and lists of flows.
	Input string
	// Sampled says that the source leaves out packets that nobody else counts:
	// nothing is aggregated then.
	Sampled bool
	// Metrics has the engine count what Metrics gives.
	Metrics bool
	// MetricsHealth has it measure for Metrics how applications fare, where nobody else asks. Valid iff Metrics.
	MetricsHealth bool
	// Explain, if set, is called with the account of each flow that ends.
	Explain func(telemetry.Why)
	Logger  *slog.Logger // default: discard

	// clock is the host's; tests have their own.
	clock func() (wall, steady int64)
}

func (c *Config) validate() error {
	switch {
	case c.Source == nil:
		return errors.New("no packet source")
	case c.Bundle == nil:
		return errors.New("no bundle")
	case len(c.Dissectors) == 0:
		return errors.New("no dissectors")
	case c.MaxFlows < 0 || c.MaxOpening < 0 || c.MaxBuffers < 0 || c.MaxNames < 0:
		return errors.New("a limit is negative")
	case c.Interval < 0:
		return errors.New("the interval is negative")
	case len(c.Lanes) > 0 && !c.Live:
		return errors.New("a capture file is read by one worker")
	case len(c.Lanes) >= maxLanes:
		return fmt.Errorf("more than %d lanes", maxLanes)
	case len(c.Lanes) > 0 && c.Tracker != nil && c.LaneOf == nil:
		return errors.New("nobody says by which lane connections come")
	}
	return nil
}

func (c *Config) fill() {
	if c.MaxFlows == 0 {
		c.MaxFlows = DefaultMaxFlows
	}
	if c.MaxOpening == 0 {
		c.MaxOpening = DefaultMaxOpening
	}
	if c.MaxBuffers == 0 {
		c.MaxBuffers = defaultBuffers
	}
	if c.Fuse == (dissect.Fuse{}) && c.Live {
		c.Fuse = dissect.Fuse{Panics: DefaultPanics, Within: PanicTime}
	}
	if c.Interval == 0 {
		c.Interval = DefaultInterval
	}
	if c.clock == nil {
		c.clock = systemClock()
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
}
