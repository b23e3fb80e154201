package revision

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Head is the commit that a directory is at.
type Head struct {
	Commit  string // hex
	Subject string // first line of its message
	Author  string // name, without the address
}

// maxSubject bounds a subject and an author, in bytes.
const maxSubject = 200

// At finds the commit of a work tree; ok is false where there is none, or no
// git. It reads objects alone: nothing that the repository's configuration names
// is run.
func At(ctx context.Context, dir string) (head Head, ok bool) { return AtRef(ctx, dir, "HEAD") }

// AtRef is At for another reference than HEAD.
func AtRef(ctx context.Context, dir, ref string) (head Head, ok bool) {
	out, err := git(ctx, "-C", dir, "rev-parse", "--verify", "--quiet", "--end-of-options", ref+"^{commit}")
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
	head = Head{Commit: commit}
	headers, message, _ := strings.Cut(string(out), "\n\n")
	head.Subject, _, _ = strings.Cut(strings.TrimSpace(message), "\n")
	for line := range strings.Lines(headers) {
		if who, ok := strings.CutPrefix(line, "author "); ok {
			head.Author, _, _ = strings.Cut(who, " <")
		}
	}
	head.Subject, head.Author = shorten(head.Subject), shorten(head.Author)
	return head, true
}

func shorten(text string) string {
	return strings.ToValidUTF8(text[:min(len(text), maxSubject)], "")
}

// Unchanged reports whether the policy files of a directory are those of its commit.
func Unchanged(ctx context.Context, dir string) bool {
	committed, err := ReadIn(ctx, dir, "HEAD:./")
	if err != nil {
		return false // the commit does not have them
	}
	same := 0
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, path)
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && strings.HasPrefix(d.Name(), "."):
			return fs.SkipDir
		case d.IsDir() || !isPolicyFile(filepath.ToSlash(name)):
			return nil
		}
		data, err := os.ReadFile(path)
		if was, known := committed[filepath.ToSlash(name)]; err != nil || !known || !bytes.Equal(was, data) {
			return fs.ErrInvalid
		}
		same++
		return nil
	})
	return err == nil && same == len(committed)
}
