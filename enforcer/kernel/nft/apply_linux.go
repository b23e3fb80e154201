package nft

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/userdata"
	"golang.org/x/sys/unix"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/internal/nfnl"
)

// Apply replaces the table by the given one in a single transaction, whatever
// was there before. On an error nothing has changed.
func Apply(rs *artifact.Ruleset) error {
	live, err := Read(rs.Family, rs.Table, nil)
	if err != nil {
		return err
	}
	live.Generation = 0 // any
	return Replace(rs, live)
}

// Replace is Apply to a table as it was read; it fails with ErrStale if anything
// of the ruleset has changed since.
func Replace(rs *artifact.Ruleset, live State) error {
	b, err := replacement(rs, live, live.Generation)
	if err != nil {
		return err
	}
	return b.commit()
}

// checkTable stands for the table in Check: one that has an owner takes nothing
// from others, not even to look at.
const checkTable = "np_check"

// Check asks the kernel whether it would take the table, and changes nothing:
// what "nft -c" does.
func Check(rs *artifact.Ruleset) error {
	tried := *rs
	tried.Table = checkTable
	b, err := replacement(&tried, State{}, 0)
	if err != nil {
		return err
	}
	return b.send()
}

// replacement is the transaction that replaces all that is in the table. What
// keeps accounts, and is wanted as it is, stays: counters, quotas and the sets
// that rules fill outlive an apply.
func replacement(rs *artifact.Ruleset, live State, generation uint32) (*batch, error) {
	family, err := familyNumber(rs.Family, rs.Table)
	if err != nil {
		return nil, err
	}
	b := newBatch(generation)
	b.table("add", unix.NFT_MSG_NEWTABLE, nfnl.FlagCreate, family, rs.Table)
	kept := keptOf(rs, live)
	if live.Present && len(kept) > 0 {
		b.empty(family, rs.Table, live, kept)
	} else {
		b.table("delete", unix.NFT_MSG_DELTABLE, 0, family, rs.Table)
		b.newTable(family, rs)
	}
	return b, b.fill(family, rs, kept)
}

// fill adds what the table is to hold and does not: all chains before the maps
// that jump to them, and both before all rules.
func (b *batch) fill(family uint8, rs *artifact.Ruleset, kept map[string]bool) error {
	for _, c := range rs.Chains {
		if err := b.chain(family, rs.Table, c); err != nil {
			return fmt.Errorf("nftables chain %q: %w", c.Name, err)
		}
	}
	for _, f := range rs.Flowtables {
		if err := b.flowtable(family, rs.Table, f); err != nil {
			return fmt.Errorf("nftables flowtable %q: %w", f.Name, err)
		}
	}
	for _, o := range rs.Objects {
		if kept[o.Name] {
			continue
		}
		if err := b.object(family, rs.Table, o); err != nil {
			return fmt.Errorf("nftables %s %q: %w", o.Kind, o.Name, err)
		}
	}
	if err := b.chooseQueue(rs); err != nil {
		return err
	}
	now := time.Now()
	for _, set := range rs.Sets {
		if kept[set.Name] {
			continue
		}
		set, err := set.At(now)
		if err != nil {
			return fmt.Errorf("nftables set %q: %w", set.Name, err)
		}
		if err := b.set(family, rs.Table, set); err != nil {
			return fmt.Errorf("nftables set %q: %w", set.Name, err)
		}
	}
	for _, c := range rs.Chains {
		for _, r := range c.Rules {
			if err := b.rule(family, rs.Table, c.Name, r); err != nil {
				return fmt.Errorf("nftables rule %q of chain %s: %w", r.ID, c.Name, err)
			}
		}
	}
	return nil
}

// keptOf names the objects and sets that keep accounts and stay as they are.
// Nothing stays in a table with strangers in it: they may refer to anything. Nor
// does it where the table's flags change, which the kernel does not do.
func keptOf(rs *artifact.Ruleset, live State) map[string]bool {
	kept := map[string]bool{}
	if len(live.Strangers) > 0 || live.Persist != rs.Persist {
		return kept
	}
	for _, o := range rs.Objects {
		kept[o.Name] = slices.Contains(live.Objects, o)
	}
	for _, s := range rs.Sets {
		kept[s.Name] = s.Dynamic() && slices.ContainsFunc(live.Sets, func(l Set) bool { return l.Name == s.Name && l.Kind == s.Declaration() })
	}
	maps.DeleteFunc(kept, func(_ string, keep bool) bool { return !keep })
	return kept
}

// empty takes everything but what is kept out of a table: rules first, then what
// they refer to, maps before the chains that they jump to.
func (b *batch) empty(family uint8, table string, live State, kept map[string]bool) {
	one := func(what string, msg uint16, name int, of string) {
		b.add("delete "+what+" "+of, msg, 0, family, func(buf []byte) []byte {
			return nfnl.String(nfnl.String(buf, unix.NFTA_CHAIN_TABLE, table), uint16(name), of)
		})
	}
	for _, c := range live.Chains {
		one("rules of", unix.NFT_MSG_DELRULE, unix.NFTA_RULE_CHAIN, c.Name)
	}
	for _, s := range live.Sets {
		if !kept[s.Name] {
			one("set", unix.NFT_MSG_DELSET, unix.NFTA_SET_NAME, s.Name)
		}
	}
	for _, c := range live.Chains {
		one("chain", unix.NFT_MSG_DELCHAIN, unix.NFTA_CHAIN_NAME, c.Name)
	}
	for _, f := range live.Flowtables {
		one("flowtable", unix.NFT_MSG_DELFLOWTABLE, nftables.NFTA_FLOWTABLE_NAME, f.Name)
	}
	for _, o := range live.Objects {
		if kept[o.Name] {
			continue
		}
		b.add("delete "+string(o.Kind)+" "+o.Name, unix.NFT_MSG_DELOBJ, 0, family, func(buf []byte) []byte {
			buf = nfnl.String(buf, unix.NFTA_OBJ_TABLE, table)
			buf = nfnl.String(buf, unix.NFTA_OBJ_NAME, o.Name)
			return nfnl.Uint32(buf, unix.NFTA_OBJ_TYPE, objectTypes()[o.Kind])
		})
	}
}

// Delete removes the table and all in it; a table that is not there is no
// error.
func Delete(family, table string) error {
	number, err := familyNumber(family, table)
	if err != nil {
		return err
	}
	b := newBatch(0)
	// Adding first makes the deletion succeed whether or not it exists.
	b.table("add", unix.NFT_MSG_NEWTABLE, nfnl.FlagCreate, number, table)
	b.table("delete", unix.NFT_MSG_DELTABLE, 0, number, table)
	return b.commit()
}

func familyNumber(family, table string) (uint8, error) {
	number, ok := map[string]uint8{"inet": unix.NFPROTO_INET, "ip": unix.NFPROTO_IPV4, "ip6": unix.NFPROTO_IPV6}[family]
	if !ok {
		return 0, fmt.Errorf("nftables table %q: unknown family %q", table, family)
	}
	if !safeName.MatchString(table) {
		return 0, fmt.Errorf("nftables table %q: bad name", table)
	}
	return number, nil
}

func (b *batch) table(verb string, msg, flags uint16, family uint8, name string) {
	b.add(verb+" table "+name, msg, flags, family, func(buf []byte) []byte {
		return nfnl.String(buf, unix.NFTA_TABLE_NAME, name)
	})
}

// hookNumbers are the inet hooks by name (enum nf_inet_hooks).
func hookNumbers() map[string]uint32 {
	return map[string]uint32{
		"prerouting":  unix.NF_INET_PRE_ROUTING,
		"input":       unix.NF_INET_LOCAL_IN,
		"forward":     unix.NF_INET_FORWARD,
		"output":      unix.NF_INET_LOCAL_OUT,
		"postrouting": unix.NF_INET_POST_ROUTING,
	}
}

// policyAccept is NF_ACCEPT: what our base chains do with a packet that no
// rule decided on.
const policyAccept = 1

func (b *batch) chain(family uint8, table string, c artifact.Chain) error {
	if !safeName.MatchString(c.Name) {
		return fmt.Errorf("bad name")
	}
	hook, ok := hookNumbers()[c.Hook]
	if c.Hook != "" && !ok {
		return fmt.Errorf("unknown hook %q", c.Hook)
	}
	if c.Hook != "" && c.Type != "filter" && c.Type != "route" {
		return fmt.Errorf("unknown type %q", c.Type)
	}
	b.add("add chain "+c.Name, unix.NFT_MSG_NEWCHAIN, nfnl.FlagCreate, family, func(buf []byte) []byte {
		buf = nfnl.String(buf, unix.NFTA_CHAIN_TABLE, table)
		buf = nfnl.String(buf, unix.NFTA_CHAIN_NAME, c.Name)
		if c.Hook == "" {
			return buf
		}
		buf, nest := nfnl.Nest(buf, unix.NFTA_CHAIN_HOOK)
		buf = nfnl.Uint32(buf, unix.NFTA_HOOK_HOOKNUM, hook)
		buf = nfnl.Uint32(buf, unix.NFTA_HOOK_PRIORITY, uint32(int32(c.Priority)))
		buf = nfnl.Unnest(buf, nest)
		buf = nfnl.Uint32(buf, unix.NFTA_CHAIN_POLICY, policyAccept)
		return nfnl.String(buf, unix.NFTA_CHAIN_TYPE, c.Type)
	})
	return nil
}

func (b *batch) rule(family uint8, table, chain string, r artifact.Rule) error {
	exprs, err := encode(r)
	if err != nil {
		return err
	}
	if b.queueTarget {
		exprs = queueTargets(exprs)
	}
	encoded := make([][]byte, len(exprs))
	for i, e := range exprs {
		if encoded[i], err = marshal(family, e); err != nil {
			return fmt.Errorf("encode expression: %w", err)
		}
	}
	comment := userdata.AppendString(nil, userdata.TypeComment, r.UserComment())
	b.add("add rule "+r.ID+" to chain "+chain, unix.NFT_MSG_NEWRULE, nfnl.FlagCreate|nfnl.FlagAppend, family, func(buf []byte) []byte {
		buf = nfnl.String(buf, unix.NFTA_RULE_TABLE, table)
		buf = nfnl.String(buf, unix.NFTA_RULE_CHAIN, chain)
		buf, list := nfnl.Nest(buf, unix.NFTA_RULE_EXPRESSIONS)
		for _, e := range encoded {
			var elem int
			buf, elem = nfnl.Nest(buf, unix.NFTA_LIST_ELEM)
			buf = nfnl.Unnest(append(buf, e...), elem)
		}
		buf = nfnl.Unnest(buf, list)
		return nfnl.Bytes(buf, unix.NFTA_RULE_USERDATA, comment)
	})
	return nil
}
