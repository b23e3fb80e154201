package flow

// Alias is another name of a flow: the addresses that the replies of a translated
// connection carry.
type Alias struct {
	Key Key
	// ClientIsB says that the key's B end opened the flow.
	ClientIsB bool
	flow      ID // of a removed one the next removed one
}

const (
	// aliasBit marks the number of an alias where a slot has one instead of a record's.
	aliasBit = ID(1 << 31)
	// aliasChunk aliases are allocated at a time.
	aliasChunk = 512
)

// aliases are the other names of a table's flows. They are no records, because they need
// a quarter of one, and no part of them, because most flows have none.
type aliases struct {
	chunks []*[aliasChunk]Alias
	made   ID        // ever made; numbers count from 1
	free   ID        // list of removed ones
	of     map[ID]ID // by flow
}

func (s *aliases) at(id ID) *Alias {
	i := id&^aliasBit - 1
	return &s.chunks[i/aliasChunk][i%aliasChunk]
}

// add makes an alias and gives its number.
func (s *aliases) add(k *Key, clientIsB bool, flow ID) ID {
	if s.of == nil {
		s.of = make(map[ID]ID)
	}
	id := s.free
	if id != 0 {
		s.free = s.at(id).flow
	} else {
		if int(s.made) == len(s.chunks)*aliasChunk {
			s.chunks = append(s.chunks, new([aliasChunk]Alias))
		}
		s.made++
		id = s.made | aliasBit
	}
	*s.at(id) = Alias{Key: *k, ClientIsB: clientIsB, flow: flow}
	s.of[flow] = id
	return id
}

// remove takes the alias of a flow away, which no slot has any more.
func (s *aliases) remove(flow ID) {
	id := s.of[flow]
	delete(s.of, flow)
	*s.at(id) = Alias{flow: s.free}
	s.free = id
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
