package enforcer

import (
	"time"

	"github.com/netpol/netpol/compiler/artifact"
)

// book knows which elements flows have in sets, and when each must be renewed.
type book struct {
	kept   map[place]*element
	sets   map[string]*shelf // by place.set
	queue  []artifact.MemberChange
	lives  func(*artifact.FlowSet) time.Duration
	retryA map[string]time.Time // by FlowSet.ID
	held   map[string]int       // elements by FlowSet.ID, without those that an earlier process may have put there
}

// element is one element of a set.
type element struct {
	at    place
	shelf *shelf
	flows int  // that have it
	kept  bool // an earlier process put it there, if anybody did
	due   time.Time
}

// shelf is what is known of a set: its elements by when they are to be renewed,
// which is the order in which they came.
type shelf struct {
	set   *artifact.FlowSet
	id    string // set.ID()
	every time.Duration
	fifo  []*element
}

func newBook(lives func(*artifact.FlowSet) time.Duration) *book {
	return &book{kept: make(map[place]*element), sets: make(map[string]*shelf), lives: lives, retryA: make(map[string]time.Time), held: make(map[string]int)}
}

// take notes an arrival.
func (b *book) take(a arrival, now time.Time) {
	e := b.kept[a.place]
	if a.leaves {
		b.leave(e)
		return
	}
	if e == nil {
		s := b.shelf(a)
		e = &element{at: a.place, shelf: s, kept: a.kept, due: now.Add(s.every)}
		b.kept[a.place] = e
		s.fifo = append(s.fifo, e)
		b.put(e)
		if !e.kept {
			b.held[s.id]++
		}
	} else if e.kept && !a.kept {
		e.kept = false
		b.put(e)
		b.held[e.shelf.id]++
	}
	e.flows++
}

// leave notes that a flow is gone; nil was never there.
func (b *book) leave(e *element) {
	if e == nil {
		return
	}
	if e.flows--; e.flows > 0 {
		return
	}
	delete(b.kept, e.at)
	if !e.kept {
		b.held[e.shelf.id]--
	}
	// What was there before netpold may be another's.
	if !e.kept || e.shelf.set.Managed {
		b.queue = append(b.queue, artifact.MemberChange{Set: e.shelf.set, Member: e.at.member, Op: artifact.MemberTake})
	}
}

func (b *book) shelf(a arrival) *shelf {
	s := b.sets[a.place.set]
	if s == nil {
		s = &shelf{set: a.set, id: a.set.ID(), every: renewAtMost}
		if lives := b.lives(a.set); lives > 0 {
			s.every = min(renewAtMost, max(renewAtLeast, lives/3))
		}
		b.sets[a.place.set] = s
	}
	return s
}

// put has an element written, or renewed if it is there.
func (b *book) put(e *element) {
	op := artifact.MemberPut
	if e.kept {
		op = artifact.MemberKeep
	}
	b.queue = append(b.queue, artifact.MemberChange{Set: e.shelf.set, Member: e.at.member, Op: op})
}

// next gives changes that are due, at most so many; what it gives is done.
func (b *book) next(now time.Time, most int) []artifact.MemberChange {
	for id, at := range b.retryA {
		if !now.Before(at) {
			delete(b.retryA, id)
			b.renew(id)
		}
	}
	for key, s := range b.sets {
		for len(b.queue) < most && len(s.fifo) > 0 {
			e := s.fifo[0]
			gone := b.kept[e.at] != e
			if !gone && now.Before(e.due) {
				break
			}
			if s.fifo = s.fifo[1:]; gone {
				continue
			}
			e.due = now.Add(s.every)
			s.fifo = append(s.fifo, e)
			b.put(e)
		}
		if len(s.fifo) == 0 {
			delete(b.sets, key)
		}
	}
	n := min(most, len(b.queue))
	out := b.queue[:n:n]
	if b.queue = b.queue[n:]; len(b.queue) == 0 {
		b.queue = nil
	}
	return out
}

// renewAll makes every element due.
func (b *book) renewAll() {
	for _, s := range b.sets {
		s.renew()
	}
}

// renew makes the elements of a set due.
func (b *book) renew(id string) {
	for _, s := range b.sets {
		if s.id == id {
			s.renew()
		}
	}
}

func (s *shelf) renew() {
	for _, e := range s.fifo {
		e.due = time.Time{}
	}
}

// retry has a set's elements written again at a time, unless that is to happen
// already.
func (b *book) retry(id string, at time.Time) {
	if _, waits := b.retryA[id]; !waits {
		b.retryA[id] = at
	}
}
