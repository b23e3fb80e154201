package release_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/netpol/netpol/cmd/netpol/internal/release"
)

func TestKeysComeBackFromTheirLines(t *testing.T) {
	key := newKey(t)
	again, err := release.ParsePrivateKey([]byte("# the key of the pipeline\n\n" + key.Line()))
	if err != nil || again.Line() != key.Line() {
		t.Fatalf("got %q, %v", again.Line(), err)
	}
	keys, err := release.ParsePublicKeys([]byte(key.Public().Line() + "# the next one\n" + newKey(t).Public().Line()))
	if err != nil || len(keys) != 2 || keys[0].ID() != key.Public().ID() || keys[0].Comment != "ci@example.org" {
		t.Fatalf("got %+v, %v", keys, err)
	}
	if strings.Count(key.Public().Line(), "\n") != 1 {
		t.Errorf("got %q, want one line", key.Public().Line())
	}
}

func TestFilesThatAreNoKeys(t *testing.T) {
	key := newKey(t)
	tests := []struct {
		name, text string
		private    bool
		want       string
	}{
		{"no key is an error", "# nothing yet\n", false, "without one no release can be verified"},
		{"empty", "", false, "without one no release can be verified"},
		{"a line that is no key", key.Public().Line() + "rubbish\n", false, "line 2: not a public key"},
		{"private for public", key.Line(), false, "this is a private key; a router is given the public one"},
		{"public for private", key.Public().Line(), true, "this is a public key"},
		{"two private keys", key.Line() + key.Line(), true, "line 2: a second key"},
		{"no private key", "", true, "no private key"},
		{"cut short", key.Line()[:40], true, "not a private key"},
		{"huge", strings.Repeat("#\n", 1<<16), false, "larger than"},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			var err error
			if c.private {
				_, err = release.ParsePrivateKey([]byte(c.text))
			} else {
				_, err = release.ParsePublicKeys([]byte(c.text))
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
	if _, err := release.ParsePublicKeys(nil); !errors.Is(err, release.ErrNoKey) {
		t.Errorf("got %v, want ErrNoKey", err)
	}
}

func TestKeyFilesOfOthers(t *testing.T) {
	key := newKey(t)
	dir := t.TempDir()
	private, public := filepath.Join(dir, "key"), filepath.Join(dir, "key.pub")
	for path, text := range map[string]string{private: key.Line(), public: key.Public().Line()} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := release.ReadPrivateKey(private); err != nil {
		t.Error(err)
	}
	if _, err := release.ReadPublicKeys(public); err != nil {
		t.Error(err)
	}
	if err := errors.Join(os.Chmod(private, 0o640), os.Chmod(public, 0o666)); err != nil {
		t.Fatal(err)
	}
	if _, err := release.ReadPrivateKey(private); err == nil || !strings.Contains(err.Error(), "may be read by others") {
		t.Errorf("got %v", err)
	}
	if _, err := release.ReadPublicKeys(public); err == nil || !strings.Contains(err.Error(), "anybody may write") {
		t.Errorf("got %v", err)
	}
	if _, err := release.ReadPublicKeys(dir); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("got %v", err)
	}
}
