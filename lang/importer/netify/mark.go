package netify

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"

	"github.com/netpol/netpol/lang/importer"
)

// doneMark is the bit of the mark that is the enforcer's (lang.Settings).
const doneMark = 0x80000000

// mark is a masked conntrack mark.
type mark struct{ value, mask uint32 }

// String is the mark as the language writes it.
func (m mark) String() string { return fmt.Sprintf("%#x/%#x", m.value, m.mask) }

// ctmark converts a mark. The documentation does not say how mark, mask and
// shift belong together; netify-fwa, by the same authors, writes
// (mark << shift)/mask.
func (r *run) ctmark(t *target, p properties) {
	v, ok := p.get("mark"), false
	if v == nil {
		r.report(importer.MissingKey, t.from, t.to, "A target of type ctmark needs a mark.")
		t.broken = true
		return
	}
	value, ok1 := r.markNumber(v, "mark", 32)
	mask, ok2 := uint64(0xffffffff), true
	if m := p.get("mask"); m != nil {
		mask, ok2 = r.markNumber(m, "mask", 32)
	}
	shift, ok3 := uint64(0), true
	if s := p.get("shift"); s != nil {
		shift, ok3 = r.markNumber(s, "shift", 5)
	}
	if t.broken = t.broken || !ok1 || !ok2 || !ok3; t.broken {
		return
	}
	if t.mark, ok = combine(value, mask, shift); !ok {
		t.lost = "the mark cannot be written"
		r.report(importer.NoMark, v.from, v.to, "Mark %#x, mask %#x and shift %d give no mark of 32 bits whose bits are inside its mask and beside %#x, which is the enforcer's.", value, mask, shift, uint32(doneMark))
		return
	}
	r.report(importer.Assumed, v.from, v.to, "How mark, mask and shift belong together is not documented; taken as %s, of (mark << shift)/mask. Compare it with the rules that test the mark.", t.mark)
}

// combine makes a mark. Where the shifted value does not fit the mask, the mask
// is shifted as well.
func combine(value, mask, shift uint64) (*mark, bool) {
	value <<= shift
	if value&^mask != 0 {
		mask <<= shift
	}
	if bits.Len64(value) > 32 || bits.Len64(mask) > 32 || value&^mask != 0 || value&doneMark != 0 {
		return nil, false
	}
	m := &mark{uint32(value), uint32(mask) &^ doneMark}
	return m, m.mask != 0
}

// markNumber reads a number, or a string with a decimal or 0x number, of so
// many bits.
func (r *run) markNumber(v *value, what string, size int) (uint64, bool) {
	if v.kind != text && v.kind != number {
		r.report(importer.WrongType, v.from, v.to, "%s is a number or a string such as \"0x10\", not %s.", what, v.kind)
		return 0, false
	}
	base, digits := 10, v.text
	if hex, ok := strings.CutPrefix(strings.ToLower(v.text), "0x"); ok {
		base, digits = 16, hex
	}
	n, err := strconv.ParseUint(digits, base, size)
	if err != nil {
		r.report(importer.BadValue, v.from, v.to, "%s is a number of %d bits, decimal or 0x.", what, size)
		return 0, false
	}
	return n, true
}
