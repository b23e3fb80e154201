package view

import (
	"io"

	"github.com/netpol/netpol/enforcer/reconcile"
	"github.com/netpol/netpol/lang/diag"
)

// The --json output of plan, apply and destroy is one JSON value a line, each
// with its type.

type changeJSON struct {
	FormatVersion string `json:"format_version"`
	Type          string `json:"type"` // planned_change
	Action        string `json:"action"`
	Kind          string `json:"kind"`
	ID            string `json:"id"`
	Before        string `json:"before,omitempty"`
	After         string `json:"after,omitempty"`
}

type summaryJSON struct {
	FormatVersion string `json:"format_version"`
	Type          string `json:"type"` // change_summary, apply_complete, destroy_complete
	Totals
	Digest string `json:"bundle_digest,omitempty"`
}

type diagnosticJSON struct {
	FormatVersion string          `json:"format_version"`
	Type          string          `json:"type"` // diagnostic
	Diagnostic    diag.Diagnostic `json:"diagnostic"`
}

type progressJSON struct {
	FormatVersion string `json:"format_version"`
	Type          string `json:"type"` // apply_progress
	Message       string `json:"message"`
}

// PlanJSON writes the changes and their sum. The digest is that of the bundle
// that the plan leads to; empty for destroy.
func PlanJSON(w io.Writer, changes []reconcile.Change, digest string) error {
	for _, c := range changes {
		line := changeJSON{FormatVersion, "planned_change", c.Action.String(), c.Kind, c.ID, c.Before, c.After}
		if err := writeJSON(w, line); err != nil {
			return err
		}
	}
	return writeJSON(w, summaryJSON{FormatVersion, "change_summary", Count(changes), digest})
}

// AppliedJSON is the last line of apply.
func AppliedJSON(w io.Writer, t Totals, digest string) error {
	return writeJSON(w, summaryJSON{FormatVersion, "apply_complete", t, digest})
}

// DestroyedJSON is the last line of destroy.
func DestroyedJSON(w io.Writer, t Totals) error {
	return writeJSON(w, summaryJSON{FormatVersion, "destroy_complete", t, ""})
}

// DiagnosticJSON writes one diagnostic as a line of a stream.
func DiagnosticJSON(w io.Writer, d diag.Diagnostic) error {
	return writeJSON(w, diagnosticJSON{FormatVersion, "diagnostic", d})
}

// ProgressJSON writes one step of apply or destroy.
func ProgressJSON(w io.Writer, message string) error {
	return writeJSON(w, progressJSON{FormatVersion, "apply_progress", message})
}
