package view

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/netpol/netpol/enforcer/control"
	"github.com/netpol/netpol/enforcer/reconcile"
)

// shownDrift bounds the objects of a drift that people are shown: a table that
// was flushed has thousands.
const shownDrift = 10

// Drift writes what somebody else changed since the last apply, and who did.
func Drift(w io.Writer, changes []reconcile.Change, by []control.Change, st Style) error {
	var b strings.Builder
	b.WriteString(st.in("Drift:", bold, yellow) + " somebody else changed the router since the last apply.\n\n")
	shown := changes[:min(len(changes), shownDrift)]
	col := columnsFor(shown)
	for _, c := range shown {
		change(&b, c, col, "", st)
	}
	if more := len(changes) - len(shown); more > 0 {
		fmt.Fprintf(&b, "  and %d more\n", more)
	}
	b.WriteByte('\n')
	for _, c := range by {
		fmt.Fprintf(&b, "  %s  %s\n", c.Time.Local().Format(time.DateTime), cleanLine(culprit(c)))
	}
	if len(by) == 0 {
		b.WriteString("  Who did is not known: netpold did not see it.\n")
	}
	b.WriteByte('\n')
	_, err := io.WriteString(w, b.String())
	return err
}

// culprit words who made a change.
func culprit(c control.Change) string {
	if c.Process == "" {
		// Changes of ipsets are found, not announced.
		if c.Removed {
			return "somebody removed the set " + c.Set
		}
		return "somebody took elements out of the set " + c.Set
	}
	text := fmt.Sprintf("%s (process %d)", c.Process, c.PID)
	if c.Command != "" && c.Command != c.Process {
		text += ": " + c.Command
	}
	switch {
	case c.Set != "":
		return text + " took elements out of the set " + c.Set
	case c.Removed:
		return text + " removed the table"
	}
	return text + " changed the table"
}

// NoDrift says that nothing was changed by others.
func NoDrift(w io.Writer) error {
	_, err := fmt.Fprintln(w, "No drift. The router is as it was applied.")
	return err
}

type culpritJSON struct {
	FormatVersion string `json:"format_version"`
	Type          string `json:"type"` // changed_by
	control.Change
}

// DriftJSON writes one changed object a line, then one culprit a line.
func DriftJSON(w io.Writer, changes []reconcile.Change, by []control.Change) error {
	for _, c := range changes {
		line := changeJSON{FormatVersion, "drift", c.Action.String(), c.Kind, c.ID, c.Before, c.After}
		if err := writeJSON(w, line); err != nil {
			return err
		}
	}
	for _, c := range by {
		if err := writeJSON(w, culpritJSON{FormatVersion, "changed_by", c}); err != nil {
			return err
		}
	}
	return nil
}
