package resolve

import (
	"math/bits"

	"github.com/expr-lang/expr/ast"
)

// number is the value of a whole number that is written or calculated from
// others, as in 10 * 1024 * 1024. It is false for everything else, for a division
// that leaves a rest or is by zero, and for numbers past 62 bits.
func number(n ast.Node) (int, bool) {
	switch n := n.(type) {
	case *ast.IntegerNode:
		return n.Value, true
	case *ast.UnaryNode:
		v, ok := number(n.Node)
		switch n.Operator {
		case "-":
			return -v, ok
		case "+":
			return v, ok
		}
	case *ast.BinaryNode:
		a, ok := number(n.Left)
		if !ok {
			return 0, false
		}
		b, ok := number(n.Right)
		if !ok {
			return 0, false
		}
		return calculate(n.Operator, a, b)
	}
	return 0, false
}

// calculate is one step of arithmetic on whole numbers.
func calculate(operator string, x, y int) (int, bool) {
	a, b := int64(x), int64(y)
	var v int64
	switch operator {
	case "+":
		v = a + b
	case "-":
		v = a - b
	case "*":
		if hi, lo := bits.Mul64(magnitude(a), magnitude(b)); hi != 0 || lo >= most {
			return 0, false
		}
		v = a * b
	case "/":
		if b == 0 || a%b != 0 {
			return 0, false
		}
		v = a / b
	case "%":
		if b == 0 {
			return 0, false
		}
		v = a % b
	default:
		return 0, false
	}
	return int(v), magnitude(a) < most && magnitude(b) < most && int64(int(v)) == v
}

// most bounds the numbers that are calculated with, so that no sum overflows.
const most = 1 << 62

func magnitude(n int64) uint64 {
	if n < 0 {
		return uint64(-n)
	}
	return uint64(n)
}
