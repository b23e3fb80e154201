package nft

import (
	"cmp"
	"encoding/binary"
	"slices"
	"strings"
)

// class is the values of a field for which the same nodes are left.
type class struct {
	at    region
	nodes []node
}

// effort bounds how long it may take to tell classes apart, as a multiple of
// the nodes and the values that they name: ranges that overlap much have
// classes without end, and are tried one after the other then.
const effort = 32

// patience bounds the ends of ranges that are sorted for all chains of a table.
// A million take about a quarter of a second.
const patience = 2 << 20

// classes parts the key's values by which nodes hold there; false where that
// takes more rules than a small multiple of the nodes. The key's field is gone
// from the nodes of a class. Values without a node that asks for them are in
// none.
func (b *brancher) classes(k key, common box, nodes []node) ([]class, bool) {
	s := sweep{brancher: b, key: k, common: common, all: nodes, members: map[rid][]int{}}
	for i, n := range nodes {
		if !b.tests(k, n) {
			s.always = append(s.always, i)
			continue
		}
		id := n.box.field[k.field]
		if s.members[id] == nil {
			s.ids = append(s.ids, id)
		}
		s.members[id] = append(s.members[id], i)
	}
	if !s.run() {
		return nil, false
	}
	out, rules := s.distinct()
	if rules > 2*len(nodes)+64 || rules > b.budget {
		return nil, false
	}
	b.budget -= rules
	return out, true
}

// sweep goes through a field's values from the lowest to the highest.
type sweep struct {
	*brancher
	key     key
	common  box
	all     []node
	members map[rid][]int // nodes that ask for a region
	ids     []rid
	always  []int // nodes that ask for no value
	left    int   // effort
	found   []class
}

// edge is where a region of ids begins or ends.
type edge struct {
	at    string
	id    int // index of ids
	leave bool
}

// cross is the ids of the regions that hold behind the edge, sorted.
func (e edge) cross(active []int) []int {
	n, on := slices.BinarySearch(active, e.id)
	switch {
	case e.leave && on:
		return slices.Delete(active, n, n+1)
	case !e.leave && !on:
		return slices.Insert(active, n, e.id)
	}
	return active
}

func (s *sweep) edges() []edge {
	var out []edge
	for i, id := range s.ids {
		for _, v := range s.region(id) {
			out = append(out, edge{v.low, i, false})
			if after, ok := next(v.high); ok {
				out = append(out, edge{after, i, true})
			}
		}
	}
	slices.SortFunc(out, func(a, b edge) int { return cmp.Or(strings.Compare(a.at, b.at), cmp.Compare(a.id, b.id)) })
	return out
}

// run finds the classes; false when it takes too long.
func (s *sweep) run() bool {
	edges := s.edges()
	if s.patience -= len(edges); s.patience < 0 {
		return false
	}
	s.left = effort * (len(s.all) + len(edges) + 64)
	known := map[string]int{} // class of what is active
	var active []int
	var name []byte
	for i := 0; i < len(edges); {
		at := edges[i].at
		for ; i < len(edges) && edges[i].at == at; i++ {
			active = edges[i].cross(active)
		}
		if len(active) == 0 {
			continue
		}
		if s.left -= len(active); s.left < 0 {
			return false
		}
		end := strings.Repeat("\xff", len(at))
		if i < len(edges) {
			end, _ = previous(edges[i].at)
		}
		name = name[:0]
		for _, n := range active {
			name = binary.BigEndian.AppendUint32(name, uint32(n))
		}
		c, ok := known[string(name)]
		if !ok {
			c = len(s.found)
			known[string(name)] = c
			s.found = append(s.found, class{nodes: s.nodesOf(active)})
		}
		s.found[c].at = append(s.found[c].at, interval{at, end})
	}
	return s.left >= 0
}

// nodesOf are the nodes that are left where some regions hold.
func (s *sweep) nodesOf(active []int) []node {
	list := slices.Clone(s.always)
	if !s.ordered {
		list = nil
	}
	for _, n := range active {
		list = append(list, s.members[s.ids[n]]...)
	}
	s.left -= len(list)
	slices.Sort(list)
	var out []node
	for _, i := range list {
		n := s.all[i]
		if s.tests(s.key, n) {
			n.box.field[s.key.field] = anything
		}
		n.box = s.within(n.box)
		out = append(out, n)
		if s.ordered && n.box == (box{}) {
			break
		}
	}
	return out
}

// within is a box without the family, where that is tested before the look-up
// and no address is left.
func (s *sweep) within(b box) box {
	if s.common.version != 0 && b.version == s.common.version && b.field[fieldSrc] == anything && b.field[fieldDst] == anything {
		b.version = 0
	}
	return b
}

// distinct joins classes whose nodes are the same, and counts the nodes.
func (s *sweep) distinct() (out []class, nodes int) {
	at := map[string]int{}
	for _, c := range s.found {
		name := s.contentOf(s.simplified(c.nodes))
		i, ok := at[name]
		if !ok {
			at[name] = len(out)
			out = append(out, c)
			nodes += len(c.nodes)
			continue
		}
		out[i].at = append(out[i].at, c.at...)
	}
	for i := range out {
		out[i].at = union(out[i].at)
	}
	return out, nodes
}
