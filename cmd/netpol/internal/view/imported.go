package view

import (
	"fmt"
	"io"
	"strings"

	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/importer"
)

// Import is what an import says of its work.
type Import struct {
	Source string   // the file that was imported
	Files  []string // that were written; none when the policies went to stdout
	Report importer.Report
}

// Imported writes the report for people: all findings, then what became of each
// rule that was not converted whole, then the sum. Unlike diagnostics, findings
// are never cut short: each is something to check.
func Imported(w io.Writer, im Import, src Sources, st Style) error {
	var b strings.Builder
	for _, d := range im.Report.Findings {
		diagnostic(&b, d, src, st)
		b.WriteByte('\n')
	}
	counts := map[importer.State]int{}
	for _, i := range im.Report.Items {
		counts[i.State]++
		if i.State != importer.Converted {
			fmt.Fprintf(&b, "%s:%d: %s: %s\n", cleanLine(im.Source), i.Line, cleanLine(i.Name), i.State)
		}
	}
	b.WriteString(importSum(im, counts) + "\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// importSum is the last line of the report.
func importSum(im Import, counts map[importer.State]int) string {
	var parts []string
	for s := importer.Converted; s <= importer.LeftOut; s++ {
		if counts[s] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[s], s))
		}
	}
	text := count(len(im.Report.Items), "rule")
	if len(parts) > 0 {
		text += ": " + strings.Join(parts, ", ")
	}
	errors, warnings := severities(im.Report.Findings)
	text += ". " + tally(errors, warnings)
	if len(im.Files) > 0 {
		text += " Written: " + cleanLine(strings.Join(im.Files, ", ")) + "."
	}
	return text
}

func severities(list diag.List) (errors, warnings int) {
	for _, d := range list {
		switch d.Severity {
		case diag.Error:
			errors++
		case diag.Warning:
			warnings++
		case diag.Note:
		}
	}
	return errors, warnings
}

type importItemJSON struct {
	Name   string         `json:"name"`
	Policy string         `json:"policy,omitempty"`
	State  importer.State `json:"state"`
	Line   int            `json:"line"`
}

type importJSON struct {
	FormatVersion string           `json:"format_version"`
	Format        string           `json:"format"`
	Source        string           `json:"source"`
	Files         []string         `json:"files"`
	Errors        int              `json:"error_count"`
	Warnings      int              `json:"warning_count"`
	Items         []importItemJSON `json:"items"`
	Findings      diag.List        `json:"findings"`
}

// ImportedJSON writes the report as one document.
func ImportedJSON(w io.Writer, im Import) error {
	doc := importJSON{
		FormatVersion: FormatVersion, Format: im.Report.Format, Source: im.Source,
		Files: append([]string{}, im.Files...), Items: []importItemJSON{}, Findings: append(diag.List{}, im.Report.Findings...),
	}
	for _, i := range im.Report.Items {
		doc.Items = append(doc.Items, importItemJSON(i))
	}
	doc.Errors, doc.Warnings = severities(doc.Findings)
	return writeJSON(w, doc)
}
