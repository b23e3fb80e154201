package packetsim

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/netpol/netpol/compiler/artifact"
)

// randomTable draws a table that a kernel takes: base chains at every hook
// that a forwarded packet passes, and chains to jump to, of which each jumps to
// later ones only.
func randomTable(rng *rand.Rand) artifact.Ruleset {
	rs := artifact.Ruleset{Family: "inet", Table: "netpol", Sets: randomSets(rng)}
	const plain = 4
	for i, hook := range []struct {
		name     string
		priority int
	}{{"prerouting", -151}, {"prerouting", -150}, {"forward", 10}, {"postrouting", -150}} {
		guard := artifact.Rule{ID: fmt.Sprint("guard", i), Match: []artifact.Match{
			{Kind: artifact.MatchL4Proto, Value: 17},
			{Kind: artifact.MatchDport, Value: guardPort},
		}, Do: []artifact.Statement{{Kind: artifact.DoAccept}}}
		rs.Chains = append(rs.Chains, artifact.Chain{
			Name: fmt.Sprint("np_base", i), Hook: hook.name, Type: "filter", Priority: hook.priority,
			Rules: append([]artifact.Rule{guard}, randomRules(rng, fmt.Sprint("base", i), 0, plain, hook.name)...),
		})
	}
	for i := range plain {
		rs.Chains = append(rs.Chains, artifact.Chain{Name: fmt.Sprint("np_plain", i), Rules: randomRules(rng, fmt.Sprint("plain", i), i+1, plain, "")})
	}
	return rs
}

func randomRules(rng *rand.Rand, chain string, from, to int, hook string) []artifact.Rule {
	var out []artifact.Rule
	for i := range 1 + rng.IntN(6) {
		r := artifact.Rule{ID: fmt.Sprintf("%s/%d", chain, i)}
		for range 1 + rng.IntN(2) {
			r.Match = append(r.Match, randomMatch(rng, hook)...)
		}
		r.Do = randomStatements(rng, from, to, hook)
		if slices.ContainsFunc(r.Do, func(s artifact.Statement) bool { return s.Kind == artifact.DoSetDSCP6 }) {
			r.Match = append(r.Match, artifact.Match{Kind: artifact.MatchFamily, Value: 6})
		}
		if slices.ContainsFunc(r.Do, func(s artifact.Statement) bool { return s.Kind == artifact.DoSetDSCP4 }) {
			r.Match = append(r.Match, artifact.Match{Kind: artifact.MatchFamily, Value: 4})
		}
		out = append(out, r)
	}
	return out
}

func randomStatements(rng *rand.Rand, from, to int, hook string) []artifact.Statement {
	bit := rng.IntN(16)
	list := []artifact.Statement{
		{Kind: artifact.DoSetCTLabel, Bit: bit, Name: fmt.Sprint("l", bit)},
		{Kind: artifact.DoSetCTLabel, Bit: 15 - bit, Name: fmt.Sprint("l", 15-bit)},
		{Kind: artifact.DoSetCTMark, Mask: 0xc, Value: uint32(rng.IntN(4)) << 2},
		{Kind: artifact.DoSetCTMark, Mask: 0x6, Value: uint32(rng.IntN(4)) << 1},
		{Kind: artifact.DoSetDSCP4, Value: uint32(rng.IntN(64))},
		{Kind: artifact.DoSetDSCP6, Value: uint32(rng.IntN(64))},
		{Kind: artifact.DoCounter},
		{Kind: artifact.DoReturn},
		{Kind: artifact.DoAccept},
	}
	if hook == "forward" {
		list = append(list, artifact.Statement{Kind: artifact.DoDrop}, artifact.Statement{Kind: artifact.DoDrop}, artifact.Statement{Kind: artifact.DoRejectAdmin})
	}
	out := []artifact.Statement{list[rng.IntN(len(list))]}
	if out[0].Kind != artifact.DoDrop && rng.IntN(2) == 0 && from < to {
		kind := artifact.DoJump
		if rng.IntN(3) == 0 {
			kind = artifact.DoGoto
		}
		return []artifact.Statement{{Kind: kind, Name: fmt.Sprint("np_plain", from+rng.IntN(to-from))}}
	}
	return out
}

// randomMatch draws a match that holds about as often as not, with those that
// it needs before it.
func randomMatch(rng *rand.Rand, hook string) []artifact.Match {
	udp := artifact.Match{Kind: artifact.MatchL4Proto, Value: 17}
	four, six := artifact.Match{Kind: artifact.MatchFamily, Value: 4}, artifact.Match{Kind: artifact.MatchFamily, Value: 6}
	bit := rng.IntN(16)
	device := []string{"lan0", "wan0", "lo"}[rng.IntN(3)]
	direction := []string{"", "original", "reply"}[rng.IntN(3)]
	choices := [][]artifact.Match{
		{{Kind: artifact.MatchCTLabel, Bit: bit, Name: fmt.Sprint("l", bit)}},
		{{Kind: artifact.MatchCTLabel, Bit: bit, Name: fmt.Sprint("l", bit)}},
		{{Kind: artifact.MatchCTMark, Mask: 0x3, Value: uint32(rng.IntN(4))}},
		{{Kind: artifact.MatchCTPackets, Limit: uint64(1 + rng.IntN(5)), Name: direction}},
		{{Kind: artifact.MatchCTBytes, Limit: uint64(1 + rng.IntN(1000)), Name: direction}},
		{{Kind: artifact.MatchTime, Set: "np_now"}},
		{{Kind: artifact.MatchTime, Set: "np_tomorrow"}},
		{{Kind: artifact.MatchCTDirection, Name: []string{"original", "reply"}[rng.IntN(2)]}},
		{{Kind: artifact.MatchCTState, Name: []string{"new", "established", "related", "untracked", "invalid"}[rng.IntN(5)]}},
		{{Kind: artifact.MatchCTStatus, Name: "confirmed"}},
		{{Kind: artifact.MatchL4Proto, Value: []uint32{6, 17}[rng.IntN(2)]}},
		{{Kind: artifact.MatchL4Proto, Set: "np_protocols"}},
		{{Kind: artifact.MatchFamily, Value: []uint32{4, 6}[rng.IntN(2)]}},
		{udp, {Kind: artifact.MatchDport, Value: lowPort + uint32(rng.IntN(ports))}},
		{udp, {Kind: artifact.MatchDport, Set: "np_ports"}},
		{udp, {Kind: artifact.MatchSport, Set: "np_ports"}},
		{four, {Kind: artifact.MatchSaddr4, Set: "np_four"}},
		{four, {Kind: artifact.MatchDaddr4, Set: "np_four"}},
		{six, {Kind: artifact.MatchSaddr6, Set: "np_six"}},
		{six, {Kind: artifact.MatchDaddr6, Set: "np_six"}},
	}
	if hook != "postrouting" && hook != "" {
		choices = append(choices, []artifact.Match{{Kind: artifact.MatchIIFName, Name: device}}, []artifact.Match{{Kind: artifact.MatchIIFName, Set: "np_devices"}})
	}
	if hook == "forward" || hook == "postrouting" {
		choices = append(choices, []artifact.Match{{Kind: artifact.MatchOIFName, Name: device}}, []artifact.Match{{Kind: artifact.MatchOIFName, Set: "np_devices"}})
	}
	out := slices.Clone(choices[rng.IntN(len(choices))])
	out[len(out)-1].Not = rng.IntN(3) == 0
	return out
}

func randomSets(rng *rand.Rand) []artifact.Set {
	port := func(low, high int) artifact.Element {
		return artifact.Element{Low: binary.BigEndian.AppendUint16(nil, uint16(low)), High: binary.BigEndian.AppendUint16(nil, uint16(high))}
	}
	low := lowPort + rng.IntN(3)
	name := make([]byte, ifNameSize)
	copy(name, []string{"lan0", "wan0"}[rng.IntN(2)])
	four, six := []byte{192, 168, 77, 0}, []byte{0xfd, 0x77, 15: 0}
	lastFour, lastSix := []byte{192, 168, 77, byte(rng.IntN(4))}, slices.Clone(six)
	lastSix[15] = byte(rng.IntN(4))
	return []artifact.Set{
		{Name: "np_protocols", Type: artifact.SetProto, Elements: []artifact.Element{{Low: []byte{6}, High: []byte{byte(16 + rng.IntN(2))}}}},
		{Name: "np_ports", Type: artifact.SetService, Elements: []artifact.Element{port(low, low+1), port(low+3, low+4), port(30000, 30000+rng.IntN(200))}},
		{Name: "np_four", Type: artifact.SetAddr4, Elements: []artifact.Element{{Low: four, High: lastFour}}},
		{Name: "np_six", Type: artifact.SetAddr6, Elements: []artifact.Element{{Low: six, High: lastSix}}},
		{Name: "np_devices", Type: artifact.SetDevice, Elements: []artifact.Element{{Low: name, High: name}}},
		{Name: "np_now", Type: artifact.SetTime, Schedules: []artifact.Schedule{{Name: "always"}}},
		{Name: "np_tomorrow", Type: artifact.SetTime, Schedules: []artifact.Schedule{{Name: "later", Dates: []artifact.Dates{{From: "2100-01-01", To: "2100-01-01"}}}}},
	}
}
