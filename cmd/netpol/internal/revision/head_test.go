package revision

import (
	"os/exec"
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
