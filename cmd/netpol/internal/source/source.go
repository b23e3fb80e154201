package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// ErrFetch says that a source did not give what it was asked for: it is down, out
// of reach, or has no such thing.
var ErrFetch = errors.New("cannot fetch")

// Options say what to fetch of a source, and how. The zero value is the default of
// each.
type Options struct {
	// Path is the release, or the policy directory, inside a directory or
	// repository.
	Path string
	// Ref is the branch or tag of a repository; HEAD if empty.
	Ref string
	// CAFile has the certificates to trust instead of the system's.
	CAFile string
	// TokenFile has a token for the Authorization header.
	TokenFile string
	// MaxBytes bounds a release.
	MaxBytes int
}

// kind is how a source is spoken to.
type kind uint8

const (
	local kind = iota
	web
	repository
)

// Source is where releases come from.
type Source struct {
	kind kind
	text string // as people may see it: without a password
	path string // of a local one
	url  *url.URL
	opts Options
}

// Offer is what a source has. Tag tells this state of the source from another: it
// is given back to the source with the next question. Unchanged says that it is the
// same as asked with, and that nothing was fetched.
type Offer struct {
	Data      []byte
	Tag       string
	Unchanged bool
}

// String is the source for people, without a password.
func (s Source) String() string { return s.text }

var refName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$`)

// Parse reads a source: https://..., git+https://..., git+ssh://..., git+file:///...
// or a path.
func Parse(text string, opts Options) (Source, error) {
	s := Source{text: text, opts: opts}
	if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return s, fmt.Errorf("source %q: control characters in it", text)
	}
	if opts.Ref != "" && (!refName.MatchString(opts.Ref) || strings.Contains(opts.Ref, "..")) {
		return s, fmt.Errorf("--ref %q: give the name of a branch or tag", opts.Ref)
	}
	if !filepath.IsLocal(opts.Path) || strings.HasPrefix(opts.Path, "-") || strings.ContainsAny(opts.Path, ":\x00\n") {
		return s, fmt.Errorf("--path %q: give a path inside the source", opts.Path)
	}
	if below, ok := strings.CutPrefix(text, "git+"); ok {
		return s, s.parseGit(below)
	}
	if strings.Contains(text, "://") {
		return s, s.parseWeb()
	}
	if text == "" {
		return s, errors.New("no source: give an HTTPS address, a git repository (git+https://...) or a path")
	}
	s.kind, s.path = local, text
	return s, nil
}

func (s *Source) parseWeb() error {
	u, err := url.Parse(s.text)
	if err != nil {
		return errors.New("source: not an address") // url.Error would repeat a password
	}
	s.kind, s.url, s.text = web, u, u.Redacted()
	switch {
	case u.Host == "" || u.Fragment != "":
		return fmt.Errorf("source %s: write it as https://host/path", s.text)
	case u.Scheme == "https":
		return nil
	case u.Scheme == "http" && isLoopback(u.Hostname()):
		return nil
	case u.Scheme == "http":
		return fmt.Errorf("source %s: http is for this machine alone (localhost); use https", s.text)
	}
	return fmt.Errorf("source %s: releases are fetched by https; write git+%s for a git repository", s.text, s.text)
}

func (s *Source) parseGit(below string) error {
	if strings.HasPrefix(below, "/") {
		below = "file://" + below
	}
	u, err := url.Parse(below)
	if err != nil {
		return errors.New("source: not an address")
	}
	s.kind, s.url, s.text = repository, u, "git+"+u.Redacted()
	switch {
	case u.Scheme != "https" && u.Scheme != "ssh" && u.Scheme != "file":
		return fmt.Errorf("source %s: git repositories are fetched by https, ssh or file, such as git+ssh://git@host/policies.git", s.text)
	case u.Scheme == "file" && (u.Host != "" || !strings.HasPrefix(u.Path, "/")):
		return fmt.Errorf("source %s: write it as git+file:///path", s.text)
	case u.Scheme != "file" && u.Host == "":
		return fmt.Errorf("source %s: no host in it", s.text)
	case strings.HasPrefix(u.Host, "-") || strings.HasPrefix(u.User.Username(), "-") || u.RawQuery != "" || u.Fragment != "":
		// An ssh that is given a host such as -oProxyCommand=... runs that.
		return fmt.Errorf("source %s: not a repository's address; name a branch with --ref", s.text)
	}
	return nil
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

// Release fetches the release. tag is that of the last offer, or empty.
func (s Source) Release(ctx context.Context, tag string) (Offer, error) {
	switch s.kind {
	case web:
		return s.get(ctx, tag)
	case repository:
		return s.fetchRelease(ctx, tag)
	case local:
	}
	return s.readLocal()
}

// readLocal reads a file, or the release inside a directory, out of which no link
// leads.
func (s Source) readLocal() (Offer, error) {
	info, err := os.Stat(s.path)
	if err != nil {
		return Offer{}, fmt.Errorf("%w %s: %w", ErrFetch, s, err)
	}
	var f *os.File
	if info.IsDir() {
		f, err = os.OpenInRoot(s.path, s.opts.Path)
	} else if info.Mode().IsRegular() {
		f, err = os.Open(s.path)
	} else {
		err = errors.New("not a file or directory")
	}
	if err != nil {
		return Offer{}, fmt.Errorf("%w %s: %w", ErrFetch, s, err)
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil || !info.Mode().IsRegular() {
		return Offer{}, fmt.Errorf("%w %s: not a regular file", ErrFetch, s)
	}
	data, err := s.readAll(f)
	return Offer{Data: data}, err
}

// readAll reads at most one byte more than a release may have, which is then
// refused.
func (s Source) readAll(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, int64(s.opts.MaxBytes)+1))
	if err != nil {
		return nil, fmt.Errorf("%w %s: %w", ErrFetch, s, withoutURL(err))
	}
	if len(data) > s.opts.MaxBytes {
		return nil, fmt.Errorf("%w %s: it has more than %d bytes", ErrFetch, s, s.opts.MaxBytes)
	}
	return data, nil
}

// withoutURL takes the address out of an error of net/http: it may hold a password,
// and is told already.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// errNotLoopback stops http to another machine, whatever a name resolves to.
var errNotLoopback = errors.New("http leads to another machine; use https")

// onlyLoopback refuses a connection that left the machine.
func onlyLoopback(conn net.Conn) error {
	addr, err := netip.ParseAddrPort(conn.RemoteAddr().String())
	if err != nil || !addr.Addr().Unmap().IsLoopback() {
		return errNotLoopback
	}
	return nil
}
