package ct

import (
	"errors"
	"fmt"
	"math/bits"

	"github.com/netpol/netpol/enforcer/flow"
)

// Mark is what a policy has written: the value of the mark's bits under a mask.
type Mark struct {
	Value, Mask uint32
	// Part says that a part of the value is the policy's as well, where others have
	// written the rest or taken it back: nobody else has bits under the mask.
	Part bool
}

// Forget clears the given label bits and mark bits on every connection of the
// namespace that carries one of them, and returns how many those were. What is
// removed from the ruleset would otherwise live on in conntrack, and a bit
// that is given to another label would lie about old connections. The marks are those
// of policies in their order; what a connection has of them is cleared where it has
// the whole of one, or a part if that says so, as far as the ones before have left it
// bits: other bits are another's.
func Forget(labels [16]byte, mark uint32, marks ...Mark) (int, error) {
	value, mask := onlyMark(labels, mark, marks)
	n, err := clearBits(value, mask, func(c *flow.Connection) (u flow.Update) {
		u.MarkMask = c.Mark&mark | written(c.Mark, marks)
		for i := range labels {
			u.LabelMask[i] = c.Labels[i] & labels[i]
		}
		return u
	})
	if err != nil {
		return n, fmt.Errorf("forget labels: %w", err)
	}
	return n, nil
}

// written are the bits of a connection's mark that policies with these marks have set:
// the first that matches has its bits, a later one what is left of its own.
func written(mark uint32, marks []Mark) (set uint32) {
	var taken uint32
	for _, m := range marks {
		left := m.Mask &^ taken
		value, got := m.Value&left, mark&left
		if got != 0 && (got == value || m.Part && got&^value == 0) {
			set, taken = set|got, taken|left
		}
	}
	return set
}

// Unmark clears a bit of the mark on every connection of the namespace that has it and
// carries any of some labels, and returns how many those were.
func Unmark(bit uint32, labels [16]byte) (int, error) {
	n, err := clearBits(bit, bit, func(c *flow.Connection) (u flow.Update) {
		for i := range labels {
			if c.Labels[i]&labels[i] != 0 {
				u.MarkMask = bit
			}
		}
		return u
	})
	if err != nil {
		return n, fmt.Errorf("clear mark: %w", err)
	}
	return n, nil
}

// clearBits clears on each connection whose mark under mask is value the bits that
// masks gives, and returns on how many those were any.
func clearBits(value, mask uint32, masks func(*flow.Connection) flow.Update) (n int, err error) {
	client, err := Open()
	if err != nil {
		return 0, err
	}
	defer func() { _ = client.Close() }()
	writer, err := NewWriter()
	if err != nil {
		return 0, err
	}
	err = client.Connections(value, mask, func(c *flow.Connection) error {
		u := masks(c)
		if saysNothing(&u) {
			return nil
		}
		n++
		u.Tuple = c.Orig
		return writer.Write(u)
	})
	return n, errors.Join(err, writer.Close())
}

// onlyMark is what the kernel may look for by itself: it filters by one mark under
// one mask (ctnetlink_filter_match), and by no label. An empty mask is everything.
func onlyMark(labels [16]byte, mark uint32, marks []Mark) (value, mask uint32) {
	switch {
	case labels != [16]byte{}:
	case bits.OnesCount32(mark) == 1 && len(marks) == 0:
		return mark, mark
	case mark == 0 && len(marks) == 1 && marks[0].Value != 0 && (!marks[0].Part || bits.OnesCount32(marks[0].Value) == 1):
		return marks[0].Value, marks[0].Mask
	}
	return 0, 0
}
