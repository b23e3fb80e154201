package nft

import "github.com/netpol/netpol/compiler/artifact"

// Every packet pays for every base chain that it passes, whether a rule of it is
// its own or not: 30 ns for an empty one. So what runs at one hook shares one, and
// asks for its labels before it is entered.

// leavingChains are where packets leave: code points, then priorities. A rule of
// the first kind that acts goes on with the second, whose chain ends the base chain.
func leavingChains(s artifact.Settings, dscp, priority []artifact.Rule) []artifact.Chain {
	base := artifact.Chain{Name: chainDSCP, Hook: "postrouting", Type: "filter", Priority: s.DSCPPriority, Rules: dscp}
	switch {
	case len(dscp)+len(priority) == 0:
		return nil
	case len(priority) == 0:
		return dispatch(base)
	case len(dscp) == 0:
		base.Name, base.Rules = chainPriority, priority
		return dispatch(base)
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
	return append(first, second...)
}

// passingChains are where packets pass: through the router, to it and from it. The
// rules stand in two plain chains that all three hooks jump to.
func passingChains(s artifact.Settings, packet, verdict []artifact.Rule) []artifact.Chain {
	if len(packet)+len(verdict) == 0 {
		return nil
	}
	var out []artifact.Chain
	bases := []artifact.Chain{{Name: chainForward, Hook: "forward"}, {Name: chainInput, Hook: "input"}, {Name: chainOutput, Hook: "output"}}
	jump := func(what, to string, rules []artifact.Rule, before ...artifact.Rule) {
		if len(rules) == 0 {
			return
		}
		asked, chains := enter(dispatch(artifact.Chain{Name: to, Rules: rules}))
		out = append(out, chains...)
		for i := range bases {
			if bases[i].Hook == "output" {
				bases[i].Rules = append(bases[i].Rules, before...)
			}
			bases[i].Rules = append(bases[i].Rules, artifact.Rule{
				ID: what + "/" + bases[i].Hook, Match: asked, Do: []artifact.Statement{{Kind: artifact.DoJump, Name: to}},
			})
		}
	}
	jump("packet", chainPacket, packet)
	// What reject sends back belongs to the rejected connection, label and
	// all: without this rule it would be rejected on its own way out. Only
	// such answers (and the router's other ICMP errors) are related and local.
	jump("verdict", chainVerdict, verdict, artifact.Rule{
		ID: "verdict/answers", Comment: "what reject answers must get out",
		Match: []artifact.Match{{Kind: artifact.MatchCTState, Name: "related"}},
		Do:    []artifact.Statement{{Kind: artifact.DoReturn}},
	})
	for i := range bases {
		bases[i].Type, bases[i].Priority = "filter", s.Priority
	}
	return append(out, bases...)
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
