package policydiff

import (
	"regexp"
	"slices"
	"strings"

	"github.com/netpol/netpol/compiler/artifact"
)

// maxTexts bounds the values of one text axis.
const maxTexts = 4096

// fresh is a text that no policy is likely to name.
const fresh = "np-other"

// holdsFor answers a test of text as the enforcer does.
func holdsFor(t *artifact.Test, s string) bool {
	return slices.ContainsFunc(t.Text, func(c string) bool {
		switch t.Op {
		case artifact.TestEqual:
			return s == c
		case artifact.TestUnder:
			return s == c || strings.HasSuffix(s, "."+c)
		case artifact.TestPrefix:
			return strings.HasPrefix(s, c)
		case artifact.TestSuffix:
			return strings.HasSuffix(s, c)
		case artifact.TestContains:
			return strings.Contains(s, c)
		case artifact.TestMatches:
			re, err := regexp.Compile(c)
			return err == nil && re.MatchString(s)
		default:
			return false
		}
	})
}

// texts are the values of a text attribute that the tests tell apart: every
// constant, a text around each part, and one of none. With equality and
// domains alone, or with equality and prefixes alone, these are all classes: a
// text that is no constant is told apart by the longest domain or prefix that
// it has. Other tests can be combined in more ways than are tried.
func texts(tests []*artifact.Test) (values []string, exact bool) {
	var equal, under, prefix, rest []string
	var suffix, middle []string
	for _, t := range tests {
		switch t.Op {
		case artifact.TestEqual:
			equal = append(equal, t.Text...)
		case artifact.TestUnder:
			under = append(under, t.Text...)
		case artifact.TestPrefix:
			prefix = append(prefix, t.Text...)
		case artifact.TestSuffix:
			suffix = append(suffix, t.Text...)
		case artifact.TestContains:
			middle = append(middle, t.Text...)
		case artifact.TestMatches:
			for _, pattern := range t.Text {
				rest = append(rest, samples(pattern)...)
			}
		default:
		}
	}
	values = append([]string{"", fresh + ".example"}, equal...)
	for _, d := range under {
		values = append(values, d, fresh+"."+d)
	}
	for _, p := range prefix {
		values = append(values, p+fresh)
	}
	values = append(values, rest...)
	values = append(values, combine(append([]string{""}, prefix...), append([]string{""}, middle...), append(append([]string{""}, suffix...), under...))...)
	exact = (len(under) == 0 || len(prefix) == 0) && len(suffix)+len(middle)+len(rest) == 0 && isFresh(equal, under, prefix)
	values = unique(values)
	if len(values) > maxTexts {
		values, exact = values[:maxTexts], false
	}
	return values, exact
}

// isFresh checks that the texts made with fresh are in the classes that they
// are made for: no constant goes on where they do.
func isFresh(equal, under, prefix []string) bool {
	for _, c := range slices.Concat(equal, under) {
		if strings.Contains(c, fresh) {
			return false
		}
	}
	for _, p := range append(slices.Clone(prefix), "") {
		for _, q := range prefix {
			if len(q) > len(p) && strings.HasPrefix(p+fresh, q) {
				return false
			}
		}
	}
	return true
}

// combine writes beginnings, middles and ends together, with and without
// something between.
func combine(begins, middles, ends []string) []string {
	var out []string
	for _, b := range begins {
		for _, m := range middles {
			for _, e := range ends {
				if len(out) > maxTexts {
					return out
				}
				short := b + m + e
				if strings.HasPrefix(short, ".") {
					short = "www" + short // a host name begins with a letter
				}
				out = append(out, short, b+"x"+m+"x"+e)
			}
		}
	}
	return out
}

// unique drops repetitions and keeps the order.
func unique(list []string) []string {
	seen := make(map[string]bool, len(list))
	return slices.DeleteFunc(list, func(s string) bool {
		was := seen[s]
		seen[s] = true
		return was
	})
}

// maxSubsets bounds the elements of which every subset is tried.
const maxSubsets = 6

// textLists are the values of an attribute that is several texts joined by
// commas: every subset of the constants, with and without another text.
func textLists(tests []*artifact.Test) (values []string, exact bool) {
	var elements []string
	exact = true
	for _, t := range tests {
		elements = append(elements, t.Text...)
		exact = exact && t.Op == artifact.TestEqual
	}
	elements = unique(slices.DeleteFunc(elements, func(s string) bool { return s == "" }))
	values = []string{"", fresh}
	if len(elements) > maxSubsets {
		for i, e := range elements {
			values = append(values, e, e+","+elements[(i+1)%len(elements)])
		}
		return append(values, strings.Join(elements, ",")), false
	}
	for mask := 1; mask < 1<<len(elements); mask++ {
		var parts []string
		for i, e := range elements {
			if mask&(1<<i) != 0 {
				parts = append(parts, e)
			}
		}
		values = append(values, strings.Join(parts, ","))
	}
	return values, exact
}

// maxLong bounds the texts that are made for conditions on a length.
const maxLong = 1024

// longTexts are texts of these lengths.
func longTexts(lengths []int) []string {
	var out []string
	for _, n := range lengths {
		if n > 0 && n <= maxLong {
			out = append(out, strings.Repeat("x", n))
		}
	}
	return out
}
