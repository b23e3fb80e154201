package nft

import (
	"encoding/binary"
	"slices"
)

// rid names a region of a pool; equal regions have equal names, so that boxes
// compare as values and what was computed of two regions is computed once:
// thousands of policies ask for one long address group.
type rid int32

const (
	anything rid = 0  // every value of a field
	nothing  rid = -1 // none
)

// pool keeps the regions of a table. It is not safe for concurrent use.
type pool struct {
	list  []region
	names map[string]rid // by region.key
	done  map[operation]rid
	joins map[string]rid // unions, by their parts
}

// operation is an intersection or, with width, a complement.
type operation struct {
	a, b  rid
	width int
}

func newPool() *pool {
	return &pool{list: make([]region, 1), names: map[string]rid{}, done: map[operation]rid{}, joins: map[string]rid{}}
}

// name is the region's; what union makes of intervals is a region.
func (p *pool) name(r region) rid {
	if len(r) == 0 {
		return nothing
	}
	if r.isAll() {
		return anything
	}
	key := string(byte(len(r[0].low))) + r.key() // values of other widths could read the same
	id, ok := p.names[key]
	if !ok {
		id = rid(len(p.list))
		p.list, p.names[key] = append(p.list, r), id
	}
	return id
}

// region is that of a name other than anything.
func (p *pool) region(id rid) region {
	if id == nothing {
		return nil
	}
	return p.list[id]
}

// and is what both regions have.
func (p *pool) and(a, b rid) rid {
	switch {
	case a == b || b == anything:
		return a
	case a == anything:
		return b
	case a == nothing || b == nothing:
		return nothing
	}
	op := operation{a: min(a, b), b: max(a, b)}
	id, ok := p.done[op]
	if !ok {
		id = p.name(p.list[a].intersect(p.list[b]))
		p.done[op] = id
	}
	return id
}

// not is the values of the width that a region does not have.
func (p *pool) not(a rid, width int) rid {
	switch a {
	case anything:
		return nothing
	case nothing:
		return anything
	}
	op := operation{a: a, width: width}
	id, ok := p.done[op]
	if !ok {
		id = p.name(p.list[a].complement(width))
		p.done[op] = id
	}
	return id
}

// or is what any of the regions has. It sorts the list.
func (p *pool) or(list []rid) rid {
	slices.Sort(list)
	list = slices.Compact(list)
	if list[0] == nothing {
		list = list[1:]
	}
	switch {
	case len(list) == 0:
		return nothing
	case len(list) == 1 || list[0] == anything:
		return list[0]
	}
	key := make([]byte, 0, 4*len(list))
	for _, id := range list {
		key = binary.BigEndian.AppendUint32(key, uint32(id))
	}
	id, ok := p.joins[string(key)]
	if !ok {
		var all region
		for _, part := range list {
			all = append(all, p.list[part]...)
		}
		id = p.name(union(all))
		p.joins[string(key)] = id
	}
	return id
}
