package lang

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/netpol/netpol/lang/diag"
)

// mark reads 16, "0x10" or "0x10/0xff". Without a mask it is all bits except
// none: the whole mark is set.
func (d *decoder) mark(a *hclsyntax.Attribute) *Mark {
	v, ok := d.argument(a.Expr, cty.String, `"0x10/0xff"`)
	if !ok {
		return nil
	}
	bad := func(why, hint string) *Mark {
		d.diags.Add(diag.New(diag.InvalidMark, toRange(a.Expr.Range()), fmt.Sprintf("%q: %s.", v.AsString(), why)).WithHint(hint))
		return nil
	}
	text, maskText, hasMask := strings.Cut(strings.TrimSpace(v.AsString()), "/")
	value, err := parseMarkNumber(text)
	if err != nil {
		return bad(`a mark is a number of 32 bits, such as 16, "0x10" or "0x10/0xff"`, "")
	}
	// Some bits are left to the enforcer, and a mark without a mask should not
	// have to know that.
	mask := ^d.out.Settings.OwnMark()
	if hasMask {
		if mask, err = parseMarkNumber(maskText); err != nil {
			return bad(`the mask is a number of 32 bits, such as "0x10/0xff"`, "")
		}
	}
	switch {
	case mask == 0:
		return bad("the mask is 0, so no bit would ever be set", "")
	case hasMask && value&^mask != 0:
		return bad("the mark has bits outside its mask", fmt.Sprintf(`write "%#x/%#x"`, value, mask|value))
	}
	return &Mark{Value: value, Mask: mask | value, Range: toRange(a.Expr.Range())}
}

// parseMarkNumber reads a decimal or 0x number of 32 bits.
func parseMarkNumber(s string) (uint32, error) {
	if hex, ok := strings.CutPrefix(strings.ToLower(s), "0x"); ok {
		n, err := strconv.ParseUint(hex, 16, 32)
		return uint32(n), err
	}
	n, err := strconv.ParseUint(s, 10, 32)
	return uint32(n), err
}
