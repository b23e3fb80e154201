package resolve

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
)

// addressAtom resolves an address against addresses, CIDR blocks and groups.
func (k *criterion) addressAtom(a atom, constants []constant) (ir.Expr, bool) {
	lists, total, ok := make([][]netip.Prefix, 0, len(constants)), 0, true
	for _, c := range constants {
		list, good := k.prefixes(a, c)
		ok = ok && good
		lists, total = append(lists, list), total+len(list)
	}
	if !ok {
		return nil, false
	}
	at := k.at(a.span)
	if total == 0 { // only empty groups
		k.warnConstant(a.span, a.op == "!=")
		return &ir.Const{Value: false, Range: at}, true
	}
	out := &ir.Compare{Attr: a.attr, Op: ir.OpPrefix, Prefixes: lists[0], Range: at, Text: k.slice(a.span)}
	if len(lists) > 1 { // a group alone is sorted, and shared by all that use it
		if !k.spend(total, a.span) {
			return nil, false
		}
		out.Prefixes = mergePrefixes(slices.Concat(lists...))
	}
	return out, true
}

// prefixes reads one constant of an address.
func (k *criterion) prefixes(a atom, c constant) ([]netip.Prefix, bool) {
	if c.kind != stringConstant {
		k.fault(diag.WrongConstant, c.span, "%s is an address and cannot be compared with a %s. Addresses, CIDR blocks and @groups are strings, such as '10.0.0.0/8'.", a.name, c.kind)
		return nil, false
	}
	if name, ok := strings.CutPrefix(c.text, "@"); ok {
		_, g := inModule(k.r.groups, k.source.Module, name)
		if g == nil {
			d := k.r.undefinedGroup(name, k.at(c.span))
			if _, apps := inModule(k.r.apps, k.source.Module, name); apps != nil {
				d.Hint = "'@" + name + "' is a group of applications: write app == '@" + name + "'"
			}
			k.r.addUnknown(d)
			return nil, false
		}
		if len(g.prefixes) == 0 && len(g.macs) > 0 && !g.broken {
			k.fault(diag.InvalidAddress, c.span, "The group @%s holds hardware addresses only, and %s is an IP address.", name, a.name).
				Hint = "write local_mac in '@" + name + "'"
			return nil, false
		}
		return g.prefixes, !g.broken
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
