package view

import (
	"fmt"
	"io"

	"github.com/netpol/netpol/enforcer/telemetry"
)

// Flow writes one connection as a line for people.
func Flow(w io.Writer, f *telemetry.Flow) error {
	_, err := fmt.Fprintf(w, "%s\n", cleanLine(string(f.AppendText(nil))))
	return err
}

// FlowJSON writes one connection as a line of JSON, with the same keys as
// replay.
func FlowJSON(w io.Writer, f *telemetry.Flow) error {
	_, err := w.Write(append(f.AppendJSON(nil), '\n'))
	return err
}

// Remark writes a sentence for people.
func Remark(w io.Writer, text string) error {
	_, err := fmt.Fprintln(w, text)
	return err
}
