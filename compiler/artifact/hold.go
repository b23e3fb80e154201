package artifact

import (
	"cmp"
	"math/bits"
	"time"
)

// A held packet waits in one of six queues until the enforcer has read it: three
// of the policies that fail open, and after them three of those that fail
// closed. The queue says what the kernel does not tell of the packet.
const (
	// HoldFirst is the queue of packets whose connection conntrack has not
	// confirmed: nobody can write into its entry.
	HoldFirst    = iota
	HoldOriginal // of packets from the side that opened the connection
	HoldReply
	HoldQueues // how many of one kind
)

// HoldClosed is how far the queues of policies that fail closed lie behind the
// others.
const HoldClosed = HoldQueues

// QueueBypass is the Name of a DoQueue statement that lets packets pass when
// nobody reads the queue; without it they are dropped.
const QueueBypass = "bypass"

// HoldMark is a mask of two to eight bits side by side in packets' marks (meta
// mark), which are netpol's for as long as a held packet is between two chains of
// ours. Routing tables, which may have the same bits, are chosen after that.
type HoldMark uint32

// DefaultHoldMark is the mask of a set that chooses none.
const DefaultHoldMark HoldMark = 0x7f000000

// Mask is the bits.
func (m HoldMark) Mask() uint32 { return uint32(m) }

// Judged is on packets that the enforcer has read and lets go on.
func (m HoldMark) Judged() uint32 { return uint32(m) }

// Told is on packets that are sent through the rules that write into the entries of
// unconfirmed connections; the bits outside of the mask say what to write. It is
// part of Judged, so that one test finds both.
func (m HoldMark) Told() uint32 { return uint32(m) & (uint32(m) - 1) }

// On is the mark of a packet that is sent on as judged.
func (m HoldMark) On(mark uint32) uint32 { return mark&^m.Mask() | m.Judged() }

// What is told with Told: a group of things to write, and 16 flags which of
// them. In the groups of 15 labels the last flag is the done mark, so that what
// is written most often takes one turn.
const (
	toldShift  = 16
	toldDone   = 1 << 15
	toldLabels = 15
	labelBits  = 128
	toldMarks  = 0x80 // the first of two groups of 16 bits of the conntrack mark
	// ToldTurns is how many turns telling may take.
	ToldTurns = (labelBits+toldLabels-1)/toldLabels + 2
)

// around puts 24 bits, what is told, on both sides of the mask.
func (m HoldMark) around(v uint32) uint32 {
	low, end := bits.TrailingZeros32(uint32(m)), bits.Len32(uint32(m))
	return v&(1<<low-1) | v>>low<<end
}

// ToldLabel is the mark by which a label is written, as mask and value.
func (m HoldMark) ToldLabel(bit int) (mask, value uint32) {
	return m.told(bit/toldLabels, 1<<(bit%toldLabels))
}

// ToldDone is the mark by which the done mark is written: in any group of labels.
func (m HoldMark) ToldDone() (mask, value uint32) {
	return m.Mask() | m.around(toldMarks<<toldShift|toldDone), m.Told() | m.around(toldDone)
}

// ToldMark is the mark by which a bit of the conntrack mark is written.
func (m HoldMark) ToldMark(bit int) (mask, value uint32) {
	return m.told(toldMarks+bit/16, 1<<(bit%16))
}

func (m HoldMark) told(group int, flag uint32) (mask, value uint32) {
	return m.Mask() | m.around(0xff<<toldShift|flag), m.Told() | m.around(uint32(group)<<toldShift|flag)
}

// Tell are the marks by which labels, bits of the conntrack mark and the done mark
// are written, one for each turn; appended to marks. Nothing is cleared: in a new
// entry there is little to clear, and the enforcer's write into the confirmed entry
// does it.
func (m HoldMark) Tell(marks []uint32, labels [16]byte, mark uint32, done bool) []uint32 {
	add := func(group int, flags uint32) {
		if flags != 0 {
			marks = append(marks, m.Told()|m.around(uint32(group)<<toldShift|flags))
		}
	}
	for group := range (labelBits + toldLabels - 1) / toldLabels {
		var flags uint32
		for i := range min(toldLabels, labelBits-group*toldLabels) {
			bit := group*toldLabels + i
			flags |= uint32(labels[bit/8]>>(bit%8)&1) << i
		}
		if done && (flags != 0 || labels == [16]byte{}) {
			flags |= toldDone
			done = false
		}
		add(group, flags)
	}
	for half := range 2 {
		add(toldMarks+half, mark>>(16*half)&0xffff)
	}
	return marks
}

// HeldMark is the bits that held packets carry.
func (s Settings) HeldMark() HoldMark { return cmp.Or(s.HoldMark, DefaultHoldMark) }

// HoldLife is how long the enforcer may be silent before packets are no longer
// held for it.
const HoldLife = 2 * time.Second

// Labels of connections whose packets wait: those that nobody may pass who is not
// judged have the second.
const (
	HoldLabel       = "np-hold"
	HoldClosedLabel = "np-hold-closed"
)
