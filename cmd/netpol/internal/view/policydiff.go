package view

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/netpol/netpol/cmd/netpol/internal/flowfacts"
	"github.com/netpol/netpol/cmd/netpol/internal/outcome"
	"github.com/netpol/netpol/cmd/netpol/internal/policydiff"
	"github.com/netpol/netpol/compiler/artifact"
)

// PolicyDiff writes what differs in meaning for people.
func PolicyDiff(w io.Writer, r *policydiff.Report, st Style) error {
	var b strings.Builder
	diffPolicies(&b, r.Policies, st)
	diffNames(&b, r.Names, st)
	diffSettings(&b, r.Settings, st)
	for i := range r.Regions {
		diffRegion(&b, &r.Regions[i], st)
	}
	if r.More > 0 {
		b.WriteString("Flows that several of these are true of show them together.\n\n")
	}
	if len(r.Unshown) > 0 {
		heading(&b, "Not ruled out, and no flow found that shows it", st)
		for _, text := range r.Unshown {
			fmt.Fprintf(&b, "  ? %s\n", cleanLine(text))
		}
		b.WriteByte('\n')
	}
	diffReplay(&b, r.Replay, st)
	b.WriteString(diffVerdict(r, st))
	_, err := io.WriteString(w, b.String())
	return err
}

// diffNames lists what leads to another application.
func diffNames(b *strings.Builder, names []policydiff.NameChange, st Style) {
	if len(names) == 0 {
		return
	}
	heading(b, "Names", st)
	for i, n := range names {
		if i == maxShown {
			fmt.Fprintf(b, "  ... and %d more.\n", len(names)-i)
			break
		}
		fmt.Fprintf(b, "  %s %s %s: %s, now %s\n", st.in("~", bold, yellow), n.Kind, cleanLine(n.Value), noApplication(n.Before), noApplication(n.After))
	}
	b.WriteByte('\n')
}

// diffSettings lists what the netpol block says otherwise of connections.
func diffSettings(b *strings.Builder, settings []policydiff.SettingChange, st Style) {
	if len(settings) == 0 {
		return
	}
	heading(b, "Settings", st)
	for _, s := range settings {
		fmt.Fprintf(b, "  %s %s: %s, now %s\n", st.in("~", bold, yellow), s.Name, cmp.Or(cleanLine(s.Before), "none"), cmp.Or(cleanLine(s.After), "none"))
	}
	b.WriteByte('\n')
}

func noApplication(tags string) string {
	if tags == "" {
		return "no application"
	}
	return cleanLine(tags)
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
		before, after := policyText(c.Before, c.SchedulesBefore), policyText(c.After, c.SchedulesAfter)
		if c.Kind == policydiff.Modified && before == after {
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
func policyText(p *artifact.Policy, schedules []string) string {
	if p == nil {
		return ""
	}
	text := "criteria " + strings.Join(strings.Fields(p.Criteria), " ") + "\n" + tableCell(p.Does()) + "\n"
	for _, s := range schedules {
		text += "schedule " + tableCell(s) + "\n"
	}
	return text
}

func diffRegion(b *strings.Builder, r *policydiff.Region, st Style) {
	fmt.Fprintf(b, "%s\n", witnessLine(r, st))
	if r.Naming != "" {
		fmt.Fprintf(b, "  is called %s\n", cleanLine(r.Naming))
	}
	fmt.Fprintf(b, "  %s %s\n", st.in("before:", red), cleanLine(outcomeText(&r.Before)))
	fmt.Fprintf(b, "  %s  %s\n\n", st.in("after:", green), cleanLine(outcomeText(&r.After)))
}

// witnessLine is the flow, and when and how it is so where that matters.
func witnessLine(r *policydiff.Region, st Style) string {
	text := st.in("A flow with", bold) + " " + cleanLine(shorten(flowfacts.String(r.Witness), maxText))
	if len(r.Witness) == 0 {
		text = st.in("Any flow", bold)
	}
	if t, err := time.Parse(time.RFC3339, r.Time); err == nil {
		text += t.Format(", on Monday, 2 January 2006 at 15:04:05 (-07:00)")
	}
	switch r.Netpold {
	case "down":
		text += ", while netpold does not answer"
	case "undecided":
		text += ", of which netpold knows too little"
	}
	return text
}

// outcomeText is what becomes of a flow and which policies say so.
func outcomeText(o *outcome.Outcome) string {
	if len(o.Policies) == 0 {
		return o.Effect()
	}
	names := make([]string, len(o.Policies))
	for i, name := range o.Policies {
		if names[i] = name; slices.Contains(o.Audited, name) {
			names[i] += " [audited]"
		}
	}
	return o.Effect() + "  (" + strings.Join(names, ", ") + ")"
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
		return st.in("Equivalent", bold, green) + " (proved): every flow is treated alike" + diffBounds(r) + ".\n"
	case policydiff.NotFound:
		return st.in("No difference found", bold, yellow) + fmt.Sprintf(" in %d flows tried. This is no proof%s.\n", r.Tried, diffReason(r))
	case policydiff.Changed:
		text := st.in("Changed", bold, yellow) + ": " + plural(len(r.Regions), "kind of flow is", "kinds of flow are") + " treated otherwise"
		if len(r.Regions) == 0 && len(r.Settings) > 0 {
			text = st.in("Changed", bold, yellow) + ": settings alone; no policy treats a flow otherwise"
		}
		if r.Complete {
			return text + "; that is all" + diffBounds(r) + ".\n"
		}
		return text + fmt.Sprintf(", found in %d flows tried; there may be more%s.\n", r.Tried, diffReason(r))
	}
	return ""
}

// diffBounds is what a proof leaves out.
func diffBounds(r *policydiff.Report) string {
	if !r.FailuresTried {
		return ""
	}
	return ", while netpold runs. What policies that fail closed do without it was tried with some flows"
}

func diffReason(r *policydiff.Report) string {
	if len(r.Sampled) > 0 {
		return ": the values of " + strings.Join(r.Sampled, ", ") + " were sampled"
	}
	if len(r.Names) > 0 {
		return ": applications are recognised otherwise"
	}
	if len(r.Unshown) > 0 {
		return ": see above"
	}
	return ": there were too many cases to look at all"
}

// PolicyDiffJSON writes it for machines, as one document.
func PolicyDiffJSON(w io.Writer, r *policydiff.Report) error {
	return writeJSON(w, struct {
		FormatVersion string `json:"format_version"`
		*policydiff.Report
	}{FormatVersion, r})
}
