package enforcer

import (
	"hash/maphash"
	"math/bits"
	"net/netip"

	"github.com/netpol/netpol/lang/fact"
)

// factStore keeps the facts of decided flows, each different set once: many
// flows of a network say the same (same server name, same client software),
// and a record then costs four bytes instead of 500. What differs from flow to
// flow by nature, the tuple, is left out; the record has it.
//
// Entries are counted; index 0 is the empty set and never kept.
type factStore struct {
	seed  maphash.Seed
	index map[uint64]uint32 // by hash, the first of a chain
	items []factItem
	free  uint32
}

type factItem struct {
	facts fact.Facts
	hash  uint64
	refs  uint32
	next  uint32 // in the chain, or in the list of free items
}

func newFactStore() *factStore {
	return &factStore{seed: maphash.MakeSeed(), index: make(map[uint64]uint32), items: make([]factItem, 1)}
}

// keep stores f without its tuple and returns where. The caller must release
// it once.
func (s *factStore) keep(f *fact.Facts) uint32 {
	bare := *f
	clearTuple(&bare)
	if bare == (fact.Facts{}) {
		return 0
	}
	h := s.hash(&bare)
	for i := s.index[h]; i != 0; i = s.items[i].next {
		if s.items[i].facts == bare {
			s.items[i].refs++
			return i
		}
	}
	i := s.free
	if i != 0 {
		s.free = s.items[i].next
	} else {
		i = uint32(len(s.items))
		s.items = append(s.items, factItem{})
	}
	s.items[i] = factItem{facts: bare, hash: h, refs: 1, next: s.index[h]}
	s.index[h] = i
	return i
}

// hash is of what can differ between flows of one application: what senders
// choose, without the rest of the facts, which follow from it or take few values.
// Hashing all of them took five times as long.
func (s *factStore) hash(f *fact.Facts) uint64 {
	h := uint64(f.TLSVersion)<<32 | uint64(f.TLSCipher)<<8 | uint64(f.Confidence)
	for _, text := range [...]string{
		f.Application, f.Protocol, f.Hostname, f.DNSHostname, f.ALPN, f.JA4, f.JA4S, f.TLSALPNServer,
		f.TLSServerCN, f.TLSSubjectDN, f.TLSIssuerDN, f.TLSCertFingerprint,
		f.UserAgent, f.HTTPMethod, f.HTTPURL, f.SSHClientAgent, f.SSHServerAgent, f.DHCPClassIdent, f.DHCPFingerprint,
		f.MDNSDomainName, f.SSDPUserAgent, f.SSDPServer, f.QUICVersion, f.BTInfoHash,
	} {
		h = bits.RotateLeft64(h, 9) // so that the empty ones count by their place
		if text != "" {
			h = (h ^ maphash.String(s.seed, text)) * hashPrime
		}
	}
	for _, addr := range [...]*netip.Addr{&f.STUNMapped, &f.STUNPeer, &f.STUNRelayed, &f.STUNResponse, &f.STUNOther} {
		h = bits.RotateLeft64(h, 9)
		if addr.IsValid() {
			h = (h ^ maphash.Comparable(s.seed, *addr)) * hashPrime
		}
	}
	return h
}

// hashPrime is 2^64 divided by the golden ratio, made odd (Knuth, TAOCP 6.4).
const hashPrime = 0x9e3779b97f4a7c15

// get is what keep stored, without the tuple.
func (s *factStore) get(i uint32) *fact.Facts { return &s.items[i].facts }

// release gives one use back.
func (s *factStore) release(i uint32) {
	if i == 0 {
		return
	}
	item := &s.items[i]
	item.refs--
	if item.refs > 0 {
		return
	}
	s.unlink(i)
	*item = factItem{next: s.free}
	s.free = i
}

// unlink takes item i out of its chain.
func (s *factStore) unlink(i uint32) {
	h := s.items[i].hash
	if s.index[h] == i {
		if next := s.items[i].next; next != 0 {
			s.index[h] = next
		} else {
			delete(s.index, h)
		}
		return
	}
	for j := s.index[h]; ; j = s.items[j].next {
		if s.items[j].next == i {
			s.items[j].next = s.items[i].next
			return
		}
	}
}
