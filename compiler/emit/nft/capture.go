package nft

import (
	"slices"

	"github.com/netpol/netpol/compiler/artifact"
)

// Prefixes of logged packets: they tell the reader which side sent the
// packet, which NFLOG has no field for.
const (
	prefixOriginal = "o"
	prefixReply    = "r"
	// Of packets that were to wait for the reader.
	prefixMissedOriginal = "O"
	prefixMissedReply    = "R"
)

// captureChain logs the first packets of each connection, of both directions,
// until the enforcer sets the done mark. A bulk packet leaves at the mark
// test, so the order of the rules is the cost of the chain. Packets that have
// no connection (untracked, invalid) match no "ct" test and pass unseen.
func captureChain(in Input, name, hook string, dev artifact.MatchKind, short string) artifact.Chain {
	id := func(what string) string { return "capture-" + short + "/" + what }
	c := artifact.Chain{Name: name, Hook: hook, Type: "filter", Priority: in.Settings.CapturePriority}
	if in.Hold.any() {
		c.Rules = append(c.Rules, comesBack(id("held"), in.Settings.HeldMark()))
		if hook == "output" {
			c.Type = "route" // the packet was routed with a mark of ours
		}
	}
	c.Rules = append(c.Rules, passRules(in.Settings, id, dev)...)
	if in.Hold.any() {
		c.Rules = append(c.Rules, copyRules(in.Settings, id, "missed-", prefixMissedOriginal, prefixMissedReply, in.Hold.labels())...)
	}
	c.Rules = append(c.Rules, copyRules(in.Settings, id, "", prefixOriginal, prefixReply)...)
	return c
}

// passRules let pass what is not copied, and copy what always is.
func passRules(s artifact.Settings, id func(string) string, dev artifact.MatchKind) []artifact.Rule {
	leave := []artifact.Statement{{Kind: artifact.DoReturn}}
	return []artifact.Rule{
		{
			ID: id("loopback"), Comment: "the router talking to itself", Do: leave,
			Match: []artifact.Match{{Kind: dev, Name: "lo"}},
		},
		{
			// A resolver keeps one connection for many questions, so answers
			// are wanted after the first packets as well.
			ID: id("dns"), Comment: "every DNS answer: its names classify later flows",
			Match: []artifact.Match{
				{Kind: artifact.MatchL4Proto, Value: protoUDP},
				{Kind: artifact.MatchSport, Value: dnsPort},
				{Kind: artifact.MatchCTDirection, Name: "reply"},
			},
			Do: []artifact.Statement{logTo(s, prefixReply), leave[0]},
		},
		{
			ID: id("done"), Comment: "analysis is over", Do: leave,
			Match: []artifact.Match{{Kind: artifact.MatchCTMark, Mask: s.DoneMark, Value: 0, Not: true}},
		},
		{
			// The packet at hand is already counted, hence the + 1. netpold gives up
			// after InspectPacket, unless an opening that it can read is not complete:
			// a hello in tiny segments must not get past it.
			ID: id("budget"), Comment: "first packets only", Do: leave,
			Match: []artifact.Match{{Kind: artifact.MatchCTPackets, Limit: gate(s), Not: true}},
		},
	}
}

// copyRules copy the packets of both directions for which all else holds.
func copyRules(s artifact.Settings, id func(string) string, which, original, reply string, also ...artifact.Match) []artifact.Rule {
	rule := func(direction, prefix string) artifact.Rule {
		return artifact.Rule{
			ID:    id(which + direction),
			Match: append(slices.Clone(also), artifact.Match{Kind: artifact.MatchCTDirection, Name: direction}),
			Do:    []artifact.Statement{{Kind: artifact.DoCounter}, logTo(s, prefix), {Kind: artifact.DoReturn}},
		}
	}
	return []artifact.Rule{rule("original", original), rule("reply", reply)}
}

func logTo(s artifact.Settings, prefix string) artifact.Statement {
	return artifact.Statement{Kind: artifact.DoLog, Name: prefix, Group: s.LogGroup, Snaplen: snaplen}
}

// gate is the count of packets from which on none is shown.
func gate(s artifact.Settings) uint64 { return uint64(s.FirstPackets()) + 1 }
