package policydiff

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/netpol/netpol/compiler/artifact"
)

// conditions gives each policy of a bundle a text that is equal for equal
// conditions, however the compiler has shared and ordered their parts.
func conditions(b *artifact.Bundle) []string {
	texts := make([]string, len(b.Program.Tests))
	for i := range b.Program.Tests {
		texts[i] = testText(b, i, texts)
	}
	clauses := make([][]string, len(b.Policies))
	for _, c := range b.Program.Clauses {
		literals := make([]string, len(c.If))
		for i, l := range c.If {
			literals[i] = literalText(l, texts)
		}
		slices.Sort(literals)
		clauses[c.Policy] = append(clauses[c.Policy], strings.Join(literals, " & "))
	}
	out := make([]string, len(clauses))
	for i, list := range clauses {
		slices.Sort(list)
		out[i] = strings.Join(slices.Compact(list), " | ")
	}
	return out
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
	return a.DSCP == b.DSCP && a.Verdict == b.Verdict &&
		slices.Equal(slices.Sorted(slices.Values(a.Labels)), slices.Sorted(slices.Values(b.Labels)))
}

// align compares the policies of two bundles by name.
func align(before, after *artifact.Bundle) []PolicyChange {
	conditionsBefore, conditionsAfter := conditions(before), conditions(after)
	where := make(map[string]int, len(after.Policies))
	for i, p := range after.Policies {
		where[p.Name] = i
	}
	var changes []PolicyChange
	var same, positions []int // before-indexes of equal policies, and where they are after
	for i := range before.Policies {
		p := &before.Policies[i]
		j, ok := where[p.Name]
		switch {
		case !ok:
			changes = append(changes, PolicyChange{Kind: Removed, Name: p.Name, Before: p})
		case conditionsBefore[i] != conditionsAfter[j] || !sameEffects(p, &after.Policies[j]):
			changes = append(changes, PolicyChange{Kind: Modified, Name: p.Name, Before: p, After: &after.Policies[j]})
		default:
			same, positions = append(same, i), append(positions, j)
		}
		delete(where, p.Name)
	}
	for i := range after.Policies {
		if p := &after.Policies[i]; where[p.Name] == i && contains(where, p.Name) {
			changes = append(changes, PolicyChange{Kind: Added, Name: p.Name, After: p})
		}
	}
	for _, i := range outOfOrder(positions) {
		p := &before.Policies[same[i]]
		changes = append(changes, PolicyChange{Kind: Moved, Name: p.Name, Before: p, After: &after.Policies[positions[i]]})
	}
	return changes
}

func contains(m map[string]int, key string) bool {
	_, ok := m[key]
	return ok
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
