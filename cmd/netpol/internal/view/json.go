package view

import (
	"encoding/json"
	"io"

	"github.com/netpol/netpol/lang/diag"
)

// FormatVersion is the version of every JSON document the tool prints. The
// major number changes when a reader of the old form would misread the new.
const FormatVersion = "1.0"

// writeJSON prints one value on one line.
func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

type diagnosticsJSON struct {
	FormatVersion string    `json:"format_version"`
	Valid         bool      `json:"valid"`
	Errors        int       `json:"error_count"`
	Warnings      int       `json:"warning_count"`
	Diagnostics   diag.List `json:"diagnostics"`
}

// DiagnosticsJSON writes the whole list as one document.
func DiagnosticsJSON(w io.Writer, list diag.List) error {
	doc := diagnosticsJSON{FormatVersion: FormatVersion, Valid: !list.HasErrors(), Diagnostics: list}
	if doc.Diagnostics == nil {
		doc.Diagnostics = diag.List{}
	}
	for _, d := range list {
		switch d.Severity {
		case diag.Error:
			doc.Errors++
		case diag.Warning:
			doc.Warnings++
		case diag.Note:
		}
	}
	return writeJSON(w, doc)
}

type errorJSON struct {
	FormatVersion string `json:"format_version"`
	Type          string `json:"type"`
	Error         string `json:"error"`
}

// ErrorJSON writes a system fault as one line of JSON.
func ErrorJSON(w io.Writer, err error) error {
	return writeJSON(w, errorJSON{FormatVersion: FormatVersion, Type: "error", Error: err.Error()})
}
