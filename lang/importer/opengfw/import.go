package opengfw

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/importer"
	"github.com/netpol/netpol/lang/suggest"
)

// run is one import.
type run struct {
	in    importer.Input
	src   *importer.Source
	lines []int // offset of the first byte of each line
	out   *importer.Result
	names importer.Unique
	told  map[string]bool
	// lost names a rule that lets flows through and was not converted: rules
	// that block would reach further without it.
	lost string
}

// Import converts a file of rules.
func Import(in importer.Input) *importer.Result {
	r := &run{
		in: in, src: importer.NewSource(in.Name, in.Source), told: map[string]bool{}, lines: []int{0},
		out: &importer.Result{Report: importer.Report{Format: "opengfw"}},
	}
	for i, c := range in.Source {
		if c == '\n' {
			r.lines = append(r.lines, i+1)
		}
	}
	if list := r.read(); list != nil {
		if len(list.Content) > importer.MaxRules {
			r.add(importer.TooManyRules(r.rangeOf(list), len(list.Content)))
			return r.out
		}
		r.rules(list)
	}
	r.out.Report.Findings.Sort()
	return r.out
}

func (r *run) add(d diag.Diagnostic) { r.out.Report.Add(d) }

// report tells of a node of the file.
func (r *run) report(id string, n *yaml.Node, format string, args ...any) {
	r.add(importer.New(id, r.rangeOf(n), format, args...))
}

// offset is the byte of the file that a node begins at.
func (r *run) offset(n *yaml.Node) int {
	if n.Line < 1 || n.Line > len(r.lines) {
		return 0
	}
	at := r.lines[n.Line-1]
	for column := 1; column < n.Column && at < len(r.in.Source); column++ {
		at++
		for at < len(r.in.Source) && r.in.Source[at]&0xc0 == 0x80 { // the rest of a character
			at++
		}
	}
	return at
}

// rangeOf is a node's place, to the end of its line at most.
func (r *run) rangeOf(n *yaml.Node) diag.Range {
	from := r.offset(n)
	to := from
	for to < len(r.in.Source) && r.in.Source[to] != '\n' && (n.Kind != yaml.ScalarNode || to < from+max(1, len(n.Value))) {
		to++
	}
	return r.src.Range(from, to)
}

// read parses the input; nil after a fault that ends the import.
func (r *run) read() *yaml.Node {
	if len(r.in.Source) > importer.MaxBytes {
		r.add(importer.New(importer.InputTooLarge, r.src.Range(0, 0), "The file is larger than %d KiB.", importer.MaxBytes>>10))
		return nil
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(r.in.Source, &doc); err != nil {
		r.add(importer.New(importer.BadInput, r.lineOf(err), "This is not YAML: %s.", strings.TrimPrefix(err.Error(), "yaml: ")))
		return nil
	}
	if doc.Kind == 0 {
		return &yaml.Node{Kind: yaml.SequenceNode} // an empty file
	}
	top := doc.Content[0]
	if top.Kind != yaml.SequenceNode {
		r.report(importer.BadInput, top, "The file is no list of rules.")
		return nil
	}
	return top
}

// errorLine is how the YAML parser says where a fault is.
var errorLine = regexp.MustCompile(`^yaml: line ([0-9]+):`)

// lineOf is the line that an error of the YAML parser speaks of.
func (r *run) lineOf(err error) diag.Range {
	m := errorLine.FindStringSubmatch(err.Error())
	if m == nil {
		return r.src.Range(0, 0)
	}
	n, _ := strconv.Atoi(m[1]) // the pattern has digits only; 0 is the first line
	return r.rangeOf(&yaml.Node{Kind: yaml.MappingNode, Line: min(max(n, 1), len(r.lines)), Column: 1})
}

// rule is one rule and what becomes of it.
type rule struct {
	name    string
	policy  string
	at      *yaml.Node
	expr    *yaml.Node
	action  string
	log     bool
	cond    importer.Condition
	reasons []string
}

func (u *rule) disable(format string, args ...any) {
	if reason := fmt.Sprintf(format, args...); !slices.Contains(u.reasons, reason) {
		u.reasons = append(u.reasons, reason)
	}
}

// rules converts all rules.
func (r *run) rules(list *yaml.Node) {
	w := importer.NewWriter("Imported from "+importer.OneLine(r.in.Name, 200)+", rules of OpenGFW, by netpol import.",
		"Read the report of the import before you apply it.")
	for i, n := range list.Content {
		u := r.rule(i, n)
		r.write(w, u)
	}
	r.out.Files = w.Files(importer.BaseName(r.in.Name, "opengfw"))
}

// rule reads one rule.
func (r *run) rule(index int, n *yaml.Node) *rule {
	u := &rule{at: n, name: fmt.Sprintf("rule %d", index+1)}
	defer func() { u.policy = r.names.Rule(index, u.name) }()
	if n.Kind != yaml.MappingNode {
		r.report(importer.WrongType, n, "A rule is a map with name, expr, and action or log.")
		u.disable("the rule is not valid")
		return u
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		r.key(u, n.Content[i], n.Content[i+1])
	}
	if u.expr == nil {
		r.report(importer.MissingKey, n, "The rule needs an expr.")
		u.disable("the rule has no expr")
	} else {
		r.convert(u)
	}
	if u.action == "" && !u.log {
		r.report(importer.MissingKey, n, "The rule needs an action, or log: true.")
		u.disable("the rule has no action")
	}
	return u
}

// key reads one key of a rule.
func (r *run) key(u *rule, key, v *yaml.Node) {
	if v.Kind == yaml.AliasNode {
		r.report(importer.NotConverted, v, "Aliases are not read; write the value.")
		u.disable("an alias was not read")
		return
	}
	if key.Value != "modifier" && v.Kind != yaml.ScalarNode {
		r.report(importer.WrongType, v, "%s is a single value.", importer.OneLine(key.Value, 80))
		u.disable("%s has the wrong type", importer.OneLine(key.Value, 80))
		return
	}
	switch key.Value {
	case "name":
		u.name = v.Value
	case "expr":
		u.expr = v
	case "log":
		u.log = v.Value == "true"
	case "action":
		actions := []string{"allow", "block", "drop", "modify"}
		if u.action = strings.ToLower(v.Value); !slices.Contains(actions, u.action) {
			r.add(importer.New(importer.BadValue, r.rangeOf(v), "There is no action %q. The actions are %s.", importer.OneLine(v.Value, 80), strings.Join(actions, ", ")).
				WithHint(suggest.Hint(u.action, actions)))
			u.disable("its action does not exist")
		}
	case "modifier":
	default:
		known := []string{"action", "expr", "log", "modifier", "name"}
		r.add(importer.New(importer.UnknownKey, r.rangeOf(key), "OpenGFW knows no key %q in a rule; it was not converted.", importer.OneLine(key.Value, 80)).
			WithHint(suggest.Hint(key.Value, known)))
	}
}

// convert converts a rule's expression.
func (r *run) convert(u *rule) {
	text := u.expr.Value
	k := &converter{names: &r.in.Names, note: func(topic string, from, to int, format string, args ...any) {
		if !r.told[topic] {
			r.told[topic] = true
			r.add(importer.New(importer.Assumed, r.inside(u.expr, from, to), format, args...))
		}
	}}
	n, err := parse(text)
	var t truth
	if err == nil {
		t, err = k.condition(n)
	}
	switch {
	case err != nil && err.foreign:
		r.add(importer.New(importer.NoAttribute, r.inside(u.expr, err.from, err.to), "%s", err.why))
		u.disable("its expr could not be converted")
	case err != nil:
		r.add(importer.New(importer.BadCriteria, r.inside(u.expr, err.from, err.to), "%s", err.why))
		u.disable("its expr is not valid")
	case t.deep || t.holds.Depth > importer.MaxNesting || len(t.holds.Text) > maxBytes:
		r.report(importer.TooComplex, u.expr, "Written for netpol this nests deeper than %d parentheses or is longer than %d KiB.", importer.MaxNesting, maxBytes>>10)
		u.disable("its expr is too complex")
	case t.holds.Shape == importer.Never:
		r.report(importer.NeverMatches, u.expr, "The expr holds for no flow.")
		u.disable("it never matches")
	default:
		u.cond = t.holds
	}
}

// inside is the place of a stretch of an expression: exactly where it stands on
// one line of the file as it is, else the whole.
func (r *run) inside(n *yaml.Node, from, to int) diag.Range {
	at := r.offset(n)
	if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
		at++
	}
	if strings.HasPrefix(string(r.in.Source[min(at, len(r.in.Source)):]), n.Value) {
		return r.src.Range(at+from, at+to)
	}
	return r.rangeOf(n)
}
