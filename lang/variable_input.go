package lang

import (
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/suggest"
)

// VarSuffix ends the names of the files in a policy directory whose values
// count without being asked for.
const VarSuffix = ".auto.npvars.hcl"

// VarFile is a file of variable values that was named on the command line.
type VarFile struct {
	Name string
	Data []byte
}

// ReadVarFile reads such a file. It may lie anywhere: whoever names it on the
// command line can read it.
func ReadVarFile(name string) (VarFile, error) {
	f, err := os.Open(name)
	if err != nil {
		return VarFile{}, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, MaxFileBytes+1))
	return VarFile{Name: name, Data: data}, err
}

// input is a variable's value from outside of its module, and the places of the
// value and of the name beside it; zero for the command line.
type input struct {
	value    cty.Value
	text     string // instead of value, from the command line
	at, name diag.Range
}

// rootInputs gathers the values of the set's variables: those of the files in
// the directory, by file name, then those of VarFiles, then Vars. The last one
// counts.
func (d *decoder) rootInputs(files map[string][]byte, opts Options) {
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if strings.HasSuffix(name, VarSuffix) {
			d.varFile(name, files[name])
		}
	}
	for _, f := range opts.VarFiles {
		d.out.sources[f.Name] = f.Data
		d.work += workPerByte * len(f.Data)
		d.varFile(f.Name, f.Data)
	}
	for name, text := range opts.Vars {
		d.inputs[name] = input{text: text}
	}
}

// varFile reads lines of name = value.
func (d *decoder) varFile(name string, src []byte) {
	body := d.parseBody(name, src)
	if body == nil {
		return
	}
	d.bodies = append(d.bodies, body)
	for _, b := range body.Blocks {
		d.diags.Add(diag.New(diag.UnknownBlock, toRange(b.TypeRange), "A file of variable values holds lines name = value, and no blocks."))
	}
	for _, a := range sortedAttributes(body) {
		in := input{value: cty.DynamicVal, at: toRange(a.Expr.Range()), name: toRange(a.NameRange)}
		if refs := a.Expr.Variables(); len(refs) > 0 {
			d.diags.Add(diag.New(diag.InvalidExpression, toRange(refs[0].SourceRange()), "A file of variable values holds plain values, which refer to nothing. Text stands in double quotes."))
		} else {
			in.value = d.value(a.Expr)
		}
		d.inputs[a.Name] = in
	}
}

// checkInputs reports values for variables that no file declares.
func (d *decoder) checkInputs(user *hclsyntax.Block) {
	known := slices.Sorted(maps.Keys(d.vars))
	for _, name := range slices.Sorted(maps.Keys(d.inputs)) {
		if d.vars[name] != nil {
			continue
		}
		detail := fmt.Sprintf("A value is given for %q, but no file declares that variable.", name)
		if user != nil {
			detail = fmt.Sprintf("The module %q has no variable %q.", d.module, name)
			if len(known) > 0 && len(known) <= 10 {
				detail += " It has " + strings.Join(known, ", ") + "."
			}
		}
		d.diags.Add(diag.New(diag.UndefinedVariable, d.inputs[name].name, detail).WithHint(suggest.Hint(name, known)))
	}
}

// inputValue is the value that was given for a variable, in its type.
func (d *decoder) inputValue(v *variable, in input) cty.Value {
	if in.at.IsZero() {
		value := d.givenValue(v, in.text)
		d.given = append(d.given, value)
		return value
	}
	unknown := cty.UnknownVal(v.typ)
	if !in.value.IsWhollyKnown() {
		return unknown
	}
	value, err := convertTo(in.value, v.typ)
	switch {
	case err != nil:
		d.diags.Add(diag.New(diag.WrongValueType, in.at, fmt.Sprintf("The value does not fit the type of the variable %q, %s: %v.", v.name, friendlyType(v.typ), err)))
		return unknown
	case value.IsNull():
		d.diags.Add(diag.New(diag.WrongValueType, in.at, "The value may not be null. Leave the line out to have the variable's default."))
		return unknown
	}
	return value
}
