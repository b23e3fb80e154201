package iprule

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/compiler/artifact"
)

// Protocol is who installed a rule (FRA_PROTOCOL, linux/fib_rules.h, since 4.17;
// numbers as in rtnetlink.h, where this one is nobody's).
const Protocol = 110

// Priority is before that of the main table (32766), and after what VPNs and
// other managers put first.
const Priority = 4788

// Rule sends packets with a mark to a table, in one family.
type Rule struct {
	IPv6  bool
	Route artifact.Route
}

// String is the rule as "ip rule" writes it.
func (r Rule) String() string {
	family := "-4"
	if r.IPv6 {
		family = "-6"
	}
	return fmt.Sprintf("%s fwmark %#x/%#x lookup %d", family, r.Route.Mark, r.Route.Mask, r.Route.Table)
}

// Of are the rules of a bundle's routes: one for each family.
func Of(routes []artifact.Route) []Rule {
	var out []Rule
	for _, route := range routes {
		out = append(out, Rule{false, route}, Rule{true, route})
	}
	sorted(out)
	return out
}

func sorted(list []Rule) {
	slices.SortFunc(list, func(a, b Rule) int { return cmp.Compare(a.String(), b.String()) })
}

// Read lists netpol's rules.
func Read() ([]Rule, error) {
	var out []Rule
	for _, family := range []int{unix.AF_INET, unix.AF_INET6} {
		list, err := netlink.RuleList(family)
		if errors.Is(err, unix.EAFNOSUPPORT) {
			continue // a host without IPv6
		}
		if err != nil {
			return nil, fmt.Errorf("list routing rules: %w", err)
		}
		for _, r := range list {
			if r.Protocol != Protocol {
				continue
			}
			rule := Rule{IPv6: family == unix.AF_INET6, Route: artifact.Route{Table: uint32(r.Table), Mark: r.Mark}}
			if r.Mask != nil {
				rule.Route.Mask = *r.Mask
			}
			out = append(out, rule)
		}
	}
	sorted(out)
	return out, nil
}

// Add installs the rules that are missing. It is done before packets are marked
// for them.
func Add(want []Rule) error {
	live, err := Read()
	if err != nil {
		return err
	}
	for _, r := range want {
		if slices.Contains(live, r) {
			continue
		}
		if err := netlink.RuleAdd(r.netlink()); err != nil && !errors.Is(err, unix.EEXIST) {
			if r.IPv6 && errors.Is(err, unix.EAFNOSUPPORT) {
				continue
			}
			return fmt.Errorf("add routing rule %s: %w", r, err)
		}
	}
	return nil
}

// Keep removes all of netpol's rules but some, once no packet is marked for them.
func Keep(want []Rule) error {
	live, err := Read()
	if err != nil {
		return err
	}
	for _, r := range live {
		if slices.Contains(want, r) {
			continue
		}
		if err := netlink.RuleDel(r.netlink()); err != nil && !errors.Is(err, unix.ENOENT) {
			return fmt.Errorf("delete routing rule %s: %w", r, err)
		}
	}
	return nil
}

func (r Rule) netlink() *netlink.Rule {
	out := netlink.NewRule()
	out.Family = unix.AF_INET
	if r.IPv6 {
		out.Family = unix.AF_INET6
	}
	mask := r.Route.Mask
	out.Priority, out.Protocol = Priority, Protocol
	out.Mark, out.Mask, out.Table = r.Route.Mark, &mask, int(r.Route.Table)
	return out
}
