package suggest

import (
	"fmt"
	"strings"

	"github.com/agext/levenshtein"
)

// Nearest returns the candidate closest to given, if one is close enough to be
// a likely slip: at most a third of the letters differ, and never more than
// three. Of equally close candidates the first wins, so that the answer does
// not depend on anything but the order of candidates.
func Nearest(given string, candidates []string) (string, bool) {
	if given == "" {
		return "", false
	}
	lower := strings.ToLower(given)
	limit := min(3, max(1, len(lower)/3))
	best, bestDistance := "", limit+1
	for _, c := range candidates {
		if diff := len(c) - len(lower); diff > limit || -diff > limit {
			continue
		}
		if d := levenshtein.Distance(lower, strings.ToLower(c), nil); d < bestDistance {
			best, bestDistance = c, d
		}
	}
	return best, best != ""
}

// Hint is "did you mean 'zoom'?", or empty when nothing is near.
func Hint(given string, candidates []string) string {
	if near, ok := Nearest(given, candidates); ok {
		return fmt.Sprintf("did you mean '%s'?", near)
	}
	return ""
}
