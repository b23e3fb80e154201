package lang

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/convert"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// Bounds of what one call of a function may make.
const (
	// maxElements bounds the list that a call makes out of shorter arguments.
	maxElements = 1 << 14
	// numberCost is what a number that may become text costs, because that takes
	// 14 us (measured 2026-11).
	numberCost = 192
	// numberText is how long a number of maxNumberBits can be as text.
	numberText = 1 + maxNumberBits/3
)

var (
	errTooMuchWork   = errors.New("the values of the set take too many steps to compute")
	errLargeResult   = fmt.Errorf("the result would be longer than %d KiB", maxStringBytes>>10)
	errManyElements  = fmt.Errorf("the result would have more than %d elements", maxElements)
	errDigitsInVerbs = errors.New("a width or precision has at most three digits")
)

// libraryFunction is one function of the language: cty's own, and what it may
// cost. check, which may be nil, refuses arguments whose result would be too
// large to make.
type libraryFunction struct {
	name  string
	call  function.Function
	check func(args []cty.Value) error
	// unifies: elements of different types get one, which takes quadratic time.
	unifies bool
}

// libraryFunctions lists the functions, sorted by name. docs/language.md has a
// line for each.
func libraryFunctions() []libraryFunction {
	return []libraryFunction{
		{name: "abs", call: stdlib.AbsoluteFunc},
		{name: "cidrhost", call: cidrHost},
		{name: "cidrsubnet", call: cidrSubnet},
		{name: "coalesce", call: stdlib.CoalesceFunc},
		{name: "compact", call: stdlib.CompactFunc},
		{name: "concat", call: stdlib.ConcatFunc},
		{name: "contains", unifies: true, call: stdlib.ContainsFunc},
		{name: "distinct", call: distinct},
		{name: "element", unifies: true, call: stdlib.ElementFunc},
		{name: "endswith", call: endsWith},
		{name: "flatten", call: stdlib.FlattenFunc},
		{name: "format", call: stdlib.FormatFunc, check: checkFormat},
		{name: "formatlist", call: stdlib.FormatListFunc, check: checkFormatList},
		{name: "join", call: stdlib.JoinFunc, check: checkJoin},
		{name: "keys", call: stdlib.KeysFunc},
		{name: "length", call: length},
		{name: "lookup", unifies: true, call: stdlib.LookupFunc},
		{name: "lower", call: stdlib.LowerFunc},
		{name: "max", call: stdlib.MaxFunc},
		{name: "merge", call: stdlib.MergeFunc},
		{name: "min", call: stdlib.MinFunc},
		{name: "range", call: stdlib.RangeFunc},
		{name: "replace", call: stdlib.ReplaceFunc, check: checkReplace},
		{name: "reverse", call: stdlib.ReverseListFunc},
		{name: "setproduct", unifies: true, call: stdlib.SetProductFunc, check: checkSetProduct},
		{name: "slice", call: stdlib.SliceFunc},
		{name: "sort", call: stdlib.SortFunc},
		{name: "split", call: stdlib.SplitFunc, check: checkSplit},
		{name: "startswith", call: startsWith},
		{name: "tolist", unifies: true, call: stdlib.MakeToFunc(cty.List(cty.DynamicPseudoType))},
		{name: "tomap", unifies: true, call: stdlib.MakeToFunc(cty.Map(cty.DynamicPseudoType))},
		{name: "tonumber", call: stdlib.MakeToFunc(cty.Number)},
		{name: "toset", unifies: true, call: stdlib.MakeToFunc(cty.Set(cty.DynamicPseudoType))},
		{name: "tostring", call: stdlib.MakeToFunc(cty.String)},
		{name: "trimprefix", call: stdlib.TrimPrefixFunc},
		{name: "trimspace", call: stdlib.TrimSpaceFunc},
		{name: "trimsuffix", call: stdlib.TrimSuffixFunc},
		{name: "upper", call: stdlib.UpperFunc},
		{name: "values", call: stdlib.ValuesFunc},
		{name: "zipmap", call: stdlib.ZipmapFunc},
	}
}

// functions makes the functions of one set, which draw on its budget.
func (d *decoder) functions() map[string]function.Function {
	out := map[string]function.Function{}
	for _, f := range libraryFunctions() {
		out[f.name] = d.metered(f)
	}
	return out
}

// metered is a function that pays for its arguments and its result.
func (d *decoder) metered(f libraryFunction) function.Function {
	pay := func(args []cty.Value) error {
		// cty goes through its arguments more than once, and gives the arguments
		// that are alike one type by comparing each with each.
		total := times(len(args), len(args))
		for _, a := range args {
			total += 4*sizeOfValue(a) + numberCost*numbers(a)
			if t := a.Type(); f.unifies && (t.IsTupleType() || t.IsObjectType()) {
				total += times(elementCount(a), elementCount(a))
			}
		}
		if !d.charge(total) {
			return errTooMuchWork
		}
		if f.check != nil {
			return f.check(args)
		}
		return nil
	}
	params := f.call.Params()
	collections := map[int]cty.Type{}
	for i := range params {
		if t := params[i].Type; t.IsCollectionType() && t.ElementType() == cty.DynamicPseudoType {
			// cty would convert before anyone could have counted.
			collections[i], params[i].Type = t, cty.DynamicPseudoType
		}
	}
	return function.New(&function.Spec{
		Params:   params,
		VarParam: f.call.VarParam(),
		Type: func(args []cty.Value) (cty.Type, error) {
			args = sameTypes(args)
			if err := pay(args); err != nil {
				return cty.NilType, err
			}
			if err := toCollections(args, collections); err != nil {
				return cty.NilType, err
			}
			return f.call.ReturnTypeForValues(args)
		},
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			args = sameTypes(args)
			if err := toCollections(args, collections); err != nil {
				return cty.NilVal, err
			}
			v, err := f.call.Call(args)
			if err == nil && !d.charge(sizeOfValue(v)) {
				return cty.NilVal, errTooMuchWork
			}
			return v, err
		},
	})
}

// toCollections converts the arguments that have to be lists, sets or maps.
func toCollections(args []cty.Value, want map[int]cty.Type) error {
	for i, t := range want {
		v, err := convert.Convert(args[i], t)
		if err != nil {
			return function.NewArgError(i, err)
		}
		args[i] = v
	}
	return nil
}

// sameTypes makes lists and maps of the tuples and objects whose elements have
// one type. cty could do so as well, but it takes quadratic time: 158 s for a
// list of 130,000 numbers (measured 2026-11).
func sameTypes(args []cty.Value) []cty.Value {
	out := make([]cty.Value, len(args))
	for i, a := range args {
		out[i] = a
		t := a.Type()
		if !t.IsTupleType() || elementCount(a) == 0 {
			continue
		}
		types := t.TupleElementTypes()
		same := true
		for _, e := range types {
			same = same && e.Equals(types[0])
		}
		if same && types[0] != cty.DynamicPseudoType {
			out[i] = cty.ListVal(a.AsValueSlice())
		}
	}
	return out
}

// elementCount is how many elements a value has, 0 for what is no collection.
func elementCount(v cty.Value) int {
	if !v.IsKnown() || v.IsNull() || !v.CanIterateElements() {
		return 0
	}
	return v.LengthInt()
}

// numbers counts the numbers directly inside a value.
func numbers(v cty.Value) int {
	n := 0
	if elementCount(v) == 0 {
		return n
	}
	for it := v.ElementIterator(); it.Next(); {
		if _, e := it.Element(); e.Type() == cty.Number {
			n++
		}
	}
	return n
}

// textLength is how long a value can be as text, as format writes it.
func textLength(v cty.Value) int {
	switch {
	case !v.IsKnown() || v.IsNull():
		return 16
	case v.Type() == cty.String:
		return 2 + 6*len(v.AsString()) // quoted, each byte \u00xx
	case v.Type() == cty.Number:
		return numberText
	case !v.CanIterateElements():
		return 16
	}
	total := 2
	for it := v.ElementIterator(); it.Next() && total <= maxStringBytes; {
		k, e := it.Element()
		total += textLength(k) + textLength(e)
	}
	return total
}

// wideVerb finds a width or precision that alone would fill the memory.
var wideVerb = regexp.MustCompile(`%[^a-zA-Z%]*[0-9]{4}`)

// formatLength is how long the result of format can be: every verb may show
// the longest of its arguments.
func formatLength(text string, longest int) (int, error) {
	if wideVerb.MatchString(text) {
		return 0, errDigitsInVerbs
	}
	return len(text) + times(strings.Count(text, "%"), max(longest, 1000)), nil
}

func checkFormat(args []cty.Value) error {
	if !args[0].IsKnown() || args[0].IsNull() {
		return nil
	}
	longest := 0
	for _, a := range args[1:] {
		longest = max(longest, textLength(a))
	}
	n, err := formatLength(args[0].AsString(), longest)
	if err == nil && n > maxStringBytes {
		err = errLargeResult
	}
	return err
}

// checkFormatList bounds formatlist, which runs format for each element of the
// longest list.
func checkFormatList(args []cty.Value) error {
	if !args[0].IsKnown() || args[0].IsNull() {
		return nil
	}
	longest, turns := 0, 1
	for _, a := range args[1:] {
		n := elementCount(a)
		if n == 0 {
			longest = max(longest, textLength(a))
			continue
		}
		turns = max(turns, n)
		for it := a.ElementIterator(); it.Next(); {
			_, e := it.Element()
			longest = max(longest, textLength(e))
		}
	}
	n, err := formatLength(args[0].AsString(), longest)
	if err == nil && times(turns, n) > 4*maxStringBytes {
		err = errLargeResult
	}
	return err
}

func checkJoin(args []cty.Value) error {
	if !args[0].IsKnown() || args[0].IsNull() {
		return nil
	}
	total := 0
	for _, list := range args[1:] {
		total += times(elementCount(list)+1, len(args[0].AsString()))
	}
	if total > maxStringBytes {
		return errLargeResult
	}
	return nil
}

func checkReplace(args []cty.Value) error {
	for _, a := range args {
		if !a.IsKnown() || a.IsNull() {
			return nil
		}
	}
	text, old, replacement := args[0].AsString(), args[1].AsString(), args[2].AsString()
	if len(text)+times(strings.Count(text, old), len(replacement)) > maxStringBytes {
		return errLargeResult
	}
	return nil
}

func checkSplit(args []cty.Value) error {
	for _, a := range args {
		if !a.IsKnown() || a.IsNull() {
			return nil
		}
	}
	if strings.Count(args[1].AsString(), args[0].AsString()) >= maxElements {
		return errManyElements
	}
	return nil
}

func checkSetProduct(args []cty.Value) error {
	total := 1
	for _, a := range args {
		total = times(total, elementCount(a))
	}
	if times(total, len(args)) > maxElements {
		return errManyElements
	}
	return nil
}
