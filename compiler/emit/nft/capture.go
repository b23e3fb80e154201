package nft

import (
	"slices"
	"strconv"

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

// captureChains log the first packets of each connection, of both directions, until
// the enforcer sets the done mark. A bulk packet fails two tests of the base chain and
// is through: one rule more, or a rule that holds and returns, costs it some 10 ns
// (2026-11). Packets that have no connection (untracked, invalid) match no "ct" test
// and pass unseen, but for those from the port of DNS, which only rules with such
// tests wait for.
func captureChains(in Input, name, hook string, dev artifact.MatchKind, short string) []artifact.Chain {
	id := func(what string) string { return "capture-" + short + "/" + what }
	base := artifact.Chain{Name: name, Hook: hook, Type: "filter", Priority: in.Settings.CapturePriority}
	if in.Hold.any() {
		base.Rules = append(base.Rules, comesBack(id("held"), in.Settings.HeldMark()))
		if hook == "output" {
			base.Type = "route" // the packet was routed with a mark of ours
		}
	}
	open := artifact.Chain{Name: name + "_open"}
	on := []artifact.Statement{{Kind: artifact.DoGoto, Name: open.Name}}
	base.Rules = append(base.Rules,
		artifact.Rule{
			ID: id("open"), Comment: "analysis is not over", Do: on,
			Match: []artifact.Match{{Kind: artifact.MatchCTMark, Mask: in.Settings.DoneMark, Value: 0}},
		},
		// A packet without ports may seem to come from that of DNS as well.
		artifact.Rule{
			ID: id("port"), Comment: "may be a DNS answer", Do: on,
			Match: []artifact.Match{{Kind: artifact.MatchSport, Value: dnsPort}},
		})
	open.Rules = passRules(in, id, dev)
	if in.Hold.any() {
		open.Rules = append(open.Rules, copyRules(in, id, "missed-", prefixMissedOriginal, prefixMissedReply, in.Hold.labels())...)
	}
	open.Rules = append(open.Rules, copyRules(in, id, "", prefixOriginal, prefixReply)...)
	return []artifact.Chain{base, open}
}

// passRules let pass what is not copied, and copy what always is.
func passRules(in Input, id func(string) string, dev artifact.MatchKind) []artifact.Rule {
	leave := []artifact.Statement{{Kind: artifact.DoReturn}}
	// A resolver keeps one connection for many questions, so answers are wanted
	// after the first packets as well.
	answers := []artifact.Match{
		{Kind: artifact.MatchL4Proto, Value: protoUDP},
		{Kind: artifact.MatchSport, Value: dnsPort},
		{Kind: artifact.MatchCTDirection, Name: "reply"},
	}
	rules := []artifact.Rule{{
		ID: id("loopback"), Comment: "the router talking to itself", Do: leave,
		Match: []artifact.Match{{Kind: dev, Name: "lo"}},
	}}
	for _, g := range in.groups(true) {
		rules = append(rules, artifact.Rule{
			ID: id("dns" + g.suffix), Comment: "every DNS answer: its names classify later flows",
			Match: append(slices.Clone(answers), g.match...),
			Do:    []artifact.Statement{logTo(g.group, prefixReply), leave[0]},
		})
	}
	return append(rules,
		artifact.Rule{
			ID: id("done"), Comment: "analysis is over", Do: leave,
			Match: []artifact.Match{{Kind: artifact.MatchCTMark, Mask: in.Settings.DoneMark, Value: 0, Not: true}},
		},
		// The packet at hand is already counted, hence the + 1. netpold gives up
		// after InspectPacket, unless an opening that it can read is not complete:
		// a hello in tiny segments must not get past it.
		artifact.Rule{
			ID: id("budget"), Comment: "first packets only", Do: leave,
			Match: []artifact.Match{{Kind: artifact.MatchCTPackets, Limit: gate(in.Settings), Not: true}},
		})
}

// copyRules copy the packets of both directions for which all else holds. Those
// that were to wait go where the queue's reader listens.
func copyRules(in Input, id func(string) string, which, original, reply string, held ...artifact.Match) []artifact.Rule {
	groups := in.groups(false)
	if len(held) > 0 {
		groups = []logGroup{{group: in.Settings.LogGroup}}
	}
	var rules []artifact.Rule
	for _, of := range []struct{ direction, prefix string }{{"original", original}, {"reply", reply}} {
		for _, g := range groups {
			match := append(slices.Clone(held), artifact.Match{Kind: artifact.MatchCTDirection, Name: of.direction})
			rules = append(rules, artifact.Rule{
				ID:    id(which + of.direction + g.suffix),
				Match: append(match, g.match...),
				Do:    []artifact.Statement{{Kind: artifact.DoCounter}, logTo(g.group, of.prefix), {Kind: artifact.DoReturn}},
			})
		}
	}
	return rules
}

// logGroup is an NFLOG group and whose packets go there.
type logGroup struct {
	group  uint16
	suffix string // of rules' names
	match  []artifact.Match
}

// groups spread connections by conntrack's number of them: it is the same for both
// directions whatever NAT does to their addresses, and nobody outside can know
// it. What a policy holds is read where its queue is, if that has not been seen to.
func (in Input) groups(seeToHeld bool) []logGroup {
	all := in.Settings.Groups()
	if len(all) == 1 {
		return []logGroup{{group: all[0]}}
	}
	var out []logGroup
	if seeToHeld && in.Hold.any() {
		out = append(out, logGroup{all[0], "-held", []artifact.Match{in.Hold.labels()}})
	}
	for i, group := range all {
		out = append(out, logGroup{group, "-" + strconv.Itoa(i), []artifact.Match{{Kind: artifact.MatchCTID, Mask: uint32(len(all) - 1), Value: uint32(i)}}})
	}
	return out
}

func logTo(group uint16, prefix string) artifact.Statement {
	return artifact.Statement{Kind: artifact.DoLog, Name: prefix, Group: group, Snaplen: snaplen}
}

// gate is the count of packets from which on none is shown.
func gate(s artifact.Settings) uint64 { return uint64(s.FirstPackets()) + 1 }
