package view

import (
	"fmt"
	"io"
	"strings"

	"github.com/netpol/netpol/cmd/netpol/internal/evasion"
)

// Selftest writes the evasion table for people.
func Selftest(w io.Writer, results []evasion.Result, st Style) error {
	var b strings.Builder
	met, played, row := 0, 0, 0
	for _, r := range results {
		if r.Row != row {
			row = r.Row
			fmt.Fprintf(&b, "%2d  %s\n", r.Row, st.in(r.Title, bold))
			if r.Skipped {
				fmt.Fprintf(&b, "    not played: %s\n", r.Why)
			}
		}
		if r.Skipped {
			continue
		}
		if played++; r.OK() {
			met++
		}
		selftestLine(&b, r, st)
	}
	fmt.Fprintf(&b, "\n%d of %s have the outcome that the table states.\n", met, count(played, "connection"))
	_, err := io.WriteString(w, b.String())
	return err
}

// selftestLine writes one connection's outcome.
func selftestLine(b *strings.Builder, r evasion.Result, st Style) {
	word := st.in("ok  ", green)
	if !r.OK() {
		word = st.in("FAIL", bold, red)
	}
	fmt.Fprintf(b, "    %s %-46s %s", word, r.Variant, r.Got)
	if !r.OK() {
		fmt.Fprintf(b, ", want %s", r.Want)
	}
	b.WriteByte('\n')
	if r.Why != "" {
		fmt.Fprintf(b, "         %s\n", r.Why)
	}
}

// selftestResult is a result for machines.
type selftestResult struct {
	Row     int    `json:"row"`
	Title   string `json:"title"`
	Variant string `json:"variant,omitempty"`
	Want    string `json:"want"`
	Got     string `json:"got"`
	OK      bool   `json:"ok"`
	Why     string `json:"why,omitempty"`     // of an outcome that is another than a capture's
	Skipped bool   `json:"skipped,omitempty"` // not played, see why
}

// SelftestJSON writes the evasion table for machines, as one document.
func SelftestJSON(w io.Writer, results []evasion.Result) error {
	list := make([]selftestResult, 0, len(results))
	for _, r := range results {
		list = append(list, selftestResult{r.Row, r.Title, r.Variant, r.Want.String(), r.Got.String(), r.OK(), r.Why, r.Skipped})
	}
	return writeJSON(w, struct {
		FormatVersion string           `json:"format_version"`
		Results       []selftestResult `json:"results"`
	}{FormatVersion, list})
}
