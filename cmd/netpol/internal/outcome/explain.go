package outcome

import (
	"fmt"
	"strings"

	"github.com/netpol/netpol/cmd/netpol/internal/flowfacts"
	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/compiler/lint/flowspace"
	"github.com/netpol/netpol/enforcer/program"
	"github.com/netpol/netpol/lang/fact"
)

// Explain is the program's explanation with what each policy asks of the
// packet besides.
func (e *Evaluator) Explain(f *fact.Facts) []program.Explanation {
	list := e.machine.Explain(f)
	for i := range list {
		for _, l := range e.packet[list[i].Policy] {
			holds := (flowspace.Eval(l.Test, f) == flowspace.Yes) != l.Not
			text := comparison(l.Test)
			if l.Not {
				text = "not (" + text + ")"
			}
			list[i].Terms = append(list[i].Terms, program.Term{Text: text, Value: flowfacts.Text(f, l.Test.Attr), Holds: holds})
			list[i].Matched = list[i].Matched && holds
		}
	}
	return list
}

// comparison writes what is asked of a packet as an author would.
func comparison(c *ir.Compare) string {
	_, high := flowfacts.Domain(c.Attr)
	number := func(n int) string { return flowfacts.NumberText(c.Attr, n) }
	if c.Mask != 0 {
		number = func(n int) string { return fmt.Sprintf("'%#x/%#x'", n, c.Mask) }
	}
	var parts []string
	for _, r := range c.Ranges {
		switch {
		case r.Low == r.High:
			parts = append(parts, c.Attr.Name+" == "+number(r.Low))
		case r.High >= high:
			parts = append(parts, c.Attr.Name+" >= "+number(r.Low))
		case r.Low <= 0:
			parts = append(parts, c.Attr.Name+" <= "+number(r.High))
		default:
			parts = append(parts, c.Attr.Name+" in "+number(r.Low)+".."+number(r.High))
		}
	}
	if len(c.Ranges) > 0 {
		return strings.Join(parts, " or ")
	}
	if len(c.Strings) == 1 {
		return c.Attr.Name + " == '" + c.Strings[0] + "'"
	}
	return c.Attr.Name + " in ['" + strings.Join(c.Strings, "', '") + "']"
}
