package nft

import "github.com/netpol/netpol/compiler/artifact"

// The flowtable, and the chains that put connections into it.
const (
	flowtable    = "np_flow"
	chainOffload = "np_offload"
)

// offloadRules are one rule a label. A connection is offloaded when both sides
// have spoken, and not before the enforcer needs no more of its packets: it would
// not see them.
func offloadRules(in Input, t *packetTests) []artifact.Rule {
	also := []artifact.Match{{Kind: artifact.MatchCTState, Name: "established"}}
	if !in.NoCapture {
		also = append(also, artifact.Match{Kind: artifact.MatchCTMark, Mask: in.Settings.DoneMark, Value: in.Settings.DoneMark})
	}
	var rules []artifact.Rule
	seen := ruled{}
	for _, e := range in.Effects {
		if !e.Offload || seen.again(e) {
			continue
		}
		rules = append(rules, t.rules(e, "offload", also, artifact.Statement{Kind: artifact.DoFlowAdd, Name: flowtable})...)
	}
	return rules
}

// offloadChains run after the verdicts: what those stop is not offloaded.
func offloadChains(s artifact.Settings, rules []artifact.Rule, q *quiet) []artifact.Chain {
	if len(rules) == 0 {
		return nil
	}
	return q.before(rules, dispatch(artifact.Chain{Name: chainOffload, Hook: "forward", Type: "filter", Priority: s.Priority + 1, Rules: rules}))
}
