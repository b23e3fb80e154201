package resolve

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang/diag"
)

// markName is the attribute that may be compared with a mask.
const markName = "ct_mark"

// maxMarkRanges bounds the stretches of numbers that a mask stands for.
const maxMarkRanges = 256

// markIntervals reads '0x10' or '0xf0000000/0xf0000000': the marks that are the
// value where the mask has a bit. The enforcer's own bit is 0 in the attribute,
// so it may be in the mask or not.
func (k *criterion) markIntervals(a atom, c constant) ([]ir.Interval, bool) {
	valueText, maskText, masked := strings.Cut(c.text, "/")
	value, err := strconv.ParseUint(strings.TrimSpace(valueText), 0, 32)
	mask := uint64(0xffffffff)
	if err == nil && masked {
		mask, err = strconv.ParseUint(strings.TrimSpace(maskText), 0, 32)
	}
	switch {
	case err != nil:
		k.fault(diag.InvalidMark, c.span, "A mark is a number of 32 bits: 16 or 0x10, or '0x100/0xffffff00' for all marks that are 0x100 where the mask has bits.")
		return nil, false
	case masked && a.op != "==" && a.op != "!=" && a.op != "in":
		k.fault(diag.WrongOperator, a.span, "A mark with a mask is compared by ==, != and in.")
		return nil, false
	case value&^mask != 0:
		k.fault(diag.InvalidMark, c.span, "The mark has bits outside its mask, so it never has that value.").
			Hint = fmt.Sprintf("write '%#x/%#x'", value, value|mask)
		return nil, false
	case mask == 0:
		k.fault(diag.InvalidMark, c.span, "The mask is 0, so every mark fits.")
		return nil, false
	}
	free := ^uint32(mask) &^ k.r.policy.Settings.DoneMark
	low := free & (1<<bits.TrailingZeros32(uint32(mask)) - 1) // below the mask: one stretch
	high := free &^ low
	if bits.OnesCount32(high) > bits.Len(maxMarkRanges)-1 {
		k.fault(diag.InvalidMark, c.span, "The marks that fit are %d stretches of numbers, and rules can hold %d: a mask may leave the lowest bits of a mark free, and few bits above them.", 1<<bits.OnesCount32(high), maxMarkRanges).
			Hint = fmt.Sprintf("compare the whole mark: %s == %#x", a.name, value)
		return nil, false
	}
	var out []ir.Interval
	for part := uint32(0); ; part = (part - high) & high { // all subsets of high
		from := uint32(value) | part
		out = append(out, ir.Interval{Low: int(from), High: int(from | low)})
		if part == high {
			return out, true
		}
	}
}
