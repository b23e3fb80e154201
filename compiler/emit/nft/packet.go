package nft

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/compiler/ir"
)

// chainPacket asks each packet what a flow's label does not say, for labels and
// marks that it then sets, and for counters.
const chainPacket = "np_packet"

// packetRules come before the verdicts, so that a label is there for them on the
// packet that brings it about.
func packetRules(in Input, t *packetTests) []artifact.Rule {
	var rules []artifact.Rule
	// From the last policy to the first: of two that write a bit of the mark,
	// the earlier has the last word.
	for _, e := range slices.Backward(in.Effects) {
		if e.Audit {
			rules = append(rules, t.rules(e, "audit", nil)...)
			continue
		}
		rules = append(rules, t.accounts(e)...)
		var do []artifact.Statement
		for _, l := range e.Sets {
			do = append(do, artifact.Statement{Kind: artifact.DoSetCTLabel, Name: l.Name, Bit: l.Bit})
		}
		if e.Mark != nil {
			do = append(do, artifact.Statement{Kind: artifact.DoSetCTMark, Value: e.Mark.Value & e.Mark.Mask, Mask: e.Mark.Mask})
		}
		if len(do) > 0 {
			rules = append(rules, t.rules(e, "packet", nil, do...)...)
		}
	}
	return rules
}

// packetTests turns what is asked of a packet into matches, and collects the
// sets that they need.
type packetTests struct {
	settings  artifact.Settings
	schedules map[string]artifact.Schedule
	outs      map[string]Out // by the names that are asked for
	sets      map[string]artifact.Set
	local     map[artifact.SetType]artifact.Set // of the local networks; nil until a rule asks
	objects   []artifact.Object
	ids       map[string]int // rules so far, by the first form of their ID
	untracked bool           // some packets have no connection
}

func newPacketTests(in Input) *packetTests {
	t := &packetTests{settings: in.Settings, schedules: map[string]artifact.Schedule{}, sets: map[string]artifact.Set{}, ids: map[string]int{}, outs: map[string]Out{}}
	for _, o := range in.Outs {
		names := o.Names
		if o.Invert {
			names = append([]string{""}, names...)
		}
		t.outs[strings.Join(names, ",")] = o
	}
	for _, s := range in.Schedules {
		t.schedules[s.Name] = s
	}
	t.untracked = slices.ContainsFunc(in.Decisions, func(d Decision) bool { return d.Effect.NoTrack })
	return t
}

// list adds the tests' sets to those that there are.
func (t *packetTests) list(sets []artifact.Set) []artifact.Set {
	for _, name := range slices.Sorted(maps.Keys(t.sets)) {
		if !slices.ContainsFunc(sets, func(s artifact.Set) bool { return s.Name == name }) {
			sets = append(sets, t.sets[name])
		}
	}
	return sets
}

// rules are an effect's rules for one thing that it does: one for each
// alternative of what is asked of a packet.
func (t *packetTests) rules(e Effect, id string, also []artifact.Match, do ...artifact.Statement) []artifact.Rule {
	also = append(usedUp(e), also...) // before that there is nothing but the quota itself
	do = append([]artifact.Statement{{Kind: artifact.DoCounter}}, do...)
	return t.plainRules(e, id, also, do)
}

// plainRules are rules without a counter of their own, whatever the quota says.
func (t *packetTests) plainRules(e Effect, id string, also []artifact.Match, do []artifact.Statement) []artifact.Rule {
	var label []artifact.Match
	name := e.Label.Name
	switch {
	case name != "":
		label = []artifact.Match{hasLabel(e.Label)}
	case t.untracked:
		label, name = []artifact.Match{isTracked()}, "all"
	default:
		name = "all"
	}
	alternatives := [][]artifact.Match{nil}
	for _, l := range e.Packet {
		alternatives = product(alternatives, t.literal(l))
	}
	if e.Fail {
		id = "fail-" + id
		alternatives = product(alternatives, t.unable(e))
	}
	var rules []artifact.Rule
	for _, a := range alternatives {
		rules = append(rules, artifact.Rule{
			ID:      t.unique(id+"/"+artifact.Word(name), e),
			Comment: origin(e.Policy),
			Match:   slices.Concat(label, a, also),
			Do:      do,
		})
	}
	return rules
}

// unique numbers the rules that would have the same ID.
func (t *packetTests) unique(id string, e Effect) string {
	if e.always() && !e.Audit {
		return id
	}
	if t.ids[id]++; t.ids[id] > 1 {
		return fmt.Sprintf("%s/%d", id, t.ids[id])
	}
	return id
}

func product(a, b [][]artifact.Match) [][]artifact.Match {
	var out [][]artifact.Match
	for _, x := range a {
		for _, y := range b {
			out = append(out, slices.Concat(x, y))
		}
	}
	return out
}

// Sets by which rules know that the enforcer answers; packets wait for it only
// while the second says so.
const (
	Heartbeat     = "np_alive"
	HoldHeartbeat = "np_hold_alive"
)

// unable says that the enforcer has not decided, and will not. That is a failure
// if it does not answer or the flow has passed without being shown to it; it is
// overload if it has given the flow up, or answers and was not shown it. Where
// packets wait for it, it counts as dead as soon as they no longer do: none may
// slip through between the two.
func (t *packetTests) unable(e Effect) [][]artifact.Match {
	alive := Heartbeat
	if e.Holds {
		alive = HoldHeartbeat
	}
	t.heartbeat(alive)
	undecided := artifact.Match{Kind: artifact.MatchCTMark, Mask: t.settings.DoneMark, Value: 0}
	dead := artifact.Match{Kind: artifact.MatchAlive, Set: alive, Not: true}
	passed := artifact.Match{Kind: artifact.MatchCTPackets, Limit: gate(t.settings), Not: true}
	var out [][]artifact.Match
	switch closed := ir.FailClosed; {
	case e.OnFail == closed && e.OnOverload == closed:
		out = [][]artifact.Match{{undecided, dead}, {undecided, passed}}
	case e.OnFail == closed:
		out = [][]artifact.Match{{undecided, dead}}
	case e.OnOverload == closed:
		out = [][]artifact.Match{{undecided, passed, {Kind: artifact.MatchAlive, Set: alive}}}
	}
	if e.OnOverload == ir.FailClosed {
		out = append(out, []artifact.Match{hasLabel(e.Shed)})
	}
	return out
}

// heartbeat sees to it that the table has the set.
func (t *packetTests) heartbeat(name string) {
	life := artifact.HeartbeatLife
	if name == HoldHeartbeat {
		life = artifact.HoldLife
	}
	t.sets[name] = artifact.Set{Name: name, Type: artifact.SetFamily, Heartbeat: life, Elements: artifact.HeartbeatElements()}
}

// literal is one comparison, as alternatives.
func (t *packetTests) literal(l ir.Literal) [][]artifact.Match {
	side, kind, _ := strings.Cut(l.Test.Attr.Name, "_")
	switch l.Test.Attr.Name {
	case "time_of_day", "weekday", "schedule":
		return [][]artifact.Match{{{Kind: artifact.MatchTime, Set: t.times(l.Test), Not: l.Not}}}
	case "ct_mark":
		return t.mark(l)
	case "interface_out":
		o := t.outs[strings.Join(l.Test.Strings, ",")]
		m := hasLabel(o.Label)
		m.Not = l.Not != o.Invert
		return [][]artifact.Match{{m}}
	}
	counts := map[string]artifact.MatchKind{"bytes": artifact.MatchCTBytes, "packets": artifact.MatchCTPackets}
	direction := map[string]string{"src": "original", "dst": "reply"}[side]
	var out [][]artifact.Match
	for _, r := range ranges(l, math.MaxInt) {
		var both []artifact.Match
		if r.Low > 0 {
			both = append(both, artifact.Match{Kind: counts[kind], Name: direction, Limit: uint64(r.Low), Not: true})
		}
		if r.High < math.MaxInt {
			both = append(both, artifact.Match{Kind: counts[kind], Name: direction, Limit: uint64(r.High) + 1})
		}
		out = append(out, both)
	}
	return out
}

// ranges are the numbers 0..most that the literal takes.
func ranges(l ir.Literal, most int) []ir.Interval {
	var out []ir.Interval
	next := 0 // the first number that is in none of them so far
	for _, r := range l.Test.Ranges {
		r = ir.Interval{Low: max(r.Low, 0), High: min(r.High, most)}
		if r.Low > r.High {
			continue
		}
		if !l.Not {
			out = append(out, r)
		} else if next < r.Low {
			out = append(out, ir.Interval{Low: next, High: r.Low - 1})
		}
		if r.High == most {
			return out
		}
		next = r.High + 1
	}
	if l.Not {
		out = append(out, ir.Interval{Low: next, High: most})
	}
	return out
}

// maxMark is the highest mark that a number of this host can say.
const maxMark = math.MaxUint32 & math.MaxInt

// mark asks for ranges of the mark as for blocks of addresses: the bits that a
// block's numbers have in common, without the enforcer's own.
func (t *packetTests) mark(l ir.Literal) [][]artifact.Match {
	bits := l.Test.Mask
	if bits == 0 {
		bits = math.MaxUint32
	}
	if list := l.Test.Ranges; l.Not && len(list) == 1 && list[0].Low == list[0].High {
		m := t.markBlock(uint32(list[0].Low), bits)
		m.Not = true
		return [][]artifact.Match{{m}}
	}
	var out [][]artifact.Match
	for _, r := range ranges(l, maxMark) {
		for low := uint64(r.Low); low <= uint64(r.High); {
			size := low & -low // the largest block that begins here
			if low == 0 {
				size = 1 << 32
			}
			for low+size-1 > uint64(r.High) {
				size >>= 1
			}
			if m := t.markBlock(uint32(low), uint32(-size)&bits); m.Value&^m.Mask == 0 {
				out = append(out, []artifact.Match{m})
			}
			low += size
		}
	}
	return out
}

func (t *packetTests) markBlock(value, mask uint32) artifact.Match {
	return artifact.Match{Kind: artifact.MatchCTMark, Value: value, Mask: mask &^ t.settings.OwnMark()}
}
