package nft

import (
	"slices"
	"strings"

	"github.com/netpol/netpol/compiler/artifact"
)

// quiet decides which base chains begin with a test of the quiet mark, and of which
// labels it speaks. A connection has the mark if it is decided and carries none of
// the labels that rules in these chains ask for first: none of them can act on it
// then, and its packets are through at one test of the mark (20 ns) instead of one or
// more of labels (45 ns each, 2026-11).
//
// That is known only of labels which the enforcer alone writes on connections that
// are decided. Rules set sticky ones as well, so chains that ask for one of those, or
// for no label, let every packet in.
type quiet struct {
	mark, done uint32 // without mark no chain is tested
	sticky     []int  // sorted
	loud       []int  // labels asked for in the chains that are
}

func newQuiet(in Input) *quiet {
	q := &quiet{done: in.Settings.DoneMark, sticky: in.Sticky}
	if !in.NoCapture { // somebody writes it
		q.mark = in.Settings.QuietMark
	}
	return q
}

// covers says that none of the rules acts on a connection with the mark, and notes
// their labels. Rules for connections that are not decided never do.
func (q *quiet) covers(rules []artifact.Rule) bool {
	var asked []int
	for _, r := range rules {
		if slices.ContainsFunc(r.Match, q.undecided) {
			continue
		}
		bit := labelOf(r)
		if bit < 0 || slices.Contains(q.sticky, bit) {
			return false
		}
		asked = append(asked, bit)
	}
	if q.mark == 0 || len(asked) == 0 {
		return false
	}
	q.loud = append(q.loud, asked...)
	slices.Sort(q.loud)
	q.loud = slices.Compact(q.loud)
	return true
}

func (q *quiet) undecided(m artifact.Match) bool {
	return m.Kind == artifact.MatchCTMark && m.Mask == q.done && m.Value == 0 && !m.Not
}

// behind puts rules of a base chain behind the test. It is part of the rule where
// there is one alone, and of a jump where there are more: a rule that lets quiet
// packets go would cost them more, because it holds (10 to 20 ns, 2026-11).
func (q *quiet) behind(c *artifact.Chain, rules []artifact.Rule) (more []artifact.Chain) {
	not := artifact.Match{Kind: artifact.MatchCTMark, Mask: q.mark, Value: 0}
	if len(rules) == 1 {
		r := rules[0]
		r.Match = append([]artifact.Match{not}, r.Match...)
		c.Rules = append(c.Rules, r)
		return nil
	}
	loud := artifact.Chain{Name: c.Name + "_loud", Rules: rules}
	c.Rules = append(c.Rules, artifact.Rule{
		ID: strings.TrimPrefix(c.Name, "np_") + "/loud", Comment: "it may have a label that rules ask for",
		Match: []artifact.Match{not}, Do: []artifact.Statement{{Kind: artifact.DoGoto, Name: loud.Name}},
	})
	return []artifact.Chain{loud}
}

// before puts the test in front of a chain that dispatch made, if it covers rules.
func (q *quiet) before(rules []artifact.Rule, chains []artifact.Chain) []artifact.Chain {
	if len(chains) == 0 || !q.covers(rules) {
		return chains
	}
	base := &chains[0]
	all := base.Rules
	base.Rules = nil
	return append(chains, q.behind(base, all)...)
}

// marks is the bit, if any chain is tested for it.
func (q *quiet) marks() uint32 {
	if len(q.loud) == 0 {
		return 0
	}
	return q.mark
}
