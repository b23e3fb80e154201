package view

import (
	"fmt"
	"io"
	"strings"

	"github.com/netpol/netpol/enforcer/telemetry"
)

// Why writes the account of one flow for people.
func Why(w io.Writer, why telemetry.Why, st Style) error {
	var b strings.Builder
	b.WriteString(st.in(cleanLine(string(why.Flow.AppendText(nil))), bold) + "\n")
	whyState(&b, why)
	for _, p := range why.Policies {
		whyPolicy(&b, p, st)
	}
	if len(why.Policies) == 0 {
		b.WriteString("  No policies are loaded.\n")
	}
	b.WriteByte('\n')
	_, err := io.WriteString(w, b.String())
	return err
}

// whyState says what is known of the flow, and whether more may come.
func whyState(b *strings.Builder, why telemetry.Why) {
	if why.Flow.DetectionPackets > 0 {
		fmt.Fprintf(b, "  named at packet %d", why.Flow.DetectionPackets)
		if why.Flow.Guessed {
			b.WriteString(", a guess by address or port")
		}
		b.WriteByte('\n')
	}
	if !why.Complete {
		b.WriteString("  analysis goes on: more may become known\n")
	}
	t := table(b)
	for _, e := range why.Evidence {
		fmt.Fprintf(t, "  %s\t%s\n", tableCell(e.Attribute), tableCell(shorten(e.Value, maxText)))
	}
	flush(t)
}

// whyPolicy shows a policy's terms, those that failed a match in front of the
// eye: a tick or a cross and the value that was met.
func whyPolicy(b *strings.Builder, p telemetry.PolicyWhy, st Style) {
	verdict := st.in("does not match", dim)
	if p.Matched {
		verdict = st.in("matches", bold, green)
	}
	fmt.Fprintf(b, "  %s policy %s (%s:%d)\n", verdict, st.in(cleanLine(p.Name), bold), cleanLine(p.File), p.Line)
	t := table(b)
	for _, term := range p.Terms {
		sign := "no "
		if term.Holds {
			sign = "yes"
		}
		value := "not known"
		if term.Value != "" {
			value = "is " + tableCell(shorten(term.Value, maxText))
		}
		fmt.Fprintf(t, "    %s\t%s\t%s\n", sign, tableCell(shorten(term.Text, maxText)), value)
	}
	flush(t)
}

// WhyJSON writes the account as one line of JSON.
func WhyJSON(w io.Writer, why telemetry.Why) error {
	return writeJSON(w, struct {
		FormatVersion string                `json:"format_version"`
		Type          string                `json:"type"` // why
		Flow          *telemetry.Flow       `json:"flow"`
		Complete      bool                  `json:"complete"`
		Evidence      []telemetry.Evidence  `json:"evidence"`
		Policies      []telemetry.PolicyWhy `json:"policies"`
	}{FormatVersion, "why", &why.Flow, why.Complete, why.Evidence, why.Policies})
}
