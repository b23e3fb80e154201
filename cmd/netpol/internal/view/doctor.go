package view

import (
	"fmt"
	"io"
	"strings"

	"github.com/netpol/netpol/cmd/netpol/internal/doctor"
)

// Findings writes what doctor found: a line each, and below it what to do.
func Findings(w io.Writer, list []doctor.Finding, st Style) error {
	var b strings.Builder
	count := map[doctor.Status]int{}
	for _, f := range list {
		count[f.Status]++
		fmt.Fprintf(&b, "%s  %s: %s\n", st.in(fmt.Sprintf("%-4s", f.Status), bold, colorOf(f.Status)), cleanLine(f.Check), cleanLine(f.Detail))
		if f.Fix != "" {
			fmt.Fprintf(&b, "      %s %s\n", st.in("fix:", dim), cleanLine(f.Fix))
		}
	}
	fmt.Fprintf(&b, "\n%d well, %d warnings, %d failures.\n", count[doctor.OK], count[doctor.Warn], count[doctor.Fail])
	_, err := io.WriteString(w, b.String())
	return err
}

func colorOf(s doctor.Status) paint {
	switch s {
	case doctor.OK:
		return green
	case doctor.Warn:
		return yellow
	case doctor.Fail:
		return red
	}
	return dim
}

type findingJSON struct {
	FormatVersion string `json:"format_version"`
	Type          string `json:"type"` // finding
	doctor.Finding
}

// FindingsJSON writes one finding a line.
func FindingsJSON(w io.Writer, list []doctor.Finding) error {
	for _, f := range list {
		if err := writeJSON(w, findingJSON{FormatVersion, "finding", f}); err != nil {
			return err
		}
	}
	return nil
}
