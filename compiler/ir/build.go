package ir

import "github.com/netpol/netpol/lang/diag"

// NewAnd joins conditions by and: nested Ands are flattened and constants
// folded away. Without parts it is true.
func NewAnd(r diag.Range, list ...Expr) Expr {
	flat := make([]Expr, 0, len(list))
	for _, e := range list {
		switch e := e.(type) {
		case *And:
			flat = append(flat, e.List...)
		case *Const:
			if !e.Value {
				return &Const{Value: false, Range: r}
			}
		default:
			flat = append(flat, e)
		}
	}
	switch len(flat) {
	case 0:
		return &Const{Value: true, Range: r}
	case 1:
		return flat[0]
	}
	return &And{List: flat, Range: r}
}

// NewOr joins conditions by or: nested Ors are flattened and constants folded
// away. Without parts it is false.
func NewOr(r diag.Range, list ...Expr) Expr {
	flat := make([]Expr, 0, len(list))
	for _, e := range list {
		switch e := e.(type) {
		case *Or:
			flat = append(flat, e.List...)
		case *Const:
			if e.Value {
				return &Const{Value: true, Range: r}
			}
		default:
			flat = append(flat, e)
		}
	}
	switch len(flat) {
	case 0:
		return &Const{Value: false, Range: r}
	case 1:
		return flat[0]
	}
	return &Or{List: flat, Range: r}
}

// NewNot negates a condition; two negations cancel out.
func NewNot(r diag.Range, x Expr) Expr {
	switch x := x.(type) {
	case *Not:
		return x.X
	case *Const:
		return &Const{Value: !x.Value, Range: r}
	}
	return &Not{X: x, Range: r}
}

// Walk calls visit for e and everything below it, parents first.
func Walk(e Expr, visit func(Expr)) {
	visit(e)
	switch e := e.(type) {
	case *And:
		for _, x := range e.List {
			Walk(x, visit)
		}
	case *Or:
		for _, x := range e.List {
			Walk(x, visit)
		}
	case *Not:
		Walk(e.X, visit)
	case *Const, *Compare, *Residual:
	}
}
