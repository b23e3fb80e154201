// Package enforcer is the engine of netpold and of replay: it reads packets
// from a Source, follows flows, has their opening bytes dissected and named,
// runs the decision program and hands the verdicts to a LabelSink and records
// to a Recorder.
//
// Engine.Run is one worker, or live one for each Lane, that owns the flows of
// its lane and everything else on their packets' path, so there are no locks on it;
// other goroutines reach the workers through Reload, Flows and Why, which they
// answer between packets. What flows of a client tell of each other is in tables
// that all workers share (classify.Names), asked a few times in a flow's life.
// Two helpers of a live engine wait for the kernel in the workers' place: one
// lists conntrack's connections, for those from before the engine and for the
// counters of live flows, one beats the heart while all of them work. The clock of a capture file is packet time, so that it always gives the
// same result; that of live input cannot be set.
//
// Called by cmd/netpold and by cmd/netpol for replay and why. It imports what
// is below enforcer except kernel and the dissectors, which the caller passes
// in through Config.
package enforcer
