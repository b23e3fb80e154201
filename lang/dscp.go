package lang

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/suggest"
)

// dscpNames are the code points with a name that nft prints, and le, which it
// prints as a number: RFC 2474 (cs), 2597 (af), 3246 (ef), 5865 (va), 8622 (le).
var dscpNames = []DSCP{
	{Name: "cs0", Value: 0},
	{Name: "le", Value: 1},
	{Name: "cs1", Value: 8},
	{Name: "af11", Value: 10},
	{Name: "af12", Value: 12},
	{Name: "af13", Value: 14},
	{Name: "cs2", Value: 16},
	{Name: "af21", Value: 18},
	{Name: "af22", Value: 20},
	{Name: "af23", Value: 22},
	{Name: "cs3", Value: 24},
	{Name: "af31", Value: 26},
	{Name: "af32", Value: 28},
	{Name: "af33", Value: 30},
	{Name: "cs4", Value: 32},
	{Name: "af41", Value: 34},
	{Name: "af42", Value: 36},
	{Name: "af43", Value: 38},
	{Name: "cs5", Value: 40},
	{Name: "va", Value: 44},
	{Name: "ef", Value: 46},
	{Name: "cs6", Value: 48},
	{Name: "cs7", Value: 56},
}

// ParseDSCP reads a code point, by name or number, and gives it the name that it has.
func ParseDSCP(word string) (name string, value uint8, ok bool) {
	for _, c := range dscpNames {
		if word == c.Name || word == strconv.Itoa(int(c.Value)) {
			return c.Name, c.Value, true
		}
	}
	if n, err := strconv.ParseUint(word, 10, 8); err == nil && n <= 63 {
		return strconv.Itoa(int(n)), uint8(n), true
	}
	return "", 0, false
}

// dscp reads "cs5" or a number from 0 to 63. Two spellings of one code point
// give the same name, so that policies which agree are seen to agree.
func (d *decoder) dscp(a *hclsyntax.Attribute) *DSCP {
	v, ok := d.argument(a.Expr, cty.String, `"cs5"`)
	if !ok {
		return nil
	}
	r := toRange(a.Expr.Range())
	word := strings.ToLower(strings.TrimSpace(v.AsString()))
	if name, value, ok := ParseDSCP(word); ok {
		return &DSCP{Name: name, Value: value, Range: r}
	}
	names := make([]string, len(dscpNames))
	for i, c := range dscpNames {
		names[i] = c.Name
	}
	d.diags.Add(diag.New(diag.InvalidDSCP, r, fmt.Sprintf("%q is not a DSCP. It is a number from 0 to 63 or one of %s.", v.AsString(), strings.Join(names, ", "))).
		WithHint(dscpHint(word, names)))
	return nil
}

// dscpHint reads what may be the whole byte, of which a code point is the upper six
// bits (RFC 2474, section 3), as tcpdump and tc show it.
func dscpHint(word string, names []string) string {
	if n, err := strconv.ParseUint(word, 0, 8); err == nil && n&3 == 0 {
		name, _, _ := ParseDSCP(strconv.Itoa(int(n >> 2)))
		return fmt.Sprintf("as the byte that tcpdump calls tos that is \"%s\"", name)
	}
	return suggest.Hint(word, names)
}
