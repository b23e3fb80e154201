package view

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/control"
)

// Router is what show prints: what is applied, what the kernel counts, and
// how the enforcer is.
type Router struct {
	Bundle   *Bundle          `json:"bundle"` // nil: nothing is applied
	Rules    []Rule           `json:"rules"`
	Enforcer Enforcer         `json:"enforcer"`
	Degraded []control.Reason `json:"degraded"` // what is not as it should be
}

// Bundle is the applied bundle without its program and catalogue.
type Bundle struct {
	Digest   string            `json:"digest"`
	Labels   []artifact.Label  `json:"labels"`
	Policies []artifact.Policy `json:"policies"`
	Inputs   []artifact.Input  `json:"inputs,omitempty"`
	Sinks    []artifact.Sink   `json:"sinks,omitempty"`
	// Aggregates are what is added up of flows.
	Aggregates []artifact.Aggregate `json:"aggregates,omitempty"`
}

// NewBundle picks what is shown of a bundle.
func NewBundle(b *artifact.Bundle) *Bundle {
	return &Bundle{Digest: b.Digest(), Labels: b.Labels, Policies: b.Policies, Inputs: b.Inputs, Sinks: b.Sinks, Aggregates: b.Aggregates}
}

// Rule is a live rule and its counter.
type Rule struct {
	Chain   string `json:"chain"`
	Text    string `json:"rule"`
	Comment string `json:"comment,omitempty"`
	Packets uint64 `json:"packets"`
	Bytes   uint64 `json:"bytes"`
	Counted bool   `json:"counted"` // the rule has a counter
}

// Enforcer is netpold as its control socket answers.
type Enforcer struct {
	Running bool   `json:"running"`
	Socket  string `json:"socket"`
	// Hangs is how long it was waited for in vain, of one that listens and does not answer.
	Hangs time.Duration `json:"-"`
	// Status is netpold's own answer; nil when it does not run.
	Status any `json:"status,omitempty"`
	// Lines are the answer for people, name and value.
	Lines [][2]string `json:"-"`
}

// maxCriteria bounds what show prints of a criterion, in bytes.
const maxCriteria = 60

// Text writes the state for people.
func (r Router) Text(w io.Writer, st Style) error {
	var b strings.Builder
	r.degradedText(&b, st)
	r.bundleText(&b, st)
	r.rulesText(&b, st)
	r.enforcerText(&b, st)
	_, err := io.WriteString(w, b.String())
	return err
}

// JSON writes it for machines, as one document.
func (r Router) JSON(w io.Writer) error {
	if r.Rules == nil {
		r.Rules = []Rule{}
	}
	if r.Degraded == nil {
		r.Degraded = []control.Reason{}
	}
	return writeJSON(w, struct {
		FormatVersion string `json:"format_version"`
		Router
	}{FormatVersion, r})
}

func (r Router) degradedText(b *strings.Builder, st Style) {
	if len(r.Degraded) == 0 {
		return
	}
	b.WriteString(st.in("Degraded", bold, yellow) + "\n")
	for _, d := range r.Degraded {
		since := ""
		if !d.Since.IsZero() {
			since = ", since " + d.Since.Local().Format(time.DateTime)
		}
		about := ""
		if d.About != "" {
			about = " " + d.About
		}
		fmt.Fprintf(b, "  %s%s: %s%s\n    %s\n", d.Code, cleanLine(about), cleanLine(d.Detail), since, cleanLine(d.WayOut))
	}
	b.WriteByte('\n')
}

func (r Router) bundleText(b *strings.Builder, st Style) {
	heading(b, "Bundle", st)
	if r.Bundle == nil {
		b.WriteString("  none applied\n")
		return
	}
	fmt.Fprintf(b, "  %s\n\n", r.Bundle.Digest)
	heading(b, "Labels", st)
	labels := table(b)
	for _, l := range r.Bundle.Labels {
		owner := ""
		if l.Auto {
			owner = "\tnetpol's own"
		}
		fmt.Fprintf(labels, "  bit %d\t%s%s\n", l.Bit, tableCell(l.Name), owner)
	}
	flush(labels)
	b.WriteByte('\n')
	heading(b, "Policies", st)
	policies := table(b)
	for _, p := range r.Bundle.Policies {
		by := ""
		if p.Decided == artifact.DecidedKernel {
			by = "\tby the kernel alone"
		}
		fmt.Fprintf(policies, "  %s\t%s:%d\t%s\t%s%s\n", cleanLine(p.Name), cleanLine(p.File), p.Line,
			tableCell(shorten(strings.Join(strings.Fields(p.Criteria), " "), maxCriteria)), tableCell(p.Does()), by)
	}
	flush(policies)
	r.inputsText(b, st)
	r.sinksText(b, st)
	r.aggregatesText(b, st)
}

func (r Router) inputsText(b *strings.Builder, st Style) {
	if len(r.Bundle.Inputs) == 0 {
		return
	}
	b.WriteByte('\n')
	heading(b, "Inputs", st)
	inputs := table(b)
	for _, in := range r.Bundle.Inputs {
		fmt.Fprintf(inputs, "  %s\t%s\n", tableCell(in.Name), tableCell(in.String()))
	}
	flush(inputs)
}

func (r Router) sinksText(b *strings.Builder, st Style) {
	if len(r.Bundle.Sinks) == 0 {
		return
	}
	b.WriteByte('\n')
	heading(b, "Sinks", st)
	sinks := table(b)
	for i := range r.Bundle.Sinks {
		s := &r.Bundle.Sinks[i]
		fmt.Fprintf(sinks, "  %s\t%s\t%s\n", cleanLine(s.Name), tableCell(s.Place()), tableCell(s.Takes()))
	}
	flush(sinks)
}

func (r Router) aggregatesText(b *strings.Builder, st Style) {
	if len(r.Bundle.Aggregates) == 0 {
		return
	}
	b.WriteByte('\n')
	heading(b, "Aggregates", st)
	for _, a := range r.Bundle.Aggregates {
		names := make([]string, len(a.Sinks))
		for i, sink := range a.Sinks {
			names[i] = r.Bundle.Sinks[sink].Name
		}
		fmt.Fprintf(b, "  %s, to %s\n", cleanLine(a.String()), cleanLine(strings.Join(names, ", ")))
	}
}

func (r Router) rulesText(b *strings.Builder, st Style) {
	b.WriteByte('\n')
	heading(b, "Rules", st)
	if len(r.Rules) == 0 {
		b.WriteString("  none in the kernel\n")
		return
	}
	t := table(b)
	fmt.Fprintf(t, "  %s\t%s\t%s\t%s\n", "CHAIN", "PACKETS", "BYTES", "RULE")
	for _, rule := range r.Rules {
		packets, bytes := "-", "-"
		if rule.Counted {
			packets, bytes = fmt.Sprint(rule.Packets), fmt.Sprint(rule.Bytes)
		}
		fmt.Fprintf(t, "  %s\t%s\t%s\t%s\n", tableCell(rule.Chain), packets, bytes, tableCell(rule.Text))
	}
	flush(t)
}

func (r Router) enforcerText(b *strings.Builder, st Style) {
	b.WriteByte('\n')
	heading(b, "Enforcer", st)
	if !r.Enforcer.Running {
		fmt.Fprintf(b, "  netpold does not %s.\n", r.Enforcer.absence())
		if r.Bundle != nil && !artifact.NeedEnforcer(r.Bundle.Policies, r.Bundle.Sinks) {
			b.WriteString("  No policy needs it: the kernel decides all of them alone.\n")
			return
		}
		b.WriteString("  What it decided stays in force; new flows are not named.\n")
		if r.holds() {
			b.WriteString("  No packet waits for it, whatever policies with hold say.\n")
		}
		for _, p := range r.closed() {
			fmt.Fprintf(b, "  Policy %s fails closed: flows that it could match get its verdict.\n", cleanLine(p.Name))
		}
		return
	}
	t := table(b)
	for _, line := range r.Enforcer.Lines {
		fmt.Fprintf(t, "  %s\t%s\n", tableCell(line[0]), tableCell(line[1]))
	}
	flush(t)
}

// absence says why there is no answer, after "netpold does not".
func (e *Enforcer) absence() string {
	if e.Hangs > 0 {
		return fmt.Sprintf("answer: it listens on %s and hangs, for %s at least (journalctl -u netpold; systemctl restart netpold)", cleanLine(e.Socket), e.Hangs)
	}
	return fmt.Sprintf("run (nothing answers on %s)", cleanLine(e.Socket))
}

// holds reports whether packets wait for netpold when it runs.
func (r Router) holds() bool {
	return r.Bundle != nil && slices.ContainsFunc(r.Bundle.Policies, func(p artifact.Policy) bool { return p.Hold })
}

// closed are the policies that fail closed, once each.
func (r Router) closed() []artifact.Policy {
	if r.Bundle == nil {
		return nil
	}
	var out []artifact.Policy
	for _, p := range r.Bundle.Policies {
		if p.OnFail != "" && p.Part == 0 && p.Decided == artifact.DecidedEnforcer {
			out = append(out, p)
		}
	}
	return out
}

func heading(b *strings.Builder, text string, st Style) { b.WriteString(st.in(text, bold) + "\n") }

func table(w io.Writer) *tabwriter.Writer { return tabwriter.NewWriter(w, 0, 8, 2, ' ', 0) }

// flush ends a table that writes into a strings.Builder, which cannot fail.
func flush(t *tabwriter.Writer) { _ = t.Flush() }

// tableCell makes text safe for one cell of a table.
func tableCell(s string) string { return strings.ReplaceAll(cleanLine(s), "\t", " ") }
