package compiler

import (
	"fmt"
	"slices"
	"strings"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/compiler/emit/label"
	"github.com/netpol/netpol/compiler/emit/nft"
	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/compiler/opt"
	"github.com/netpol/netpol/compiler/resolve"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
)

// Stages are the names that Dump knows, in the order that a set goes through.
func Stages() []string {
	return []string{"resolve", "typecheck", "normalise", "fold", "packet", "share", "split", "label", "nft", "program"}
}

// Dump is the set after one of the stages, as text for people; nothing reads
// it. It is empty if the diagnostics hold an error. The last stage's text comes
// from the caller, because only the enforcer's side can read a program:
// program.Disassemble.
func Dump(p *lang.Policy, opts Options, stage string, disassemble func(*artifact.Bundle) string) (string, diag.List) {
	b, diags := Compile(p, opts)
	if diags.HasErrors() {
		return "", diags
	}
	catalogue := opts.Catalogue
	if catalogue == nil {
		catalogue = &artifact.Catalogue{}
	}
	resolved, _ := resolve.Resolve(p, catalogue)
	switch stage {
	case "resolve":
		return resolved.Dump(), diags
	case "typecheck":
		return dumpTypes(resolved), diags
	case "normalise":
		return opt.Normalise(resolved).Dump(), diags
	case "fold":
		folded, _ := opt.Fold(opt.Normalise(resolved))
		return folded.Dump(), diags
	case "packet":
		folded, _ := opt.Fold(opt.Normalise(resolved))
		packets, _ := opt.Packets(folded)
		return packets.Dump(), diags
	case "nft":
		return string(nft.Text(b.Ruleset, b.Labels)), diags
	case "program":
		return disassemble(b), diags
	}
	set, _ := opt.Run(resolved)
	switch stage {
	case "share":
		return dumpShared(set), diags
	case "split":
		return dumpSplit(set), diags
	}
	return dumpLabels(b), diags
}

// dumpTypes lists each policy's comparisons with what is known of their
// attributes.
func dumpTypes(set *ir.Set) string {
	var b strings.Builder
	for _, p := range set.Policies {
		fmt.Fprintf(&b, "%d %s\n", p.ID, p.Name)
		ir.Walk(p.Cond, func(e ir.Expr) {
			switch e := e.(type) {
			case *ir.Compare:
				fmt.Fprintf(&b, "  %s: %s, decided %s, from %s\n", e, e.Attr.Type, e.Attr.Decided, e.Attr.From)
			case *ir.Residual:
				fmt.Fprintf(&b, "  {%s}: bool", e.Source)
				for _, a := range e.Reads {
					fmt.Fprintf(&b, ", reads %s (%s)", a.Name, a.Type)
				}
				b.WriteByte('\n')
			case *ir.And, *ir.Or, *ir.Not, *ir.Const:
			}
		})
	}
	return b.String()
}

// dumpShared is the set, and how often each condition is used that is used
// more than once.
func dumpShared(set *ir.Set) string {
	var order []ir.Expr
	uses := map[ir.Expr]int{}
	for _, p := range set.Policies {
		ir.Walk(p.Cond, func(e ir.Expr) {
			if uses[e]++; uses[e] == 2 {
				order = append(order, e)
			}
		})
	}
	var b strings.Builder
	b.WriteString(set.Dump())
	for _, e := range order {
		fmt.Fprintf(&b, "used %d times: %s\n", uses[e], ir.Dump(e))
	}
	return b.String()
}

// dumpSplit says who decides each policy, and why.
func dumpSplit(set *ir.Set) string {
	var b strings.Builder
	for _, p := range set.Policies {
		who := "kernel, on the first packet"
		if !p.Split.Kernel {
			who = "enforcer: " + enforcerReason(p.Cond)
		}
		fmt.Fprintf(&b, "%d %s: %s\n", p.ID, p.Name, who)
		for _, c := range p.Split.Any {
			fmt.Fprintf(&b, "  when %s\n", dumpConjunction(c))
		}
		if p.Split.Late {
			fmt.Fprintf(&b, "  %s by the enforcer: an earlier policy may accept by name\n", p.Verdict)
		}
		if len(p.Packet) > 0 {
			fmt.Fprintf(&b, "  then for packets with %s\n", p.Packet)
		}
		if p.Split.FailClosed {
			fmt.Fprintf(&b, "  %s while the enforcer cannot tell (%s), %s on overload\n", p.Verdict, p.OnFail, p.OnOverload)
		}
		if p.Split.Holds {
			b.WriteString("  packets wait until it is decided\n")
		}
	}
	return b.String()
}

func dumpConjunction(c ir.Conjunction) string {
	if len(c) == 0 {
		return "always"
	}
	return c.String()
}

// enforcerReason names what of a condition the kernel cannot decide.
func enforcerReason(e ir.Expr) string {
	var names []string
	ir.Walk(e, func(e ir.Expr) {
		switch e := e.(type) {
		case *ir.Compare:
			if !opt.InKernel(e) {
				names = append(names, e.Attr.Name)
			}
		case *ir.Residual:
			names = append(names, "{"+e.Source+"}")
		case *ir.And, *ir.Or, *ir.Not, *ir.Const:
		}
	})
	slices.Sort(names)
	if names = slices.Compact(names); len(names) > 0 {
		return strings.Join(names, ", ")
	}
	return "too many alternatives, or too many policies before it, for rules"
}

// dumpLabels lists the bits, and which of them each policy sets.
func dumpLabels(b *artifact.Bundle) string {
	var out strings.Builder
	names := map[int]string{}
	for _, l := range b.Labels {
		names[l.Bit] = l.Name
		fmt.Fprintf(&out, "bit %d of %d: %s\n", l.Bit, label.Bits, l.Name)
	}
	for i, e := range b.Program.Effects {
		var sets []string
		for _, bit := range e.Labels {
			sets = append(sets, names[bit])
		}
		for dim, c := range []artifact.Claim{e.DSCP, e.Verdict} {
			if c.Kind == artifact.ClaimAuto {
				sets = append(sets, fmt.Sprintf("%s if it is the first with a %s", names[c.Bit], []string{"dscp", "verdict"}[dim]))
			}
		}
		fmt.Fprintf(&out, "%d %s: %s\n", i, b.Policies[i].Name, strings.Join(sets, ", "))
	}
	return out.String()
}
