package cli

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/netpol/netpol/cmd/netpol/internal/view"
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/program"
	"github.com/netpol/netpol/lang/fact"
)

const graphLong = `Draw what leads to what in a policy directory (default: the working directory): the
terms of the criteria, what is asked of packets (bytes, times), the policies they belong
to, the labels and marks that those set, and the nftables rules that act on the labels.

Exit codes: 0 drawn, 1 error.`

func newGraphCommand(t *tool) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "graph [POLICIES]",
		Short: "Draw criteria, policies, labels and rules as a graph",
		Long:  graphLong,
		Example: `  netpol graph policies | dot -Tsvg >policies.svg
  netpol graph --format mermaid policies`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeDirs,
		RunE: func(_ *cobra.Command, args []string) error {
			dir, err := t.policyDir(args)
			if err != nil {
				return err
			}
			return t.graph(dir, format)
		},
	}
	cmd.Flags().StringVar(&format, "format", "dot", "`form` of the graph: dot or mermaid")
	mustComplete(cmd, "format", "dot", "mermaid")
	t.addPolicyFlags(cmd)
	return cmd
}

func (t *tool) graph(dir, format string) error {
	if format != "dot" && format != "mermaid" {
		return fmt.Errorf("--format %q: write dot or mermaid", format)
	}
	set, err := t.mustCompile(dir, foreign{})
	if err != nil {
		return err
	}
	g, err := bundleGraph(set.bundle)
	if err != nil {
		return err
	}
	if format == "mermaid" {
		return g.Mermaid(t.Out)
	}
	return g.Dot(t.Out)
}

// grapher numbers the nodes of a bundle's graph.
type grapher struct {
	graph view.Graph
	index map[string]int // by kind and text
	drawn map[view.GraphEdge]bool
}

func (g *grapher) node(kind view.NodeKind, key, text string) int {
	key = fmt.Sprint(kind, key)
	i, ok := g.index[key]
	if !ok {
		i = len(g.graph.Nodes)
		g.index[key] = i
		g.graph.Nodes = append(g.graph.Nodes, view.GraphNode{Kind: kind, Text: text})
	}
	return i
}

func (g *grapher) edge(from, to int) {
	if e := (view.GraphEdge{From: from, To: to}); !g.drawn[e] {
		g.drawn[e] = true
		g.graph.Edges = append(g.graph.Edges, e)
	}
}

// bundleGraph follows a bundle from its terms to its rules.
func bundleGraph(b *artifact.Bundle) (view.Graph, error) {
	p, err := program.Load(b)
	if err != nil {
		return view.Graph{}, err
	}
	g := &grapher{index: map[string]int{}, drawn: map[view.GraphEdge]bool{}}
	for _, e := range p.NewMachine().Explain(&fact.Facts{}) {
		policy := &b.Policies[e.Policy]
		text := fmt.Sprintf("policy %s\n%s:%d", policy.Name, policy.File, policy.Line)
		if policy.Decided == artifact.DecidedKernel {
			text += "\nby the kernel alone"
		}
		if policy.Audit {
			text += "\nonly counted and logged"
		}
		if policy.Hold {
			text += "\nholds packets"
		}
		if policy.OnFail != "" {
			text += "\non_fail " + policy.OnFail
		}
		if policy.OnOverload != "" {
			text += "\non_overload " + policy.OnOverload
		}
		node := g.node(view.NodePolicy, policy.Name, text)
		if policy.When != "" {
			when := "packets with " + policy.When
			g.edge(g.node(view.NodeTerm, when, when), node)
		}
		for _, t := range e.Terms {
			g.edge(g.node(view.NodeTerm, t.Text, t.Text), node)
		}
		g.effects(b, e.Policy, node)
	}
	for _, c := range b.Ruleset.Chains {
		if c.Name != "np_init" { // it never runs
			g.rules(b, c)
		}
	}
	return g.graph, nil
}

// effects leads from a policy to the labels and the mark that it writes.
func (g *grapher) effects(b *artifact.Bundle, id, node int) {
	effect := &b.Program.Effects[id]
	bits := slices.Clone(effect.Labels)
	for _, c := range []artifact.Claim{effect.DSCP, effect.Verdict} {
		if c.Kind == artifact.ClaimAuto {
			bits = append(bits, c.Bit)
		}
	}
	for _, bit := range bits {
		g.edge(node, g.label(b, bit))
	}
	if m := effect.Mark; m != nil {
		text := fmt.Sprintf("mark %#x/%#x", m.Value, m.Mask)
		g.edge(node, g.node(view.NodeLabel, text, text))
	}
}

func (g *grapher) label(b *artifact.Bundle, bit int) int {
	text := fmt.Sprintf("label bit %d", bit)
	for _, l := range b.Labels {
		if l.Bit == bit {
			text = fmt.Sprintf("label %s\nbit %d", l.Name, bit)
		}
	}
	return g.node(view.NodeLabel, text, text)
}

// rules leads from labels to the rules that ask for them, or that stand in the
// chain of one. Who asks for several at once only enters a chain of rules that ask.
func (g *grapher) rules(b *artifact.Bundle, c artifact.Chain) {
	for i := range c.Rules {
		for _, m := range c.Rules[i].Match {
			if m.Kind != artifact.MatchCTLabel || m.Not || len(m.Bits) > 0 {
				continue
			}
			in, rules := c, c.Rules[i:i+1]
			if do := c.Rules[i].Do; do[0].Kind == artifact.DoJump {
				in = b.Ruleset.Chains[slices.IndexFunc(b.Ruleset.Chains, func(c artifact.Chain) bool { return c.Name == do[0].Name })]
				rules = in.Rules
			}
			for n := range rules {
				g.edge(g.label(b, m.Bit), g.node(view.NodeRule, rules[n].ID, in.Name+"\n"+rules[n].Summary()))
				g.sets(b, &rules[n])
			}
		}
	}
}

// sets leads from a rule on a label to the labels that it sets.
func (g *grapher) sets(b *artifact.Bundle, r *artifact.Rule) {
	for _, s := range r.Do {
		if s.Kind == artifact.DoSetCTLabel {
			g.edge(g.node(view.NodeRule, r.ID, ""), g.label(b, s.Bit))
		}
	}
}
