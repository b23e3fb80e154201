package program

import (
	"fmt"
	"regexp"
	"strconv"

	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"
	"github.com/expr-lang/expr/vm/runtime"

	"github.com/netpol/netpol/compiler/artifact"
)

// loadCodes rebuilds the machine programs from their exported parts. Functions
// cannot be rebuilt, which is why compiler/emit/prog lets none through.
func (p *Program) loadCodes(b *artifact.Bundle) error {
	for i, in := range b.Program.Codes {
		code, err := loadCode(in)
		if err != nil {
			return fmt.Errorf("code %d: %w", i, err)
		}
		p.codes = append(p.codes, code)
	}
	return nil
}

// maxVariables bounds what a bundle can make a machine allocate; an expression
// of the greatest length that the compiler takes has far fewer.
const maxVariables = 1 << 12

func loadCode(in artifact.Code) (*vm.Program, error) {
	if len(in.Bytecode) != len(in.Arguments) {
		return nil, fmt.Errorf("%d opcodes, %d arguments: %w", len(in.Bytecode), len(in.Arguments), errInvalid)
	}
	if in.Variables < 0 || in.Variables > maxVariables {
		return nil, fmt.Errorf("%d variables: %w", in.Variables, errInvalid)
	}
	ops := make([]vm.Opcode, len(in.Bytecode))
	for i, op := range in.Bytecode {
		if op <= int(vm.OpInvalid) || op > int(vm.OpEnd) {
			return nil, fmt.Errorf("opcode %d: %w", op, errInvalid)
		}
		ops[i] = vm.Opcode(op)
	}
	constants := make([]any, len(in.Constants))
	for i, c := range in.Constants {
		v, err := loadConstant(c)
		if err != nil {
			return nil, fmt.Errorf("constant %d: %w", i, err)
		}
		constants[i] = v
	}
	locations := make([]file.Location, len(ops)) // for the machine's error messages
	return vm.NewProgram(file.NewSource(in.Source), nil, locations, in.Variables, constants, ops, in.Arguments, nil, nil, nil), nil
}

// loadConstant gives a constant the Go type that the compiler gave it.
func loadConstant(c artifact.Constant) (any, error) {
	switch c.Kind {
	case artifact.ConstantInt:
		return c.Int, nil
	case artifact.ConstantFloat:
		return strconv.ParseFloat(c.Text, 64)
	case artifact.ConstantText:
		return c.Text, nil
	case artifact.ConstantBool:
		return c.Int != 0, nil
	case artifact.ConstantNil:
		return nil, nil
	case artifact.ConstantRegexp:
		return regexp.Compile(c.Text)
	case artifact.ConstantField:
		return &runtime.Field{Index: c.Index, Path: c.Path}, nil
	case artifact.ConstantTextSet:
		return loadSet(c.List, func(c artifact.Constant) string { return c.Text }), nil
	case artifact.ConstantIntSet:
		return loadSet(c.List, func(c artifact.Constant) int { return c.Int }), nil
	case artifact.ConstantIntList:
		return loadList(c.List, func(c artifact.Constant) int { return c.Int }), nil
	case artifact.ConstantTextList:
		return loadList(c.List, func(c artifact.Constant) string { return c.Text }), nil
	case artifact.ConstantList:
		list := make([]any, len(c.List))
		for i, member := range c.List {
			v, err := loadConstant(member)
			if err != nil {
				return nil, err
			}
			list[i] = v
		}
		return list, nil
	}
	return nil, fmt.Errorf("kind %q: %w", c.Kind, errInvalid)
}

func loadSet[T comparable](list []artifact.Constant, value func(artifact.Constant) T) map[T]struct{} {
	set := make(map[T]struct{}, len(list))
	for _, c := range list {
		set[value(c)] = struct{}{}
	}
	return set
}

func loadList[T any](list []artifact.Constant, value func(artifact.Constant) T) []T {
	out := make([]T, len(list))
	for i, c := range list {
		out[i] = value(c)
	}
	return out
}
