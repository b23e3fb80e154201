package router

import (
	"fmt"
	"math"
	"slices"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/ct"
)

// LabelBits is what live connections say of label bits.
type LabelBits struct {
	// Applied are the labels in force, by the bundle or, where that cannot be
	// read, by the label files.
	Applied []artifact.Label
	// Held is how many connections carry a bit; nil where nobody has counted.
	Held        map[int]int
	Connections int
}

// LabelBits counts the label bits of the network namespace's connections.
func (l *Live) LabelBits() (LabelBits, error) {
	census, err := ct.TakeCensus()
	if err != nil {
		return LabelBits{}, err
	}
	out := LabelBits{Applied: l.Labels(), Held: map[int]int{}, Connections: census.Connections}
	for bit, n := range census.Bits {
		if n > 0 {
			out.Held[bit] = n
		}
	}
	return out, nil
}

// Labels are the labels in force.
func (l *Live) Labels() []artifact.Label {
	if l.Bundle != nil {
		return l.Bundle.Labels
	}
	return l.connlabels[0].Own
}

// bitsOf are the bits of labels that another list does not have at the same
// place.
func bitsOf(labels, without []artifact.Label) (out [16]byte) {
	has := map[artifact.Label]bool{}
	for _, l := range without {
		has[artifact.Label{Name: l.Name, Bit: l.Bit}] = true
	}
	for _, l := range labels {
		if !has[artifact.Label{Name: l.Name, Bit: l.Bit}] {
			out[l.Bit/8] |= 1 << (l.Bit % 8)
		}
	}
	return out
}

// renumbered refuses a bundle that gives a bit which is in force to another label:
// connections that are labelled until the rules change would get the new label's
// effects. Going back to a revision has to be possible even then.
func (l *Live) renumbered(b *artifact.Bundle, meta Meta) error {
	if meta.Operation == OpRollback || meta.Operation == OpTimeout {
		return nil
	}
	return l.Renumbers(b)
}

// Renumbers says which label of a bundle an apply would refuse because its bit is
// in force as another's.
func (l *Live) Renumbers(b *artifact.Bundle) error {
	names := map[int]string{}
	for _, old := range l.Labels() {
		names[old.Bit] = old.Name
	}
	for _, now := range b.Labels {
		name, ok := names[now.Bit]
		if ok && name != now.Name && name != artifact.SeenLabel && now.Name != artifact.SeenLabel {
			return fmt.Errorf("label %q has bit %d in the bundle, which is in force as %q on this router: apply policies without %q first, and netpol takes the bit off live connections", now.Name, now.Bit, name, now.Name)
		}
	}
	return nil
}

// clearFresh takes the bits of labels that are new on this router off
// connections that carry them still, from a label that had them or of the same
// name before: nothing in force sets them, so none comes back.
func (l *Live) clearFresh(b *artifact.Bundle, step func(string)) error {
	fresh := bitsOf(b.Labels, l.Labels())
	if fresh == [16]byte{} {
		return nil
	}
	return clearBits(fresh, step)
}

func clearBits(bits [16]byte, step func(string)) error {
	n, err := ct.Forget(bits, 0)
	if err != nil {
		return err
	}
	if n > 0 {
		step(fmt.Sprintf("Cleared the bits of new labels from %s that carried them", connections(n)))
	}
	return nil
}

// clearMoved takes bits that meant another label until the commit off connections
// once more: the old rules went on setting them while clearFresh was at work. Of
// connections that came after the commit it takes a label that is theirs, for
// netpold to put back; without netpold they lack it, which is better than others
// having what was never said of them.
func (l *Live) clearMoved(b *artifact.Bundle, step func(string)) error {
	var moved [16]byte
	for _, old := range l.Labels() {
		for _, now := range b.Labels {
			if now.Bit == old.Bit && now.Name != old.Name {
				moved[now.Bit/8] |= 1 << (now.Bit % 8)
			}
		}
	}
	if moved == [16]byte{} {
		return nil
	}
	return clearBits(moved, step)
}

// ClearRetired takes what the policies in force before wrote and those of the
// bundle do not, labels and bits of the mark, off live connections. Nobody sets
// them any more: the rules are replaced, and the caller has told netpold. also are
// bits of labels that are in force no longer than that.
func (l *Live) ClearRetired(b *artifact.Bundle, also [16]byte, step func(string)) error {
	if err := l.clearQuiet(b, step); err != nil {
		return err
	}
	labels := bitsOf(l.Labels(), b.Labels)
	used := bitsOf(b.Labels, nil)
	for i := range labels {
		labels[i] = (labels[i] | also[i]) &^ used[i]
	}
	done, marks := l.retiredMarks(b)
	if labels == [16]byte{} && done == 0 && len(marks) == 0 {
		return nil
	}
	n, err := ct.Forget(labels, done, marks...)
	if err != nil {
		return err
	}
	if n > 0 {
		step(fmt.Sprintf("Cleared labels and marks that no policy sets any more from %s", connections(n)))
	}
	return nil
}

// clearQuiet takes the quiet mark off connections that carry a label which rules ask
// for now and did not before: it would keep their packets from those rules until
// netpold has come to them, or for good without netpold.
func (l *Live) clearQuiet(b *artifact.Bundle, step func(string)) error {
	var louder [16]byte
	had := bitsOf(l.Labels(), nil)
	for _, bit := range b.Ruleset.Loud {
		if l.Bundle == nil || !slices.Contains(l.Bundle.Ruleset.Loud, bit) {
			louder[bit/8] |= had[bit/8] & (1 << (bit % 8))
		}
	}
	if louder == [16]byte{} {
		return nil
	}
	n, err := ct.Unmark(b.Settings.QuietMark, louder)
	if err == nil && n > 0 {
		step(fmt.Sprintf("Had rules ask for the labels of %s on which they have an effect now", connections(n)))
	}
	return err
}

// retiredMarks are the bits of netpold's that are its own no longer, whoever has them
// now, and what is left of the marks of policies, in their order, without the bits that
// policies of the bundle write. Who writes all bits shares them with others, so that
// only all of its value is its own.
func (l *Live) retiredMarks(b *artifact.Bundle) (done uint32, marks []ct.Mark) {
	if l.Bundle == nil {
		return 0, nil
	}
	used, own := marksOf(b), l.Bundle.Settings.OwnMark()
	for _, p := range l.Bundle.Policies {
		if p.Mark == nil || p.Audit {
			continue
		}
		m := ct.Mark{Value: p.Mark.Value &^ used, Mask: p.Mark.Mask &^ used, Part: p.Mark.Mask|own != math.MaxUint32}
		if m.Value &= m.Mask; m.Value != 0 && !slices.Contains(marks, m) {
			marks = append(marks, m)
		}
	}
	return own &^ b.Settings.OwnMark(), marks
}

// marksOf are the bits of the mark that a bundle's policies and netpold write.
func marksOf(b *artifact.Bundle) uint32 {
	if b == nil {
		return 0
	}
	mark := b.Settings.OwnMark()
	for _, p := range b.Policies {
		if p.Mark != nil && !p.Audit {
			mark |= p.Mark.Mask
		}
	}
	return mark
}

func connections(n int) string {
	if n == 1 {
		return "1 open connection"
	}
	return fmt.Sprintf("%d open connections", n)
}
