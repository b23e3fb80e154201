package propose

import (
	"cmp"
	"fmt"
	"slices"
)

// effect is what a rule does to a packet that netpol can do, too.
type effect struct {
	dscp     string // cs5, 46; empty for none
	priority string // a class; empty for none
	mark     *mark
}

// mark is a value under a mask.
type mark struct {
	value, mask uint32
	packet      bool // the packet's mark and not the connection's
}

// stepKind is the kind of a step.
type stepKind uint8

const (
	asks stepKind = iota
	does
	calls   // another chain
	ends    // the walk through this chain
	strange // nothing that a policy could say
)

// step is one part of a rule, in order: what a rule does holds for the conditions
// before it.
type step struct {
	kind      stepKind
	condition condition
	effect    effect
	also      []condition // which hold for this effect alone
	target    string      // of a call
	why       string      // of a strange one
}

// rule is a rule of nftables or iptables.
type rule struct {
	text  string // for people
	name  string // its comment; may be empty
	steps []step
}

// chain is a list of rules.
type chain struct {
	name  string // for people: nftables inet qos mangle
	base  bool   // the kernel calls it
	rules []rule
}

// proposal is a policy in the making.
type proposal struct {
	criteria string
	effect   effect
	from     []string // the rules
	name     string   // what its author called it; may be empty
	where    []condition
}

// skipped is a rule that marks and that no policy can stand for.
type skipped struct{ text, why string }

// Bounds of the walk: chains may call each other in a tree that is wider than long.
const (
	maxDepth = 8
	maxRules = 5000
)

// walker follows the calls from chain to chain.
type walker struct {
	chains  map[string]*chain
	seen    int
	skipped []skipped
}

// walk goes through a chain as a packet does that meets the conditions, and gives back
// what comes of it, the winner first. Packets for which a rule ended the walk are not
// told from the others: where all that do something end it, the first one wins,
// otherwise the last.
func (w *walker) walk(c *chain, given []condition, why string, depth int) []proposal {
	if depth > maxDepth {
		w.skipped = append(w.skipped, skipped{c.name, fmt.Sprintf("calls nest more than %d deep", maxDepth)})
		return nil
	}
	var found [][]proposal
	first := true
	for i := range c.rules {
		if w.seen++; w.seen > maxRules {
			if w.seen == maxRules+1 {
				w.skipped = append(w.skipped, skipped{c.name, fmt.Sprintf("the rules from here on were not read: there are more than %d", maxRules)})
			}
			break
		}
		did, ended := w.rule(c, &c.rules[i], given, why, depth)
		first = first && (len(did) == 0 || ended)
		found = append(found, did)
	}
	if !first {
		slices.Reverse(found)
	}
	return slices.Concat(found...)
}

// rule goes through one rule.
func (w *walker) rule(c *chain, r *rule, given []condition, why string, depth int) (found []proposal, ended bool) {
	conditions := slices.Clone(given)
	text := c.name + ": " + r.text
	for _, s := range r.steps {
		switch s.kind {
		case asks:
			conditions = append(conditions, s.condition)
		case strange:
			why = cmp.Or(why, s.why)
		case ends:
			ended = true
		case calls:
			if target := w.chains[s.target]; target != nil {
				found = append(found, w.walk(target, conditions, why, depth+1)...)
			}
		case does:
			if why == "" {
				where := slices.Concat(conditions, s.also)
				found = append(found, proposal{criteria: criteria(where), effect: s.effect, from: []string{text}, name: r.name, where: where})
			} else {
				w.skipped = append(w.skipped, skipped{text, why})
			}
		}
	}
	return found, ended
}

// merge joins proposals that ask the same and do different things, and those that
// differ in the version of IP alone.
func merge(list []proposal) []proposal {
	var out []proposal
	for _, p := range list {
		joined := false
		for i := range out {
			if out[i].join(p) {
				joined = true
				break
			}
		}
		if !joined {
			out = append(out, p)
		}
	}
	return out
}

// join takes another proposal in, if one policy can say both.
func (p *proposal) join(q proposal) bool {
	if p.effect.key() == q.effect.key() && p.bothVersions(q) {
		p.where = slices.DeleteFunc(slices.Clone(p.where), func(c condition) bool { return c.field == version })
		p.criteria = criteria(p.where)
	} else if p.criteria != q.criteria || !p.effect.join(q.effect) {
		return false
	}
	for _, from := range q.from {
		if !slices.Contains(p.from, from) {
			p.from = append(p.from, from)
		}
	}
	p.name = cmp.Or(p.name, q.name)
	return true
}

// bothVersions reports whether one of the two is for IPv4 and the other for IPv6, and
// nothing else tells them apart.
func (p *proposal) bothVersions(q proposal) bool {
	without := func(list []condition) (string, string) {
		v := ""
		rest := slices.DeleteFunc(slices.Clone(list), func(c condition) bool {
			if c.field == version && !c.not && len(c.values) == 1 {
				v = c.values[0]
				return true
			}
			return false
		})
		return v, criteria(rest)
	}
	v1, rest1 := without(p.where)
	v2, rest2 := without(q.where)
	return v1 != "" && v2 != "" && v1 != v2 && rest1 == rest2
}

func (e effect) key() string {
	if e.mark == nil {
		return fmt.Sprint(e.dscp, e.priority)
	}
	return fmt.Sprint(e.dscp, e.priority, *e.mark)
}

// join adds what another effect has and this one lacks; what both have must be the
// same.
func (e *effect) join(o effect) bool {
	if e.dscp != "" && o.dscp != "" && e.dscp != o.dscp || e.priority != "" && o.priority != "" && e.priority != o.priority ||
		e.mark != nil && o.mark != nil && *e.mark != *o.mark {
		return false
	}
	e.dscp = cmp.Or(e.dscp, o.dscp)
	e.priority = cmp.Or(e.priority, o.priority)
	if e.mark == nil {
		e.mark = o.mark
	}
	return true
}
