package view

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/netpol/netpol/cmd/netpol/internal/router"
	"github.com/netpol/netpol/enforcer/control"
	"github.com/netpol/netpol/enforcer/reconcile"
)

// Revision is a line of the history.
type Revision struct {
	router.Revision
	Current  bool       `json:"current"`
	Waits    bool       `json:"waits_to_be_confirmed"`
	Deadline *time.Time `json:"deadline,omitempty"`
}

// commitDigits are shown of a commit's name.
const commitDigits = 10

// History writes the revisions, the newest first.
func History(w io.Writer, list []Revision, st Style) error {
	if len(list) == 0 {
		_, err := fmt.Fprintln(w, "Nothing has been applied on this router.")
		return err
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "  REVISION\tTIME\tBY\tBUNDLE\tPOLICIES\tWHAT")
	for _, rev := range list {
		mark := " "
		if rev.Current {
			mark = "*"
		}
		fmt.Fprintf(tw, "%s %d\t%s\t%s\t%s\t%d\t%s\n", mark, rev.Serial, rev.Time.Local().Format(time.DateTime), cleanLine(rev.Author),
			ShortDigest(rev.Digest), rev.Policies, cleanLine(rev.what()))
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	for _, rev := range list {
		if rev.Waits {
			return waiting(w, rev.Serial, *rev.Deadline, st)
		}
	}
	return nil
}

// what says how a revision came to be.
func (r Revision) what() string {
	text := r.Operation
	if r.Release > 0 {
		text += fmt.Sprintf(" release %d", r.Release)
	}
	if r.Message != "" {
		text += ": " + r.Message
	}
	if r.Commit != "" {
		text += " (" + r.Commit[:min(commitDigits, len(r.Commit))] + ")"
	}
	return text
}

func waiting(w io.Writer, serial int, deadline time.Time, st Style) error {
	_, err := fmt.Fprintf(w, "\n%s Revision %d stays if netpol confirm is called before %s; otherwise the router goes back.\n",
		st.in("Waiting to be confirmed.", bold, yellow), serial, deadline.Local().Format(time.TimeOnly))
	return err
}

// Pending says what happens unless the change is confirmed.
func Pending(w io.Writer, p control.Pending, st Style) error {
	return waiting(w, p.Serial, p.Deadline, st)
}

// Confirmed says which revision stays; 0: none was in question.
func Confirmed(w io.Writer, serial int, st Style) error {
	if serial == 0 {
		_, err := fmt.Fprintln(w, "Nothing waits to be confirmed.")
		return err
	}
	_, err := fmt.Fprintf(w, "%s Revision %d stays.\n", st.in("Confirmed.", bold, green), serial)
	return err
}

// RollbackPlan writes what going back is about to do.
func RollbackPlan(w io.Writer, changes []reconcile.Change, target int, st Style) error {
	if len(changes) == 0 {
		_, err := fmt.Fprintf(w, "No changes. The router runs what revision %d says.\n", target)
		return err
	}
	head := fmt.Sprintf("To go back to revision %d, netpol will do this on the router:", target)
	if target == 0 {
		head = "Nothing was applied before: netpol will remove this from the router:"
	}
	return writeChanges(w, head, changes, nil, st)
}

// RolledBack writes the last line of rollback.
func RolledBack(w io.Writer, t Totals, target int, st Style) error {
	_, err := fmt.Fprintf(w, "\n%s The router runs revision %d again. Resources: %d added, %d changed, %d destroyed.\n",
		st.in("Rollback complete!", bold, green), target, t.Add, t.Change, t.Destroy)
	return err
}

// Restored writes the last line of restore.
func Restored(w io.Writer, t Totals, st Style) error {
	if t == (Totals{}) {
		_, err := fmt.Fprintln(w, "No changes. The router runs what was applied last.")
		return err
	}
	_, err := fmt.Fprintf(w, "\n%s Resources: %d added, %d changed, %d destroyed.\n", st.in("Restore complete!", bold, green), t.Add, t.Change, t.Destroy)
	return err
}

type revisionJSON struct {
	FormatVersion string `json:"format_version"`
	Type          string `json:"type"` // revision
	Revision
}

// HistoryJSON writes one revision a line.
func HistoryJSON(w io.Writer, list []Revision) error {
	for _, rev := range list {
		if err := writeJSON(w, revisionJSON{FormatVersion, "revision", rev}); err != nil {
			return err
		}
	}
	return nil
}

type pendingJSON struct {
	FormatVersion string    `json:"format_version"`
	Type          string    `json:"type"` // waits_to_be_confirmed
	Revision      int       `json:"revision"`
	Before        int       `json:"before"`
	Deadline      time.Time `json:"deadline"`
}

// PendingJSON is Pending as a line.
func PendingJSON(w io.Writer, p control.Pending) error {
	return writeJSON(w, pendingJSON{FormatVersion, "waits_to_be_confirmed", p.Serial, p.Before, p.Deadline})
}

type confirmedJSON struct {
	FormatVersion string `json:"format_version"`
	Type          string `json:"type"` // confirmed
	Revision      int    `json:"revision"`
}

// ConfirmedJSON is Confirmed as a line.
func ConfirmedJSON(w io.Writer, serial int) error {
	return writeJSON(w, confirmedJSON{FormatVersion, "confirmed", serial})
}

type rolledBackJSON struct {
	summaryJSON
	Revision int `json:"rolled_back_to"`
}

// RolledBackJSON is the last line of rollback.
func RolledBackJSON(w io.Writer, t Totals, target int, digest string) error {
	return writeJSON(w, rolledBackJSON{summaryJSON{FormatVersion, "rollback_complete", t, digest}, target})
}

// RestoredJSON is the last line of restore.
func RestoredJSON(w io.Writer, t Totals, digest string) error {
	return writeJSON(w, summaryJSON{FormatVersion, "restore_complete", t, digest})
}
