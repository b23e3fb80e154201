package lint

import (
	"strings"

	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/diag"
)

// tokenKind is what a token of criteria is.
type tokenKind uint8

const (
	wordToken tokenKind = iota // names and numbers
	textToken                  // a string, quotes included
	openToken                  // ( [
	closeToken
	andToken
	orToken
	markToken // , ? : ;
	otherToken
)

// token is a stretch of criteria, in bytes.
type token struct {
	kind     tokenKind
	from, to int
}

// scan splits criteria that have been resolved without an error, as far as
// rules about their form need it.
func scan(text string) []token {
	var out []token
	for i := 0; i < len(text); {
		kind, size := scanOne(text[i:])
		if size > 0 {
			out = append(out, token{kind, i, i + size})
		}
		i += max(size, 1)
	}
	return out
}

func scanOne(s string) (tokenKind, int) {
	c := s[0]
	switch {
	case strings.ContainsRune(" \t\r\n", rune(c)):
		return otherToken, 0
	case c == '\'' || c == '"' || c == '`':
		return textToken, scanText(s)
	case isWordByte(c):
		n := 1
		for n < len(s) && isWordByte(s[n]) {
			n++
		}
		switch s[:n] {
		case "and":
			return andToken, n
		case "or":
			return orToken, n
		}
		return wordToken, n
	case strings.HasPrefix(s, "&&"):
		return andToken, 2
	case strings.HasPrefix(s, "||"):
		return orToken, 2
	case c == '(' || c == '[':
		return openToken, 1
	case c == ')' || c == ']':
		return closeToken, 1
	case strings.HasPrefix(s, "..") || strings.HasPrefix(s, "==") || strings.HasPrefix(s, "!="):
		return otherToken, 2
	case strings.IndexByte(",?:;", c) >= 0:
		return markToken, 1
	}
	return otherToken, 1
}

// scanText is the length of a string; only backquotes have no escapes.
func scanText(s string) int {
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && s[0] != '`':
			i++
		case s[i] == s[0]:
			return i + 1
		}
	}
	return len(s)
}

func isWordByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c >= 0x80
}

// literal says that criteria stand in the file as they are, so that places in
// them are places in the file.
func literal(c *lang.Criteria) bool {
	return len(c.Text) > 1 && len(c.Inserts()) == 0 && c.RangeOf(0, 1) != c.Range
}

// insertion is an edit that puts text before offset at of some criteria, or
// behind the byte before it.
func insertion(c *lang.Criteria, at int, text string, behind bool) Edit {
	r := diag.Range{}
	if behind {
		r = c.RangeOf(at-1, at)
		r.Start = r.End
	} else {
		r = c.RangeOf(at, at+1)
		r.End = r.Start
	}
	return Edit{r, text}
}

// criteria lists every criterion of the set with the policy it belongs to;
// the policy is empty for the set's exemptions.
func (p *pass) criteria(visit func(c *lang.Criteria, policy string)) {
	for _, b := range p.in.Policy.Policies {
		for i := range b.Criteria {
			visit(&b.Criteria[i], b.Name)
		}
		for i := range b.Exempt {
			visit(&b.Exempt[i], b.Name)
		}
	}
	for i := range p.in.Policy.Exempt {
		visit(&p.in.Policy.Exempt[i], "")
	}
	for _, s := range p.in.Policy.Sinks {
		for i := range s.When {
			visit(&s.When[i], "")
		}
	}
	for _, a := range p.in.Policy.Aggregates {
		for i := range a.When {
			visit(&a.When[i], "")
		}
	}
}
