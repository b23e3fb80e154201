package propose

import (
	"cmp"
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Router tables that are the kernel's own (linux/rtnetlink.h): RT_TABLE_DEFAULT,
// RT_TABLE_MAIN and RT_TABLE_LOCAL.
const (
	tableDefault = 253
	tableLocal   = 255
)

// policy is a proposal with a name and what is written for its mark.
type policy struct {
	proposal
	title    string
	route    int // routing table; 0 for none
	remark   []string
	disabled bool
}

// readRules walks through all chains that the kernel calls.
func (f *Found) readRules() ([]proposal, []skipped, error) {
	var told []string
	chains := map[string]*chain{}
	for _, program := range slices.Sorted(maps.Keys(f.Iptables)) {
		family, ipv := "ip", "4"
		if strings.HasPrefix(program, "ip6") {
			family, ipv = "ip6", "6"
		}
		found, tables := iptables(f.Iptables[program], program, ipv)
		maps.Copy(chains, found)
		if !strings.Contains(program, "legacy") {
			for _, table := range tables {
				told = append(told, family+" "+table)
			}
		}
	}
	if len(f.Nftables) > 0 {
		found, err := nftables(f.Nftables, func(family, table string) bool { return slices.Contains(told, family+" "+table) })
		if err != nil {
			return nil, nil, err
		}
		maps.Copy(chains, found)
	}
	w := walker{chains: chains}
	var found []proposal
	for _, name := range slices.Sorted(maps.Keys(chains)) {
		if chains[name].base {
			found = append(found, w.walk(chains[name], nil, "", 0)...)
		}
	}
	return merge(found), w.skipped, nil
}

// name gives each proposal what it needs to be a policy.
func (f *Found) name(list []proposal) []policy {
	out := make([]policy, 0, len(list))
	taken := map[string]int{}
	for _, p := range list {
		one := policy{proposal: p}
		f.readMark(&one)
		one.title = cmp.Or(policyName(p.name), one.byEffect())
		taken[one.title]++
		if n := taken[one.title]; n > 1 {
			one.title = fmt.Sprintf("%s-%d", one.title, n)
		}
		out = append(out, one)
	}
	return out
}

// readMark finds out what a packet's mark is for: a routing table or a class, which
// policies name themselves.
func (f *Found) readMark(p *policy) {
	m := p.effect.mark
	if m == nil || !m.packet {
		return
	}
	for _, r := range f.Marks {
		if r.Mask != 0 && m.value&r.Mask == r.Mark && (r.Table < tableDefault || r.Table > tableLocal) && r.Table > 0 {
			p.route, p.effect.mark = r.Table, nil
			p.remark = append(p.remark, fmt.Sprintf("The mark %#x is for the routing rule %d (%s), which leads to table %d.", m.value, r.Priority, r.Family, r.Table))
			return
		}
	}
	for _, filter := range f.Filters {
		if filter.Mark == m.value && p.effect.priority == "" {
			p.effect.priority, p.effect.mark = filter.Class, nil
			p.remark = append(p.remark, fmt.Sprintf("The mark %#x is for a filter of tc on %s, which leads to class %s.", m.value, filter.Interface, filter.Class))
			return
		}
	}
	p.remark = append(p.remark, "It was the packet's mark; a policy sets the connection's. What goes by it needs a rule that",
		"copies it: meta mark set ct mark.")
}

// byEffect names a policy by what it does and to what.
func (p *policy) byEffect() string {
	e, parts := p.effect, []string{"set"}
	switch {
	case p.route != 0:
		parts = []string{"route", strconv.Itoa(p.route)}
	case e.dscp != "":
		parts = []string{"dscp", e.dscp}
	case e.priority != "":
		parts = []string{"class", strings.ReplaceAll(e.priority, ":", ".")}
	case e.mark != nil:
		parts = []string{"mark", fmt.Sprintf("%#x", e.mark.value)}
	}
	for _, c := range p.where {
		if c.field != version && len(c.values) > 0 && !c.not {
			parts = append(parts, strings.ReplaceAll(c.values[0], "..", "-"))
		}
	}
	return policyName(strings.Join(parts, "-"))
}

// policyName makes a name of what somebody wrote; empty if nothing is left.
func policyName(text string) string {
	const longest = 60 // bytes; some are added
	name := strings.Map(func(r rune) rune {
		switch {
		case r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r)), strings.ContainsRune("-_./:", r):
			return r
		}
		return '-'
	}, strings.TrimSpace(text))
	for strings.Contains(name, "--") {
		name = strings.ReplaceAll(name, "--", "-")
	}
	name = strings.TrimLeft(name, "-_./:")
	return strings.TrimRight(name[:min(len(name), longest)], "-_./:")
}

// usedMarks are the bits of marks that somebody uses.
func (f *Found) usedMarks(list []policy) uint32 {
	used := f.ConnMarks
	add := func(value, mask uint32) {
		used |= value
		if mask != 0xffffffff { // a whole word says nothing of its bits
			used |= mask
		}
	}
	for _, p := range list {
		if m := p.effect.mark; m != nil {
			add(m.value, m.mask)
		}
	}
	for _, r := range f.Marks {
		add(r.Mark, r.Mask)
	}
	for _, filter := range f.Filters {
		add(filter.Mark, filter.Mark)
	}
	return used
}

// doneMark is a bit that nobody uses for netpold; 0 if the default will do. ok is
// false when all are in use.
func doneMark(used uint32) (bit uint32, ok bool) {
	const usual = 1 << 31
	switch {
	case used&usual == 0:
		return 0, true
	case used == 0xffffffff:
		return 0, false
	}
	return 1 << (31 - bits.LeadingZeros32(^used)), true
}
