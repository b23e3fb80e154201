package sink

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/telemetry"
	"github.com/netpol/netpol/enforcer/telemetry/record"
)

// trial is what a sink shows of its work so that one record can be followed.
type trial struct {
	now     chan struct{} // tries a place again that is left alone
	opens   atomic.Uint64 // times that the place could not be opened, or not be written once it was
	written atomic.Uint64 // turns of the queue that are done with
	kept    atomic.Uint64 // turns of the queue that are on disk
}

// Try gives a record to the sinks of some names, all where none is named, and says what
// becomes of it: nothing that the sink does for its other records is done otherwise. It
// waits for at most limit. A name that no sink has is left out.
func (s *Set) Try(names []string, r record.Record, limit time.Duration) []telemetry.SinkTrial {
	var list []*slot
	for _, one := range *s.slots.Load() {
		if len(names) == 0 || slices.Contains(names, one.sink.Name) {
			list = append(list, one)
		}
	}
	out := make([]telemetry.SinkTrial, len(list))
	var all sync.WaitGroup
	for i, one := range list {
		all.Go(func() {
			begun := time.Now()
			out[i] = one.runner.try(r, limit)
			out[i].Name, out[i].Place, out[i].Took = one.sink.Name, one.sink.Place(), time.Since(begun).Milliseconds()
		})
	}
	all.Wait()
	return out
}

// tryEvery is how often it is looked what became of a record.
const tryEvery = 5 * time.Millisecond

func (r *runner) try(one record.Record, limit time.Duration) telemetry.SinkTrial {
	before := r.status(&r.sink)
	opens := r.trial.opens.Load()
	at := r.queue.follow(one)
	switch {
	case at.full:
		return telemetry.SinkTrial{Outcome: telemetry.TrialNoRoom, Fault: before.Fault}
	case at.none && before.Fault == "":
		return telemetry.SinkTrial{Outcome: telemetry.TrialNothing}
	}
	if before.Fault != "" {
		rouse(r.trial.now)
	}
	for end := time.Now().Add(limit); ; time.Sleep(tryEvery) {
		now := r.status(&r.sink)
		done, stored := r.trial.written.Load() >= at.turn, r.trial.kept.Load() >= at.turn
		switch {
		case at.none && now.Fault == "":
			return telemetry.SinkTrial{Outcome: telemetry.TrialNothing}
		case done && now.Fault == "" && now.Dropped[reasonUnheard] > before.Dropped[reasonUnheard]:
			return telemetry.SinkTrial{Outcome: telemetry.TrialUnheard}
		case done && now.Fault == "" && now.Dropped[reasonFailed] == before.Dropped[reasonFailed]:
			return telemetry.SinkTrial{Outcome: r.success(), Clients: now.Clients}
		case done:
			return telemetry.SinkTrial{Outcome: telemetry.TrialRefused, Fault: now.Fault}
		case now.Fault != "" && r.trial.opens.Load() > opens && (r.kept.isOpen() == stored || at.none), time.Now().After(end):
			outcome := telemetry.TrialWaits
			if stored {
				outcome = telemetry.TrialSpooled
			}
			return telemetry.SinkTrial{Outcome: outcome, Fault: now.Fault}
		}
	}
}

// success is what a record that was written is: taken, where the place says so or is the
// router's own, sent where nobody says what arrives.
func (r *runner) success() telemetry.TrialOutcome {
	s := &r.sink
	switch s.Kind {
	case artifact.SinkUDP, artifact.SinkSyslog, artifact.SinkIPFIX, artifact.SinkUnix, artifact.SinkTCP, artifact.SinkWebSocket, artifact.SinkStdout:
		return telemetry.TrialSent
	case artifact.SinkMQTT:
		if s.QoS == 0 {
			return telemetry.TrialSent
		}
	case artifact.SinkFile, artifact.SinkUnixgram, artifact.SinkHTTP, artifact.SinkNATS, artifact.SinkKafka, artifact.SinkOTLP:
	}
	return telemetry.TrialTaken
}
