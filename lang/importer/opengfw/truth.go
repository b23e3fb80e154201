package opengfw

import (
	"slices"

	"github.com/netpol/netpol/lang/importer"
)

// truth is when a part of an expression is true and when it is false. Where it
// is neither, it fails, and the rule does not match.
type truth struct {
	holds, fails importer.Condition
	// total says that it is always one of the two.
	total bool
	// deep says that the conditions nest too deeply, and are not complete.
	deep bool
}

// always is a truth without failures.
func always(c importer.Condition) truth {
	return truth{holds: c, fails: importer.Not(c), total: true}
}

// given is a condition that can be asked only where another one holds.
func given(guard, c importer.Condition) truth {
	return truth{holds: importer.AllOf(guard, c), fails: importer.AllOf(guard, importer.Not(c))}
}

// not swaps the two.
func (t truth) not() truth {
	t.holds, t.fails = t.fails, t.holds
	return t
}

// and joins truths from left to right, as expr does: what stands after
// something false is not asked.
func and(list []truth) truth {
	end := len(list) - 1
	out := list[end]
	for end > 0 && !out.deep {
		from := end
		for from > 0 && list[from-1].total {
			from--
		}
		if from < end {
			out = andTotal(list[from:end], out)
			end = from
			continue
		}
		t := list[end-1]
		out = truth{
			holds: importer.AllOf(t.holds, out.holds),
			fails: importer.AnyOf(t.fails, importer.AllOf(t.holds, out.fails)),
			deep:  t.deep,
		}
		out.deep = out.deep || out.holds.Depth > importer.MaxNesting || out.fails.Depth > importer.MaxNesting
		end--
	}
	return out
}

// andTotal joins truths that never fail, and one after them.
func andTotal(list []truth, last truth) truth {
	var holds, fails []importer.Condition
	deep := last.deep
	for _, t := range append(slices.Clone(list), last) {
		holds, fails = append(holds, t.holds), append(fails, t.fails)
		deep = deep || t.deep
	}
	return truth{holds: importer.AllOf(holds...), fails: importer.AnyOf(fails...), total: last.total, deep: deep}
}

// or is and with true and false exchanged.
func or(list []truth) truth {
	swapped := make([]truth, len(list))
	for i, t := range list {
		swapped[i] = t.not()
	}
	return and(swapped).not()
}
