package policydiff

import (
	"regexp"
	"regexp/syntax"
	"strings"
)

// maxSamples bounds the texts made of one pattern.
const maxSamples = 16

// samples are texts that a regular expression matches, the shortest forms of
// its alternatives; none when it cannot be read.
func samples(pattern string) []string {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil
	}
	full, err := regexp.Compile(pattern)
	if err != nil {
		return nil
	}
	var out []string
	for _, s := range expand(re.Simplify()) {
		if full.MatchString(s) { // word boundaries and the like are not modelled
			out = append(out, strings.ToLower(s))
		}
	}
	return out
}

// expand writes an expression out.
func expand(re *syntax.Regexp) []string {
	switch re.Op {
	case syntax.OpLiteral:
		return []string{string(re.Rune)}
	case syntax.OpCharClass:
		if len(re.Rune) == 0 {
			return nil
		}
		return []string{string(pickRune(re.Rune))}
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		return []string{"x"}
	case syntax.OpCapture, syntax.OpPlus:
		return expand(re.Sub[0])
	case syntax.OpStar, syntax.OpQuest:
		return append([]string{""}, expand(re.Sub[0])...)
	case syntax.OpConcat:
		out := []string{""}
		for _, sub := range re.Sub {
			out = product(out, expand(sub))
		}
		return out
	case syntax.OpAlternate:
		var out []string
		for _, sub := range re.Sub {
			out = append(out, expand(sub)...)
		}
		return out[:min(len(out), maxSamples)]
	default: // anchors and the empty match; repetitions are gone after Simplify
		return []string{""}
	}
}

// pickRune prefers what host names are made of.
func pickRune(ranges []rune) rune {
	for _, want := range []rune{'a', '1', 'x', '-'} {
		for i := 0; i+1 < len(ranges); i += 2 {
			if ranges[i] <= want && want <= ranges[i+1] {
				return want
			}
		}
	}
	return ranges[0]
}

func product(a, b []string) []string {
	var out []string
	for _, x := range a {
		for _, y := range b {
			if len(out) < maxSamples {
				out = append(out, x+y)
			}
		}
	}
	return out
}
