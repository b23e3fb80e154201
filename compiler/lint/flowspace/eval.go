package flowspace

import (
	"net/netip"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang/fact"
)

// Truth is what is known of a condition for one flow.
type Truth uint8

// Truths. Unknown is for conditions that need the expression engine.
const (
	Unknown Truth = iota
	No
	Yes
)

// Eval says whether a condition holds for a flow, by what package ir says that
// conditions mean and without any of this package's classes.
func Eval(e ir.Expr, f *fact.Facts) Truth {
	switch e := e.(type) {
	case *ir.And:
		return combined(e.List, f, No)
	case *ir.Or:
		return combined(e.List, f, Yes)
	case *ir.Not:
		switch Eval(e.X, f) {
		case Yes:
			return No
		case No:
			return Yes
		case Unknown:
		}
		return Unknown
	case *ir.Const:
		return truth(e.Value)
	case *ir.Compare:
		return compared(e, f)
	default:
		return Unknown
	}
}

// combined is decided where any part is, and the opposite where all parts are.
func combined(list []ir.Expr, f *fact.Facts, decided Truth) Truth {
	result := Yes + No - decided
	for _, x := range list {
		switch Eval(x, f) {
		case decided:
			return decided
		case Unknown:
			result = Unknown
		default:
		}
	}
	return result
}

func truth(b bool) Truth {
	if b {
		return Yes
	}
	return No
}

func compared(e *ir.Compare, f *fact.Facts) Truth {
	field := reflect.ValueOf(f).Elem().FieldByName(e.Attr.Field)
	if !field.IsValid() {
		return Unknown
	}
	switch v := field.Interface().(type) {
	case bool:
		return truth(v)
	case int:
		return truth(slices.ContainsFunc(e.Ranges, func(r ir.Interval) bool { return r.Low <= e.Masked(v) && e.Masked(v) <= r.High }))
	case netip.Addr:
		return truth(slices.ContainsFunc(e.Prefixes, func(p netip.Prefix) bool { return p.Contains(v) }))
	case string:
		values := []string{v}
		if e.Attr.Type.IsList() {
			values = strings.Split(v, ",")
		}
		return truth(slices.ContainsFunc(values, func(v string) bool {
			return slices.ContainsFunc(e.Strings, func(s string) bool { return comparedText(e, v, s) })
		}))
	default:
		return Unknown
	}
}

func comparedText(e *ir.Compare, v, s string) bool {
	if e.Op == ir.OpMatches {
		re, err := regexp.Compile(s)
		return err == nil && re.MatchString(v)
	}
	if ir.FoldsCase(e.Attr) {
		v = strings.ToLower(v)
	}
	switch e.Op {
	case ir.OpEqual:
		return v == s
	case ir.OpContains:
		return strings.Contains(v, s)
	case ir.OpStartsWith:
		return strings.HasPrefix(v, s)
	case ir.OpEndsWith:
		return strings.HasSuffix(v, s)
	case ir.OpDomain:
		return v == s || strings.HasSuffix(v, "."+s)
	default:
		return false
	}
}
