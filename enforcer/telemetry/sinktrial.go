package telemetry

// SinkTrial is what became of a record that a sink was given to try it.
type SinkTrial struct {
	Name    string       `json:"name"`
	Place   string       `json:"place"`
	Outcome TrialOutcome `json:"outcome"`
	Fault   string       `json:"fault,omitempty"`
	Clients int          `json:"clients,omitempty"` // that are connected
	Took    int64        `json:"took_ms"`           // until that was known
}

// TrialOutcome says what became of it.
type TrialOutcome string

// Outcomes of a SinkTrial.
const (
	TrialTaken   TrialOutcome = "taken"   // the place has it
	TrialSent    TrialOutcome = "sent"    // it is on its way, and nobody says whether it arrives
	TrialUnheard TrialOutcome = "unheard" // no client is connected
	TrialRefused TrialOutcome = "refused" // the place does not want it
	TrialWaits   TrialOutcome = "waits"   // in the queue, for the place
	TrialSpooled TrialOutcome = "spooled" // on disk, for the place
	TrialNoRoom  TrialOutcome = "no-room" // the queue is full
	TrialNothing TrialOutcome = "nothing" // the sink tells of no such record; its place is open
)

// Good says that the sink works as far as can be seen.
func (o TrialOutcome) Good() bool {
	return o == TrialTaken || o == TrialSent || o == TrialUnheard || o == TrialNothing
}
