package revision

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/netpol/netpol/lang"
)

// Errors of Read that have a way out.
var (
	errNoGit  = errors.New("git is not installed; compare two directories instead")
	errNoPath = errors.New("write it as REVISION:PATH, such as HEAD~1:policies")
)

// objectID is what git calls an object: SHA-1 or SHA-256 in hex.
var objectID = regexp.MustCompile(`^[0-9a-f]{40}([0-9a-f]{24})?$`)

// Read returns the policy files and the lock file of a directory at a git
// revision, by file name. spec is REVISION:PATH; the path is relative to the
// top of the repository, or with ./ to the working directory. Files that are
// too large are cut where the language's own limit will report them.
func Read(ctx context.Context, spec string) (map[string][]byte, error) {
	return ReadIn(ctx, ".", spec)
}

// ReadIn is Read in another directory than the working directory.
func ReadIn(ctx context.Context, dir, spec string) (map[string][]byte, error) {
	rev, path, ok := strings.Cut(spec, ":")
	if !ok || rev == "" || strings.ContainsAny(spec, "\x00\n") {
		return nil, fmt.Errorf("read revision %q: %w", spec, errNoPath)
	}
	// The one place where what the user wrote is an argument: everything after
	// --end-of-options is a revision, whatever it begins with.
	out, err := git(ctx, "-C", dir, "rev-parse", "--verify", "--quiet", "--end-of-options", rev+"^{commit}")
	if err != nil {
		return nil, fmt.Errorf("read revision %q: %w", spec, because(err, "there is no such commit, or this is no git repository"))
	}
	commit := strings.TrimSpace(string(out))
	if !objectID.MatchString(commit) {
		return nil, fmt.Errorf("read revision %q: git answers %q", spec, commit)
	}
	list, err := git(ctx, "-C", dir, "ls-tree", "--full-tree", "-r", "-z", "-l", commit+":"+treePath(path))
	if err != nil {
		return nil, fmt.Errorf("read revision %q: %w", spec, because(err, fmt.Sprintf("%.12s has no directory %q", commit, path)))
	}
	files, err := readTree(ctx, dir, list)
	if err != nil {
		return nil, fmt.Errorf("read revision %q: %w", spec, err)
	}
	return files, nil
}

// treePath is the path as git wants it after the colon: a directory without a
// slash at its end, but the working directory with one.
func treePath(path string) string {
	if path == "." || path == "./" {
		return "./"
	}
	return strings.TrimSuffix(path, "/")
}

// readTree reads the policy files of "git ls-tree -z -l":
// MODE SP TYPE SP ID SP+ SIZE TAB NAME NUL.
func readTree(ctx context.Context, dir string, list []byte) (map[string][]byte, error) {
	files, total := map[string][]byte{}, 0
	for entry := range bytes.SplitSeq(bytes.TrimRight(list, "\x00"), []byte{0}) {
		head, name, _ := strings.Cut(string(entry), "\t")
		fields := strings.Fields(head)
		if !isPolicyFile(name) || len(fields) != 4 {
			continue
		}
		if fields[0] != "100644" && fields[0] != "100755" {
			return nil, fmt.Errorf("%s is not a regular file", name)
		}
		size, err := strconv.Atoi(fields[3])
		if err != nil || !objectID.MatchString(fields[2]) {
			return nil, fmt.Errorf("%s: git answers %q", name, head)
		}
		if total += size; size > lang.MaxFileBytes || total > lang.MaxDirBytes {
			return nil, fmt.Errorf("%s: the files are too large (%d KiB each, %d MiB together)", name, lang.MaxFileBytes>>10, lang.MaxDirBytes>>20)
		}
		data, err := git(ctx, "-C", dir, "cat-file", "blob", fields[2])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		files[name] = data
	}
	if !slices.ContainsFunc(slices.Collect(maps.Keys(files)), func(name string) bool {
		return strings.HasSuffix(name, lang.PolicySuffix) && !strings.Contains(name, "/")
	}) {
		return nil, fmt.Errorf("it holds no file whose name ends in %s", lang.PolicySuffix)
	}
	return files, nil
}

// isPolicyFile reports whether a policy set can hold a file, in the directory
// itself or, as modules and lists of addresses do, below it.
func isPolicyFile(name string) bool {
	if strings.HasPrefix(name, ".") || strings.Contains(name, "/.") {
		return false
	}
	return name == lang.LockName || slices.ContainsFunc([]string{lang.PolicySuffix, lang.VarSuffix, lang.ListSuffix}, func(suffix string) bool {
		return strings.HasSuffix(name, suffix)
	})
}

// git runs git without a shell and without anything interactive.
func git(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"--no-pager", "--no-optional-locks"}, args...)...)
	cmd.Env = append(os.Environ(), "GIT_TERMINAL_PROMPT=0", "LC_ALL=C")
	out, err := cmd.Output()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return nil, errNoGit
	case err != nil:
		return nil, fmt.Errorf("git %s: %w", args[2], err) // behind -C and its directory
	}
	return out, nil
}

// because says what it means that git ran and failed.
func because(err error, meaning string) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return errors.New(meaning)
	}
	return err
}
