package view

import (
	"fmt"
	"io"
	"strings"

	"github.com/netpol/netpol/cmd/netpol/internal/flowfacts"
	"github.com/netpol/netpol/cmd/netpol/internal/outcome"
	"github.com/netpol/netpol/cmd/netpol/internal/policydiff"
	"github.com/netpol/netpol/compiler/artifact"
)

// PolicyDiff writes what differs in meaning for people.
func PolicyDiff(w io.Writer, r *policydiff.Report, st Style) error {
	var b strings.Builder
	diffPolicies(&b, r.Policies, st)
	for i := range r.Regions {
		diffRegion(&b, &r.Regions[i], st)
	}
	if r.More > 0 {
		fmt.Fprintf(&b, "... and %s more, where these come together.\n\n", plural(r.More, "kind of flow", "kinds of flow"))
	}
	diffReplay(&b, r.Replay, st)
	b.WriteString(diffVerdict(r, st))
	_, err := io.WriteString(w, b.String())
	return err
}

func diffPolicies(b *strings.Builder, changes []policydiff.PolicyChange, st Style) {
	if len(changes) == 0 {
		return
	}
	heading(b, "Policies", st)
	for _, c := range changes {
		sign, p := "~", yellow
		note := ""
		switch c.Kind {
		case policydiff.Added:
			sign, p = "+", green
		case policydiff.Removed:
			sign, p = "-", red
		case policydiff.Moved:
			note = " (moved)"
		case policydiff.SameMeaning:
			sign, p, note = "=", dim, " (written otherwise, matches the same flows)"
		case policydiff.Modified:
		}
		before, after := policyText(c.Before), policyText(c.After)
		if c.Kind == policydiff.Modified && c.Before.Criteria == c.After.Criteria && policyEffects(c.Before) == policyEffects(c.After) {
			note = " (by its exemptions, or by what its names stand for)"
		}
		fmt.Fprintf(b, "  %s %s%s\n", st.in(sign, bold, p), cleanLine(c.Name), note)
		if before != after {
			writeDiff(b, "      ", before, after, st)
		}
	}
	b.WriteByte('\n')
}

// policyText is a policy in a few lines, to be compared.
func policyText(p *artifact.Policy) string {
	if p == nil {
		return ""
	}
	return "criteria " + strings.Join(strings.Fields(p.Criteria), " ") + "\n" + policyEffects(p) + "\n"
}

// policyEffects leaves out where a policy is decided: that is no meaning.
func policyEffects(p *artifact.Policy) string {
	q := *p
	q.Decided = artifact.DecidedEnforcer
	return effects(q)
}

func diffRegion(b *strings.Builder, r *policydiff.Region, st Style) {
	fmt.Fprintf(b, "%s %s\n", st.in("A flow with", bold), cleanLine(shorten(flowfacts.String(r.Witness), maxText)))
	if r.Naming != "" {
		fmt.Fprintf(b, "  is called %s\n", cleanLine(r.Naming))
	}
	fmt.Fprintf(b, "  %s %s\n", st.in("before:", red), cleanLine(outcomeText(&r.Before)))
	fmt.Fprintf(b, "  %s  %s\n\n", st.in("after:", green), cleanLine(outcomeText(&r.After)))
}

// outcomeText is what becomes of a flow and which policies say so.
func outcomeText(o *outcome.Outcome) string {
	if len(o.Policies) == 0 {
		return o.Effect()
	}
	return o.Effect() + "  (" + strings.Join(o.Policies, ", ") + ")"
}

func diffReplay(b *strings.Builder, r *policydiff.Replay, st Style) {
	if r == nil {
		return
	}
	heading(b, "Recorded traffic", st)
	fmt.Fprintf(b, "  %d of %s change, %s of %s.\n", r.ChangedFlows, count(r.Flows, "flow"), size(r.ChangedBytes), size(r.Bytes))
	for i, c := range r.Changes {
		if i == maxShown {
			fmt.Fprintf(b, "  ... and %d more.\n", len(r.Changes)-i)
			break
		}
		fmt.Fprintf(b, "  %s, %s: %s -> %s\n", count(c.Flows, "flow"), size(c.Bytes), cleanLine(c.Before), cleanLine(c.After))
		fmt.Fprintf(b, "    %s\n", st.in("such as "+cleanLine(string(c.Example.AppendText(nil))), dim))
	}
	b.WriteByte('\n')
}

// diffVerdict is the last line: what is known, and how well.
func diffVerdict(r *policydiff.Report, st Style) string {
	switch r.Result {
	case policydiff.Equivalent:
		return st.in("Equivalent", bold, green) + " (proved): every flow is treated alike.\n"
	case policydiff.NotFound:
		return st.in("No difference found", bold, yellow) + fmt.Sprintf(" in %d flows tried. This is no proof%s.\n", r.Tried, diffReason(r))
	case policydiff.Changed:
		text := st.in("Changed", bold, yellow) + ": " + plural(len(r.Regions)+r.More, "kind of flow is", "kinds of flow are") + " treated otherwise"
		if r.Complete {
			return text + "; that is all.\n"
		}
		return text + fmt.Sprintf(", found in %d flows tried; there may be more%s.\n", r.Tried, diffReason(r))
	}
	return ""
}

func diffReason(r *policydiff.Report) string {
	if len(r.Sampled) > 0 {
		return ": the values of " + strings.Join(r.Sampled, ", ") + " were sampled"
	}
	return ": there are too many combinations to try all, or the names of flows differ"
}

// PolicyDiffJSON writes it for machines, as one document.
func PolicyDiffJSON(w io.Writer, r *policydiff.Report) error {
	return writeJSON(w, struct {
		FormatVersion string `json:"format_version"`
		*policydiff.Report
	}{FormatVersion, r})
}
