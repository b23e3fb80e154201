package view

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/netpol/netpol/enforcer/telemetry"
)

// SinkTrials is what became of records that sinks were given to try them.
type SinkTrials struct {
	Trials []telemetry.SinkTrial `json:"trials"`
}

// sinkTrialsVersion goes up when a reader of the JSON form would have to change.
const sinkTrialsVersion = 1

// JSON prints them as one object.
func (s SinkTrials) JSON(w io.Writer) error {
	if s.Trials == nil {
		s.Trials = []telemetry.SinkTrial{}
	}
	return writeJSON(w, struct {
		Version int `json:"version"`
		SinkTrials
	}{sinkTrialsVersion, s})
}

// Text prints them as a table.
func (s SinkTrials) Text(w io.Writer) error {
	var b strings.Builder
	if len(s.Trials) == 0 {
		b.WriteString("The applied policies have no sinks.\n")
		_, err := io.WriteString(w, b.String())
		return err
	}
	t := table(&b)
	for _, one := range s.Trials {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", tableCell(one.Name), strings.ReplaceAll(string(one.Outcome), "-", " "), tableCell(one.Place), tableCell(trialWords(&one)))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// trialWords is what there is to say besides.
func trialWords(one *telemetry.SinkTrial) string {
	took := time.Duration(one.Took) * time.Millisecond
	switch one.Outcome {
	case telemetry.TrialTaken:
		return fmt.Sprintf("after %v", took)
	case telemetry.TrialSent:
		if one.Clients > 0 {
			return fmt.Sprintf("to %d clients", one.Clients)
		}
		return fmt.Sprintf("after %v; nobody says whether it arrived", took)
	case telemetry.TrialUnheard:
		return "nobody is connected"
	case telemetry.TrialNothing:
		return "it tells of flows alone; its place is open"
	case telemetry.TrialNoRoom:
		return strings.TrimSuffix("too much waits: "+one.Fault, ": ")
	case telemetry.TrialSpooled:
		return strings.TrimSuffix("it waits on disk: "+one.Fault, ": ")
	case telemetry.TrialRefused, telemetry.TrialWaits:
	}
	if one.Fault == "" {
		return fmt.Sprintf("for %v and more; netpold's log may say why", took)
	}
	return one.Fault
}
