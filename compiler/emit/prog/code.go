package prog

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"
	"github.com/expr-lang/expr/vm/runtime"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang/fact"
)

// compileCode compiles an expression over fact.Facts and takes the result
// apart into what a bundle can hold. The environment is the struct value, not
// a pointer: from a pointer type expr 1.17.8 compiles look-ups by name.
func compileCode(source string) (artifact.Code, error) {
	program, err := expr.Compile(source, expr.Env(fact.Facts{}), expr.AsBool())
	if err != nil {
		return artifact.Code{Source: source}, fmt.Errorf("compile: %w", err)
	}
	return takeApart(source, program)
}

// takeApart keeps the exported parts of a program. Functions are not among
// them, so bytecode that calls one is refused here and not on the router.
func takeApart(source string, program *vm.Program) (artifact.Code, error) {
	code := artifact.Code{Source: source, Arguments: slices.Clone(program.Arguments)}
	for i, op := range program.Bytecode {
		if why := unportable(op); why != "" {
			return code, fmt.Errorf("it uses %s", why)
		}
		if op == vm.OpStore || op == vm.OpLoadVar {
			code.Variables = max(code.Variables, program.Arguments[i]+1)
		}
		code.Bytecode = append(code.Bytecode, int(op))
	}
	for _, v := range program.Constants {
		c, err := constant(v)
		if err != nil {
			return code, err
		}
		code.Constants = append(code.Constants, c)
	}
	return code, nil
}

// unportable says what of an opcode does not survive the bundle, or nothing.
func unportable(op vm.Opcode) string {
	switch op {
	case vm.OpLoadFunc, vm.OpCall, vm.OpCall0, vm.OpCall1, vm.OpCall2, vm.OpCall3,
		vm.OpCallN, vm.OpCallFast, vm.OpCallSafe, vm.OpCallTyped:
		return "a function that has no bytecode of its own"
	case vm.OpLoadMethod, vm.OpMethod:
		return "a method of an attribute's Go type"
	case vm.OpLoadConst, vm.OpLoadFast, vm.OpLoadEnv:
		return "attributes by computed name"
	case vm.OpThrow:
		return "an operation that can fail"
	case vm.OpProfileStart, vm.OpProfileEnd:
		return "profiling"
	default:
		return ""
	}
}

// constant writes a Go value of a program as the bundle holds it.
func constant(v any) (artifact.Constant, error) {
	switch v := v.(type) {
	case nil:
		return artifact.Constant{Kind: artifact.ConstantNil}, nil
	case bool:
		c := artifact.Constant{Kind: artifact.ConstantBool}
		if v {
			c.Int = 1
		}
		return c, nil
	case int:
		if v != narrow(v) { // a 32-bit router could not even read the bundle
			return artifact.Constant{}, fmt.Errorf("the number %d does not fit 32 bits", v)
		}
		return artifact.Constant{Kind: artifact.ConstantInt, Int: v}, nil
	case float64:
		return artifact.Constant{Kind: artifact.ConstantFloat, Text: strconv.FormatFloat(v, 'g', -1, 64)}, nil
	case string:
		return artifact.Constant{Kind: artifact.ConstantText, Text: v}, nil
	case *regexp.Regexp:
		return artifact.Constant{Kind: artifact.ConstantRegexp, Text: v.String()}, nil
	case *runtime.Field:
		return artifact.Constant{Kind: artifact.ConstantField, Index: v.Index, Path: v.Path}, nil
	case map[string]struct{}:
		return listOf(artifact.ConstantTextSet, slices.Sorted(maps.Keys(v)))
	case map[int]struct{}:
		return listOf(artifact.ConstantIntSet, slices.Sorted(maps.Keys(v)))
	case []int:
		return listOf(artifact.ConstantIntList, v)
	case []string:
		return listOf(artifact.ConstantTextList, v)
	case []any:
		return listOf(artifact.ConstantList, v)
	}
	return artifact.Constant{}, fmt.Errorf("it has a constant of type %T", v)
}

func listOf[T any](kind artifact.ConstantKind, list []T) (artifact.Constant, error) {
	c := artifact.Constant{Kind: kind, List: make([]artifact.Constant, len(list))}
	for i, v := range list {
		member, err := constant(v)
		if err != nil {
			return c, err
		}
		c.List[i] = member
	}
	return c, nil
}
