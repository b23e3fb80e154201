package nft

import "github.com/netpol/netpol/compiler/artifact"

// verdictRules are one rule a label, two for reject. An effect whose verdict
// is not one of the three asks nothing of the kernel.
func verdictRules(effects []Effect) []artifact.Rule {
	var rules []artifact.Rule
	seen := make(map[int]bool)
	for _, e := range effects {
		if e.Verdict == "" || seen[e.Label.Bit] {
			continue
		}
		seen[e.Label.Bit] = true
		switch e.Verdict {
		case "accept":
			rules = append(rules, verdictRule("accept", e, artifact.DoAccept))
		case "drop":
			rules = append(rules, verdictRule("drop", e, artifact.DoDrop))
		case "reject":
			tcp := artifact.Match{Kind: artifact.MatchL4Proto, Value: protoTCP}
			rules = append(rules,
				verdictRule("reject-tcp", e, artifact.DoRejectTCPReset, tcp),
				verdictRule("reject", e, artifact.DoRejectAdmin))
		}
	}
	return rules
}

func verdictRule(id string, e Effect, do artifact.StatementKind, also ...artifact.Match) artifact.Rule {
	return artifact.Rule{
		ID:      id + "/" + e.Label.Name,
		Comment: origin(e.Policy),
		Match:   append([]artifact.Match{hasLabel(e.Label)}, also...),
		Do:      []artifact.Statement{{Kind: artifact.DoCounter}, {Kind: do}},
	}
}

// verdictChains put the rules in one plain chain that all three hooks jump
// to: traffic through the router, to it and from it.
func verdictChains(s artifact.Settings, rules []artifact.Rule) []artifact.Chain {
	chains := []artifact.Chain{{Name: chainVerdict, Rules: rules}}
	for _, hook := range []struct{ chain, name string }{
		{chainForward, "forward"}, {chainInput, "input"}, {chainOutput, "output"},
	} {
		chains = append(chains, artifact.Chain{
			Name: hook.chain, Hook: hook.name, Type: "filter", Priority: s.Priority,
			Rules: []artifact.Rule{{
				ID: "verdict/" + hook.name,
				Do: []artifact.Statement{{Kind: artifact.DoJump, Name: chainVerdict}},
			}},
		})
	}
	return chains
}
