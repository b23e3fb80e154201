package program

import (
	"fmt"
	"strings"

	"github.com/netpol/netpol/compiler/artifact"
)

// Disassemble writes a bundle's program as text: for each policy its clauses,
// the literal each is filed under marked by a star, and what it writes; then
// the sinks and what flows must meet for them, the shared tests, then bytecode. It shows what is there, valid or not.
func Disassemble(b *artifact.Bundle) string {
	var w strings.Builder
	p := &b.Program
	fmt.Fprintf(&w, "program: %d policies, %d clauses, %d tests, %d codes, %s\n",
		len(b.Policies), len(p.Clauses), len(p.Tests), len(p.Codes), p.Engine)
	next := 0
	for id, policy := range b.Policies {
		fmt.Fprintf(&w, "\npolicy %d %s (%s:%d)\n", id, policy.Name, policy.File, policy.Line)
		for next < len(p.Clauses) && p.Clauses[next].Policy <= id {
			writeClause(&w, p, p.Clauses[next])
			next++
		}
		if id < len(p.Effects) {
			writeEffect(&w, b, p.Effects[id])
		}
	}
	for id, sink := range b.Sinks {
		fmt.Fprintf(&w, "\nsink %s\n", sink)
		for _, c := range b.SinkProgram.Clauses {
			if c.Policy == id {
				writeClause(&w, &b.SinkProgram, c)
			}
		}
	}
	for id, aggregate := range b.Aggregates {
		fmt.Fprintf(&w, "\naggregate %s\n", aggregate)
		for _, c := range b.SinkProgram.Clauses {
			if c.Policy == len(b.Sinks)+id {
				writeClause(&w, &b.SinkProgram, c)
			}
		}
	}
	writeIndex(&w, p)
	for i := range p.Codes {
		writeCode(&w, i, p.Codes[i])
	}
	return w.String()
}

func writeClause(w *strings.Builder, p *artifact.Program, c artifact.Clause) {
	if len(c.If) == 0 {
		w.WriteString("  when always\n")
		return
	}
	for i, l := range c.If {
		word, star := "   and", " "
		if i == 0 {
			word = "  when"
		}
		if i == c.Access {
			star = "*"
		}
		fmt.Fprintf(w, "%s %s t%d %s\n", word, star, l.Test(), literalText(p, l, 0))
	}
}

func writeEffect(w *strings.Builder, b *artifact.Bundle, e artifact.Effect) {
	names := make(map[int]string, len(b.Labels))
	for _, l := range b.Labels {
		names[l.Bit] = l.Name
	}
	for _, bit := range e.Labels {
		fmt.Fprintf(w, "  label %s (bit %d)\n", names[bit], bit)
	}
	if e.Mark != nil {
		fmt.Fprintf(w, "  mark %#x/%#x\n", e.Mark.Value, e.Mark.Mask)
	}
	for _, set := range e.Adds {
		if set >= 0 && set < len(b.FlowSets) {
			fmt.Fprintf(w, "  add to %s\n", b.FlowSets[set].ID())
		}
	}
	for _, sink := range e.Notify {
		if sink >= 0 && sink < len(b.Sinks) {
			fmt.Fprintf(w, "  notify %s\n", b.Sinks[sink].Name)
		}
	}
	for _, c := range []struct {
		name string
		artifact.Claim
	}{{"dscp", e.DSCP}, {"verdict", e.Verdict}, {"offload", e.Offload}} {
		switch c.Kind {
		case artifact.ClaimNone:
		case artifact.ClaimOwn:
			fmt.Fprintf(w, "  %s by its label\n", c.name)
		case artifact.ClaimAuto:
			fmt.Fprintf(w, "  %s if first, by label %s (bit %d)\n", c.name, names[c.Bit], c.Bit)
		}
	}
}

// writeIndex counts the clauses by how they are found.
func writeIndex(w *strings.Builder, p *artifact.Program) {
	counts := map[string]int{}
	var order []string
	for _, c := range p.Clauses {
		key := "tried for every flow"
		if c.Access >= 0 && c.Access < len(c.If) && c.If[c.Access].Test() < len(p.Tests) {
			t := p.Tests[c.If[c.Access].Test()]
			key = t.Attribute + " " + string(t.Op)
		}
		if counts[key] == 0 {
			order = append(order, key)
		}
		counts[key]++
	}
	w.WriteString("\nindex\n")
	for _, key := range order {
		fmt.Fprintf(w, "  %-32s %d clauses\n", key, counts[key])
	}
}

func writeCode(w *strings.Builder, i int, c artifact.Code) {
	fmt.Fprintf(w, "\ncode %d: %s\n", i, c.Source)
	code, err := loadCode(c)
	if err != nil {
		fmt.Fprintf(w, "  %v\n", err)
		return
	}
	for line := range strings.Lines(code.Disassemble()) {
		w.WriteString("  " + strings.TrimRight(line, " \n") + "\n")
	}
}
