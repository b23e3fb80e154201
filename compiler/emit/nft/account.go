package nft

import (
	"crypto/sha256"
	"encoding/hex"
	"math"
	"strings"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/compiler/ir"
)

// idle is how long a host's or a flow's rate is remembered at least after its
// last packet.
const idle = time.Minute

// memory is how long a rate is remembered: until its bucket is full again
// (nft_limit_init, linux/net/netfilter/nft_limit.c), in whole seconds.
func memory(l artifact.Limit) time.Duration {
	seconds, rate, burst := l.Unit.Seconds(), float64(max(l.Rate, 1)), float64(l.Burst)
	if l.Bytes {
		burst += rate
	}
	return max(idle, time.Duration(math.Ceil(seconds*burst/rate))*time.Second)
}

// accounts are the rules of a policy that limit, count and log. What is over a
// rate is gone before it is counted.
func (t *packetTests) accounts(e Effect) []artifact.Rule {
	var rules []artifact.Rule
	if e.Rate != nil {
		rules = append(rules, t.rate(e)...)
	}
	if e.Quota != nil {
		rules = append(rules, t.quota(e)...)
	}
	if e.Count != nil {
		rules = append(rules, t.count(e)...)
	}
	if e.Log != nil {
		rules = append(rules, t.log(e)...)
	}
	return rules
}

func (t *packetTests) rate(e Effect) []artifact.Rule {
	over := []artifact.Statement{{Kind: artifact.DoCounter}, {Kind: artifact.DoDrop}}
	exceeded := artifact.Statement{Kind: artifact.DoOverLimit, Limit: e.Rate.Limit}
	if e.Rate.Per == ir.PerPolicy {
		return t.plainRules(e, "rate", usedUp(e), append([]artifact.Statement{exceeded}, over...))
	}
	exceeded.Kind = artifact.DoUpdate
	return t.each(e, "rate", e.Rate.Per, artifact.AccountLimit, exceeded, over...)
}

func (t *packetTests) quota(e Effect) []artifact.Rule {
	used := []artifact.Statement{{Kind: artifact.DoSetCTLabel, Name: e.Over.Name, Bit: e.Over.Bit}}
	before := e
	before.Over = artifact.Label{} // it is this rule that sets it
	if e.Quota.Per == ir.PerPolicy {
		o := artifact.Object{Name: "np_quota_" + t.word(e), Kind: artifact.ObjectQuota, Bytes: e.Quota.Bytes}
		t.object(o)
		return t.plainRules(before, "quota", nil, append([]artifact.Statement{{Kind: artifact.DoOverQuota, Name: o.Name}}, used...))
	}
	return t.each(before, "quota", e.Quota.Per, artifact.AccountQuota, artifact.Statement{Kind: artifact.DoUpdate, Bytes: e.Quota.Bytes}, used...)
}

func (t *packetTests) count(e Effect) []artifact.Rule {
	if e.Count.Per == ir.PerPolicy {
		o := artifact.Object{Name: "np_count_" + t.word(e), Kind: artifact.ObjectCounter}
		t.object(o)
		return t.plainRules(e, "count", usedUp(e), []artifact.Statement{{Kind: artifact.DoCountIn, Name: o.Name}})
	}
	return t.each(e, "count", e.Count.Per, artifact.AccountCounts, artifact.Statement{Kind: artifact.DoUpdate})
}

func (t *packetTests) log(e Effect) []artifact.Rule {
	prefix := e.Log.Prefix
	if prefix == "" {
		prefix = e.Policy.Name + ": "
	}
	do := []artifact.Statement{{Kind: artifact.DoSyslog, Name: prefix}}
	if e.Log.Limit != nil && e.Log.Limit.Rate > 0 {
		do = append([]artifact.Statement{{Kind: artifact.DoWithinLimit, Limit: *e.Log.Limit}}, do...)
	}
	return t.plainRules(e, "log", usedUp(e), do)
}

// usedUp asks whether the policy's quota is used up, if it has one.
func usedUp(e Effect) []artifact.Match {
	if e.Over.Name == "" {
		return nil
	}
	return []artifact.Match{hasLabel(e.Over)}
}

// each keeps one account for each flow, or for each address on the local side:
// whichever end of the packet is inside, and the sender if both are.
func (t *packetTests) each(e Effect, id string, per ir.Per, kind artifact.Accounts, update artifact.Statement, do ...artifact.Statement) []artifact.Rule {
	set := artifact.Set{Accounts: kind}
	if kind == artifact.AccountLimit {
		set.Lives = memory(update.Limit)
	}
	if per == ir.PerFlow {
		set.Name, set.Type = "np_"+id+"f_"+t.word(e), artifact.SetFlow
		t.sets[set.Name] = set
		update.Name, update.Key = set.Name, artifact.MatchCTID
		return t.plainRules(e, id, usedUp(e), append([]artifact.Statement{update}, do...))
	}
	var rules []artifact.Rule
	for _, f := range []struct {
		version      uint32
		typ          artifact.SetType
		saddr, daddr artifact.MatchKind
		digit        string
	}{
		{4, artifact.SetAddr4, artifact.MatchSaddr4, artifact.MatchDaddr4, "4"},
		{6, artifact.SetAddr6, artifact.MatchSaddr6, artifact.MatchDaddr6, "6"},
	} {
		own := set
		own.Name, own.Type = "np_"+id+f.digit+"_"+t.word(e), f.typ
		t.sets[own.Name] = own
		inside := t.inside(f.typ)
		family := artifact.Match{Kind: artifact.MatchFamily, Value: f.version}
		for _, side := range []struct {
			key   artifact.MatchKind
			match []artifact.Match
		}{
			{f.saddr, []artifact.Match{family, {Kind: f.saddr, Set: inside}}},
			{f.daddr, []artifact.Match{family, {Kind: f.saddr, Set: inside, Not: true}, {Kind: f.daddr, Set: inside}}},
		} {
			update.Name, update.Key = own.Name, side.key
			rules = append(rules, t.plainRules(e, id+f.digit, append(usedUp(e), side.match...), append([]artifact.Statement{update}, do...))...)
		}
	}
	return rules
}

// inside is the set of the local networks of a family, which the rules for first
// packets know by the same name.
func (t *packetTests) inside(typ artifact.SetType) string {
	if t.local == nil {
		s := newSpace(t.settings)
		table := newSetTable(s)
		t.local = map[artifact.SetType]artifact.Set{}
		for i, typ := range []artifact.SetType{artifact.SetAddr4, artifact.SetAddr6} {
			t.local[typ] = table.byName[table.add(typ, s.region(s.local[i]))]
		}
	}
	set := t.local[typ]
	t.sets[set.Name] = set
	return set.Name
}

func (t *packetTests) object(o artifact.Object) {
	for _, other := range t.objects {
		if other.Name == o.Name { // of another part of the policy
			return
		}
	}
	t.objects = append(t.objects, o)
}

// maxWord keeps names well below the kernel's limit, and readable.
const maxWord = 40

// word is a policy's name as part of a set's or an object's. A name that has
// lost something gets a digest, so that no two are alike.
func (t *packetTests) word(e Effect) string {
	word := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '_'
	}, e.Policy.Name)
	if word == e.Policy.Name && len(word) <= maxWord {
		return word
	}
	sum := sha256.Sum256([]byte(e.Policy.Name))
	return word[:min(len(word), maxWord)] + "_" + hex.EncodeToString(sum[:4])
}
