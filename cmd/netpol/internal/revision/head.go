package revision

import (
	"context"
	"strings"
)

// Head is the commit that a directory is at.
type Head struct {
	Commit  string // hex
	Subject string // first line of its message
}

// maxSubject bounds a subject, in bytes.
const maxSubject = 200

// At finds the commit of a work tree; ok is false where there is none, or no
// git. It reads objects alone: nothing that the repository's configuration names
// is run.
func At(ctx context.Context, dir string) (head Head, ok bool) {
	out, err := git(ctx, "-C", dir, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
	if err != nil {
		return Head{}, false
	}
	commit := strings.TrimSpace(string(out))
	if !objectID.MatchString(commit) {
		return Head{}, false
	}
	out, err = git(ctx, "-C", dir, "cat-file", "commit", commit)
	if err != nil {
		return Head{}, false
	}
	_, message, _ := strings.Cut(string(out), "\n\n")
	subject, _, _ := strings.Cut(strings.TrimSpace(message), "\n")
	return Head{Commit: commit, Subject: strings.ToValidUTF8(subject[:min(len(subject), maxSubject)], "")}, true
}
