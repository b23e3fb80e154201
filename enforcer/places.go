package enforcer

import (
	"encoding/json"
	"fmt"
	"net"
	"slices"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/lang/fact"
)

// places says into which sets of the kernel's the policies put flows.
type places struct {
	sets  []artifact.FlowSet
	keys  []string         // what tells each set from those of other bundles
	adds  map[int][]int    // sets by policy
	early map[int][]int    // the same of those that headers alone may decide
	used  []int            // sets of any policy
	byKey map[string]int32 // by keys
}

func newPlaces(b *artifact.Bundle) (*places, error) {
	p := &places{sets: b.FlowSets, adds: make(map[int][]int), early: make(map[int][]int), byKey: make(map[string]int32)}
	for i := range p.sets {
		text, err := json.Marshal(p.sets[i])
		if err != nil {
			return nil, fmt.Errorf("load bundle: %s: %w", p.sets[i].ID(), err)
		}
		p.keys = append(p.keys, string(text))
		p.byKey[string(text)] = int32(i)
	}
	for id, e := range b.Program.Effects {
		for _, set := range e.Adds {
			if set < 0 || set >= len(p.sets) {
				return nil, fmt.Errorf("load bundle: policy %d adds to set %d of %d", id, set, len(p.sets))
			}
			if !slices.Contains(p.used, set) {
				p.used = append(p.used, set)
			}
		}
		if len(e.Adds) > 0 {
			p.adds[id] = e.Adds
			if !e.Late {
				p.early[id] = e.Adds
			}
		}
	}
	return p, nil
}

// place is one element of a flow's.
type place struct {
	set    string // places.keys
	member artifact.Member
}

// placement is where a flow has elements.
type placement struct {
	at   []place
	kept bool  // an earlier process put them there, if anybody did
	seen int64 // when conntrack last had the flow; engine's time
	lost bool  // conntrack does not have it, so its elements were taken out
}

// settlePlaces puts the flow into the sets of the policies that hold, and takes it out
// of the others. An adopted flow, of which only its headers are known, stays in
// those that an earlier process put it into.
func (w *worker) settlePlaces(r *flow.Record, f *fact.Facts, policies []int) {
	p := w.policy.places
	old := w.placed[r]
	if w.keeper == nil || old == nil && len(p.used) == 0 || old != nil && old.lost {
		return
	}
	w.wanted = w.wanted[:0]
	if !r.Ended() && !r.Has(flow.Untracked) {
		adds := p.adds
		if !named(f) && !r.Has(flow.Done) {
			adds = p.early
		}
		for _, id := range policies {
			w.want(r, f, adds[id])
		}
		if r.Has(flow.Adopted) {
			w.want(r, f, p.used)
		}
	}
	w.move(r, old)
}

// want adds the flow's elements of sets to those wanted.
func (w *worker) want(r *flow.Record, f *fact.Facts, sets []int) {
	for _, i := range sets {
		m, ok := memberOf(&w.policy.places.sets[i], w.traitsOf(r).mark, f)
		if at := (place{w.policy.places.keys[i], m}); ok && !slices.Contains(w.wanted, at) {
			w.wanted = append(w.wanted, at)
		}
	}
}

// move makes the flow's elements those wanted.
func (w *worker) move(r *flow.Record, old *placement) {
	if old == nil {
		if len(w.wanted) == 0 {
			return
		}
		old = &placement{seen: w.clock.now}
		w.placed[r] = old
	}
	kept := r.Has(flow.Adopted)
	for _, at := range w.wanted {
		if i := slices.Index(old.at, at); i < 0 {
			w.keeper.offer(arrival{place: at, set: w.setOf(at), kept: kept})
		} else if old.kept && !kept { // it was named since
			w.keeper.offer(arrival{place: at, set: w.setOf(at)})
			w.keeper.offer(arrival{place: at, leaves: true})
		}
	}
	for _, at := range old.at {
		if !slices.Contains(w.wanted, at) {
			w.keeper.offer(arrival{place: at, leaves: true})
		}
	}
	old.kept = kept
	if old.at = append(old.at[:0], w.wanted...); len(old.at) == 0 && !old.lost {
		delete(w.placed, r)
	}
}

func (w *worker) setOf(at place) *artifact.FlowSet {
	return &w.policy.places.sets[w.policy.places.byKey[at.set]]
}

// leave takes the flow out of all sets.
func (w *worker) leave(r *flow.Record) {
	if p := w.placed[r]; p != nil {
		w.wanted = w.wanted[:0]
		w.move(r, p)
		delete(w.placed, r)
	}
}

// sighted notes that conntrack has the flow. One that it was thought to have
// lost is put where it belongs.
func (w *worker) sighted(r *flow.Record, at int64) {
	p := w.placed[r]
	if p == nil {
		return
	}
	p.seen = at
	r.LastSeen = max(r.LastSeen, at) // no packet is shown of it, and it lives
	if p.lost {
		p.lost = false
		w.load(r, &w.facts)
		w.settlePlaces(r, &w.facts, w.eval(r, &w.facts).Policies)
	}
}

// missed takes those flows out of their sets that a whole list of conntrack,
// ordered at a time, did not have. What was decided only just before may not have
// reached the kernel by then.
func (w *worker) missed(at int64) {
	for r, p := range w.placed {
		if p.lost || p.seen >= at || !r.Has(flow.Told) || r.ToldAgo(at) < w.config.Interval {
			continue
		}
		p.lost = true
		w.wanted = w.wanted[:0]
		w.move(r, p)
	}
}

// memberOf is the element of a set for a flow with a mark; false when it lacks a field, or is of
// the other IP version.
func memberOf(s *artifact.FlowSet, mark uint32, f *fact.Facts) (m artifact.Member, ok bool) {
	for i, field := range s.Fields {
		switch field {
		case artifact.FieldLocalAddr:
			m.Local, ok = f.LocalIP, fits(s, f)
		case artifact.FieldOtherAddr:
			m.Other, ok = f.OtherIP, fits(s, f)
		case artifact.FieldLocalMAC:
			m.LocalMAC, ok = hardware(f.LocalMAC)
		case artifact.FieldOtherMAC:
			m.OtherMAC, ok = hardware(f.OtherMAC)
		case artifact.FieldLocalPort:
			m.LocalPort, ok = uint16(f.LocalPort), f.LocalPort != 0
		case artifact.FieldOtherPort:
			m.OtherPort, ok = uint16(f.OtherPort), f.OtherPort != 0
		case artifact.FieldProto:
			m.Proto, ok = uint8(f.IPProtocol), true
		case artifact.FieldMark:
			m.Mark, ok = mark, true
		case artifact.FieldInterface:
			m.Interface, ok = f.Interface, f.Interface != ""
		default:
			ok = false
		}
		if !ok {
			return artifact.Member{}, false
		}
		if s.Kind == artifact.FlowSetIpset && i > 0 { // ipset names a port's protocol with it
			m.Proto = uint8(f.IPProtocol)
		}
	}
	return m, true
}

// fits says that the flow's addresses are of the set's IP version.
func fits(s *artifact.FlowSet, f *fact.Facts) bool {
	return f.LocalIP.IsValid() && f.OtherIP.IsValid() && (s.Version == 6) == f.LocalIP.Is6()
}

func hardware(text string) (out [6]byte, ok bool) {
	mac, err := net.ParseMAC(text)
	if err != nil || len(mac) != len(out) {
		return out, false
	}
	return [6]byte(mac), true
}
