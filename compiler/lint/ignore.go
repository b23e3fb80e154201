package lint

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/netpol/netpol/lang/diag"
	"github.com/netpol/netpol/lang/outline"
)

// ignore is one # netpol-ignore comment.
type ignore struct {
	rules  []Rule
	reason string
	at     diag.Range // of the comment
	file   string
	from   int // lines that it covers
	to     int
	used   map[string]bool // ids that it kept quiet
	bad    bool            // it has no effect
}

// directive is "netpol-ignore: NP0503, idle-label the reason".
var directive = regexp.MustCompile(`^netpol-ignore(?::|\s|$)\s*(.*)$`)

// readIgnores finds the ignores of every file and reports those that cannot be.
func (p *pass) readIgnores() []*ignore {
	var out []*ignore
	for _, f := range p.in.Files {
		l := newLines(f)
		for _, c := range f.Comments {
			if m := directive.FindStringSubmatch(c.Text); m != nil {
				i := p.readIgnore(f, c, m[1])
				i.from, i.to = l.covered(c)
				out = append(out, i)
			}
		}
	}
	return out
}

func (p *pass) readIgnore(f *outline.File, c outline.Comment, text string) *ignore {
	i := &ignore{at: c.Range, file: f.Name, used: map[string]bool{}}
	names, rest := cutNames(text)
	i.reason = rest
	var problems []string
	if len(names) == 0 {
		problems = append(problems, "It names no rule.")
	}
	for _, name := range names {
		r, ok := Find(name)
		switch {
		case !ok:
			problems = append(problems, fmt.Sprintf("No rule is named %s.", name))
		case r.Fixed || r.Category == Meta:
			problems = append(problems, fmt.Sprintf("%s (%s) cannot be ignored.", r.ID, r.Slug))
		default:
			i.rules = append(i.rules, r)
		}
	}
	if i.reason == "" && len(names) > 0 {
		problems = append(problems, "It gives no reason.")
		i.bad = true
	}
	if len(problems) > 0 {
		p.reportAs(badIgnore(), Finding{
			Subject: i.at, Detail: strings.Join(problems, " "),
			Hint: "write # netpol-ignore: " + exampleName(i) + " why it is meant",
		})
	}
	return i
}

func exampleName(i *ignore) string {
	if len(i.rules) > 0 {
		return i.rules[0].ID
	}
	return "NP0503"
}

// cutNames takes the rule names off the text: one word, or several joined by
// commas.
func cutNames(text string) (names []string, reason string) {
	for {
		text = strings.TrimLeft(text, " \t")
		word, rest, _ := strings.Cut(text, " ")
		comma := strings.HasSuffix(word, ",")
		for _, name := range strings.Split(word, ",") {
			if name = strings.TrimSpace(strings.TrimSuffix(name, ":")); name != "" {
				names = append(names, name)
			}
		}
		text = rest
		if !comma || rest == "" {
			return names, strings.TrimSpace(strings.TrimLeft(text, "#-: \t"))
		}
	}
}

// lines is what stands on the lines of a file.
type lines struct {
	below map[int]int // under a comment alone on its line: the next line with something else
	ends  map[int]int // last line of what begins on a line
}

func newLines(f *outline.File) *lines {
	l := &lines{below: map[int]int{}, ends: map[int]int{}}
	for _, c := range slices.Backward(f.Comments) {
		if line := c.Range.Start.Line; c.Alone {
			l.below[line] = line + 1
			if next := l.below[line+1]; next > 0 {
				l.below[line] = next
			}
		}
	}
	for _, s := range f.Statements {
		l.ends[s.Range.Start.Line] = max(l.ends[s.Range.Start.Line], s.Range.End.Line)
	}
	return l
}

// covered is the lines that a comment speaks for: the block or argument on its
// own line or, where it stands alone, the one below it.
func (l *lines) covered(c outline.Comment) (from, to int) {
	line := c.Range.Start.Line
	if c.Alone {
		line = l.below[line]
	}
	return line, max(line, l.ends[line])
}

// withoutIgnored is the findings that nobody ignores, and those about ignores.
func (p *pass) withoutIgnored() []Finding {
	all := p.findings
	p.findings = nil
	ignores := p.readIgnores()
	var out []Finding
	for _, f := range all {
		if !ignored(f, ignores) {
			out = append(out, f)
		}
	}
	p.reportUnused(ignores)
	return append(out, p.findings...)
}

func ignored(f Finding, ignores []*ignore) bool {
	if f.Rule.Fixed {
		return false
	}
	quiet := false
	for _, i := range ignores {
		if i.bad || i.file != f.Subject.Filename || f.Subject.Start.Line < i.from || f.Subject.Start.Line > i.to {
			continue
		}
		if slices.ContainsFunc(i.rules, func(r Rule) bool { return r.ID == f.Rule.ID }) {
			i.used[f.Rule.ID] = true
			quiet = true
		}
	}
	return quiet
}

// reportUnused reports ignores of what was not found, for rules that ran.
func (p *pass) reportUnused(ignores []*ignore) {
	for _, i := range ignores {
		if i.bad {
			continue
		}
		for _, r := range i.rules {
			ran := slices.ContainsFunc(p.plan.rules, func(o Rule) bool { return o.ID == r.ID })
			if ran && !i.used[r.ID] {
				p.reportAs(unusedIgnore(), Finding{
					Subject: i.at, Detail: fmt.Sprintf("%s (%s) finds nothing here any more.", r.ID, r.Slug), Hint: "remove the comment",
				})
			}
		}
	}
}

// reportAs reports for a rule that is not the current one, if it is on.
func (p *pass) reportAs(rule Rule, f Finding) {
	for i := range p.plan.rules {
		if p.plan.rules[i].ID == rule.ID {
			p.rule = &p.plan.rules[i]
			p.report(f)
		}
	}
}

func unusedIgnore() Rule {
	return Rule{ID: "NP0590", Slug: "unused-ignore", Category: Meta, Severity: diag.Warning, Summary: "Ignore without use"}
}

func badIgnore() Rule {
	return Rule{ID: "NP0591", Slug: "bad-ignore", Category: Meta, Severity: diag.Warning, Summary: "Ignore without effect"}
}
