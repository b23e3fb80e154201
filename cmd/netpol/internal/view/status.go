package view

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/netpol/netpol/enforcer/control"
)

// Writer is where a view is written.
type Writer = io.Writer

// Health says in a word how a router is.
type Health string

// Words of Health.
const (
	Healthy  Health = "healthy"
	Degraded Health = "degraded"
	Stopped  Health = "stopped" // policies are not enforced
)

// Status is how a router is, on one screen.
type Status struct {
	Health        Health           `json:"health"`
	Digest        string           `json:"bundle_digest,omitempty"` // empty when nothing is applied
	Policies      int              `json:"policies"`
	Labels        int              `json:"labels"`
	Revision      *AppliedAs       `json:"revision,omitempty"`
	NeedsEnforcer bool             `json:"needs_netpold"`
	Socket        string           `json:"socket"`
	Hangs         time.Duration    `json:"-"` // how long netpold was waited for in vain; 0 where nothing listens
	Hanging       bool             `json:"netpold_hangs,omitempty"`
	Enforcer      *control.Status  `json:"netpold,omitempty"` // nil when it does not run
	Degraded      []control.Reason `json:"degraded"`
}

// AppliedAs is the newest revision.
type AppliedAs struct {
	Serial    int       `json:"revision"`
	Time      time.Time `json:"time"`
	Operation string    `json:"operation"`
	Author    string    `json:"author,omitempty"`
	Message   string    `json:"message,omitempty"`
	Commit    string    `json:"commit,omitempty"`
}

// JSON writes it for machines.
func (s Status) JSON(w Writer) error {
	if s.Degraded == nil {
		s.Degraded = []control.Reason{}
	}
	return writeJSON(w, struct {
		FormatVersion string `json:"format_version"`
		Status
	}{FormatVersion, s})
}

// Text writes it for people.
func (s Status) Text(w Writer, st Style) error {
	var b strings.Builder
	paints := map[Health]paint{Healthy: green, Degraded: yellow, Stopped: red}
	b.WriteString(st.in(s.headline(), bold, paints[s.Health]) + "\n\n")
	t := table(&b)
	line := func(name, format string, args ...any) {
		fmt.Fprintf(t, "%s\t%s\n", name, tableCell(fmt.Sprintf(format, args...)))
	}
	if s.Digest == "" {
		line("Policies", "none applied")
	} else {
		line("Policies", "%d, with %s; bundle %s", s.Policies, count(s.Labels, "label"), ShortDigest(s.Digest))
	}
	if s.Revision != nil {
		line("Applied", "%s", s.Revision.text(time.Now()))
	}
	s.enforcerLines(line)
	flush(t)
	if len(s.Degraded) > 0 {
		b.WriteByte('\n')
		Router{Degraded: s.Degraded}.degradedText(&b, st)
	}
	_, err := io.WriteString(w, strings.TrimRight(b.String(), "\n")+"\n")
	return err
}

// headline is the health as a sentence.
func (s Status) headline() string {
	switch {
	case s.Health == Healthy:
		return "Healthy."
	case s.Digest == "":
		return "No policies are applied: netpol apply."
	case s.Health == Stopped && s.Hangs > 0:
		return "netpold hangs, and the policies need it: what it decided stays in force, new connections are not named. systemctl restart netpold"
	case s.Health == Stopped && s.Enforcer != nil:
		return "netpold does not enforce the applied policies: what it decided stays in force, new connections are not named."
	case s.Health == Stopped:
		return "netpold does not run, and the policies need it: what it decided stays in force, new connections are not named. systemctl start netpold"
	case s.Hangs > 0:
		return "Degraded: netpold hangs. systemctl restart netpold"
	case s.Enforcer != nil && s.Enforcer.Digest != s.Digest:
		return "Degraded: netpold enforces other policies than the applied ones: netpol apply again."
	}
	var codes []string
	for _, r := range s.Degraded {
		codes = append(codes, r.Code)
	}
	return "Degraded: " + strings.Join(slices.Compact(codes), ", ") + ". What to do is below."
}

// text is who applied, when, and why.
func (r *AppliedAs) text(now time.Time) string {
	text := fmt.Sprintf("%s ago, revision %d", ago(now.Sub(r.Time)), r.Serial)
	if r.Operation != "" && r.Operation != "apply" {
		text += " (" + r.Operation + ")"
	}
	if r.Author != "" {
		text += ", by " + r.Author
	}
	if r.Message != "" {
		text += ": " + shorten(r.Message, maxText)
	}
	return text
}

// ago is how long something is ago, in the two largest units.
func ago(d time.Duration) string {
	switch d = max(d, 0).Round(time.Second); {
	case d < time.Minute:
		return d.String()
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d days %d h", int(d.Hours())/24, int(d.Hours())%24)
}

// enforcerLines are what netpold tells of itself.
func (s Status) enforcerLines(line func(name, format string, args ...any)) {
	e := s.Enforcer
	if e == nil {
		absent := Enforcer{Socket: s.Socket, Hangs: s.Hangs}
		line("netpold", "does not %s", absent.absence())
		return
	}
	c := func(name string) string { return thousands(e.Counters[name]) }
	line("netpold", "%s, process %d, up %s", e.Version, e.PID, ago(time.Since(e.Started)))
	if e.Detail != "" {
		line("", "%s", e.Detail)
	}
	if e.Waiting {
		return
	}
	line("Connections", "%s tracked, %s in inspection, %s analysed since it started", c("flows"), c("opening"), c("completed"))
	line("Packets", "%s read, %s lost", c("packets"), c("capture_lost"))
	line("Verdicts", "%s written, %s without room for a label, %s lost", c("ct_updates"), c("unlabelable"),
		thousands(e.Counters["ct_failed"]+e.Counters["ct_dropped"]+e.Counters["ct_denied"]))
	if most := e.Counters["conntrack_max"]; most > 0 {
		line("Conntrack", "%s of %s connections", c("conntrack_entries"), c("conntrack_max"))
	}
	for i := range e.Sinks {
		sink := &e.Sinks[i]
		text := fmt.Sprintf("%s records", thousands(sink.Records))
		for why, n := range sink.Dropped {
			text += fmt.Sprintf(", %s %s", thousands(n), why)
		}
		if sink.SpoolRecords > 0 {
			text += fmt.Sprintf(", %s waiting on disk", thousands(sink.SpoolRecords))
		}
		switch {
		case sink.Refused:
			text += ", refused: " + sink.Fault
		case sink.Fault != "":
			text += ", cannot write: " + sink.Fault
		}
		line("Sink "+sink.Name, "%s", text)
	}
}

// thousands writes a number with commas.
func thousands(n uint64) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
