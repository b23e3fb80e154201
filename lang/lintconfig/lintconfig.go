package lintconfig

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"

	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
)

// Name is the file's name in a policy directory.
const Name = ".netpol-lint.hcl"

// MaxBytes bounds the file; a longer one is no list of rules.
const MaxBytes = 64 << 10

// Config is what one file says. The zero value changes nothing.
type Config struct {
	MinimumFailureSeverity lang.Text // empty when it is not given
	Rules                  []Rule    // in the order of the file
}

// Rule is one rule block.
type Rule struct {
	Name    lang.Text // id or slug
	Level   lang.Text // empty when it is not given
	Options []Option  // every other argument
	Range   diag.Range
}

// Option is an argument of a rule. One string is a list of one.
type Option struct {
	Name   string
	Values []lang.Text
	Range  diag.Range
}

// Parse reads a file. The config is never nil and holds what could be read.
func Parse(name string, src []byte) (*Config, diag.List) {
	d := &decoder{out: &Config{}}
	if len(src) > MaxBytes {
		d.diags.Add(diag.New(diag.TooLarge, diag.Range{Filename: name}, fmt.Sprintf("%s is larger than %d KiB.", name, MaxBytes>>10)))
		return d.out, d.diags
	}
	// lang.Format parses within lang's limits on nesting.
	if _, diags := lang.Format(name, src); diags.HasErrors() {
		return d.out, diags
	}
	file, _ := hclsyntax.ParseConfig(src, name, hcl.Pos{Line: 1, Column: 1})
	body, ok := file.Body.(*hclsyntax.Body)
	if !ok {
		return d.out, d.diags
	}
	for _, a := range body.Attributes {
		d.setting(a)
	}
	for _, b := range body.Blocks {
		d.rule(b)
	}
	d.diags.Sort()
	return d.out, d.diags
}

type decoder struct {
	out   *Config
	diags diag.List
}

func (d *decoder) setting(a *hclsyntax.Attribute) {
	if a.Name != "minimum_failure_severity" {
		d.diags.Add(diag.New(diag.UnknownArgument, toRange(a.NameRange), fmt.Sprintf("There is no setting %q. The only one is minimum_failure_severity; options of a rule stand in its rule block.", a.Name)))
		return
	}
	if list := d.values(a); len(list) == 1 {
		d.out.MinimumFailureSeverity = list[0]
	}
}

func (d *decoder) rule(b *hclsyntax.Block) {
	if b.Type != "rule" {
		d.diags.Add(diag.New(diag.UnknownBlock, toRange(b.TypeRange), fmt.Sprintf("There are no blocks of type %q here, only rule blocks.", b.Type)))
		return
	}
	if len(b.Labels) != 1 {
		d.diags.Add(diag.New(diag.WrongBlockLabels, toRange(b.TypeRange), `A rule block has one name: write rule "idle-label" { ... }.`))
		return
	}
	r := Rule{Name: lang.Text{Value: b.Labels[0], Range: toRange(b.LabelRanges[0])}, Range: toRange(b.DefRange())}
	for _, inner := range b.Body.Blocks {
		d.diags.Add(diag.New(diag.UnknownBlock, toRange(inner.TypeRange), "A rule block holds no blocks."))
	}
	for _, a := range b.Body.Attributes {
		list := d.values(a)
		if a.Name != "level" {
			r.Options = append(r.Options, Option{Name: a.Name, Values: list, Range: toRange(a.SrcRange)})
		} else if len(list) == 1 {
			r.Level = list[0]
		}
	}
	d.out.Rules = append(d.out.Rules, r)
}

// values reads a string, a number or a list of them. There are no variables
// here, so nothing but constants evaluates.
func (d *decoder) values(a *hclsyntax.Attribute) []lang.Text {
	at := toRange(a.Expr.Range())
	v, hclDiags := a.Expr.Value(nil)
	if hclDiags.HasErrors() || !v.IsWhollyKnown() || v.IsNull() {
		d.diags.Add(diag.New(diag.InvalidExpression, at, strings.TrimSpace("Only constants can stand here. "+detail(hclDiags))))
		return nil
	}
	list := []cty.Value{v}
	if v.Type().IsTupleType() {
		list = v.AsValueSlice()
	}
	var out []lang.Text
	for _, e := range list {
		s, err := convert.Convert(e, cty.String)
		if err != nil || s.IsNull() {
			d.diags.Add(diag.New(diag.WrongValueType, at, "A string or a list of strings is needed here."))
			return nil
		}
		out = append(out, lang.Text{Value: s.AsString(), Range: at})
	}
	return out
}

func detail(diags hcl.Diagnostics) string {
	if len(diags) == 0 {
		return ""
	}
	return diags[0].Detail
}

func toRange(r hcl.Range) diag.Range {
	pos := func(p hcl.Pos) diag.Pos { return diag.Pos{Line: p.Line, Column: p.Column, Byte: p.Byte} }
	return diag.Range{Filename: r.Filename, Start: pos(r.Start), End: pos(r.End)}
}
