package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/netpol/netpol/cmd/netpol/internal/revision"
	"github.com/netpol/netpol/cmd/netpol/internal/router"
	"github.com/netpol/netpol/cmd/netpol/internal/source"
	"github.com/netpol/netpol/compiler"
)

var errUnsignedWeb = errors.New("--unsigned-policies takes a directory, or a git repository (git+https://...)")

// incomingPolicies fetches policy files that nobody signed and compiles them. They
// have no serial: what came last is known by the digest of its bundle.
func (t *tool) incomingPolicies(ctx context.Context, src source.Source, a pullArgs) (*incoming, error) {
	others, err := foreignLabels(t.flags.etcDir)
	if err != nil {
		return nil, err
	}
	set, head, err := t.policiesOf(ctx, src, a, others)
	if err != nil {
		return nil, err
	}
	pins, err := set.lockUpdate(compiler.Router{})
	if err != nil {
		return nil, err
	}
	if len(pins.pinned) > 0 {
		return nil, fmt.Errorf("%w (%s)", errUnpinned, strings.Join(pins.pinned, ", "))
	}
	had, digest := t.router().Pulled(), set.bundle.Digest()
	in := &incoming{name: "policies", bundle: set.bundle, digest: digest}
	if head.Commit != "" {
		in.name = fmt.Sprintf("policies of commit %.12s", head.Commit)
	}
	in.pulled = router.Pulled{Source: src.String(), Digest: digest, Time: time.Now().UTC().Truncate(time.Second)}
	in.meta = router.Meta{Author: oneLine(head.Author), Message: cmp.Or(oneLine(head.Subject), "unsigned policies"), Commit: head.Commit}
	in.fresh = had.Source != src.String() || had.Digest != digest
	in.isNew = func() (bool, error) { return in.fresh, nil }
	return in, nil
}

// policiesOf compiles the policies of a source.
func (t *tool) policiesOf(ctx context.Context, src source.Source, a pullArgs, others foreign) (*policySet, revision.Head, error) {
	if path, ok := src.Local(); ok {
		dir := filepath.Join(path, a.opts.Path)
		if !isDir(dir) {
			return nil, revision.Head{}, fmt.Errorf("%w %s: %s is not a directory", source.ErrFetch, src, dir)
		}
		head, _ := revision.At(ctx, dir) // a directory need not be git's
		set, err := t.mustCompile(dir, others)
		return set, head, err
	}
	if !src.IsRepository() {
		return nil, revision.Head{}, errUnsignedWeb
	}
	p, err := src.Policies(ctx)
	if err != nil {
		return nil, revision.Head{}, err
	}
	set, err := t.compileFiles(src.String(), p.Files, others)
	if err != nil {
		return nil, revision.Head{}, err
	}
	return set, p.Head, t.report(set.diags, set.source)
}
