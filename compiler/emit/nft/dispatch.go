package nft

import (
	"fmt"
	"slices"

	"github.com/netpol/netpol/compiler/artifact"
)

// fewLabels is how many labels a chain may ask for one after the other before
// they are put into blocks: one test of a label takes 35 to 45 ns (2026-11).
const fewLabels = 4

// dispatch puts the rules of a chain into blocks of few labels, and those into
// blocks again, which a packet skips by one test: a connection has few labels,
// and most have none. So a packet tries a handful of rules however many labels
// there are, and one alone if none of them is its own. Neighbours stay neighbours: the order of the rules is that of the
// policies. A rule that ends the evaluation ends it from within a block as well.
//
// A map by label would be one look-up, but a map of labels breaks "nft list
// ruleset" (nft 1.0.6, "Unknown data type in set key"), or makes one that cannot
// be loaded again.
func dispatch(c artifact.Chain) []artifact.Chain {
	nodes := make([]labelRun, 0, len(c.Rules))
	for _, r := range c.Rules {
		bit := labelOf(r)
		if n := len(nodes); n > 0 && bit >= 0 && len(nodes[n-1].bits) == 1 && nodes[n-1].bits[0] == bit {
			nodes[n-1].rules = append(nodes[n-1].rules, r)
			continue
		}
		b := labelRun{rules: []artifact.Rule{r}}
		if bit >= 0 {
			b.bits = []int{bit}
		}
		nodes = append(nodes, b)
	}
	d := dispatcher{name: c.Name}
	for i, n := range nodes {
		if len(n.bits) == 1 && len(n.rules) > 1 {
			nodes[i] = d.own(n)
		}
	}
	for len(nodes) > fewLabels {
		next := d.group(nodes)
		if len(next) == len(nodes) {
			break
		}
		nodes = next
	}
	if len(nodes) > 1 {
		nodes = d.gate(nodes)
	}
	c.Rules = nil
	for _, n := range nodes {
		c.Rules = append(c.Rules, n.rules...)
	}
	return append([]artifact.Chain{c}, d.chains...)
}

// labelOf is the label that a rule asks for first; -1 for none.
func labelOf(r artifact.Rule) int {
	if len(r.Match) == 0 || r.Match[0].Kind != artifact.MatchCTLabel || r.Match[0].Not || len(r.Match[0].Bits) > 0 {
		return -1
	}
	return r.Match[0].Bit
}

// labelRun is rules that act only on flows with one of some labels; without bits,
// on any.
type labelRun struct {
	bits  []int // sorted
	rules []artifact.Rule
}

type dispatcher struct {
	name   string
	chains []artifact.Chain
}

// group makes one block of up to fewLabels neighbours that ask for labels.
func (d *dispatcher) group(nodes []labelRun) []labelRun {
	var out []labelRun
	for at := 0; at < len(nodes); {
		end := at
		for end < len(nodes) && end-at < fewLabels && nodes[end].bits != nil {
			end++
		}
		if end-at < 2 {
			out = append(out, nodes[at])
			at++
			continue
		}
		out = append(out, d.jump(nodes[at:end]))
		at = end
	}
	return out
}

// own makes a block of the rules of one label, which is then asked for once.
func (d *dispatcher) own(n labelRun) labelRun {
	bare := make([]artifact.Rule, len(n.rules))
	for i, r := range n.rules {
		r.Match = r.Match[1:]
		bare[i] = r
	}
	block := d.jump([]labelRun{{bits: n.bits, rules: bare}})
	block.rules[0].Match[0].Name = n.rules[0].Match[0].Name
	block.rules[0].Comment = "all of one label"
	return block
}

// gate makes one block of all, if all ask for labels.
func (d *dispatcher) gate(nodes []labelRun) []labelRun {
	if slices.ContainsFunc(nodes, func(n labelRun) bool { return n.bits == nil }) {
		return nodes
	}
	return []labelRun{d.jump(nodes)}
}

// jump is a block that another chain holds the rules of.
func (d *dispatcher) jump(nodes []labelRun) labelRun {
	chain := artifact.Chain{Name: fmt.Sprintf("%s_l%d", d.name, len(d.chains)+1)}
	var bits []int
	for _, n := range nodes {
		chain.Rules = append(chain.Rules, n.rules...)
		bits = append(bits, n.bits...)
	}
	slices.Sort(bits)
	bits = slices.Compact(bits)
	d.chains = append(d.chains, chain)
	match := artifact.Match{Kind: artifact.MatchCTLabel, Bits: bits}
	if len(bits) == 1 {
		match = artifact.Match{Kind: artifact.MatchCTLabel, Bit: bits[0]}
	}
	return labelRun{bits: bits, rules: []artifact.Rule{{
		ID: chain.Name, Comment: "any of a block of labels", Match: []artifact.Match{match},
		Do: []artifact.Statement{{Kind: artifact.DoJump, Name: chain.Name}},
	}}}
}
