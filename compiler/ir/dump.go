package ir

import (
	"fmt"
	"strconv"
	"strings"
)

// Dump writes the set as text, one policy a line, for goldens and people:
//
//	0 video in.netpol.hcl:1 application in {zoom} => label zoom, dscp cs5
func (s *Set) Dump() string {
	var b strings.Builder
	for _, in := range s.Inputs {
		fmt.Fprintf(&b, "input %s: %s\n", in.Name, in)
	}
	for i := range s.Policies {
		p := &s.Policies[i]
		fmt.Fprintf(&b, "%d %s %s:%d %s", p.ID, p.Name, p.Range.Filename, p.Range.Start.Line, Dump(p.Cond))
		if len(p.Packet) > 0 {
			fmt.Fprintf(&b, " for packets with %s", p.Packet)
		}
		fmt.Fprintf(&b, " => %s\n", effects(p))
	}
	for _, s := range s.Sinks {
		fmt.Fprintf(&b, "sink %s", s.Sink)
		if s.Cond != nil {
			fmt.Fprintf(&b, " (%s)", Dump(s.Cond))
		}
		b.WriteByte('\n')
	}
	for _, a := range s.Aggregates {
		fmt.Fprintf(&b, "aggregate %s", a.Aggregate)
		if a.Cond != nil {
			fmt.Fprintf(&b, " (%s)", Dump(a.Cond))
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// Words is the conjunction as its author wrote the comparisons; empty without
// literals.
func (c Conjunction) Words() string {
	parts := make([]string, len(c))
	for i, l := range c {
		if parts[i] = l.Test.Text; parts[i] == "" {
			parts[i] = l.Test.String()
		}
		if l.Not {
			parts[i] = "not " + parts[i]
		}
	}
	return strings.Join(parts, " and ")
}

// String is the conjunction as Dump writes conditions; empty without literals.
func (c Conjunction) String() string {
	parts := make([]string, len(c))
	for i, l := range c {
		if parts[i] = l.Test.String(); l.Not {
			parts[i] = "not " + parts[i]
		}
	}
	return strings.Join(parts, " and ")
}

func effects(p *Policy) string {
	var parts []string
	for _, l := range p.Labels {
		parts = append(parts, "label "+l)
	}
	if p.Mark != nil {
		parts = append(parts, fmt.Sprintf("mark %#x/%#x", p.Mark.Value, p.Mark.Mask))
	}
	if p.DSCP != nil {
		parts = append(parts, fmt.Sprintf("dscp %s(%d)", p.DSCP.Name, p.DSCP.Value))
	}
	if p.Verdict != NoVerdict {
		parts = append(parts, p.Verdict.String())
	}
	if parts = append(parts, p.Extras()...); len(parts) == 0 {
		parts = []string{"nothing"}
	}
	if p.OnFail == FailClosed {
		parts = append(parts, "fails closed")
	}
	if p.Closes() {
		parts = append(parts, p.OnOverload.String()+" on overload")
	}
	if p.Hold {
		parts = append(parts, "holds")
	}
	if p.Audit {
		return "only count " + strings.Join(parts, ", ")
	}
	return strings.Join(parts, ", ")
}

// Dump writes one condition as text. The text is unambiguous: an operand that
// is itself an And or Or stands in parentheses.
func Dump(e Expr) string {
	switch e := e.(type) {
	case *And:
		return dumpList(e.List, " and ")
	case *Or:
		return dumpList(e.List, " or ")
	case *Not:
		return "not " + dumpOperand(e.X)
	case *Const:
		return strconv.FormatBool(e.Value)
	case *Compare:
		return e.String()
	case *Residual:
		return "{" + e.Source + "}"
	}
	return "?"
}

func dumpList(list []Expr, sep string) string {
	parts := make([]string, len(list))
	for i, e := range list {
		parts[i] = dumpOperand(e)
	}
	return strings.Join(parts, sep)
}

func dumpOperand(e Expr) string {
	switch e.(type) {
	case *And, *Or:
		return "(" + Dump(e) + ")"
	case *Not, *Const, *Compare, *Residual:
	}
	return Dump(e)
}

// String is the comparison as Dump writes it: attribute, operator, constants.
func (e *Compare) String() string {
	if e.Op == OpTrue {
		return e.Attr.Name
	}
	var parts []string
	for _, s := range e.Strings {
		parts = append(parts, dumpString(s))
	}
	for _, r := range e.Ranges {
		parts = append(parts, r.String())
	}
	for _, p := range e.Prefixes {
		parts = append(parts, p.String())
	}
	name := e.Attr.Name
	if e.Mask != 0 {
		name += fmt.Sprintf(" & %#x", e.Mask)
	}
	return name + " " + e.Op.String() + " {" + strings.Join(parts, ", ") + "}"
}

// String is "80", or "1..1024".
func (r Interval) String() string {
	if r.Low == r.High {
		return strconv.Itoa(r.Low)
	}
	return strconv.Itoa(r.Low) + ".." + strconv.Itoa(r.High)
}

// dumpString leaves plain names bare and quotes everything else.
func dumpString(s string) string {
	for _, c := range s {
		if !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._/", c) {
			return strconv.Quote(s)
		}
	}
	if s == "" {
		return `""`
	}
	return s
}
