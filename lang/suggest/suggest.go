package suggest

import (
	"fmt"
	"strings"

	"github.com/agext/levenshtein"
)

// maxComparisons bounds what a Budget allows: a tenth of a second, and all the
// suggestions that a person will read.
const maxComparisons = 1 << 20

// Budget is suggestions that cannot take for ever: ten thousand mistakes in a
// set of ten thousand names would. After maxComparisons candidates it has no
// more to say. The zero value is a full budget.
type Budget struct{ spent int }

// Nearest is the function of that name within the budget.
func (b *Budget) Nearest(given string, candidates []string) (string, bool) {
	if b.spent += len(candidates); b.spent > maxComparisons {
		return "", false
	}
	return Nearest(given, candidates)
}

// Hint is the function of that name within the budget.
func (b *Budget) Hint(given string, candidates []string) string {
	if b.spent += len(candidates); b.spent > maxComparisons {
		return ""
	}
	return Hint(given, candidates)
}

// Nearest returns the candidate closest to given, if one is close enough to be
// a likely slip. Of equally close candidates the first wins, so that the answer
// does not depend on anything but the order of candidates.
func Nearest(given string, candidates []string) (string, bool) {
	if given == "" {
		return "", false
	}
	lower := strings.ToLower(given)
	limit := maxDistance(len(lower))
	best, bestDistance := "", limit+1
	if len(lower) > 2 {
		if c := byWord(lower, candidates); c != "" {
			// Only a slip of one letter is likelier than a name cut short.
			best, bestDistance = c, 2
		}
	}
	for _, c := range candidates {
		if diff := len(c) - len(lower); diff > limit || -diff > limit {
			continue
		}
		if d := distance(lower, strings.ToLower(c)); d < bestDistance {
			best, bestDistance = c, d
		}
	}
	return best, best != ""
}

// byWord is the only candidate that given is the last words of, or else the
// only one that it is the first words of: 'teams' for 'microsoft-teams'. Empty
// when there are several.
func byWord(given string, candidates []string) string {
	for _, fits := range []func(c string) bool{
		func(c string) bool { return strings.HasSuffix(c, "-"+given) },
		func(c string) bool { return strings.HasPrefix(c, given+"-") },
	} {
		found := ""
		for _, c := range candidates {
			if !fits(strings.ToLower(c)) {
				continue
			}
			if found != "" {
				return ""
			}
			found = c
		}
		if found != "" {
			return found
		}
	}
	return ""
}

// maxDistance is how many letters of a word of n may differ.
func maxDistance(n int) int {
	switch {
	case n < 4:
		return 1
	case n < 10:
		return 2
	}
	return 3
}

// distance is the edit distance, with two swapped neighbours counting as one slip.
func distance(a, b string) int {
	if d := levenshtein.Distance(a, b, nil); d != 2 || !swapped(a, b) {
		return d
	}
	return 1
}

// swapped reports whether two neighbours in a are swapped in b, and nothing else.
func swapped(a, b string) bool {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	return len(a) == len(b) && i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
}

// Hint is "did you mean 'zoom'?", or empty when nothing is near.
func Hint(given string, candidates []string) string {
	if near, ok := Nearest(given, candidates); ok {
		return fmt.Sprintf("did you mean '%s'?", near)
	}
	return ""
}
