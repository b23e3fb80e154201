package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/netpol/netpol/cmd/netpol/internal/router"
	"github.com/netpol/netpol/compiler"
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang"
)

// disturbs says that the bundle gives a label a bit that means something else on
// the router, in its rules or on connections: it is to be compiled again, with
// that in mind.
func (s *policySet) disturbs(router compiler.Router) bool {
	applied := map[string]int{}
	names := map[int]string{}
	for _, l := range router.Applied {
		applied[l.Name], names[l.Bit] = l.Bit, l.Name
	}
	pinned := map[string]bool{}
	for _, l := range s.policy.Lock.Labels {
		pinned[l.Name] = true
	}
	return slices.ContainsFunc(s.bundle.Labels, func(l artifact.Label) bool {
		bit, known := applied[l.Name]
		if known && bit == l.Bit {
			return false
		}
		other, taken := names[l.Bit]
		return taken && other != l.Name || !pinned[l.Name] && (known || router.Held[l.Bit] > 0)
	})
}

// labelBits is what the router knows of label bits. Connections are counted only
// where a label comes, goes or moves, or the lock may forget one: a quarter of a
// million of them take half a second.
func (s *policySet) labelBits(live *router.Live) (router.LabelBits, error) {
	applied := live.Labels()
	has := func(list []artifact.Label, x artifact.Label) bool {
		return slices.ContainsFunc(list, func(l artifact.Label) bool { return l.Name == x.Name && l.Bit == x.Bit })
	}
	moves := slices.ContainsFunc(s.bundle.Labels, func(l artifact.Label) bool { return !has(applied, l) }) ||
		slices.ContainsFunc(applied, func(l artifact.Label) bool { return !has(s.bundle.Labels, l) }) ||
		s.mayForget(applied)
	if !moves {
		return router.LabelBits{Applied: applied}, nil
	}
	return live.LabelBits()
}

// mayForget says that the lock has a line that goes if no connection carries its bit.
func (s *policySet) mayForget(applied []artifact.Label) bool {
	lines := func(held map[int]int) int {
		return len(compiler.NewLock(s.bundle, s.policy.Lock, compiler.Router{Applied: applied, Held: held}).Labels)
	}
	return lines(map[int]int{}) < lines(nil)
}

// retired are the bits of labels which the lock names, and neither the bundle nor
// another owner has.
func (s *policySet) retired(others foreign) (out [16]byte) {
	if s.policy == nil {
		return out
	}
	for _, l := range s.policy.Lock.Labels {
		used := slices.ContainsFunc(s.bundle.Labels, func(x artifact.Label) bool { return x.Bit == l.Bit || x.Name == l.Name })
		if _, theirs := others.bits[l.Bit]; !used && !theirs && l.Bit >= 0 {
			out[l.Bit/8] |= 1 << (l.Bit % 8)
		}
	}
	return out
}

// notes are the remarks on a plan's objects, by kind and id.
func (p *planned) notes() map[string]string {
	notes := map[string]string{}
	for _, name := range p.pins.pinned {
		notes["label/"+name] = "will be pinned in " + lang.LockName + p.passedOver(name)
	}
	for _, l := range p.bits.Applied {
		if n := p.bits.Held[l.Bit]; n > 0 && !slices.ContainsFunc(p.set.bundle.Labels, func(x artifact.Label) bool { return x.Bit == l.Bit && x.Name == l.Name }) {
			notes["label/"+l.Name] = fmt.Sprintf("bit %d is on %s; apply clears it", l.Bit, liveConnections(n))
		}
	}
	return notes
}

// passedOver says which lower bits a new label did not get because connections
// carry them that no label of the set accounts for.
func (p *planned) passedOver(name string) string {
	at := slices.IndexFunc(p.set.bundle.Labels, func(l artifact.Label) bool { return l.Name == name })
	if at < 0 {
		return ""
	}
	var said []string
	for bit := range p.set.bundle.Labels[at].Bit {
		used := slices.ContainsFunc(p.set.bundle.Labels, func(l artifact.Label) bool { return l.Bit == bit })
		if n := p.bits.Held[bit]; n > 0 && !used {
			said = append(said, fmt.Sprintf("bit %d is on %s", bit, liveConnections(n)))
		}
	}
	if len(said) == 0 {
		return ""
	}
	return "; " + strings.Join(said, ", ")
}

func liveConnections(n int) string {
	if n == 1 {
		return "1 live connection"
	}
	return fmt.Sprintf("%d live connections", n)
}
