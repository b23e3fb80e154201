package nft

import (
	"fmt"
	"slices"
	"strings"

	"github.com/netpol/netpol/compiler/artifact"
)

// action is what a rule does.
type action struct {
	number      int // tells actions apart
	id, comment string
	do          []artifact.Statement
}

// node is a rule in the making. Actions are one where they do the same.
type node struct {
	box box
	act *action
}

// chain adds the chain of a list, which does last after its outcomes; both
// hooks may share it.
func (d *decider) chain(h hook, name string, l list, last []artifact.Statement) {
	if slices.ContainsFunc(d.chains, func(c artifact.Chain) bool { return c.Name == name }) {
		return
	}
	nodes := d.nodes(l, last)
	d.budget = 4*len(nodes) + 4096
	at := len(d.chains)
	d.chains = append(d.chains, artifact.Chain{Name: name})
	b := brancher{decider: d, hook: h, ordered: l.ordered()}
	rules := slices.Concat(l.first, b.rules(nodes), l.after)
	if n := len(rules); n == 0 || !always(rules[n-1], last) {
		rules = append(rules, artifact.Rule{ID: "end", Do: last})
	}
	d.chains[at].Rules = named(rules, name)
}

// always says that nothing can come after the rule: it holds of everything and
// ends as the chain does.
func always(r artifact.Rule, last []artifact.Statement) bool {
	return len(r.Match) == 0 && r.Do[len(r.Do)-1] == last[len(last)-1]
}

// nodes are the outcomes' boxes.
func (d *decider) nodes(l list, last []artifact.Statement) []node {
	var out []node
	acts := map[string]*action{}
	for _, o := range l.outcomes {
		act := acts[o.id]
		if act == nil {
			act = &action{number: d.number(), id: o.id, do: o.do}
			if l.ordered() {
				act.do = slices.Concat(o.do, last)
			}
			if o.policy >= 0 {
				act.comment = origin(d.decisions[o.policy].Policy)
			}
			acts[o.id] = act
		}
		for _, b := range d.merge(o.boxes) {
			out = append(out, node{b, act})
		}
	}
	return out
}

// number is that of a new action.
func (d *decider) number() int {
	d.actions++
	return d.actions
}

// named puts the chain's name before the rules' ids and makes them unique.
func named(rules []artifact.Rule, chain string) []artifact.Rule {
	used := map[string]int{}
	for i := range rules {
		id := strings.TrimPrefix(chain, "np_") + "/" + rules[i].ID
		if used[id]++; used[id] > 1 {
			id = fmt.Sprintf("%s/%d", id, used[id])
		}
		rules[i].ID = id
	}
	return rules
}

// manySets is how many sets a table may have before lists of a few values
// become rules of their own: the kernel walks through all sets to find one, so
// that 2,500 of them take 280 ms to load, and as many rules 25 ms.
const manySets = 128

// fewValues bounds such a list.
const fewValues = 4

// plain are the rules of nodes, one after the other.
func (b *brancher) plain(nodes []node) []artifact.Rule {
	var out []artifact.Rule
	for _, n := range nodes {
		for _, box := range b.parted(n.box) {
			out = append(out, artifact.Rule{ID: n.act.id, Comment: n.act.comment, Match: b.matches(box), Do: n.act.do})
		}
	}
	return out
}

// parted is a box, or in a table of many sets one for each value of the first
// field that would need a small one.
func (b *brancher) parted(whole box) []box {
	if len(b.sets.byName) < manySets {
		return []box{whole}
	}
	for f := range fields {
		r := b.region(whole.field[f])
		if whole.field[f] == anything || f == fieldDevice || len(r) == 1 || len(r) > fewValues || whole.field[f] == b.ports {
			continue
		}
		var out []box
		for _, v := range r {
			part := whole
			part.field[f] = b.name(region{v})
			out = append(out, part)
		}
		return out
	}
	return []box{whole}
}

// matches are the tests of a box.
func (b *brancher) matches(x box) []artifact.Match {
	var out []artifact.Match
	if x.version != 0 {
		out = append(out, artifact.Match{Kind: artifact.MatchFamily, Value: uint32(x.version)})
	}
	for f := range fields {
		if x.field[f] != anything {
			out = append(out, b.match(x.version, f, b.region(x.field[f])))
		}
	}
	return out
}

// match asks for a region or, where that is shorter, for what it leaves out.
func (b *brancher) match(version uint8, f field, r region) artifact.Match {
	kind := kindOf(b.hook, version, f)
	m := artifact.Match{Kind: kind}
	if rest := r.complement(width(f, version)); len(rest) < len(r) || f == fieldDevice && r[0].low != r[0].high {
		m.Not, r = true, rest
	}
	point := r[0].low == r[0].high
	switch {
	case len(r) > 1:
		m.Set = b.sets.add(kind.SetType(), r)
	case f == fieldDevice:
		m.Name = strings.TrimRight(r[0].low, "\x00")
	case point && f != fieldSrc && f != fieldDst:
		for i := range len(r[0].low) {
			m.Value = m.Value<<8 | uint32(r[0].low[i])
		}
	default:
		m.Low, m.High = []byte(r[0].low), []byte(r[0].high)
	}
	return m
}

func kindOf(h hook, version uint8, f field) artifact.MatchKind {
	switch f {
	case fieldProto:
		return artifact.MatchL4Proto
	case fieldSrc:
		if version == 4 {
			return artifact.MatchSaddr4
		}
		return artifact.MatchSaddr6
	case fieldDst:
		if version == 4 {
			return artifact.MatchDaddr4
		}
		return artifact.MatchDaddr6
	case fieldSport:
		return artifact.MatchSport
	case fieldDport:
		return artifact.MatchDport
	case fieldDevice, fields:
	}
	return h.device
}
