package pattern

import (
	"regexp/syntax"
	"strings"
)

// Kind is the plain operator that says the same as a regular expression.
type Kind uint8

// Kinds.
const (
	Contains Kind = iota
	Prefix
	Suffix
	Equal
	Domain // the name itself, or any name under it
)

// String is how criteria write the operator.
func (k Kind) String() string {
	switch k {
	case Contains:
		return "contains"
	case Prefix:
		return "startsWith"
	case Suffix:
		return "endsWith"
	case Equal:
		return "=="
	case Domain:
		return "domain"
	}
	return "unknown"
}

// Simple is what a regular expression says in plain words.
type Simple struct {
	Kind Kind
	Text string // lower case if the expression ignores case
}

// Plain says which plain operator means exactly what a regular expression
// means. Case must be ignored throughout, or nowhere.
func Plain(re string) (Simple, bool) {
	parts, ok := parse(re)
	if !ok {
		return Simple{}, false
	}
	begins := len(parts) > 0 && parts[0].Op == syntax.OpBeginText
	if begins {
		parts = parts[1:]
	}
	ends := len(parts) > 0 && isEnd(parts[len(parts)-1])
	if ends {
		parts = parts[:len(parts)-1]
	}
	domain := false
	if len(parts) == 2 && ends && isDomainHead(parts[0], begins) {
		domain, parts = true, parts[1:]
	}
	if len(parts) != 1 || parts[0].Op != syntax.OpLiteral {
		return Simple{}, false
	}
	s := Simple{Contains, literal(parts[0])}
	switch {
	case domain:
		s.Kind = Domain
	case begins && ends:
		s.Kind = Equal
	case begins:
		s.Kind = Prefix
	case ends:
		s.Kind = Suffix
	}
	return s, true
}

// parse reads an expression as the list of what it is made of.
func parse(re string) ([]*syntax.Regexp, bool) {
	tree, err := syntax.Parse(re, syntax.Perl)
	if err != nil {
		return nil, false
	}
	tree = unwrap(tree)
	if tree.Op == syntax.OpConcat {
		return joined(tree.Sub), true
	}
	return []*syntax.Regexp{tree}, true
}

// joined makes neighbouring literals one: zoom[.]us is read as three. What has
// no letters is the same with and without case.
func joined(list []*syntax.Regexp) []*syntax.Regexp {
	var out []*syntax.Regexp
	for _, re := range list {
		n := len(out)
		if re.Op != syntax.OpLiteral || n == 0 || out[n-1].Op != syntax.OpLiteral || !sameCase(out[n-1], re) {
			out = append(out, re)
			continue
		}
		both := *out[n-1]
		both.Flags |= re.Flags
		both.Rune = append(append([]rune{}, both.Rune...), re.Rune...)
		out[n-1] = &both
	}
	return out
}

func sameCase(a, b *syntax.Regexp) bool {
	caseless := func(r *syntax.Regexp) bool {
		s := string(r.Rune)
		return strings.ToLower(s) == strings.ToUpper(s)
	}
	return a.Flags&syntax.FoldCase == b.Flags&syntax.FoldCase || caseless(a) || caseless(b)
}

// unwrap takes groups off.
func unwrap(re *syntax.Regexp) *syntax.Regexp {
	for re.Op == syntax.OpCapture {
		re = re.Sub[0]
	}
	return re
}

// isEnd reports $, which without (?m) is the end of the text.
func isEnd(re *syntax.Regexp) bool { return re.Op == syntax.OpEndText }

func literal(re *syntax.Regexp) string {
	if re.Flags&syntax.FoldCase != 0 {
		return strings.ToLower(string(re.Rune))
	}
	return string(re.Rune)
}

// isDomainHead reports (^|\.) and, after ^, (.*\.)?: what people write before
// a domain.
func isDomainHead(re *syntax.Regexp, begins bool) bool {
	re = unwrap(re)
	if begins {
		if re.Op != syntax.OpQuest {
			return false
		}
		inner := unwrap(re.Sub[0])
		return inner.Op == syntax.OpConcat && len(inner.Sub) == 2 && isAny(inner.Sub[0]) && isDot(inner.Sub[1])
	}
	return re.Op == syntax.OpAlternate && len(re.Sub) == 2 &&
		(re.Sub[0].Op == syntax.OpBeginText && isDot(re.Sub[1]) || re.Sub[1].Op == syntax.OpBeginText && isDot(re.Sub[0]))
}

// isAny reports .*, which no host name has a line break to stop.
func isAny(re *syntax.Regexp) bool {
	return re.Op == syntax.OpStar && (re.Sub[0].Op == syntax.OpAnyCharNotNL || re.Sub[0].Op == syntax.OpAnyChar)
}

func isDot(re *syntax.Regexp) bool { return re.Op == syntax.OpLiteral && string(re.Rune) == "." }
