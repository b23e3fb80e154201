package nft

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/netpol/netpol/compiler/artifact"
)

// few is how many rules stand one after the other where a look-up could choose
// among them.
const few = 4

// brancher turns lists of nodes into rules: a look-up in a map of verdicts
// instead of many tests of one field, whose elements jump to the nodes that
// still hold there. What ends the evaluation ends it anywhere; where nothing
// does, the packet comes back and goes on.
type brancher struct {
	*decider
	hook    hook
	ordered bool // the first node that holds is the last
}

// key is what a map is looked up by. Addresses have a family.
type key struct {
	field   field
	version uint8
}

// tests says that the node asks for the key, and not for all but some devices:
// their names have no ranges.
func (b *brancher) tests(k key, n node) bool {
	r := n.box.field[k.field]
	if r == anything || k.version != 0 && n.box.version != k.version {
		return false
	}
	return k.field != fieldDevice || !slices.ContainsFunc(b.region(r), func(v interval) bool { return v.low != v.high })
}

// meets says that packets of the key's family may reach the node.
func (k key) meets(n node) bool {
	return k.version == 0 || n.box.version == 0 || n.box.version == k.version
}

func keys() []key {
	return []key{
		{fieldSrc, 4},
		{fieldSrc, 6},
		{fieldDst, 4},
		{fieldDst, 6},
		{fieldDport, 0},
		{fieldSport, 0},
		{fieldProto, 0},
		{fieldDevice, 0},
	}
}

// rules are the rules of some nodes.
func (b *brancher) rules(nodes []node) []artifact.Rule {
	nodes = b.simplified(nodes)
	if len(nodes) <= few {
		return b.plain(nodes)
	}
	for _, k := range b.candidates(nodes) {
		if rules, rest, ok := b.branch(k, nodes); ok {
			return append(rules, b.rules(rest)...)
		}
	}
	half := len(nodes) / 2
	if half <= few || b.budget <= 0 {
		return b.plain(nodes)
	}
	return append(b.rules(nodes[:half]), b.rules(nodes[half:])...)
}

// simplified leaves out what cannot add anything.
func (b *brancher) simplified(nodes []node) []node {
	var out []node
	var always []*action
	seen := make(map[node]bool, len(nodes))
	for _, n := range nodes {
		if seen[n] {
			continue
		}
		seen[n] = true
		if n.box != (box{}) {
			out = append(out, n)
			continue
		}
		if b.ordered {
			return append(out, n)
		}
		always = append(always, n.act)
	}
	if len(always) > 0 {
		out = append([]node{{act: b.joined(always)}}, out...)
	}
	return out
}

// joined does all of the actions.
func (b *brancher) joined(acts []*action) *action {
	if len(acts) == 1 {
		return acts[0]
	}
	var name []byte
	for _, a := range acts {
		name = binary.BigEndian.AppendUint32(name, uint32(a.number))
	}
	if out, ok := b.together[string(name)]; ok {
		return out
	}
	out := &action{number: b.number(), id: fmt.Sprintf("%s+%d", acts[0].id, len(acts)-1), comment: acts[0].comment}
	for _, a := range acts {
		for _, s := range a.do {
			if !slices.ContainsFunc(out.do, func(have artifact.Statement) bool { return have == s }) {
				out.do = append(out.do, s)
			}
		}
	}
	b.together[string(name)] = out
	return out
}

// candidates are the keys that tell nodes apart, the best first.
func (b *brancher) candidates(nodes []node) []key {
	var out []key
	score := map[key]int{}
	for _, k := range keys() {
		distinct := map[rid]bool{}
		for _, n := range nodes {
			if b.tests(k, n) {
				distinct[n.box.field[k.field]] = true
			}
		}
		if len(distinct) > 1 {
			out, score[k] = append(out, k), len(distinct)
		}
	}
	slices.SortStableFunc(out, func(x, y key) int { return cmp.Compare(score[y], score[x]) })
	return out
}

// branch makes a look-up of the nodes that ask for the key, and leaves the
// others. Where the order counts, those others are tried within as well.
func (b *brancher) branch(k key, nodes []node) (rules []artifact.Rule, rest []node, ok bool) {
	var within []node
	for _, n := range nodes {
		switch {
		case b.tests(k, n):
			within = append(within, n)
			continue
		case b.ordered && k.meets(n):
			within = append(within, n)
		}
		rest = append(rest, n)
	}
	if len(nodes)-len(rest) <= few {
		return nil, nil, false
	}
	common := hoist(k, within)
	classes, ok := b.classes(k, common, within)
	if !ok {
		return nil, nil, false
	}
	return b.lookUp(k, b.matches(common), classes, len(nodes)-len(rest)), rest, true
}

// lookUp is the rules that jump to the classes, made of so many nodes, where the
// match holds.
func (b *brancher) lookUp(k key, match []artifact.Match, classes []class, nodes int) (rules []artifact.Rule) {
	id := "by/" + keyName(k)
	var elements []artifact.Element
	for _, c := range classes {
		chain := b.sub(c.nodes)
		jump := artifact.Statement{Kind: artifact.DoJump, Name: chain}
		if len(c.at)*b.cost[chain] > manyPaths || len(classes) == 1 {
			also := slices.Clone(match)
			if !c.at.isAll() {
				also = append(also, b.match(k.version, k.field, c.at))
			}
			rules = append(rules, artifact.Rule{ID: id, Comment: "all these share what follows", Match: also, Do: []artifact.Statement{jump}})
			continue
		}
		for _, v := range c.at {
			elements = append(elements, artifact.Element{Low: []byte(v.low), High: []byte(v.high), Jump: chain})
		}
	}
	if len(elements) > 0 {
		kind := kindOf(b.hook, k.version, k.field)
		rules = append(rules, artifact.Rule{
			ID: id, Comment: fmt.Sprintf("one look-up for %d rules", nodes), Match: match,
			Do: []artifact.Statement{{Kind: artifact.DoVMap, Key: kind, Name: b.sets.addMap(kind.SetType(), elements)}},
		})
	}
	return rules
}

func keyName(k key) string {
	switch k {
	case key{fieldSrc, 4}, key{fieldSrc, 6}:
		return fmt.Sprintf("src%d", k.version)
	case key{fieldDst, 4}, key{fieldDst, 6}:
		return fmt.Sprintf("dst%d", k.version)
	}
	return [...]string{fieldProto: "proto", fieldSport: "sport", fieldDport: "dport", fieldDevice: "device"}[k.field]
}

// manyPaths is from where on the elements of a map that share a chain become a
// set with one jump. Kernels that do not remember what they have checked walk
// through every path of jumps when a table is loaded (nft_chain_validate).
const manyPaths = 1 << 16

// hoist takes the tests that all the nodes share out of them: the look-up comes
// after these. The key's own field stays.
func hoist(k key, nodes []node) box {
	common := nodes[0].box
	for _, n := range nodes {
		if n.box.version != common.version {
			common.version = 0
		}
		for f := range fields {
			if n.box.field[f] != common.field[f] {
				common.field[f] = anything
			}
		}
	}
	if common.version == 0 {
		common.field[fieldSrc], common.field[fieldDst] = anything, anything
	}
	common.field[k.field] = anything
	for i := range nodes {
		n := &nodes[i].box
		for f := range fields {
			if common.field[f] != anything {
				n.field[f] = anything
			}
		}
	}
	if k.version != 0 {
		common.version = k.version
	}
	return common
}

// sub is the chain of what is left of some nodes; equal ones are one.
func (b *brancher) sub(nodes []node) string {
	same := b.contentOf(nodes)
	if name, ok := b.shared[same]; ok {
		return name
	}
	rules := b.rules(nodes)
	sum := sha256.New()
	cost := 0
	for _, r := range rules {
		sum.Write([]byte(r.Text() + "\n"))
		cost += 1 + b.pathsOf(r)
	}
	name := chainFirst + "_" + hex.EncodeToString(sum.Sum(nil)[:6])
	b.shared[same] = name
	if _, ok := b.cost[name]; !ok {
		b.cost[name] = cost
		b.chains = append(b.chains, artifact.Chain{Name: name, Rules: named(rules, name)})
	}
	return name
}

// pathsOf is what the kernel walks through behind a rule.
func (b *brancher) pathsOf(r artifact.Rule) int {
	sum := 0
	for _, s := range r.Do {
		switch s.Kind {
		case artifact.DoJump:
			sum += b.cost[s.Name]
		case artifact.DoVMap:
			for _, e := range b.sets.byName[s.Name].Elements {
				sum += b.cost[e.Jump]
			}
		default:
		}
	}
	return sum
}

// contentOf is equal for lists of nodes that make the same rules.
func (b *brancher) contentOf(nodes []node) string {
	device := false
	out := make([]byte, 0, 64*len(nodes))
	for _, n := range nodes {
		out = append(out, n.box.version)
		for _, r := range n.box.field {
			out = binary.BigEndian.AppendUint32(out, uint32(r))
		}
		out = binary.BigEndian.AppendUint32(out, uint32(n.act.number))
		device = device || n.box.field[fieldDevice] != anything
	}
	if device {
		out = append(out, b.hook.suffix...)
	}
	return string(out)
}
