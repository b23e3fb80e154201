package irtest

import (
	"fmt"
	"net/netip"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang/fact"
)

// Run says whether the expression of a residual holds for a flow.
type Run func(source string, f *fact.Facts) bool

// Eval says whether a condition holds for a flow. It panics on a tree that
// resolve could not have made.
func Eval(e ir.Expr, f *fact.Facts, run Run) bool {
	switch e := e.(type) {
	case *ir.And:
		return !slices.ContainsFunc(e.List, func(x ir.Expr) bool { return !Eval(x, f, run) })
	case *ir.Or:
		return slices.ContainsFunc(e.List, func(x ir.Expr) bool { return Eval(x, f, run) })
	case *ir.Not:
		return !Eval(e.X, f, run)
	case *ir.Const:
		return e.Value
	case *ir.Compare:
		return compare(e, f)
	case *ir.Residual:
		return run(e.Source, f)
	}
	panic(fmt.Sprintf("irtest: unknown condition %T", e))
}

func compare(e *ir.Compare, f *fact.Facts) bool {
	switch v := reflect.ValueOf(f).Elem().FieldByName(e.Attr.Field).Interface().(type) {
	case bool:
		return v
	case int:
		return slices.ContainsFunc(e.Ranges, func(r ir.Interval) bool { return r.Low <= e.Masked(v) && e.Masked(v) <= r.High })
	case netip.Addr:
		return slices.ContainsFunc(e.Prefixes, func(p netip.Prefix) bool { return p.Contains(v) })
	case string:
		values := []string{v}
		if e.Attr.Type.IsList() {
			values = strings.Split(v, ",")
		}
		return slices.ContainsFunc(values, func(v string) bool {
			return slices.ContainsFunc(e.Strings, func(s string) bool { return text(e, v, s) })
		})
	}
	panic("irtest: unknown type of attribute " + e.Attr.Name)
}

func text(e *ir.Compare, v, s string) bool {
	if e.Op == ir.OpMatches {
		return regexp.MustCompile(s).MatchString(v)
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
	case ir.OpRange, ir.OpPrefix, ir.OpTrue, ir.OpMatches:
	}
	panic("irtest: operator " + e.Op.String() + " on a text")
}
