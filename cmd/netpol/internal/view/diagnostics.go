package view

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/netpol/netpol/lang/diag"
)

const (
	// maxShown bounds the diagnostics printed for people; past this many,
	// fixing the first ones helps more than reading on.
	maxShown = 50
	// maxText bounds a detail or a hint, in bytes: one may quote a whole
	// criteria string.
	maxText = 2000
)

// Sources gives the text of a policy file for the caret lines; nil or an
// empty result means that only the place is shown.
type Sources func(filename string) []byte

// Diagnostics writes diagnostics for people, with a closing count when there
// is more than one.
func Diagnostics(w io.Writer, list diag.List, src Sources, st Style) error {
	var b strings.Builder
	errors, warnings := 0, 0
	for i, d := range list {
		switch d.Severity {
		case diag.Error:
			errors++
		case diag.Warning:
			warnings++
		case diag.Note:
		}
		if i < maxShown {
			diagnostic(&b, d, src, st)
			b.WriteByte('\n')
		}
	}
	if len(list) > maxShown {
		fmt.Fprintf(&b, "... and %d more.\n", len(list)-maxShown)
	}
	if len(list) > 1 {
		b.WriteString(tally(errors, warnings) + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func diagnostic(b *strings.Builder, d diag.Diagnostic, src Sources, st Style) {
	p := severityPaint(d.Severity)
	head := d.Severity.String()
	if d.Code != "" {
		head += "[" + d.Code + "]"
	}
	b.WriteString(st.in(head+":", bold, p) + " " + st.in(cleanLine(shorten(d.Summary, maxText)), bold) + "\n")
	if !d.Subject.IsZero() {
		b.WriteString("  " + cleanLine(d.Subject.String()) + "\n")
		if src != nil {
			if s, ok := newSnippet(src(d.Subject.Filename), d.Subject); ok {
				s.render(b, st, p)
			}
		}
	}
	paragraph(b, shorten(d.Detail, maxText))
	if d.Hint != "" {
		paragraph(b, Sentence(shorten(d.Hint, maxText)))
	}
}

// paragraph indents each line of the text below the diagnostic's head.
func paragraph(b *strings.Builder, text string) {
	if text == "" {
		return
	}
	for line := range strings.SplitSeq(strings.TrimRight(clean(text), "\n"), "\n") {
		b.WriteString("  " + line + "\n")
	}
}

// Sentence gives a hint its capital; hints are written to stand in brackets.
func Sentence(s string) string {
	r, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(r)) + s[size:]
}

func severityPaint(s diag.Severity) paint {
	switch s {
	case diag.Error:
		return red
	case diag.Warning:
		return yellow
	case diag.Note:
		return blue
	}
	return red
}

func tally(errors, warnings int) string {
	var parts []string
	if errors > 0 {
		parts = append(parts, count(errors, "error"))
	}
	if warnings > 0 {
		parts = append(parts, count(warnings, "warning"))
	}
	if len(parts) == 0 {
		return "No errors."
	}
	return strings.Join(parts, ", ") + "."
}

// count is "1 error", "2 errors".
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// Error writes a system fault, the kind that has no place in a policy file.
func Error(w io.Writer, err error, st Style) {
	fmt.Fprintf(w, "%s %s\n", st.in("error:", bold, red), clean(shorten(err.Error(), maxText)))
}
