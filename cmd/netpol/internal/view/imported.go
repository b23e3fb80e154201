package view

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/importer"
)

// Import is what an import says of its work.
type Import struct {
	Source string   // the file that was imported
	Files  []string // that were written; none when the policies went to stdout
	Report importer.Report
}

// maxFindings bounds the findings, and the rules, that are printed for people.
// It is far above maxShown, because each finding is something to check.
const maxFindings = 1000

// Imported writes the report for people: the findings, then what became of each
// rule that was not converted whole, then the sum.
func Imported(w io.Writer, im Import, source []byte, st Style) error {
	var b strings.Builder
	for _, d := range im.Report.Findings[:min(len(im.Report.Findings), maxFindings)] {
		finding(&b, d, source, st)
		b.WriteByte('\n')
	}
	if more := len(im.Report.Findings) - maxFindings; more > 0 {
		fmt.Fprintf(&b, "... and %s more; --json prints all.\n\n", count(more, "finding"))
	}
	counts := map[importer.State]int{}
	listed := 0
	for _, i := range im.Report.Items {
		counts[i.State]++
		if i.State != importer.Converted && listed < maxFindings {
			listed++
			fmt.Fprintf(&b, "%s:%d: %s: %s\n", cleanLine(im.Source), i.Line, cleanLine(i.Name), i.State)
		}
	}
	b.WriteString(importSum(im, counts) + "\n")
	_, err := io.WriteString(w, b.String())
	return err
}

// maxContext bounds what is looked at around a finding, in bytes: the input may
// be one line of a megabyte.
const maxContext = 512

// finding writes one finding like a diagnostic, from a cut of the input.
func finding(b *strings.Builder, d diag.Diagnostic, source []byte, st Style) {
	from := min(d.Subject.Start.Byte, len(source))
	to := min(max(d.Subject.End.Byte, from), len(source))
	start, end := max(0, from-maxContext), min(len(source), from+maxContext)
	if i := bytes.LastIndexByte(source[start:from], '\n'); i >= 0 {
		start += i + 1
	}
	for start < from && !utf8.RuneStart(source[start]) {
		start++
	}
	p := severityPaint(d.Severity)
	b.WriteString(st.in(fmt.Sprintf("%s[%s]:", d.Severity, d.Code), bold, p) + " " + st.in(cleanLine(d.Summary), bold) + "\n")
	b.WriteString("  " + cleanLine(d.Subject.String()) + "\n")
	cut := diag.Range{Start: diag.Pos{Line: 1, Byte: from - start}, End: diag.Pos{Line: 1, Byte: min(to, end) - start}}
	if s, ok := newSnippet(source[start:end], cut); ok {
		s.number = d.Subject.Start.Line
		s.render(b, st, p)
	}
	paragraph(b, shorten(d.Detail, maxText))
	if d.Hint != "" {
		paragraph(b, Sentence(shorten(d.Hint, maxText)))
	}
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
