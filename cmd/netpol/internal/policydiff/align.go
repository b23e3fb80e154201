package policydiff

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/compiler/ir"
	"github.com/netpol/netpol/lang/fact"
)

// conditions gives each policy of a side a text that is equal for equal
// conditions, however the compiler has shared and ordered their parts. It is by
// name: some policies are several for the compiler.
func conditions(s *side) map[string]string {
	b := s.bundle
	texts := make([]string, len(b.Program.Tests))
	for i := range b.Program.Tests {
		texts[i] = testText(b, i, texts)
	}
	clauses := make(map[string][]string, len(b.Policies))
	for _, c := range b.Program.Clauses {
		literals := make([]string, len(c.If))
		for i, l := range c.If {
			literals[i] = literalText(l, texts)
		}
		for _, l := range s.evaluator.AsksPacket(c.Policy) {
			literals = append(literals, s.packetText(l))
		}
		slices.Sort(literals)
		name := b.Policies[c.Policy].Name
		clauses[name] = append(clauses[name], strings.Join(literals, " & "))
	}
	out := make(map[string]string, len(clauses))
	for name, list := range clauses {
		slices.Sort(list)
		out[name] = strings.Join(slices.Compact(list), " | ")
	}
	return out
}

// packetText writes what is asked of a packet; schedules by what they are,
// because their names say nothing.
func (s *side) packetText(l ir.Literal) string {
	text := fmt.Sprint(l.Not, " ", l.Test)
	if !asksClock(l.Test) {
		return text
	}
	text += " " + s.bundle.Settings.Timezone
	for _, schedule := range s.evaluator.Clock.Schedules() {
		if slices.Contains(l.Test.Strings, schedule.Name) {
			text += fmt.Sprintf(" %+v", schedule)
		}
	}
	return text
}

func literalText(l artifact.Literal, texts []string) string {
	if l.Negated() {
		return "!" + texts[l.Test()]
	}
	return texts[l.Test()]
}

// testText writes a test; those that it refers to come before it.
func testText(b *artifact.Bundle, i int, texts []string) string {
	t := b.Program.Tests[i]
	switch t.Op {
	case artifact.TestAll, artifact.TestAny:
		parts := make([]string, len(t.Of))
		for j, l := range t.Of {
			parts[j] = literalText(l, texts)
		}
		slices.Sort(parts)
		return fmt.Sprintf("%s(%s)", t.Op, strings.Join(parts, ", "))
	case artifact.TestCode:
		return "code(" + b.Program.Codes[t.Code].Source + ")"
	default:
		text, err := json.Marshal(t)
		if err != nil {
			return fmt.Sprintf("test %d: %v", i, err) // equal to no other
		}
		return string(text)
	}
}

// sameEffects reports whether two policies do the same to what they match.
func sameEffects(a, b *artifact.Policy) bool {
	if (a.Mark == nil) != (b.Mark == nil) || a.Mark != nil && *a.Mark != *b.Mark {
		return false
	}
	return a.DSCP == b.DSCP && a.Verdict == b.Verdict && a.Audit == b.Audit && a.OnFail == b.OnFail && a.OnOverload == b.OnOverload && a.Hold == b.Hold &&
		slices.Equal(a.Also, b.Also) && slices.Equal(slices.Sorted(slices.Values(a.Labels)), slices.Sorted(slices.Values(b.Labels)))
}

// policiesOf are a bundle's by name, each once, in order.
func policiesOf(b *artifact.Bundle) (list []*artifact.Policy, where map[string]int) {
	where = make(map[string]int, len(b.Policies))
	for i := range b.Policies {
		p := &b.Policies[i]
		if _, ok := where[p.Name]; !ok {
			where[p.Name] = len(list)
			list = append(list, p)
		}
	}
	return list, where
}

// align compares the policies of two sides by name.
func align(b, a *side) []PolicyChange {
	conditionsBefore, conditionsAfter := conditions(b), conditions(a)
	before, _ := policiesOf(b.bundle)
	after, where := policiesOf(a.bundle)
	var changes []PolicyChange
	var same, positions []int // before-indexes of equal policies, and where they are after
	for i, p := range before {
		j, ok := where[p.Name]
		switch {
		case !ok:
			changes = append(changes, PolicyChange{Kind: Removed, Name: p.Name, Before: p})
		case conditionsBefore[p.Name] != conditionsAfter[p.Name] || !sameEffects(p, after[j]):
			changes = append(changes, PolicyChange{Kind: Modified, Name: p.Name, Before: p, After: after[j]})
		default:
			same, positions = append(same, i), append(positions, j)
		}
		delete(where, p.Name)
	}
	for _, p := range after {
		if _, ok := where[p.Name]; ok {
			changes = append(changes, PolicyChange{Kind: Added, Name: p.Name, After: p})
		}
	}
	for _, i := range outOfOrder(positions) {
		p := before[same[i]]
		changes = append(changes, PolicyChange{Kind: Moved, Name: p.Name, Before: p, After: after[positions[i]]})
	}
	for i := range changes {
		c := &changes[i]
		c.SchedulesBefore, c.SchedulesAfter = b.schedulesOf(c.Name), a.schedulesOf(c.Name)
	}
	return changes
}

// schedulesOf are the schedules that a policy's condition names, in words.
func (s *side) schedulesOf(policy string) []string {
	var names []string
	for i := range s.resolved.Policies {
		if s.resolved.Policies[i].Name != policy {
			continue
		}
		ir.Walk(s.resolved.Policies[i].Cond, func(e ir.Expr) {
			if c, ok := e.(*ir.Compare); ok && c.Attr.Type == fact.ScheduleName {
				names = append(names, c.Strings...)
			}
		})
	}
	var out []string
	for _, x := range s.evaluator.Clock.Schedules() {
		if slices.Contains(names, x.Name) {
			out = append(out, x.String())
		}
	}
	return out
}

// outOfOrder are the indexes that are not in the longest increasing
// subsequence: the fewest elements to move so that the rest keeps its order
// (patience sorting, n log n).
func outOfOrder(list []int) []int {
	tails, back := []int{}, make([]int, len(list)) // indexes into list
	for i, v := range list {
		n, _ := slices.BinarySearchFunc(tails, v, func(t, v int) int { return list[t] - v })
		back[i] = -1
		if n > 0 {
			back[i] = tails[n-1]
		}
		if n == len(tails) {
			tails = append(tails, i)
		} else {
			tails[n] = i
		}
	}
	keep := make([]bool, len(list))
	if len(tails) > 0 {
		for i := tails[len(tails)-1]; i >= 0; i = back[i] {
			keep[i] = true
		}
	}
	var out []int
	for i := range list {
		if !keep[i] {
			out = append(out, i)
		}
	}
	return out
}
