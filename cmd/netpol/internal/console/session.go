package console

import (
	"fmt"
	"slices"
	"strings"

	"github.com/netpol/netpol/cmd/netpol/internal/flowfacts"
	"github.com/netpol/netpol/cmd/netpol/internal/outcome"
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/program"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/fact"
	"github.com/netpol/netpol/lang/suggest"
)

// Filename is what diagnostics call the line that was typed.
const Filename = "console"

// Sample is a flow that expressions are tried on.
type Sample struct {
	Name  string // a few words; for a captured flow, its record
	Facts *fact.Facts
}

// Session is one conversation. It is not safe for concurrent use.
type Session struct {
	Policy    *lang.Policy // groups and applications that expressions may use
	Bundle    *artifact.Bundle
	Catalogue *artifact.Catalogue // the standard one, which Policy adds to
	Samples   []Sample

	moment
}

// Reply is the answer to one line; the fields that are set are the answer.
type Reply struct {
	Diagnostics diag.List
	Type        string // of the expression: "condition", "host name", "number"
	Attribute   *fact.Attribute
	Results     []Result   // one a sample
	Rows        [][]string // a table
	Help        bool
	Quit        bool
	Note        string
}

// Result is what an expression is on one sample.
type Result struct {
	Sample *Sample
	Holds  bool
	Value  string // of an attribute that stands alone
	Terms  []program.Term
}

// Faulty reports whether the line could not be answered.
func (r *Reply) Faulty() bool { return r.Diagnostics.HasErrors() }

// Answer answers a line: a command that begins with a colon, or an expression.
func (s *Session) Answer(line string) (*Reply, error) {
	line = strings.TrimSpace(line)
	switch {
	case line == "":
		return &Reply{}, nil
	case strings.HasPrefix(line, ":"):
		return s.command(line), nil
	}
	if a, ok := fact.Lookup(strings.TrimRight(line, "; ")); ok && a.Type != fact.Flag {
		return s.attribute(a)
	}
	return s.expression(line)
}

// attribute tells of an attribute and its values.
func (s *Session) attribute(a fact.Attribute) (*Reply, error) {
	clock, err := s.clock()
	if err != nil {
		return nil, err
	}
	r := &Reply{Type: a.Type.String(), Attribute: &a}
	for i := range s.Samples {
		f, err := s.facts(&s.Samples[i], clock)
		if err != nil {
			return nil, err
		}
		r.Results = append(r.Results, Result{Sample: &s.Samples[i], Value: flowfacts.Text(f, a)})
	}
	return r, nil
}

func (s *Session) expression(line string) (*Reply, error) {
	if len(line) > lang.MaxCriteriaBytes {
		return &Reply{Diagnostics: diag.List{diag.New(diag.TooLarge, diag.Range{}, "The line is too long for an expression.")}}, nil
	}
	filter, diags, err := s.compile(line)
	if err != nil {
		return nil, err
	}
	r := &Reply{Diagnostics: diags, Type: "condition"}
	if filter == nil {
		r.Type, err = s.typeOf(line)
		if r.Type != "" {
			r.Diagnostics = nil
			r.Note = "A criterion is true or false: compare it with something."
		}
		return r, err
	}
	evaluator := filter.Evaluator()
	for i := range s.Samples {
		f, err := s.facts(&s.Samples[i], evaluator.Clock)
		if err != nil {
			return nil, err
		}
		x := Result{Sample: &s.Samples[i], Holds: filter.Holds(f)}
		for _, e := range evaluator.Explain(f) {
			for _, t := range e.Terms {
				if !slices.Contains(x.Terms, t) { // parts of one condition share terms
					x.Terms = append(x.Terms, t)
				}
			}
		}
		r.Results = append(r.Results, x)
	}
	return r, nil
}

func (s *Session) compile(line string) (*outcome.Filter, diag.List, error) {
	return outcome.NewFilter(s.Policy, s.Catalogue, []lang.Criteria{lang.NewCriteria(Filename, line)})
}

// typeOf finds the type of an expression that is no condition, by what it can
// be compared with; empty when it is nothing at all.
func (s *Session) typeOf(line string) (string, error) {
	line = strings.TrimRight(line, "; ")
	for _, probe := range []struct{ typ, text string }{{"number", "(" + line + ") > 0"}, {"string", "(" + line + ") == ''"}} {
		filter, diags, err := s.compile(probe.text)
		if err != nil {
			return "", err
		}
		if filter != nil && !diags.HasErrors() {
			return probe.typ, nil
		}
	}
	return "", nil
}

// commands are what a colon may begin.
var commands = []string{":apps", ":attributes", ":categories", ":groups", ":help", ":protocols", ":quit", ":samples", ":schedules", ":set", ":time"}

func (s *Session) command(line string) *Reply {
	name, text, _ := strings.Cut(line, " ")
	text = strings.TrimSpace(text)
	prefix := strings.ToLower(text)
	switch name {
	case ":help", ":h", ":?":
		return &Reply{Help: true}
	case ":quit", ":q", ":exit":
		return &Reply{Quit: true}
	case ":attributes":
		return rows(attributeRows(), prefix)
	case ":apps":
		return rows(s.applicationRows(), prefix)
	case ":protocols":
		return rows(s.protocolRows(), prefix)
	case ":categories":
		return rows(s.categoryRows(), prefix)
	case ":groups":
		return rows(s.groupRows(), prefix)
	case ":schedules":
		return s.schedules(prefix)
	case ":set":
		return s.setAttribute(text)
	case ":time":
		return s.setTime(strings.Trim(text, `"'`))
	case ":samples":
		var list [][]string
		for _, x := range s.Samples {
			list = append(list, []string{x.Name, flowfacts.String(flowfacts.Known(x.Facts))})
		}
		return rows(list, "")
	}
	d := diag.New(diag.UnknownArgument, diag.Range{}, fmt.Sprintf("There is no command %s. The commands are %s.", name, strings.Join(commands, ", ")))
	return &Reply{Diagnostics: diag.List{d.WithHint(suggest.Hint(name, commands))}}
}

// rows keeps those whose first cell begins with the prefix.
func rows(list [][]string, prefix string) *Reply {
	list = slices.DeleteFunc(list, func(row []string) bool { return !strings.HasPrefix(strings.ToLower(row[0]), prefix) })
	if len(list) == 0 {
		return &Reply{Note: "None."}
	}
	return &Reply{Rows: list}
}

func attributeRows() [][]string {
	var out [][]string
	for _, a := range fact.Attributes {
		out = append(out, []string{a.Name, a.Type.String(), strings.Join(a.Aliases, ", "), a.Doc})
	}
	for _, p := range fact.Pairs {
		out = append(out, []string{p.Name, "either of two", p.Of[0] + ", " + p.Of[1], p.Doc})
	}
	return out
}

func (s *Session) applicationRows() [][]string {
	var out [][]string
	for _, a := range s.Bundle.Catalogue.Applications {
		out = append(out, []string{a.Tag, a.Name, a.Category})
	}
	return out
}

func (s *Session) protocolRows() [][]string {
	var out [][]string
	for _, p := range s.Bundle.Catalogue.Protocols {
		out = append(out, []string{p.Tag, p.Name, p.Category})
	}
	return out
}

func (s *Session) categoryRows() [][]string {
	var out [][]string
	for _, c := range s.Bundle.Catalogue.Categories {
		out = append(out, []string{c.Tag, c.Description})
	}
	return out
}

func (s *Session) groupRows() [][]string {
	var out [][]string
	for _, g := range s.Policy.Groups {
		out = append(out, []string{g.Name, g.Description})
	}
	return out
}
