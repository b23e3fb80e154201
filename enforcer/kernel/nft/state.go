package nft

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/netpol/netpol/compiler/artifact"
)

// State is a table as it is in the kernel, or as it should be.
type State struct {
	Present       bool
	Generation    uint32 // of the whole ruleset when it was read; 0 on the wanted side
	Family, Table string
	Persist       bool    // it outlives the process that owns it
	Owner         uint32  // netlink port of the socket that owns it; 0 for none
	Chains        []Chain // in the kernel's order
	Sets          []Set   // by name
	Objects       []artifact.Object
	Flowtables    []artifact.Flowtable // by name
	Strangers     []string             // objects, flowtables and sets in our table that netpol would not make
}

// Chain is one chain; Hook is empty for a plain one.
type Chain struct {
	Name, Hook, Type string
	Priority         int
	Policy           string // accept or drop, empty for a plain chain
	Rules            []Rule
}

// Set is one named set of constants.
type Set struct {
	Name     string
	Kind     string // how it is declared: "type ipv4_addr; flags interval;"
	Elements string // as nft writes them, sorted; of a set of times the schedules, see Clock

	elements []artifact.Element
}

// Rule is one rule in canonical words. Two rules with the same Text do the
// same, whoever wrote them.
type Rule struct {
	ID      string // first word of the comment; empty if it has none
	Comment string // the whole comment
	Text    string // artifact.Rule.Text, with raw expressions as "[name hex]"
	Summary string // for people; label names where they are known
	// Known says that every expression was understood.
	Known          bool
	Counted        bool // has a counter
	Packets, Bytes uint64
}

// Canonical is what Read would return right after Apply of rs, without
// generation and counters.
func Canonical(rs *artifact.Ruleset) State {
	s := State{Present: true, Family: rs.Family, Table: rs.Table, Persist: rs.Persist}
	for _, set := range rs.Sets {
		s.Sets = append(s.Sets, canonicalSet(set))
	}
	slices.SortFunc(s.Sets, func(a, b Set) int { return strings.Compare(a.Name, b.Name) })
	s.Objects = slices.Clone(rs.Objects)
	slices.SortFunc(s.Objects, func(a, b artifact.Object) int { return strings.Compare(a.Name, b.Name) })
	s.Flowtables = slices.Clone(rs.Flowtables)
	for _, c := range rs.Chains {
		chain := Chain{Name: c.Name, Hook: c.Hook, Type: c.Type, Priority: c.Priority}
		if c.Hook != "" {
			chain.Policy = "accept"
		}
		for _, r := range c.Rules {
			rule := Rule{Comment: r.UserComment(), Text: r.Text(), Summary: r.Summary(), Known: true}
			rule.ID, _, _ = strings.Cut(rule.Comment, " ")
			for _, do := range r.Do {
				rule.Counted = rule.Counted || do.Kind == artifact.DoCounter
			}
			chain.Rules = append(chain.Rules, rule)
		}
		s.Chains = append(s.Chains, chain)
	}
	return s
}

func canonicalSet(s artifact.Set) Set {
	out := Set{Name: s.Name, Kind: s.Declaration(), Elements: s.Text(), elements: s.Elements}
	if len(s.Schedules) > 0 {
		out.Elements = schedulesText(s.Schedules)
	}
	return out
}

func schedulesText(list []artifact.Schedule) string {
	words := make([]string, len(list))
	for i, s := range list {
		words[i] = s.String()
	}
	return strings.Join(words, "; ")
}

// clockAhead is how far ahead the elements of a set of times must be right. It
// is far less than they reach when they are written, so that nobody has to renew
// them in a hurry.
const clockAhead = 30 * 24 * time.Hour

// Clock holds the elements of sets of times, which follow from the clock, against
// the schedules that the sets were made of: where they are right, the set says
// its schedules, as Canonical does. An error is a time zone that is not known.
func (s *State) Clock(made []artifact.Set, now time.Time) error {
	for i := range s.Sets {
		live := &s.Sets[i]
		at := slices.IndexFunc(made, func(m artifact.Set) bool { return m.Name == live.Name && len(m.Schedules) > 0 })
		if at < 0 {
			continue
		}
		want, err := made[at].At(now)
		if err != nil {
			return err
		}
		until := now.Add(clockAhead)
		if slices.EqualFunc(artifact.Clip(live.elements, now, until), artifact.Clip(want.Elements, now, until), artifact.Element.Equal) {
			live.Elements = schedulesText(made[at].Schedules)
		}
	}
	return nil
}

// Header is the chain without its rules: "chain np_dscp" or
// "chain np_dscp type filter hook postrouting priority -150 policy accept".
func (c Chain) Header() string {
	if c.Hook == "" {
		return "chain " + c.Name
	}
	return fmt.Sprintf("chain %s type %s hook %s priority %d policy %s", c.Name, c.Type, c.Hook, c.Priority, c.Policy)
}

// persistText is the flag of a table that a process may own.
const persistText = "flags persist"

// Flags are the table's in words; empty without any. Who owns it is none of them.
func (s State) Flags() string {
	if s.Persist {
		return persistText
	}
	return ""
}

// Lines is the table as text, one chain, rule or stranger a line, without
// generation and counters: equal lines mean equal tables.
func (s State) Lines() []string {
	if !s.Present {
		return nil
	}
	lines := []string{"table " + s.Family + " " + s.Table}
	if flags := s.Flags(); flags != "" {
		lines = append(lines, flags)
	}
	lines = append(lines, s.Strangers...)
	for _, set := range s.Sets {
		lines = append(lines, fmt.Sprintf("set %q %s elements %s", set.Name, set.Kind, set.Elements))
	}
	for _, o := range s.Objects {
		lines = append(lines, o.String())
	}
	for _, f := range s.Flowtables {
		lines = append(lines, f.String())
	}
	for _, c := range s.Chains {
		lines = append(lines, c.Header())
		for _, r := range c.Rules {
			lines = append(lines, fmt.Sprintf("%s: %s # %s", c.Name, r.Text, r.Comment))
		}
	}
	return lines
}

// Count is what a rule's counter shows.
type Count struct {
	Chain          string
	ID             string // as in the ruleset
	Summary        string
	Packets, Bytes uint64
}

// Counts are the rules that have a counter, in order.
func (s State) Counts() []Count {
	var counts []Count
	for _, c := range s.Chains {
		for _, r := range c.Rules {
			if r.Counted {
				counts = append(counts, Count{Chain: c.Name, ID: r.ID, Summary: r.Summary, Packets: r.Packets, Bytes: r.Bytes})
			}
		}
	}
	return counts
}
