package lang

import (
	"fmt"
	"math/big"
	"slices"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"github.com/netpol/netpol/lang/diag"
)

// MaxBit is the highest bit of a conntrack label (XT_CONNLABEL_MAXBIT in
// linux/netfilter/xt_connlabel.h).
const MaxBit = 127

// Lock pins what must not change by itself between two compiles: the bit of
// each label, because labels outlive the ruleset that set them, and the
// catalogue that names were resolved against.
type Lock struct {
	Catalogue string        // digest; empty when none is pinned
	Labels    []LockedLabel // sorted by bit, names and bits unique
}

// LockedLabel is one label and its bit.
type LockedLabel struct {
	Name  string
	Bit   int        // 0..MaxBit
	Range diag.Range // zero when it was not read from a file
}

// decodeLock reads the lock file.
func (d *decoder) decodeLock(name string, src []byte) *Lock {
	lock := &Lock{}
	body := d.parseBody(name, src)
	if body == nil {
		return lock
	}
	for _, a := range sortedAttributes(body) {
		if a.Name != "catalogue" {
			d.diags.Add(diag.New(diag.UnknownArgument, toRange(a.NameRange), fmt.Sprintf("The lock file has no argument %q, only catalogue and label blocks.", a.Name)))
			continue
		}
		if v, ok := d.argument(a.Expr, cty.String, `"3f2c..."`); ok {
			lock.Catalogue = v.AsString()
		}
	}
	byBit := map[int]LockedLabel{}
	for _, b := range body.Blocks {
		if l, ok := d.decodeLockedLabel(b, byBit); ok {
			byBit[l.Bit] = l
			lock.Labels = append(lock.Labels, l)
		}
	}
	slices.SortFunc(lock.Labels, func(a, b LockedLabel) int { return a.Bit - b.Bit })
	return lock
}

// decodeLockedLabel reads label "zoom" { bit = 3 }.
func (d *decoder) decodeLockedLabel(b *hclsyntax.Block, byBit map[int]LockedLabel) (LockedLabel, bool) {
	schema := blockSchema{kind: "label", names: 1, arguments: []string{"bit"}}
	if b.Type != schema.kind {
		d.diags.Add(diag.New(diag.UnknownBlock, toRange(b.TypeRange), fmt.Sprintf("The lock file has no blocks of type %q, only label blocks.", b.Type)))
		return LockedLabel{}, false
	}
	if !d.checkNames(b, schema) {
		return LockedLabel{}, false
	}
	d.checkBody(b, schema)
	l := LockedLabel{Name: b.Labels[0], Range: headerRange(b)}
	if why := badLabelName(l.Name); why != "" {
		d.diags.Add(diag.New(diag.InvalidLabel, nameRange(b), fmt.Sprintf("%q cannot be a conntrack label: %s.", l.Name, why)))
		return l, false
	}
	if !d.define("lock "+l.Name, fmt.Sprintf("bit of label %q", l.Name), l.Range) {
		return l, false
	}
	a := d.require(b, "bit", "bit = 3")
	if a == nil {
		return l, false
	}
	v, ok := d.argument(a.Expr, cty.Number, "3")
	if !ok {
		return l, false
	}
	bit, accuracy := v.AsBigFloat().Int64()
	if accuracy != big.Exact || bit < 0 || bit > MaxBit {
		d.diags.Add(diag.New(diag.LockedBitRange, toRange(a.Expr.Range()), fmt.Sprintf("A conntrack label's bit is a whole number from 0 to %d.", MaxBit)))
		return l, false
	}
	l.Bit = int(bit)
	if other, ok := byBit[l.Bit]; ok {
		d.diags.Add(diag.New(diag.Duplicate, toRange(a.Expr.Range()), fmt.Sprintf("Bit %d already belongs to label %q at %s. Two labels on one bit could not be told apart.", l.Bit, other.Name, other.Range)))
		return l, false
	}
	return l, true
}

// FormatLock is the text of a lock file, labels sorted by bit.
func FormatLock(l *Lock) []byte {
	file := hclwrite.NewEmptyFile()
	body := file.Body()
	if l.Catalogue != "" {
		body.SetAttributeValue("catalogue", cty.StringVal(l.Catalogue))
	}
	labels := slices.Clone(l.Labels)
	slices.SortFunc(labels, func(a, b LockedLabel) int { return a.Bit - b.Bit })
	for _, label := range labels {
		body.AppendNewline()
		block := body.AppendNewBlock("label", []string{label.Name})
		block.Body().SetAttributeValue("bit", cty.NumberIntVal(int64(label.Bit)))
	}
	const header = "# Written by netpol; commit it. Labels on live connections keep their bits\n" +
		"# longer than a ruleset lives, so a bit is never given to another label.\n\n"
	return append([]byte(header), hclwrite.Format(file.Bytes())...)
}
