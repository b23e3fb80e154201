package suggest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
)

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

// distance is the edit distance, with two swapped letters counting as one slip.
func distance(a, b string) int {
	d := levenshtein.Distance(a, b, nil)
	if d == 2 && len(a) == len(b) && sorted(a) == sorted(b) {
		return 1
	}
	return d
}

func sorted(s string) string {
	b := []byte(s)
	slices.Sort(b)
	return string(b)
}

// Hint is "did you mean 'zoom'?", or empty when nothing is near.
func Hint(given string, candidates []string) string {
	if near, ok := Nearest(given, candidates); ok {
		return fmt.Sprintf("did you mean '%s'?", near)
	}
	return ""
}
