package qosify

import (
	"slices"
	"strings"

	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/importer"
)

// rank is the order in which qosify lets matches count.
type rank uint8

const (
	byAddress rank = iota
	byName
	byPort
)

// line is one line of the map and what becomes of it.
type line struct {
	number   int
	match    string
	from, to int // of the match
	rank     rank
	cond     importer.Condition
	dscp     string
	keep     bool // only where the packet has no code point yet
	reasons  []string
	low      int // ports
	high     int
	protocol string
	policy   string
}

func (l *line) disable(reason string) { l.reasons = append(l.reasons, reason) }

// run is one import.
type run struct {
	in    importer.Input
	src   *importer.Source
	out   *importer.Result
	names importer.Unique
	told  map[string]bool
}

// Import converts a map file.
func Import(in importer.Input) *importer.Result {
	r := &run{
		in: in, src: importer.NewSource(in.Name, in.Source), told: map[string]bool{},
		out: &importer.Result{Report: importer.Report{Format: "qosify"}},
	}
	if len(in.Source) > importer.MaxBytes {
		r.report(importer.InputTooLarge, 0, 0, "The file is larger than %d KiB.", importer.MaxBytes>>10)
		return r.out
	}
	lines := r.lines()
	if len(lines) > importer.MaxRules {
		r.add(importer.TooManyRules(r.src.Range(0, 0), len(lines)))
		return r.out
	}
	r.write(lines)
	r.out.Report.Findings.Sort()
	return r.out
}

func (r *run) add(d diag.Diagnostic) { r.out.Report.Add(d) }

func (r *run) report(id string, from, to int, format string, args ...any) {
	r.add(importer.New(id, r.src.Range(from, to), format, args...))
}

// once reports a thing the first time that it is met.
func (r *run) once(id, topic string, from, to int, format string, args ...any) {
	if !r.told[topic] {
		r.told[topic] = true
		r.report(id, from, to, format, args...)
	}
}

// lines reads the file. Empty lines and those that begin with # say nothing.
func (r *run) lines() []*line {
	var out []*line
	at, number := 0, 0
	for text := range strings.Lines(string(r.in.Source)) {
		number++
		if l := r.line(text, at); l != nil {
			l.number = number
			l.policy = r.names.Rule(number, l.match)
			out = append(out, l)
		}
		at += len(text)
	}
	return out
}

// line reads one line that begins at a byte of the file.
func (r *run) line(text string, at int) *line {
	text, _, _ = strings.Cut(text, "#")
	fields := strings.Fields(text)
	if len(fields) == 0 {
		return nil
	}
	from := at + strings.Index(text, fields[0])
	l := &line{match: fields[0], from: from, to: from + len(fields[0])}
	if len(fields) != 2 {
		r.report(importer.BadInput, from, at+len(strings.TrimRight(text, " \t\r\n")), "A line is a match and a code point, such as tcp:443 CS1.")
		l.disable("the line is no match and a code point")
		return l
	}
	r.match(l)
	value := at + strings.LastIndex(text, fields[1])
	r.codePoint(l, fields[1], value)
	return l
}

// write writes the policies in the order that qosify lets them count.
func (r *run) write(lines []*line) {
	order := r.order(lines)
	w := importer.NewWriter("Imported from "+importer.OneLine(r.in.Name, 200)+", a map of qosify, by netpol import.",
		"Read the report of the import before you apply it.")
	for _, l := range order {
		block := importer.Block{Type: "policy", Label: l.policy}
		add := func(name, value string) {
			block.Arguments = append(block.Arguments, importer.Argument{Name: name, Value: value})
		}
		cond := l.cond
		if len(l.reasons) > 0 {
			block.Comment = []string{"Switched off by the import: " + strings.Join(l.reasons, "; ") + ".", "qosify's match: " + l.match}
			r.report(importer.PolicyDisabled, l.from, l.to, "The policy %q is switched off: %s.", l.policy, strings.Join(l.reasons, "; "))
		}
		if cond.Text == "" {
			cond = importer.Fixed(false)
		}
		add("criteria", importer.Quote(cond.Text))
		if l.dscp != "" {
			add("dscp", importer.Quote(l.dscp))
		}
		if l.dscp != "" && l.keep {
			add("dscp_if_unset", "true")
		}
		if len(l.reasons) > 0 {
			add("enabled", "false")
		}
		w.Add(block)
	}
	for _, l := range lines {
		item := importer.Item{Name: l.match, Policy: l.policy, Line: l.number}
		if len(l.reasons) > 0 {
			item.State = importer.Disabled
		}
		r.out.Report.Items = append(r.out.Report.Items, item)
	}
	r.out.Files = w.Files(importer.BaseName(r.in.Name, "qosify"))
}

// order sorts lines by rank. Of two lines that share ports, or an address, the
// later one counts in qosify and the first policy here, so it moves before the
// other.
func (r *run) order(lines []*line) []*line {
	var out []*line
	for _, l := range lines {
		at := len(out)
		for i, o := range out {
			if l.overlaps(o) {
				r.report(importer.DuplicateKey, l.from, l.to, "This meets what line %d has already. The later line counts, so its policy stands first.", o.number)
				at = i
				break
			}
		}
		out = slices.Insert(out, at, l)
	}
	slices.SortStableFunc(out, func(a, b *line) int { return int(a.rank) - int(b.rank) })
	return out
}

func (l *line) overlaps(o *line) bool {
	if l.rank != o.rank || l.dscp == o.dscp && l.keep == o.keep {
		return false
	}
	switch l.rank {
	case byPort:
		return l.protocol != "" && l.protocol == o.protocol && l.low <= o.high && o.low <= l.high
	case byAddress:
		return l.match == o.match
	case byName: // the first that matches counts, here as there
	}
	return false
}
