package router

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/kerneltest"
)

// numbered is a bundle like no other.
func numbered(n int) *artifact.Bundle {
	b := sampleBundle()
	b.Policies[0].Description = fmt.Sprint("number ", n)
	return b
}

func TestHistoryKeepsTheNewest(t *testing.T) {
	kerneltest.NewNS(t)
	r := newRouter(t)
	const applied = keptRevisions + 7
	for n := 1; n <= applied; n++ {
		change(t, r, numbered(n), Meta{Message: fmt.Sprint("change ", n)})
		change(t, r, numbered(n), Meta{Message: "nothing new"}) // makes no revision
	}
	history, err := r.History()
	if err != nil {
		t.Fatal(err)
	}
	if len(history) != keptRevisions {
		t.Fatalf("got %d revisions, want %d", len(history), keptRevisions)
	}
	for i, rev := range history {
		n := applied - i
		b, err := r.Bundle(rev.Serial)
		if rev.Serial != n || rev.Message != fmt.Sprint("change ", n) || rev.Author == "" || err != nil || b.Digest() != numbered(n).Digest() {
			t.Errorf("got %+v %v, want change %d", rev, err, n)
		}
	}
	if _, err := r.Bundle(applied - keptRevisions); !errors.Is(err, ErrNoRevision) {
		t.Errorf("got %v for a revision that was dropped, want %v", err, ErrNoRevision)
	}
	files, err := filepath.Glob(filepath.Join(r.StateDir, revisionsName, "*"))
	if err != nil || len(files) != 2*keptRevisions {
		t.Errorf("%d files of revisions, %v", len(files), err)
	}
}

// TestBundleBeforeThereWasAHistory: what an earlier version applied can be gone
// back to.
func TestBundleBeforeThereWasAHistory(t *testing.T) {
	kerneltest.NewNS(t)
	r := newRouter(t)
	change(t, r, numbered(1), Meta{})
	if err := os.RemoveAll(filepath.Join(r.StateDir, revisionsName)); err != nil {
		t.Fatal(err)
	}
	change(t, r, numbered(2), Meta{})
	history, err := r.History()
	if err != nil || len(history) != 2 || history[1].Operation != OpFound || history[1].Digest != numbered(1).Digest() || history[0].Digest != numbered(2).Digest() {
		t.Errorf("got %+v, %v", history, err)
	}
}

// TestBundleOfAnotherIsRefused: a record and its bundle belong together.
func TestBundleOfAnotherIsRefused(t *testing.T) {
	kerneltest.NewNS(t)
	r := newRouter(t)
	change(t, r, numbered(1), Meta{})
	change(t, r, numbered(2), Meta{})
	data, err := os.ReadFile(r.revisionPath(2, bundleSuffix))
	if err == nil {
		err = os.WriteFile(r.revisionPath(1, bundleSuffix), data, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Bundle(1); err == nil || !strings.Contains(err.Error(), "another digest") {
		t.Errorf("got %v, want a refusal", err)
	}
}

// TestGuardThatFailsStopsTheApply: a change that nobody could take back does not
// happen.
func TestGuardThatFailsStopsTheApply(t *testing.T) {
	kerneltest.NewNS(t)
	r := newRouter(t)
	unlock, err := r.Lock()
	if err != nil {
		t.Fatal(err)
	}
	broken := errors.New("no more processes")
	err = r.ApplyAs(sampleBundle(), read(t, r), Meta{Confirm: 60e9, Guard: func() error { return broken }}, quiet)
	unlock()
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "nothing was changed") {
		t.Errorf("got %v, want %v", err, broken)
	}
	assertBare(t, r)
}

func FuzzJournal(f *testing.F) {
	f.Add([]byte(`{"revision":2,"new":true,"label_files":[{"present":true,"labels":[{"name":"a","bit":3}]},{"present":false}]}`))
	f.Add([]byte(`{"revision":-1}`))
	f.Add([]byte("{"))
	f.Fuzz(func(t *testing.T, data []byte) {
		r := Router{StateDir: t.TempDir()}
		if err := os.WriteFile(r.statePath(journalName), data, 0o644); err != nil {
			t.Fatal(err)
		}
		j, err := r.readJournal()
		if err != nil && !errors.Is(err, ErrJournal) {
			t.Errorf("got %v, want %v", err, ErrJournal)
		}
		if err == nil && (j == nil || j.Serial < 1 || len(j.Files) != len(ConnlabelFiles())) {
			t.Errorf("took %+v", j)
		}
	})
}
