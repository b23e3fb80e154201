package view

import (
	"fmt"
	"io"
	"strings"

	"github.com/netpol/netpol/cmd/netpol/internal/policydiff"
)

// maxMarkdown bounds a comment, in bytes: GitHub takes 65,536 characters, and GitLab
// more.
const maxMarkdown = 60 << 10

// PolicyDiffMarkdown writes what differs in meaning as a comment. Names and criteria
// come from whoever proposes the change, so all of it stands in a fence that none of
// its lines can close.
func PolicyDiffMarkdown(w io.Writer, r *policydiff.Report) error {
	var text strings.Builder
	if err := PolicyDiff(&text, r, Style{}); err != nil {
		return err
	}
	body, cut := text.String(), ""
	if len(body) > maxMarkdown {
		body, cut = shorten(body, maxMarkdown), "\nThe rest is left out here; `netpol diff` prints all of it.\n"
	}
	head := "The policies mean the same as before."
	switch r.Result {
	case policydiff.Changed:
		head = "This changes what routers do."
	case policydiff.NotFound:
		head = "No flow is known that is treated otherwise; not everything could be ruled out."
	case policydiff.Equivalent:
	}
	fence := strings.Repeat("`", max(3, longestRun(body, '`')+1))
	_, err := fmt.Fprintf(w, "### netpol: %s\n\n%stext\n%s\n%s\n%s", head, fence, strings.TrimRight(body, "\n"), fence, cut)
	return err
}

// longestRun is how often r stands in a row at most.
func longestRun(s string, r rune) int {
	longest, run := 0, 0
	for _, c := range s {
		if c != r {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return longest
}
