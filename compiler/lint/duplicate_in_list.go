package lint

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
)

func duplicateInList() Rule {
	return Rule{ID: "NP0517", Slug: "duplicate-in-list", Category: Hygiene, Severity: diag.Warning, Summary: "Duplicate in a list", check: checkDuplicateInList}
}

// checkDuplicateInList reports elements that stand in a list twice: constants in
// criteria, members of address groups, criteria.
func checkDuplicateInList(p *pass) {
	p.criteria(func(c *lang.Criteria, policy string) { p.duplicateConstants(c, policy) })
	for _, b := range p.in.Policy.Policies {
		p.duplicateCriteria(b.Criteria, b.Name)
		p.duplicateCriteria(b.Exempt, b.Name)
	}
	p.duplicateCriteria(p.in.Policy.Exempt, "")
	for _, g := range p.in.Policy.Groups {
		p.duplicateMembers(g)
	}
}

// maxDuplicates bounds the findings about one criterion.
const maxDuplicates = 20

// duplicateConstants looks into every [ ] of a criterion.
func (p *pass) duplicateConstants(c *lang.Criteria, policy string) {
	tokens := scan(c.Text)
	told := 0
	var seen map[string]bool
	for i, t := range tokens {
		text := strings.ToLower(c.Text[t.from:t.to])
		switch {
		case text == "[":
			seen = map[string]bool{}
		case text == "]":
			seen = nil
		case seen == nil || t.kind != wordToken && t.kind != textToken || !alone(c.Text, tokens, i):
		case !seen[unquoted(text)]:
			seen[unquoted(text)] = true
		case told == maxDuplicates:
			p.findings[len(p.findings)-1].Detail += " More duplicates follow."
			return
		default:
			told++
			f := Finding{Subject: c.RangeOf(t.from, t.to), Policy: policy, Detail: fmt.Sprintf("%s stands in this list already.", c.Text[t.from:t.to]), Hint: "remove it"}
			if literal(c) {
				cut := Edit{Range: c.RangeOf(tokens[i-2].to, t.to)}
				cut.Range.Start = c.RangeOf(tokens[i-2].to-1, tokens[i-2].to).End
				f.Fix = &Fix{Description: "remove it", Edits: []Edit{cut}}
			}
			p.report(f)
		}
	}
}

// alone says that token i is a whole element: not an end of a range.
func alone(text string, tokens []token, i int) bool {
	is := func(j int, words string) bool {
		return j >= 0 && j < len(tokens) && strings.Contains(words, text[tokens[j].from:tokens[j].to])
	}
	return is(i-1, "[,") && is(i+1, "],")
}

func unquoted(s string) string { return strings.Trim(s, "'\"`") }

func (p *pass) duplicateCriteria(list []lang.Criteria, policy string) {
	seen := map[string]bool{}
	for _, c := range list {
		text := strings.Join(strings.Fields(c.Text), " ")
		if seen[text] {
			p.report(Finding{Subject: c.Range, Policy: policy, Detail: "This criterion stands in the list already.", Hint: "remove it"})
		}
		seen[text] = true
	}
}

// duplicateMembers reports members that stand twice, and those inside of
// others.
func (p *pass) duplicateMembers(g *lang.AddressGroup) {
	members := newMembers(g)
	for i, m := range g.Members {
		k := members.other(i)
		if k < 0 {
			continue
		}
		o := g.Members[k]
		f := Finding{Subject: m.Range, Hint: "remove it", Related: []Related{{o.Range, "the other one"}}}
		f.Detail = fmt.Sprintf("%s stands in address group %q already.", p.source(m.Range), g.Name)
		if m.Group == "" && m.MAC == "" && o.Prefix != m.Prefix {
			f.Detail = fmt.Sprintf("%s is part of %s in address group %q.", m.Prefix, o.Prefix, g.Name)
		}
		// What a variable gives may be another address elsewhere.
		if m.Range.Filename == g.Range.Filename && p.isQuoted(m.Range) && p.isQuoted(o.Range) {
			f.Fix = p.cutMember(g, i)
		}
		p.report(f)
	}
}

// isQuoted says that a place holds a string as it is.
func (p *pass) isQuoted(r diag.Range) bool {
	s := p.source(r)
	return len(s) > 1 && s[0] == '"' && s[len(s)-1] == '"' && !strings.Contains(s, "${")
}

// members finds what makes a member of a group needless.
type members struct {
	list    []lang.Member
	first   map[lang.Member]int // by what a member is
	lengths map[int]bool        // of prefixes that occur
}

func newMembers(g *lang.AddressGroup) *members {
	m := &members{list: g.Members, first: map[lang.Member]int{}, lengths: map[int]bool{}}
	for i, x := range g.Members {
		if _, ok := m.first[bare(x)]; !ok {
			m.first[bare(x)] = i
		}
		if x.Group == "" && x.MAC == "" {
			m.lengths[x.Prefix.Bits()] = true
		}
	}
	return m
}

// bare is a member without its place.
func bare(m lang.Member) lang.Member {
	m.Range = diag.Range{}
	if m.Prefix.IsValid() {
		m.Prefix = m.Prefix.Masked()
	}
	return m
}

// other is the first member that says the same as member i before it, or holds
// it; -1 if there is none.
func (m *members) other(i int) int {
	x := bare(m.list[i])
	if k := m.first[x]; k != i {
		return k
	}
	found := -1
	if x.Group != "" || x.MAC != "" {
		return found
	}
	for length := range m.lengths {
		if length >= x.Prefix.Bits() {
			continue
		}
		wider := lang.Member{Prefix: netip.PrefixFrom(x.Prefix.Addr(), length).Masked()}
		if k, ok := m.first[wider]; ok && (found < 0 || k < found) {
			found = k
		}
	}
	return found
}

func (p *pass) source(r diag.Range) string {
	src := p.in.Policy.Source(r.Filename)
	if r.Start.Byte > r.End.Byte || r.End.Byte > len(src) {
		return "It"
	}
	return string(src[r.Start.Byte:r.End.Byte])
}

// cutMember takes a member out of a list that is written out, if nothing but a
// comma stands before it.
func (p *pass) cutMember(g *lang.AddressGroup, i int) *Fix {
	if i == 0 {
		return nil
	}
	before, at := g.Members[i-1].Range, g.Members[i].Range
	between := diag.Range{Filename: at.Filename, Start: before.End, End: at.Start}
	if before.Filename != at.Filename || before.End.Byte >= at.Start.Byte || strings.TrimSpace(p.source(between)) != "," {
		return nil
	}
	return &Fix{Description: "remove it", Edits: []Edit{{Range: diag.Range{Filename: at.Filename, Start: before.End, End: at.End}}}}
}
