package lint

import (
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
)

func mixedAndOr() Rule {
	return Rule{ID: "NP0520", Slug: "mixed-and-or", Category: Style, Severity: diag.Warning, Summary: "And and or without parentheses", check: checkMixedAndOr}
}

// checkMixedAndOr reports and beside or on one level. Parentheses around the
// ands say what netpol reads.
func checkMixedAndOr(p *pass) {
	p.criteria(func(c *lang.Criteria, policy string) {
		for _, m := range mixedLevels(scan(c.Text)) {
			f := Finding{
				Subject: c.RangeOf(m.at.from, m.at.to), Policy: policy,
				Detail: "And binds more tightly than or here: a or b and c means a or (b and c). Netify reads the two from right to left, so the same text can mean something else there.",
				Hint:   "write the parentheses",
			}
			if literal(c) {
				f.Fix = &Fix{Description: "write the parentheses that netpol reads"}
				for _, run := range m.runs {
					f.Fix.Edits = append(f.Fix.Edits, insertion(c, run.from, "(", false), insertion(c, run.to, ")", true))
				}
			}
			p.report(f)
		}
	})
}

// mixedLevel is one level of brackets where and stands beside or.
type mixedLevel struct {
	at   token   // the connective that made it mixed
	runs []token // the stretches joined by and
}

// level gathers the operands of one level, up to a comma or bracket.
type level struct {
	and, or, mixed bool
	at             token
	run            token // the current stretch between ors
	runAnd         bool
	runs           []token
}

// mixedLevels finds every level where and stands beside or.
func mixedLevels(tokens []token) []mixedLevel {
	var out []mixedLevel
	stack := []*level{{}}
	end := func(l *level) {
		l.endRun()
		if l.mixed {
			out = append(out, mixedLevel{l.at, l.runs})
		}
		*l = level{}
	}
	for _, t := range tokens {
		top := stack[len(stack)-1]
		switch t.kind {
		case openToken:
			top.extend(t)
			stack = append(stack, &level{})
		case closeToken:
			end(top)
			if len(stack) > 1 {
				stack = stack[:len(stack)-1]
			}
			stack[len(stack)-1].extend(t)
		case markToken:
			end(top)
		case andToken:
			top.and, top.runAnd = true, true
			top.mix(t)
		case orToken:
			top.endRun()
			top.or = true
			top.mix(t)
		case wordToken, textToken, otherToken:
			top.extend(t)
		}
	}
	for _, l := range stack {
		end(l)
	}
	return out
}

func (l *level) extend(t token) {
	if l.run == (token{}) {
		l.run = t
	}
	l.run.to = t.to
}

func (l *level) endRun() {
	if l.runAnd {
		l.runs = append(l.runs, l.run)
	}
	l.run, l.runAnd = token{}, false
}

func (l *level) mix(t token) {
	if l.and && l.or && !l.mixed {
		l.mixed, l.at = true, t
	}
}
