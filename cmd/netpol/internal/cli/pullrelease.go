package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/netpol/netpol/cmd/netpol/internal/release"
	"github.com/netpol/netpol/cmd/netpol/internal/router"
	"github.com/netpol/netpol/cmd/netpol/internal/source"
)

// lastRelease is what this router knows of the release it went over to last.
type lastRelease struct {
	serial uint64
	digest string // of the release's file; empty if only the history knows it
	data   []byte // the file; nil like digest
}

// lastRelease takes the higher of two serials, that of the release file that was
// kept and that of the history, so that damage to one does not let an older release
// in. The file is root's own: a key that has gone since does not make it unknown.
func (t *tool) lastRelease(keys []release.PublicKey) (lastRelease, error) {
	r := t.router()
	var last lastRelease
	data, err := readLimited(r.ReleasePath(), release.MaxBytes)
	switch {
	case err == nil:
		kept, err := release.OpenKept(data, keys)
		if err != nil {
			if err := t.progress("%s: %v; going by the history", r.ReleasePath(), err); err != nil {
				return last, err
			}
			break
		}
		last = lastRelease{kept.Manifest.Serial, kept.Digest, data}
	case !errors.Is(err, fs.ErrNotExist):
		return last, fmt.Errorf("read the last release: %w", err)
	}
	serial, err := r.LastRelease()
	if err != nil {
		if err := t.progress("%v", err); err != nil {
			return last, err
		}
	}
	if serial > last.serial {
		last = lastRelease{serial: serial}
	}
	return last, nil
}

// incomingRelease fetches and verifies a release.
func (t *tool) incomingRelease(ctx context.Context, src source.Source, a pullArgs) (*incoming, error) {
	keys, err := release.ReadPublicKeys(a.keys)
	if err != nil {
		return nil, fmt.Errorf("%w\nnetpol pull takes nothing unverified: give it the public key of netpol keygen, in %s or with --key", err, defaultKeys)
	}
	names, err := a.routerNames()
	if err != nil {
		return nil, err
	}
	last, err := t.lastRelease(keys)
	if err != nil {
		return nil, err
	}
	had, tag := t.router().Pulled(), ""
	if !a.again && last.data != nil && had.Source == src.String() && had.Digest == last.digest {
		tag = had.Tag
	}
	offer, err := src.Release(ctx, tag)
	if err != nil {
		return nil, err
	}
	if offer.Unchanged {
		offer.Data = last.data
	}
	r, err := release.Open(offer.Data, keys)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", src, err)
	}
	in := &incoming{name: fmt.Sprintf("release %d", r.Manifest.Serial), file: offer.Data}
	in.pulled = router.Pulled{Source: src.String(), Tag: offer.Tag, Digest: r.Digest, Time: time.Now().UTC().Truncate(time.Second)}
	in.digest, in.stale = r.Manifest.Bundle.Digest, had.Tag != offer.Tag || had.Source != src.String() || had.Digest != r.Digest
	in.meta = router.Meta{Author: r.Manifest.Author, Message: r.Manifest.Message, Commit: r.Manifest.Commit, Release: r.Manifest.Serial}
	in.isNew = func() (bool, error) {
		last, err := t.lastRelease(keys)
		if err != nil {
			return false, err
		}
		trust := release.Trust{Names: names, Now: time.Now(), Serial: last.serial, Digest: last.digest}
		err = trust.Check(r)
		if err != nil && r.Manifest.Serial == last.serial {
			return false, fmt.Errorf("%w (the router goes on with it)", err)
		}
		return r.Manifest.Serial > last.serial, err
	}
	if in.fresh, err = in.isNew(); err != nil {
		return nil, err
	}
	if in.fresh || a.again {
		in.bundle, err = r.Bundle()
	}
	return in, err
}
