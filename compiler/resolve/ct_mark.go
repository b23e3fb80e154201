package resolve

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang/diag"
)

// markName is the attribute that may be compared with a mask.
const markName = "ct_mark"

// markIntervals reads '0x10' or '0x10/0xff': the marks that are the value where
// the mask has a bit. The enforcer's own bit is 0 in the attribute, so it may be
// in the mask or not. Where the mask leaves the lowest bits free and no others
// that is a stretch of marks, which other comparisons can be merged with.
func (k *criterion) markIntervals(a atom, c constant) ([]ir.Interval, uint32, bool) {
	valueText, maskText, masked := strings.Cut(c.text, "/")
	value, err := strconv.ParseUint(strings.TrimSpace(valueText), 0, 32)
	mask := uint64(0xffffffff)
	if err == nil && masked {
		mask, err = strconv.ParseUint(strings.TrimSpace(maskText), 0, 32)
	}
	own := k.r.policy.Settings.OwnMark()
	bits := uint32(mask) &^ own
	switch {
	case err != nil:
		k.fault(diag.InvalidMark, c.span, "A mark is a number of 32 bits: 16 or 0x10, or '0x10/0xff' for all marks that are 0x10 where the mask has bits.")
		return nil, 0, false
	case masked && a.op != "==" && a.op != "!=" && a.op != "in":
		k.fault(diag.WrongOperator, a.span, "A mark with a mask is compared by ==, != and in.")
		return nil, 0, false
	case value&^mask != 0:
		k.fault(diag.InvalidMark, c.span, "The mark has bits outside its mask, so it never has that value.").
			Hint = fmt.Sprintf("write '%#x/%#x'", value, value|mask)
		return nil, 0, false
	case mask == 0:
		k.fault(diag.InvalidMark, c.span, "The mask is 0, so every mark fits.")
		return nil, 0, false
	case masked && (bits == 0 || uint32(value)&own != 0):
		bit, setting := k.r.ownBit(cmp.Or(uint32(value)&own, uint32(mask)&own))
		k.fault(diag.InvalidMark, c.span, "Bit %#x is netpol's own and always 0 in %s. Leave it out, or move it with %s in the netpol block.", bit, a.name, setting)
		return nil, 0, false
	}
	if free := ^uint32(mask) &^ own; free&(free+1) == 0 {
		return []ir.Interval{{Low: int(value), High: int(uint32(value) | free)}}, 0, true
	}
	return []ir.Interval{{Low: int(value), High: int(value)}}, bits, true
}

// maskedAtom is any of the comparisons of some bits, and of the whole mark.
func (k *criterion) maskedAtom(a atom, masked map[uint32][]ir.Interval, whole []ir.Interval) ir.Expr {
	at := k.at(a.span)
	compare := func(mask uint32, list []ir.Interval) ir.Expr {
		return &ir.Compare{Attr: a.attr, Op: ir.OpRange, Ranges: list, Mask: mask, Range: at, Text: k.slice(a.span)}
	}
	var parts []ir.Expr
	if len(whole) > 0 {
		parts = append(parts, compare(0, whole))
	}
	for _, mask := range slices.Sorted(maps.Keys(masked)) {
		parts = append(parts, compare(mask, mergeIntervals(masked[mask])))
	}
	return ir.NewOr(at, parts...)
}
