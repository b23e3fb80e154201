package enforcer

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
)

// shop is a book with two sets and a clock.
type shop struct {
	*book
	now     time.Time
	managed artifact.FlowSet
	foreign artifact.FlowSet
}

func newShop() *shop {
	s := &shop{
		now:     time.Unix(1000, 0),
		managed: artifact.FlowSet{Kind: artifact.FlowSetNft, Name: "m", Timeout: 15 * time.Minute, Managed: true},
		foreign: artifact.FlowSet{Kind: artifact.FlowSetNft, Name: "f"},
	}
	s.book = newBook(func(f *artifact.FlowSet) time.Duration {
		if f.Timeout > 0 {
			return f.Timeout
		}
		return 30 * time.Second // what the kernel says of the foreign one
	})
	return s
}

func host(n byte) artifact.Member {
	return artifact.Member{Local: netip.AddrFrom4([4]byte{10, 0, 0, n})}
}

func (s *shop) arrive(set *artifact.FlowSet, n byte, leaves, kept bool) {
	s.take(arrival{place: place{set.Name, host(n)}, set: set, leaves: leaves, kept: kept}, s.now)
}

// due is what is to be written after some time.
func (s *shop) due(after time.Duration) string {
	s.now = s.now.Add(after)
	var out []string
	for _, c := range s.next(s.now, 1000) {
		op := map[artifact.MemberOp]string{artifact.MemberPut: "put", artifact.MemberTake: "take", artifact.MemberKeep: "keep"}[c.Op]
		out = append(out, fmt.Sprintf("%s %s%d", op, c.Set.Name, c.Member.Local.As4()[3]))
	}
	return strings.Join(out, " ")
}

func (s *shop) want(t *testing.T, after time.Duration, want string) {
	t.Helper()
	if got := s.due(after); got != want {
		t.Errorf("after %s: got %q, want %q", after, got, want)
	}
}

func TestElementsAreSharedAndRenewed(t *testing.T) {
	s := newShop()
	s.arrive(&s.managed, 1, false, false)
	s.arrive(&s.managed, 1, false, false) // a second flow of the same host
	s.arrive(&s.foreign, 1, false, false)
	s.want(t, 0, "put m1 put f1")
	s.want(t, 9*time.Second, "")
	s.want(t, time.Second, "put f1") // a third of its life
	s.arrive(&s.managed, 1, true, false)
	s.want(t, 0, "")
	s.arrive(&s.managed, 1, true, false)
	s.want(t, 0, "take m1")
	s.arrive(&s.managed, 1, true, false) // of a flow that never came
	s.arrive(&s.foreign, 1, true, false)
	s.want(t, time.Hour, "take f1")
	if len(s.kept) != 0 || len(s.sets) != 0 {
		t.Errorf("%d elements and %d sets are left of nothing", len(s.kept), len(s.sets))
	}
	// One that comes back has its own time.
	s.arrive(&s.managed, 1, false, false)
	s.want(t, 0, "put m1")
	s.want(t, 5*time.Minute-time.Second, "")
	s.want(t, time.Second, "put m1")
	s.want(t, 5*time.Minute-time.Second, "")
}

// What an earlier process left is kept, and in sets of others never taken out.
func TestKeptElements(t *testing.T) {
	s := newShop()
	s.arrive(&s.managed, 1, false, true)
	s.arrive(&s.foreign, 1, false, true)
	s.want(t, 0, "keep m1 keep f1")
	s.want(t, 10*time.Second, "keep f1")
	s.arrive(&s.foreign, 2, false, true)
	s.arrive(&s.foreign, 2, false, false) // a flow of its own now
	s.want(t, 0, "keep f2 put f2")
	for _, set := range []*artifact.FlowSet{&s.managed, &s.foreign} {
		s.arrive(set, 1, true, false)
	}
	s.want(t, 0, "take m1")
	s.arrive(&s.foreign, 2, true, false)
	s.arrive(&s.foreign, 2, true, false)
	s.want(t, 0, "take f2")
}

func TestSetsAreFilledAgain(t *testing.T) {
	s := newShop()
	for n := range byte(3) {
		s.arrive(&s.managed, n, false, false)
	}
	s.arrive(&s.foreign, 9, false, false)
	s.want(t, 0, "put m0 put m1 put m2 put f9")
	s.retry(s.managed.ID(), s.now.Add(elementRetry))
	s.retry(s.managed.ID(), s.now.Add(time.Hour)) // it is to be tried already
	s.want(t, 9*time.Second, "")
	s.arrive(&s.foreign, 9, true, false)
	s.want(t, 0, "take f9")
	s.want(t, elementRetry-9*time.Second, "put m0 put m1 put m2")
	s.want(t, time.Minute, "")
	s.renewAll()
	s.want(t, 0, "put m0 put m1 put m2")
}

// A batch has no more changes than it may, and the rest is not forgotten.
func TestBatches(t *testing.T) {
	s := newShop()
	for n := range byte(250) {
		s.arrive(&s.managed, n, false, false)
	}
	seen := 0
	for range 4 {
		n := len(s.next(s.now, 100))
		if n > 100 {
			t.Errorf("a batch of %d", n)
		}
		seen += n
	}
	if seen != 250 {
		t.Errorf("%d changes, want 250", seen)
	}
	s.renewAll()
	for seen = 0; ; {
		n := len(s.next(s.now, 100))
		if n == 0 {
			break
		}
		seen += n
	}
	if seen != 250 {
		t.Errorf("%d renewed, want 250", seen)
	}
}
