package resolve

import (
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
)

// addressAtom resolves an address against addresses, CIDR blocks and groups.
func (k *criterion) addressAtom(a atom, constants []constant) (ir.Expr, bool) {
	var prefixes []netip.Prefix
	ok := true
	for _, c := range constants {
		list, good := k.prefixes(a, c)
		ok = ok && good
		prefixes = append(prefixes, list...)
	}
	if !ok {
		return nil, false
	}
	at := k.at(a.span)
	if len(prefixes) == 0 { // only empty groups
		k.warnConstant(a.span, a.op == "!=")
		return &ir.Const{Value: false, Range: at}, true
	}
	return &ir.Compare{Attr: a.attr, Op: ir.OpPrefix, Prefixes: mergePrefixes(prefixes), Range: at, Text: k.slice(a.span)}, true
}

// prefixes reads one constant of an address.
func (k *criterion) prefixes(a atom, c constant) ([]netip.Prefix, bool) {
	if c.kind != stringConstant {
		k.fault(diag.WrongConstant, c.span, "%s is an address and cannot be compared with a %s. Addresses, CIDR blocks and @groups are strings, such as '10.0.0.0/8'.", a.name, c.kind)
		return nil, false
	}
	if name, ok := strings.CutPrefix(c.text, "@"); ok {
		g, ok := k.r.groups[name]
		if !ok {
			known := slices.Sorted(maps.Keys(k.r.groups))
			k.r.diags.Add(undefinedGroup(name, known, k.at(c.span)))
		}
		return g.prefixes, ok && !g.broken
	}
	p, fault := lang.ParsePrefix(c.text)
	if fault.Code != "" {
		fault.Subject = k.at(c.span)
		if _, ok := k.r.groups[c.text]; ok {
			fault.Hint = "write '@" + c.text + "' for the group"
		}
		k.r.diags.Add(fault)
		return nil, false
	}
	return []netip.Prefix{p}, true
}
