package lang

import (
	"fmt"
	"math/big"
	"net/netip"
	"strings"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/function/stdlib"
)

// length counts the elements of a collection or the characters of a string.
var length = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "value", Type: cty.DynamicPseudoType, AllowDynamicType: true}},
	Type: func(args []cty.Value) (cty.Type, error) {
		if t := args[0].Type(); t != cty.DynamicPseudoType && t.IsPrimitiveType() && t != cty.String {
			return cty.NilType, function.NewArgErrorf(0, "a string, list, set, map or object has a length, a %s has not", t.FriendlyName())
		}
		return cty.Number, nil
	},
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		if args[0].Type() == cty.String {
			return stdlib.Strlen(args[0])
		}
		return cty.NumberIntVal(int64(args[0].LengthInt())), nil
	},
})

// distinct drops the second and later of equal elements. cty's own compares
// each element with each.
var distinct = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "list", Type: cty.List(cty.DynamicPseudoType)}},
	Type: func(args []cty.Value) (cty.Type, error) {
		if t := args[0].Type(); t.IsListType() && !t.ElementType().IsPrimitiveType() && t.ElementType() != cty.DynamicPseudoType {
			return cty.NilType, function.NewArgErrorf(0, "a list of strings, numbers or bools is needed")
		}
		return args[0].Type(), nil
	},
	Impl: func(args []cty.Value, t cty.Type) (cty.Value, error) {
		var out []cty.Value
		seen := map[string]bool{}
		for it := args[0].ElementIterator(); it.Next(); {
			_, e := it.Element()
			key, err := convertTo(e, cty.String)
			if err != nil {
				return cty.NilVal, err
			}
			if text := textOf(key); !seen[text] {
				seen[text] = true
				out = append(out, e)
			}
		}
		if len(out) == 0 {
			return cty.ListValEmpty(t.ElementType()), nil
		}
		return cty.ListVal(out), nil
	},
})

// textOf tells null from the empty string.
func textOf(v cty.Value) string {
	if v.IsNull() {
		return "null"
	}
	return "=" + v.AsString()
}

var (
	startsWith = textTest(strings.HasPrefix)
	endsWith   = textTest(strings.HasSuffix)
)

// textTest makes a function of two strings that says yes or no.
func textTest(holds func(s, part string) bool) function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "text", Type: cty.String}, {Name: "part", Type: cty.String}},
		Type:   function.StaticReturnType(cty.Bool),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			return cty.BoolVal(holds(args[0].AsString(), args[1].AsString())), nil
		},
	})
}

// cidrHost is the address with a number inside a block; negative numbers count
// from its end.
var cidrHost = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "block", Type: cty.String}, {Name: "number", Type: cty.Number}},
	Type:   function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		block, err := blockArgument(args[0])
		if err != nil {
			return cty.NilVal, err
		}
		n, err := wholeArgument(args[1], 1)
		if err != nil {
			return cty.NilVal, err
		}
		addr, ok := inBlock(block, n, block.Addr().BitLen()-block.Bits(), 0)
		if !ok {
			return cty.NilVal, function.NewArgErrorf(1, "%s has no address number %s", block, n)
		}
		return cty.StringVal(addr.String()), nil
	},
})

// cidrSubnet is the block with a number among those that a block divides into
// when its prefix grows by some bits.
var cidrSubnet = function.New(&function.Spec{
	Params: []function.Parameter{{Name: "block", Type: cty.String}, {Name: "bits", Type: cty.Number}, {Name: "number", Type: cty.Number}},
	Type:   function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		block, err := blockArgument(args[0])
		if err != nil {
			return cty.NilVal, err
		}
		more, err := wholeArgument(args[1], 1)
		if err != nil {
			return cty.NilVal, err
		}
		room := block.Addr().BitLen() - block.Bits()
		if !more.IsInt64() || more.Int64() < 0 || more.Int64() > int64(room) {
			return cty.NilVal, function.NewArgErrorf(1, "the prefix of %s can grow by 0 to %d bits", block, room)
		}
		n, err := wholeArgument(args[2], 2)
		if err != nil {
			return cty.NilVal, err
		}
		bits := int(more.Int64())
		addr, ok := inBlock(block, n, bits, room-bits)
		if !ok {
			return cty.NilVal, function.NewArgErrorf(2, "there are 2^%d blocks, and number %s is not among them", bits, n)
		}
		return cty.StringVal(netip.PrefixFrom(addr, block.Bits()+bits).String()), nil
	},
})

// inBlock is a block's address with n shifted left into its host bits; n must
// fit into that many bits.
func inBlock(block netip.Prefix, n *big.Int, bits, shift int) (netip.Addr, bool) {
	count := new(big.Int).Lsh(big.NewInt(1), uint(bits))
	if n.Sign() < 0 {
		n = new(big.Int).Add(n, count)
	}
	if n.Sign() < 0 || n.Cmp(count) >= 0 {
		return netip.Addr{}, false
	}
	base := new(big.Int).SetBytes(block.Addr().AsSlice())
	base.Or(base, new(big.Int).Lsh(n, uint(shift)))
	return netip.AddrFromSlice(base.FillBytes(make([]byte, block.Addr().BitLen()/8)))
}

func blockArgument(v cty.Value) (netip.Prefix, error) {
	p, fault := ParsePrefix(v.AsString())
	if fault.Code != "" {
		why := fault.Detail
		if fault.Hint != "" {
			why += " (" + fault.Hint + ")"
		}
		return p, function.NewArgError(0, fmt.Errorf("%s", strings.TrimSuffix(why, ".")))
	}
	return p, nil
}

func wholeArgument(v cty.Value, index int) (*big.Int, error) {
	f := v.AsBigFloat()
	if !f.IsInt() || f.MantExp(nil) > maxNumberBits {
		return nil, function.NewArgErrorf(index, "a whole number is needed")
	}
	n, _ := f.Int(nil)
	return n, nil
}
