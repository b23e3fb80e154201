package nft

import (
	"slices"

	"github.com/netpol/netpol/compiler/artifact"
)

// Every packet pays for every base chain that it passes, whether a rule of it is
// its own or not: 30 ns for an empty one. So what runs at one hook shares one, and
// asks for its labels before it is entered.

// leavingChains are where packets leave: code points, then priorities. A rule of
// the first kind that acts goes on with the second, whose chain ends the base chain.
func leavingChains(s artifact.Settings, dscp, priority []artifact.Rule, q *quiet) []artifact.Chain {
	base := artifact.Chain{Name: chainDSCP, Hook: "postrouting", Type: "filter", Priority: s.DSCPPriority, Rules: dscp}
	both := slices.Concat(dscp, priority)
	switch {
	case len(both) == 0:
		return nil
	case len(priority) == 0:
		return q.before(both, dispatch(base))
	case len(dscp) == 0:
		base.Name, base.Rules = chainPriority, priority
		return q.before(both, dispatch(base))
	}
	on := artifact.Statement{Kind: artifact.DoGoto, Name: chainPriority}
	for i := range dscp {
		dscp[i].Do[len(dscp[i].Do)-1] = on // in the place of accept
	}
	second := dispatch(artifact.Chain{Name: chainPriority, Rules: priority})
	asked, _ := behind(second[0])
	second[0].Rules = append(second[0].Rules, artifact.Rule{
		ID: "priority/end", Comment: "nothing is left to do", Do: []artifact.Statement{{Kind: artifact.DoAccept}},
	})
	first := dispatch(base)
	first[0].Rules = append(first[0].Rules, artifact.Rule{ID: "priority/post", Match: asked, Do: []artifact.Statement{on}})
	return append(q.before(both, first), second...)
}

// passing are the base chains where packets pass: through the router, to it and from
// it. Their rules stand in plain chains that all three hooks jump to.
type passing struct {
	bases  [3]artifact.Chain
	behind [3][]artifact.Rule // of each, what comes behind the test of the quiet mark
	chains []artifact.Chain
}

func passingChains(s artifact.Settings, packet, verdict []artifact.Rule, q *quiet) []artifact.Chain {
	if len(packet)+len(verdict) == 0 {
		return nil
	}
	p := &passing{bases: [3]artifact.Chain{{Name: chainForward, Hook: "forward"}, {Name: chainInput, Hook: "input"}, {Name: chainOutput, Hook: "output"}}}
	for i := range p.bases {
		p.bases[i].Type, p.bases[i].Priority = "filter", s.Priority
	}
	// The test covers all that comes after it.
	second := q.covers(verdict)
	first := (second || len(verdict) == 0) && q.covers(packet)
	p.jump("packet", chainPacket, packet, first)
	p.jump("verdict", chainVerdict, verdict, second)
	out := p.chains
	for i := range p.bases {
		if len(p.behind[i]) > 0 {
			out = append(out, q.behind(&p.bases[i], p.behind[i])...)
		}
	}
	return append(out, p.bases[:]...)
}

// jump makes a plain chain and has all hooks go through it.
func (p *passing) jump(what, to string, rules []artifact.Rule, covered bool) {
	if len(rules) == 0 {
		return
	}
	asked, chains := enter(dispatch(artifact.Chain{Name: to, Rules: rules}))
	p.chains = append(p.chains, chains...)
	for i := range p.bases {
		list := &p.bases[i].Rules
		if covered {
			list = &p.behind[i]
		}
		// What reject sends back belongs to the rejected connection, label and
		// all: without this rule it would be rejected on its own way out. Only
		// such answers (and the router's other ICMP errors) are related and local.
		if to == chainVerdict && p.bases[i].Hook == "output" {
			*list = append(*list, artifact.Rule{
				ID: "verdict/answers", Comment: "what reject answers must get out",
				Match: []artifact.Match{{Kind: artifact.MatchCTState, Name: "related"}},
				Do:    []artifact.Statement{{Kind: artifact.DoReturn}},
			})
		}
		*list = append(*list, artifact.Rule{
			ID: what + "/" + p.bases[i].Hook, Match: asked, Do: []artifact.Statement{{Kind: artifact.DoJump, Name: to}},
		})
	}
}

// enter is what to ask before a chain that dispatch made is entered, and the
// chains without that: of a chain that is one jump behind a test, the target, under
// its name. Nobody may enter it without the test.
func enter(chains []artifact.Chain) (asked []artifact.Match, _ []artifact.Chain) {
	asked, target := behind(chains[0])
	rest := chains[1:]
	for i, c := range rest {
		if c.Name == target {
			c.Name = chains[0].Name
			out := append([]artifact.Chain{c}, rest[:i]...)
			return asked, append(out, rest[i+1:]...)
		}
	}
	return nil, chains
}

// behind is the test before a chain's only jump, if it is one and nothing else.
func behind(c artifact.Chain) (asked []artifact.Match, target string) {
	if len(c.Rules) != 1 || len(c.Rules[0].Do) != 1 || c.Rules[0].Do[0].Kind != artifact.DoJump {
		return nil, ""
	}
	return c.Rules[0].Match, c.Rules[0].Do[0].Name
}
