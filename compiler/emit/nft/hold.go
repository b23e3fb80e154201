package nft

import (
	"fmt"
	"math/bits"

	"github.com/netpol/netpol/compiler/artifact"
)

// priorityHold is before the chains that copy packets: what is not held, because
// nobody reads the queue or it is full, is copied as all others are.
func priorityHold(s artifact.Settings) int { return s.CapturePriority - 1 }

// Hold says whose packets wait for the enforcer: flows with the label Open while
// it answers, those with Closed in any case. A label without a name is none.
type Hold struct {
	Open, Closed artifact.Label
	Mark         uint32 // bits of the conntrack mark that the enforcer writes
}

func (h Hold) any() bool { return h.Open.Name != "" || h.Closed.Name != "" }

// labels are the bits of both.
func (h Hold) labels() artifact.Match {
	switch {
	case h.Closed.Name == "":
		return hasLabel(h.Open)
	case h.Open.Name == "":
		return hasLabel(h.Closed)
	}
	return artifact.Match{Kind: artifact.MatchCTLabel, Bits: []int{min(h.Open.Bit, h.Closed.Bit), max(h.Open.Bit, h.Closed.Bit)}}
}

// holdChains hand the first packets of flows to the enforcer and have them wait
// for it. They run where the copying chains do, and under the same conditions,
// as long as the enforcer answers.
//
// The enforcer writes into the entry of the flow before it lets the packet go on,
// but not into one that conntrack has not confirmed, as it is on a flow's first
// packet. It then sends the packet through the chain again (NF_REPEAT), with a
// mark by which rules write for it, and gets it back.
func holdChains(in Input, t *packetTests) []artifact.Chain {
	if !in.Hold.any() {
		return nil
	}
	t.heartbeat(HoldHeartbeat)
	return []artifact.Chain{
		holdChain(in, chainHoldPre, "prerouting", "pre"),
		holdChain(in, chainHoldOut, "output", "out"),
		queueChain(in),
		toldChain(in),
		backChain(in.Settings.HeldMark()),
	}
}

func holdChain(in Input, name, hook, short string) artifact.Chain {
	id := func(what string) string { return "hold-" + short + "/" + what }
	leave := []artifact.Statement{{Kind: artifact.DoReturn}}
	mark := in.Settings.HeldMark()
	goes := func(to string) []artifact.Statement { return []artifact.Statement{{Kind: artifact.DoGoto, Name: to}} }
	none := in.Hold.labels()
	none.Not = true
	return artifact.Chain{Name: name, Hook: hook, Type: "filter", Priority: priorityHold(in.Settings), Rules: []artifact.Rule{
		{
			ID: id("done"), Comment: "analysis is over", Do: leave,
			Match: []artifact.Match{
				{Kind: artifact.MatchCTMark, Mask: in.Settings.DoneMark, Value: 0, Not: true},
				{Kind: artifact.MatchMark, Mask: mark.Mask(), Value: mark.Told(), Not: true},
			},
		},
		{
			ID: id("budget"), Comment: "first packets only", Do: leave,
			Match: []artifact.Match{{Kind: artifact.MatchCTPackets, Limit: gate(in.Settings), Not: true}},
		},
		{ID: id("other"), Comment: "no policy that holds could match", Do: leave, Match: []artifact.Match{none}},
		{
			ID: id("told"), Comment: "what netpold writes into a new entry", Do: goes(chainHoldTold),
			Match: []artifact.Match{{Kind: artifact.MatchMark, Mask: mark.Mask(), Value: mark.Told()}},
		},
		{
			ID: id("alive"), Comment: "nobody waits for a netpold that hangs", Do: leave,
			Match: []artifact.Match{{Kind: artifact.MatchAlive, Set: HoldHeartbeat, Not: true}},
		},
		{ID: id("wait"), Do: goes(chainHold)},
	}}
}

// queueChain puts the packet into the queue of its kind. What may not pass
// unjudged goes first: a flow can have both labels.
func queueChain(in Input) artifact.Chain {
	c := artifact.Chain{Name: chainHold}
	for _, of := range []struct {
		label  artifact.Label
		id     string
		queue  uint16
		option string
	}{
		{in.Hold.Closed, "closed", artifact.HoldClosed, ""},
		{in.Hold.Open, "open", 0, artifact.QueueBypass},
	} {
		if of.label.Name == "" {
			continue
		}
		for _, kind := range []struct {
			id    string
			queue uint16
			match artifact.Match
		}{
			{"first", artifact.HoldFirst, artifact.Match{Kind: artifact.MatchCTStatus, Name: "confirmed", Not: true}},
			{"original", artifact.HoldOriginal, artifact.Match{Kind: artifact.MatchCTDirection, Name: "original"}},
			{"reply", artifact.HoldReply, artifact.Match{Kind: artifact.MatchCTDirection, Name: "reply"}},
		} {
			c.Rules = append(c.Rules, artifact.Rule{
				ID:    fmt.Sprintf("hold/%s/%s", of.id, kind.id),
				Match: []artifact.Match{hasLabel(of.label), kind.match},
				Do: []artifact.Statement{
					{Kind: artifact.DoCounter},
					{Kind: artifact.DoQueue, Group: in.Settings.HoldQueue + of.queue + kind.queue, Name: of.option},
				},
			})
		}
	}
	return c
}

// toldChain writes what a packet's mark says into the entry of its flow.
func toldChain(in Input) artifact.Chain {
	c, told := artifact.Chain{Name: chainHoldTold}, in.Settings.HeldMark()
	add := func(id string, do artifact.Statement, mask, value uint32) {
		c.Rules = append(c.Rules, artifact.Rule{
			ID: "told/" + id, Match: []artifact.Match{{Kind: artifact.MatchMark, Mask: mask, Value: value}}, Do: []artifact.Statement{do},
		})
	}
	for _, l := range in.Labels {
		if l == in.Hold.Open || l == in.Hold.Closed {
			continue
		}
		mask, value := told.ToldLabel(l.Bit)
		add("label/"+l.Name, artifact.Statement{Kind: artifact.DoSetCTLabel, Bit: l.Bit, Name: l.Name}, mask, value)
	}
	done := in.Settings.DoneMark
	mask, value := told.ToldDone()
	add("done", artifact.Statement{Kind: artifact.DoSetCTMark, Mask: done, Value: done}, mask, value)
	for left := in.Hold.Mark; left != 0; left &= left - 1 {
		bit := bits.TrailingZeros32(left)
		mask, value := told.ToldMark(bit)
		add(fmt.Sprintf("mark/%#x", 1<<bit), artifact.Statement{Kind: artifact.DoSetCTMark, Mask: 1 << bit, Value: 1 << bit}, mask, value)
	}
	c.Rules = append(c.Rules, artifact.Rule{ID: "told/wait", Comment: "for more, or to go on", Do: []artifact.Statement{{Kind: artifact.DoGoto, Name: chainHold}}})
	return c
}

// comesBack takes packets that the enforcer has seen out of the copying chain.
func comesBack(id string, mark artifact.HoldMark) artifact.Rule {
	return artifact.Rule{
		ID: id, Comment: "netpold has seen it", Do: []artifact.Statement{{Kind: artifact.DoGoto, Name: chainHoldBack}},
		Match: []artifact.Match{{Kind: artifact.MatchMark, Mask: mark.Told(), Value: mark.Told()}},
	}
}

// backChain gives a packet its mark back. Where the queue was full when it was to
// wait for the second time, only the enforcer knew the mark.
func backChain(mark artifact.HoldMark) artifact.Chain {
	return artifact.Chain{Name: chainHoldBack, Rules: []artifact.Rule{
		{
			ID: "back/told", Comment: "sent on before it got its own mark again",
			Match: []artifact.Match{{Kind: artifact.MatchMark, Mask: mark.Mask(), Value: mark.Told()}},
			Do:    []artifact.Statement{{Kind: artifact.DoSetMark, Mask: 0xffffffff}},
		},
		{ID: "back/judged", Do: []artifact.Statement{{Kind: artifact.DoSetMark, Mask: mark.Mask()}}},
	}}
}
