package source

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/netpol/netpol/cmd/netpol/internal/revision"
)

const (
	// pulledRef is what is fetched, in the repository that is made for it.
	pulledRef = "refs/netpol/pulled"
	// maxRepository bounds what a server may send, in bytes on disk: one commit
	// with a release and some policies.
	maxRepository = 256 << 20
	// sizePoll is how often that is looked at.
	sizePoll = 200 * time.Millisecond
	// maxSaid bounds what is told of git's own words, in bytes.
	maxSaid = 400
)

var (
	errNoGit    = errors.New("git is not installed on this router")
	errHugeRepo = fmt.Errorf("the server sends more than %d MiB", maxRepository>>20)
)

// Policies are policy files out of a repository, at a commit.
type Policies struct {
	Files map[string][]byte
	Head  revision.Head
}

func (s Source) ref() string {
	if s.opts.Ref == "" {
		return "HEAD"
	}
	return s.opts.Ref
}

// fetchRelease takes the release out of the repository, unless that is as it was.
func (s Source) fetchRelease(ctx context.Context, tag string) (Offer, error) {
	now, err := s.remoteTag(ctx)
	if err != nil {
		return Offer{}, err
	}
	if now == tag {
		return Offer{Tag: tag, Unchanged: true}, nil
	}
	offer := Offer{Tag: now}
	err = s.withRepository(ctx, func(dir string) error {
		object := pulledRef + ":" + filepath.ToSlash(filepath.Clean(s.opts.Path))
		size, err := s.git(ctx, dir, "cat-file", "-s", object)
		if err != nil {
			return fmt.Errorf("%w %s: %s has no file %q", ErrFetch, s, s.ref(), s.opts.Path)
		}
		if n, err := strconv.Atoi(strings.TrimSpace(string(size))); err != nil || n > s.opts.MaxBytes {
			return fmt.Errorf("%w %s: %q has more than %d bytes", ErrFetch, s, s.opts.Path, s.opts.MaxBytes)
		}
		offer.Data, err = s.git(ctx, dir, "cat-file", "blob", object)
		return err
	})
	return offer, err
}

// Policies takes policy files out of the repository. They are not signed.
func (s Source) Policies(ctx context.Context) (Policies, error) {
	var p Policies
	err := s.withRepository(ctx, func(dir string) error {
		path := filepath.ToSlash(filepath.Clean(s.opts.Path))
		if path == "." {
			path = "" // the top of the repository
		}
		var err error
		p.Files, err = revision.ReadIn(ctx, dir, pulledRef+":"+path)
		if err != nil {
			return fmt.Errorf("%w %s: %w", ErrFetch, s, err)
		}
		p.Head, _ = revision.AtRef(ctx, dir, pulledRef) // it was read a moment ago
		return nil
	})
	return p, err
}

// Local is the path of a local source; ok is false for one that is not.
func (s Source) Local() (path string, ok bool) { return s.path, s.kind == local }

// IsRepository reports whether the source is a git repository.
func (s Source) IsRepository() bool { return s.kind == repository }

// remoteTag changes whenever the branch or tag does.
func (s Source) remoteTag(ctx context.Context) (string, error) {
	list, err := s.git(ctx, "", "ls-remote", "--quiet", "--exit-code", "--", s.url.String(), s.ref())
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(list)
	return hex.EncodeToString(sum[:]), nil
}

// withRepository fetches one commit into a repository that lives as long as f:
// what a server sent once cannot lie in wait for the next time.
func (s Source) withRepository(ctx context.Context, f func(dir string) error) (err error) {
	dir, err := os.MkdirTemp("", "netpol-pull-*")
	if err != nil {
		return fmt.Errorf("make repository: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if _, err := s.git(ctx, dir, "init", "--quiet", "--bare", "--template="); err != nil {
		return err
	}
	bounded, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	go watchSize(bounded, dir, stop)
	_, err = s.git(bounded, dir, "fetch", "--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head",
		"--", s.url.String(), s.ref()+":"+pulledRef)
	if errors.Is(context.Cause(bounded), errHugeRepo) {
		return fmt.Errorf("%w %s: %w", ErrFetch, s, errHugeRepo)
	}
	if err != nil {
		return err
	}
	return f(dir)
}

// watchSize stops a fetch that fills the disk: git has no bound of its own.
func watchSize(ctx context.Context, dir string, stop context.CancelCauseFunc) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(sizePoll):
		}
		var total int64
		_ = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
			if err == nil {
				if info, err := d.Info(); err == nil {
					total += info.Size()
				}
			}
			return nil // files come and go while git works
		})
		if total > maxRepository {
			stop(errHugeRepo)
			return
		}
	}
}

// settings bind git: no hooks, no helpers of a work tree, objects checked as they
// come, and redirects within the first request only.
var settings = []string{
	"core.hooksPath=/dev/null", "core.fsmonitor=false", "transfer.fsckObjects=true",
	"http.followRedirects=initial", "gc.auto=0", "maintenance.auto=false", "protocol.version=2",
}

// git runs git without a shell, and with nothing that could ask. What the source's
// address names goes behind -- and through a list of protocols, so that neither
// --upload-pack nor ext:: can come from there.
func (s Source) git(ctx context.Context, dir string, args ...string) ([]byte, error) {
	line := []string{"--no-pager"}
	for _, setting := range settings {
		line = append(line, "-c", setting)
	}
	if s.opts.CAFile != "" {
		full, err := filepath.Abs(s.opts.CAFile)
		if err != nil {
			return nil, fmt.Errorf("--ca-file: %w", err)
		}
		line = append(line, "-c", "http.sslCAInfo="+full)
	}
	if dir != "" {
		line = append(line, "--git-dir="+dir)
	}
	cmd := exec.CommandContext(ctx, "git", append(line, args...)...)
	cmd.Env = gitEnvironment(os.Environ())
	cmd.Dir = "/" // a directory with a .git in it has settings
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) } // its helpers, too
	cmd.WaitDelay = time.Second
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return nil, fmt.Errorf("%w %s: %w", ErrFetch, s, errNoGit)
	case ctx.Err() != nil:
		return nil, fmt.Errorf("%w %s: %w", ErrFetch, s, context.Cause(ctx))
	case err != nil:
		return nil, fmt.Errorf("%w %s: git %s: %w%s", ErrFetch, s, args[0], err, s.told(said.String()))
	}
	return out, nil
}

// told is what git says, without the address: it may hold a password.
func (s Source) told(text string) string {
	text = strings.TrimSpace(strings.ReplaceAll(text, s.url.String(), s.text))
	if text == "" {
		return ""
	}
	return ": " + strings.ToValidUTF8(strings.ReplaceAll(text[:min(len(text), maxSaid)], "\n", "; "), "")
}

// gitEnvironment is the environment without git's own variables, which could make
// it another program: except how to call ssh, where a router keeps its deploy key.
func gitEnvironment(environ []string) []string {
	env := []string{"GIT_TERMINAL_PROMPT=0", "GIT_ASKPASS=/bin/false", "GIT_ALLOW_PROTOCOL=https:ssh:file", "GIT_NO_LAZY_FETCH=1", "LC_ALL=C"}
	ssh := "GIT_SSH_COMMAND=ssh -oBatchMode=yes"
	for _, v := range environ {
		switch {
		case strings.HasPrefix(v, "GIT_SSH_COMMAND="):
			ssh = v
		case strings.HasPrefix(v, "GIT_"), strings.HasPrefix(v, "LC_ALL="):
		default:
			env = append(env, v)
		}
	}
	return append(env, ssh)
}
