package pattern

import (
	"regexp/syntax"
	"strings"
)

// maxRepeats bounds how often Sample writes out a repetition.
const maxRepeats = 64

// Sample is a text that an expression matches, as short as its parts allow;
// empty where the expression cannot be read.
func Sample(re string) string {
	tree, err := syntax.Parse(re, syntax.Perl)
	if err != nil {
		return ""
	}
	var out strings.Builder
	sample(tree, &out)
	return out.String()
}

func sample(re *syntax.Regexp, out *strings.Builder) {
	switch re.Op {
	case syntax.OpLiteral:
		out.WriteString(literal(re))
	case syntax.OpCharClass:
		out.WriteRune(nice(re.Rune))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		out.WriteByte('x')
	case syntax.OpCapture, syntax.OpPlus:
		sample(re.Sub[0], out)
	case syntax.OpRepeat:
		for range min(re.Min, maxRepeats) {
			sample(re.Sub[0], out)
		}
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			sample(sub, out)
		}
	case syntax.OpAlternate:
		sample(re.Sub[0], out)
	default: // anchors, and what may stand there or not
	}
}

// nice picks a lower-case letter or digit of a class, or else its first member.
func nice(pairs []rune) rune {
	for _, want := range "a1x-" {
		for i := 0; i+1 < len(pairs); i += 2 {
			if pairs[i] <= want && want <= pairs[i+1] {
				return want
			}
		}
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		for r := pairs[i]; r <= pairs[i+1] && r < pairs[i]+128; r++ {
			if isWord(r) && (r < 'A' || r > 'Z') {
				return r
			}
		}
	}
	if len(pairs) == 0 {
		return 'x'
	}
	return pairs[0]
}
