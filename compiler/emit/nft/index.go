package nft

import (
	"fmt"
	"math"
	"strings"

	"github.com/netpol/netpol/compiler/artifact"
)

// fanout is how many rules stand in one chain before they are put into blocks
// that a packet skips with one look-up: of n rules it then tries about
// fanout times the logarithm of n.
const fanout = 16

// node is a rule in the making.
type node struct {
	box     box
	do      []artifact.Statement
	id      string
	comment string
}

// chain adds a chain that runs through the outcomes and then does last.
func (d *decider) chain(h hook, name string, list []outcome, last []artifact.Statement) {
	short := strings.TrimPrefix(name, "np_")
	var nodes []node
	used := map[string]int{}
	for _, o := range list {
		for _, b := range merge(o.boxes) {
			id := short + "/" + o.id
			if used[id]++; used[id] > 1 {
				id = fmt.Sprintf("%s/%d", id, used[id])
			}
			nodes = append(nodes, node{box: b, do: o.do, id: id, comment: origin(d.decisions[o.policy].Policy)})
		}
	}
	at := len(d.chains)
	d.chains = append(d.chains, artifact.Chain{Name: name})
	rules := d.rules(h, d.index(h, name, nodes))
	if len(nodes) == 0 || !nodes[len(nodes)-1].always(last) {
		rules = append(rules, artifact.Rule{ID: short + "/end", Do: last})
	}
	d.chains[at].Rules = rules
}

// always says that nothing can come after the node: it holds of everything and
// ends as the chain does.
func (n node) always(last []artifact.Statement) bool {
	return n.box.isAll() && n.do[len(n.do)-1] == last[len(last)-1]
}

func (d *decider) rules(h hook, nodes []node) []artifact.Rule {
	rules := make([]artifact.Rule, len(nodes))
	for i, n := range nodes {
		rules[i] = artifact.Rule{ID: n.id, Comment: n.comment, Match: d.matches(h, n.box), Do: n.do}
	}
	return rules
}

// index puts neighbours into blocks until few are left. The order stays, and
// what ends the evaluation within a block ends all of it: claims go to another
// chain or accept, they never return.
func (d *decider) index(h hook, name string, nodes []node) []node {
	blocks := 0
	for len(nodes) > 2*fanout {
		var out []node
		for at := 0; at < len(nodes); at += fanout {
			part := nodes[at:min(at+fanout, len(nodes))]
			g := gate(part)
			if g.isAll() {
				out = append(out, part...)
				continue
			}
			blocks++
			block := fmt.Sprintf("%s_b%d", name, blocks)
			d.chains = append(d.chains, artifact.Chain{Name: block, Rules: d.rules(h, part)})
			out = append(out, node{
				box: g, id: strings.TrimPrefix(block, "np_"), comment: "any of a block",
				do: []artifact.Statement{{Kind: artifact.DoJump, Name: block}},
			})
		}
		if len(out) == len(nodes) {
			return out
		}
		nodes = out
	}
	return nodes
}

// gate is a box of one field that all the nodes lie in, by which most packets
// skip them; without tests if there is none.
func gate(nodes []node) box {
	var best box
	least := 1.0
	for f := range fields {
		g := box{version: nodes[0].box.version}
		for _, n := range nodes {
			same := n.box.version == g.version || f != fieldSrc && f != fieldDst
			if n.box.field[f] == nil || !same {
				g.field[f] = nil
				break
			}
			if n.box.version != g.version {
				g.version = 0
			}
			g.field[f] = append(g.field[f], n.box.field[f]...)
		}
		g.field[f] = union(g.field[f])
		if g.tidy(); g.field[f] == nil {
			continue
		}
		if s := share(g.field[f], width(f, g.version)); s < least {
			best, least = g, s
		}
	}
	return best
}

// share is how much of a field's values a region takes.
func share(r region, width int) float64 {
	sum := 0.0
	for _, v := range r {
		sum += fraction(v.high) - fraction(v.low) + math.Exp2(-8*float64(width))
	}
	return sum
}

// fraction is where a value lies between the field's first (0) and last (1).
func fraction(v string) float64 {
	out, scale := 0.0, 1.0
	for i := range len(v) {
		scale /= 256
		out += float64(v[i]) * scale
	}
	return out
}

// matches are the tests of a box.
func (d *decider) matches(h hook, b box) []artifact.Match {
	var out []artifact.Match
	if b.version != 0 {
		out = append(out, artifact.Match{Kind: artifact.MatchFamily, Value: uint32(b.version)})
	}
	for f := range fields {
		if r := b.field[f]; r != nil {
			out = append(out, d.match(h, b.version, f, r))
		}
	}
	return out
}

// match asks for a region or, where that is shorter, for what it leaves out.
func (d *decider) match(h hook, version uint8, f field, r region) artifact.Match {
	kind, typ := kindOf(h, version, f)
	m := artifact.Match{Kind: kind}
	if rest := r.complement(width(f, version)); len(rest) < len(r) || f == fieldDevice && r[0].low != r[0].high {
		m.Not, r = true, rest
	}
	if len(r) == 1 && r[0].low == r[0].high {
		switch f {
		case fieldProto, fieldSport, fieldDport:
			for i := range len(r[0].low) {
				m.Value = m.Value<<8 | uint32(r[0].low[i])
			}
			return m
		case fieldDevice:
			m.Name = strings.TrimRight(r[0].low, "\x00")
			return m
		case fieldSrc, fieldDst, fields:
		}
	}
	m.Set = d.sets.add(typ, r)
	return m
}

func kindOf(h hook, version uint8, f field) (artifact.MatchKind, artifact.SetType) {
	switch f {
	case fieldProto:
		return artifact.MatchL4Proto, artifact.SetProto
	case fieldSrc:
		if version == 4 {
			return artifact.MatchSaddr4, artifact.SetAddr4
		}
		return artifact.MatchSaddr6, artifact.SetAddr6
	case fieldDst:
		if version == 4 {
			return artifact.MatchDaddr4, artifact.SetAddr4
		}
		return artifact.MatchDaddr6, artifact.SetAddr6
	case fieldSport:
		return artifact.MatchSport, artifact.SetService
	case fieldDport:
		return artifact.MatchDport, artifact.SetService
	case fieldDevice, fields:
	}
	return h.device, artifact.SetDevice
}
