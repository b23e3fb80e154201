package compiler

import (
	"cmp"
	"slices"
	"strings"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/compiler/emit/label"
	"github.com/netpol/netpol/lang"
)

// pins are the labels of a lock as emit/label reads them.
func pins(l *lang.Lock) []label.Pin {
	if l == nil {
		return nil
	}
	out := make([]label.Pin, len(l.Labels))
	for i, p := range l.Labels {
		out[i] = label.Pin{Name: p.Name, Bit: p.Bit, Range: p.Range}
	}
	return out
}

// NewLock is the lock to write once a bundle has been made: every label that
// old names, in use or not, and every label of the bundle. Authors' labels are
// never forgotten here; their bits may be on live connections. netpol's own, which
// a change of a condition leaves behind, are forgotten by the router that no
// connection carries them on, and that they are not in force on. lang.FormatLock
// renders it; equal locks give equal text, so a file need be written only when
// the text differs.
func NewLock(b *artifact.Bundle, old *lang.Lock, router Router) *lang.Lock {
	out := &lang.Lock{Catalogue: b.Catalogue.Digest}
	known := map[string]bool{}
	if old != nil {
		for _, l := range old.Labels {
			if !known[l.Name] && !forgettable(b, l, router) {
				out.Labels = append(out.Labels, l)
			}
			known[l.Name] = true
		}
	}
	for _, l := range b.Labels {
		if !known[l.Name] {
			out.Labels = append(out.Labels, lang.LockedLabel{Name: l.Name, Bit: l.Bit})
		}
	}
	slices.SortFunc(out.Labels, func(a, b lang.LockedLabel) int { return cmp.Compare(a.Bit, b.Bit) })
	return out
}

// forgettable says that a line of the lock is of a label of netpol's own that is
// neither in the bundle nor in force nor on any connection.
func forgettable(b *artifact.Bundle, l lang.LockedLabel, router Router) bool {
	same := func(x artifact.Label) bool { return x.Name == l.Name }
	return router.Held != nil && router.Held[l.Bit] == 0 && strings.HasPrefix(l.Name, label.AutoPrefix) &&
		!slices.ContainsFunc(b.Labels, same) && !slices.ContainsFunc(router.Applied, same)
}
