package nft

import "github.com/netpol/netpol/compiler/artifact"

// Prefixes of logged packets: they tell the reader which side sent the
// packet, which NFLOG has no field for.
const (
	prefixOriginal = "o"
	prefixReply    = "r"
)

// captureChain logs the first packets of each connection, of both directions,
// until the enforcer sets the done mark. A bulk packet leaves at the mark
// test, so the order of the rules is the cost of the chain. Packets that have
// no connection (untracked, invalid) match no "ct" test and pass unseen.
func captureChain(s artifact.Settings, name, hook string, dev artifact.MatchKind, short string) artifact.Chain {
	id := func(what string) string { return "capture-" + short + "/" + what }
	leave := []artifact.Statement{{Kind: artifact.DoReturn}}
	original := artifact.Match{Kind: artifact.MatchCTDirection, Name: "original"}
	reply := artifact.Match{Kind: artifact.MatchCTDirection, Name: "reply"}
	return artifact.Chain{Name: name, Hook: hook, Type: "filter", Priority: s.CapturePriority, Rules: []artifact.Rule{
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
				reply,
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
		{
			ID: id("original"), Match: []artifact.Match{original},
			Do: []artifact.Statement{{Kind: artifact.DoCounter}, logTo(s, prefixOriginal), leave[0]},
		},
		{
			ID: id("reply"), Match: []artifact.Match{reply},
			Do: []artifact.Statement{{Kind: artifact.DoCounter}, logTo(s, prefixReply)},
		},
	}}
}

func logTo(s artifact.Settings, prefix string) artifact.Statement {
	return artifact.Statement{Kind: artifact.DoLog, Name: prefix, Group: s.LogGroup, Snaplen: snaplen}
}

// gate is the count of packets from which on none is shown.
func gate(s artifact.Settings) uint64 { return uint64(s.FirstPackets()) + 1 }
