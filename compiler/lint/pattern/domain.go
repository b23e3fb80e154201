package pattern

import (
	"regexp/syntax"
	"strings"
)

// Anchored says that the expression holds at one end of a text at least: it
// has ^, $ or \b somewhere.
func Anchored(re string) bool {
	tree, err := syntax.Parse(re, syntax.Perl)
	if err != nil {
		return true
	}
	return contains(tree, func(r *syntax.Regexp) bool {
		switch r.Op {
		case syntax.OpBeginText, syntax.OpEndText, syntax.OpBeginLine, syntax.OpEndLine, syntax.OpWordBoundary:
			return true
		default:
			return false
		}
	})
}

// LooseDots says that a dot stands for any character before a letter or digit
// and behind one, or behind a repetition of them, where a dot was meant: zoom.us
// also matches zoomxus.
func LooseDots(re string) bool {
	tree, err := syntax.Parse(re, syntax.Perl)
	if err != nil {
		return false
	}
	return contains(tree, func(r *syntax.Regexp) bool {
		if r.Op != syntax.OpConcat {
			return false
		}
		for i := 1; i+1 < len(r.Sub); i++ {
			before, after := r.Sub[i-1], r.Sub[i+1]
			if r.Sub[i].Op == syntax.OpAnyCharNotNL && endsWord(before) && after.Op == syntax.OpLiteral && isWord(after.Rune[0]) {
				return true
			}
		}
		return false
	})
}

// endsWord says that an expression can end in a letter or digit.
func endsWord(re *syntax.Regexp) bool {
	switch re.Op {
	case syntax.OpLiteral:
		return isWord(re.Rune[len(re.Rune)-1])
	case syntax.OpCharClass:
		return isWord(nice(re.Rune))
	case syntax.OpPlus, syntax.OpRepeat, syntax.OpCapture:
		return endsWord(re.Sub[0])
	default:
		return false
	}
}

func isWord(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-'
}

func contains(re *syntax.Regexp, is func(*syntax.Regexp) bool) bool {
	if is(re) {
		return true
	}
	for _, sub := range re.Sub {
		if contains(sub, is) {
			return true
		}
	}
	return false
}

// heads and tails are what people write around a domain.
func heads() []string {
	return []string{`^(.*\.)?`, `^(.+\.)?`, `^(?:.*\.)?`, `(^|\.)`, `(^|[.])`, `(?:^|\.)`, `(?:^|[.])`, `(\.|^)`, `^.*\.`, `.*\.`, `^.*`, `.*`, `\.`, `[.]`, `.`, ``}
}

// MeantDomain guesses the domain that somebody had in mind who wrote an
// expression for host names: zoom.us for zoom\.us$, zoom.us and .*\.zoom\.us.
func MeantDomain(re string) (string, bool) {
	re = strings.TrimPrefix(re, "(?i)")
	re = strings.TrimSuffix(re, "$")
	for _, head := range heads() {
		rest, ok := strings.CutPrefix(re, head)
		if !ok {
			continue
		}
		name := strings.NewReplacer(`\.`, ".", "[.]", ".").Replace(rest)
		if isDomain(name) {
			return strings.ToLower(name), true
		}
	}
	return "", false
}

// isDomain reports two labels or more of which the last can be a top-level
// domain.
func isDomain(s string) bool {
	labels := strings.Split(s, ".")
	for _, l := range labels {
		if l == "" || strings.HasPrefix(l, "-") || strings.HasSuffix(l, "-") || strings.ContainsFunc(l, func(r rune) bool { return !isWord(r) }) {
			return false
		}
	}
	top := labels[len(labels)-1]
	return len(labels) >= 2 && len(top) >= 2 && !strings.ContainsAny(top, "0123456789")
}

// EscapeDots makes each dot that LooseDots speaks of a plain dot. It writes
// [.], which needs no backslash in any kind of string.
func EscapeDots(re string) string {
	var out strings.Builder
	class := false
	for i := 0; i < len(re); i++ {
		c := re[i]
		switch {
		case c == '\\' && i+1 < len(re):
			out.WriteByte(c)
			i++
			out.WriteByte(re[i])
			continue
		case c == '[':
			class = true
		case c == ']':
			class = false
		case c == '.' && !class && i > 0 && i+1 < len(re) && (isWord(rune(re[i-1])) || strings.IndexByte("+])}", re[i-1]) >= 0) && isWord(rune(re[i+1])):
			out.WriteString("[.]")
			continue
		}
		out.WriteByte(c)
	}
	return out.String()
}
