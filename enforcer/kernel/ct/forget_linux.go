package ct

import (
	"errors"
	"fmt"
	"math/bits"

	"github.com/netpol/netpol/enforcer/flow"
)

// Mark is what a policy has written: the value of the mark's bits under a mask.
type Mark struct{ Value, Mask uint32 }

// Forget clears the given label bits and mark bits on every connection of the
// namespace that carries one of them, and returns how many those were. What is
// removed from the ruleset would otherwise live on in conntrack, and a bit
// that is given to another label would lie about old connections. Of the marks,
// the bits under a mask are cleared where they have the value: elsewhere they are
// another's.
func Forget(labels [16]byte, mark uint32, marks ...Mark) (int, error) {
	value, mask := onlyMark(labels, mark, marks)
	n, err := clearBits(value, mask, func(c *flow.Connection) (u flow.Update) {
		u.MarkMask = c.Mark & mark
		for _, m := range marks {
			if m.Value != 0 && c.Mark&m.Mask == m.Value {
				u.MarkMask |= m.Value
			}
		}
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
		if u.MarkMask == 0 && u.LabelMask == [16]byte{} {
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
	case mark == 0 && len(marks) == 1 && marks[0].Value != 0:
		return marks[0].Value, marks[0].Mask
	}
	return 0, 0
}
