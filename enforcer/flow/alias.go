package flow

import "github.com/netpol/netpol/enforcer/slab"

// Alias is another name of a flow: the addresses that the replies of a translated
// connection carry.
type Alias struct {
	Key Key
	// ClientIsB says that the key's B end opened the flow.
	ClientIsB bool
	flow      ID
}

// aliasBit marks the number of an alias where a slot has one instead of a record's.
const aliasBit = ID(1 << 31)

// aliases are the other names of a table's flows. They are no records, because they need
// a quarter of one, and no part of them, because most flows have none.
type aliases struct {
	slab slab.Slab[Alias]
	of   map[ID]ID // by flow
}

func (s *aliases) at(id ID) *Alias { return s.slab.At(uint32(id &^ aliasBit)) }

// add makes an alias and gives its number.
func (s *aliases) add(k *Key, clientIsB bool, flow ID) ID {
	if s.of == nil {
		s.of = make(map[ID]ID)
	}
	id := ID(s.slab.Reuse()) | aliasBit
	*s.at(id) = Alias{Key: *k, ClientIsB: clientIsB, flow: flow}
	s.of[flow] = id
	return id
}

// remove takes the alias of a flow away, which no slot has any more.
func (s *aliases) remove(flow ID) {
	id := s.of[flow]
	delete(s.of, flow)
	s.slab.Release(uint32(id &^ aliasBit))
}

// Alias makes k another name of flow id, whose client is the key's end B or not. A flow
// has at most one; ok is false when it has one already or k is taken.
func (t *Table) Alias(k *Key, id ID, clientIsB bool) (ok bool) {
	r := t.At(id)
	if r.Has(aliased) || t.Find(k) != 0 {
		return false
	}
	t.enter(k, t.aliases.add(k, clientIsB, id))
	r.Set(aliased)
	return true
}

// AliasOf is the alias of a record of the table, nil if it has none. It stays valid until
// the record is removed.
func (t *Table) AliasOf(r *Record) *Alias {
	if !r.Has(aliased) {
		return nil
	}
	return t.aliases.at(t.aliases.of[t.Find(&r.Key)])
}
