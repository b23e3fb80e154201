package revision

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

func TestAt(t *testing.T) {
	dir := t.TempDir()
	if got, ok := At(t.Context(), dir); ok {
		t.Errorf("got %+v where there is no repository", got)
	}
	for _, args := range [][]string{
		{"init", "-q"},
		{"-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-q", "--allow-empty", "-m", "Calls first\n\nbecause of the office"},
	} {
		cmd := exec.Command("git", append([]string{"-C", dir}, args...)...)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	got, ok := At(t.Context(), dir)
	if !ok || got.Subject != "Calls first" || got.Author != "a" || !objectID.MatchString(got.Commit) {
		t.Errorf("got %+v %v, want the commit with its subject", got, ok)
	}
}

func TestUnchanged(t *testing.T) {
	top := t.TempDir()
	dir := filepath.Join(top, "policies")
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	git := func(args ...string) {
		t.Helper()
		if out, err := exec.Command("git", append([]string{"-C", top, "-c", "user.name=a", "-c", "user.email=a@example.org"}, args...)...).CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	git("init", "-q")
	write("a.netpol.hcl", "a")
	write("m/b.netpol.hcl", "b")
	write("notes.md", "c")
	git("commit", "-q", "--allow-empty", "-m", "empty")
	if Unchanged(t.Context(), dir) {
		t.Error("files that are in no commit are as they were committed")
	}
	git("add", "-A")
	git("commit", "-q", "-m", "policies")
	for _, c := range []struct {
		name, file, text string
		want             bool
	}{
		{"as committed", "notes.md", "other", true},
		{"another text", "m/b.netpol.hcl", "B", false},
		{"as committed again", "m/b.netpol.hcl", "b", true},
		{"a file more", "c.netpol.hcl", "c", false},
	} {
		write(c.file, c.text)
		if got := Unchanged(t.Context(), dir); got != c.want {
			t.Errorf("%s: got %v", c.name, got)
		}
	}
	if err := errors.Join(os.Remove(filepath.Join(dir, "c.netpol.hcl")), os.Remove(filepath.Join(dir, "a.netpol.hcl"))); err != nil {
		t.Fatal(err)
	}
	if Unchanged(t.Context(), dir) {
		t.Error("a file less is as it was committed")
	}
}
