package nft

import (
	"slices"
	"strings"

	"github.com/netpol/netpol/compiler/artifact"
)

// verdictRules are one rule a label, four for reject. An effect whose verdict
// is not one of the three asks nothing of the kernel.
func verdictRules(effects []Effect, t *packetTests) []artifact.Rule {
	var rules []artifact.Rule
	seen := ruled{}
	for _, e := range effects {
		if e.Verdict == "" || seen.again(e) {
			continue
		}
		switch e.Verdict {
		case "accept":
			rules = append(rules, t.rules(e, "accept", nil, artifact.Statement{Kind: artifact.DoAccept})...)
		case "drop":
			rules = append(rules, t.rules(e, "drop", nil, artifact.Statement{Kind: artifact.DoDrop})...)
		case "reject":
			rules = append(rules, rejectRules(e, t)...)
		}
	}
	return rules
}

// rejectRules reset both ends of a TCP connection. The kernel's own reject
// resets the sender of the packet at hand, which is the server as a rule: the
// client's hello is under way, and acknowledged, when the verdict comes. The
// client would then wait in vain for an answer.
//
// So the server's packets pass as SYN and ACK. A client that has a connection
// answers that with an ACK (RFC 9293 section 3.10.7.4, RFC 5961 section 4) and is
// reset for it; one that has none any more, because it was reset, answers what
// the server sends again with the RST that ends the server's side, and both
// sides' RST pass.
func rejectRules(e Effect, t *packetTests) []artifact.Rule {
	if code, icmp := strings.CutPrefix(e.RejectWith, "icmp-"); icmp {
		return t.rules(e, "reject", nil, artifact.Statement{Kind: artifact.DoRejectICMP, Name: code})
	}
	tcp := artifact.Match{Kind: artifact.MatchL4Proto, Value: protoTCP}
	reply := artifact.Match{Kind: artifact.MatchCTDirection, Name: "reply"}
	accept := artifact.Statement{Kind: artifact.DoAccept}
	return slices.Concat(
		t.rules(e, "reject-reset", []artifact.Match{tcp, {Kind: artifact.MatchTCPReset}}, accept),
		t.rules(e, "reject-reply", []artifact.Match{tcp, reply}, artifact.Statement{Kind: artifact.DoSetSynAck}, accept),
		t.rules(e, "reject-tcp", []artifact.Match{tcp}, artifact.Statement{Kind: artifact.DoRejectTCPReset}),
		t.rules(e, "reject", nil, artifact.Statement{Kind: artifact.DoRejectAdmin}),
	)
}
