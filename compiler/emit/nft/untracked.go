package nft

import "github.com/netpol/netpol/compiler/artifact"

// Chains that keep packets from conntrack.
const (
	chainUntracked    = "np_notrack"
	chainUntrackedPre = "np_notrack_pre"
	chainUntrackedOut = "np_notrack_out"
)

// priorityRaw is NF_IP_PRI_RAW (linux/netfilter_ipv4.h): before conntrack
// (-200), and after fragments have been put together (-400), so that every
// packet has its ports.
const priorityRaw = -300

// untracked makes the chains of the policies that leave their packets out of
// conntrack; none without such a policy. Their conditions hold of both
// directions. The hooks share one chain, as no condition asks for an interface.
func (d *decider) untracked() []artifact.Chain {
	var outcomes []outcome
	for i, decision := range d.decisions {
		if decision.Effect.NoTrack {
			outcomes = append(outcomes, outcome{
				id: artifact.Word(decision.Policy.Name), policy: i, boxes: d.boxes[i],
				do: []artifact.Statement{{Kind: artifact.DoCounter}, {Kind: artifact.DoNoTrack}},
			})
		}
	}
	if len(outcomes) == 0 {
		return nil
	}
	d.chain(hook{}, chainUntracked, list{name: "notrack", outcomes: outcomes}, []artifact.Statement{{Kind: artifact.DoAccept}})
	base := func(name, hook string, dev artifact.MatchKind, short string) artifact.Chain {
		return artifact.Chain{Name: name, Hook: hook, Type: "filter", Priority: priorityRaw, Rules: []artifact.Rule{{
			ID: "notrack/" + short, Comment: "before conntrack sees the packet",
			Match: []artifact.Match{{Kind: dev, Name: "lo", Not: true}},
			Do:    []artifact.Statement{{Kind: artifact.DoJump, Name: chainUntracked}},
		}}}
	}
	return []artifact.Chain{
		base(chainUntrackedPre, "prerouting", artifact.MatchIIFName, "pre"),
		base(chainUntrackedOut, "output", artifact.MatchOIFName, "out"),
	}
}

// isTracked keeps a rule that asks for no label from packets without a
// connection, which are no other policy's.
func isTracked() artifact.Match {
	return artifact.Match{Kind: artifact.MatchCTState, Name: "untracked", Not: true}
}
