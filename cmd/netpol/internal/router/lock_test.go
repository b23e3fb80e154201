package router

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestLockIsExclusive(t *testing.T) {
	r := Router{StateDir: filepath.Join(t.TempDir(), "a", "state")}
	unlock, err := r.Lock()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Lock(); !errors.Is(err, ErrLocked) {
		t.Errorf("got %v from a second lock, want %v", err, ErrLocked)
	}
	unlock()
	if _, err := os.Stat(r.StateDir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty state directory stays behind: %v", err)
	}
	unlock, err = r.Lock()
	if err != nil {
		t.Fatalf("the lock was not given back: %v", err)
	}
	if err := os.WriteFile(r.BundlePath(), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	unlock()
	if _, err := os.Stat(r.BundlePath()); err != nil {
		t.Errorf("the state directory went with its bundle: %v", err)
	}
}

func TestLockNamesItsHolder(t *testing.T) {
	r := Router{StateDir: filepath.Join(t.TempDir(), "state")}
	t.Setenv("SUDO_USER", "ada")
	unlock, err := r.Lock()
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	_, err = r.LockWithin(t.Context(), 3*lockPoll)
	var locked *LockedError
	if !errors.As(err, &locked) || locked.Owner == nil {
		t.Fatalf("got %v, want the holder", err)
	}
	if locked.Owner.PID != os.Getpid() || locked.Owner.User != "ada" || locked.Owner.Command == "" || locked.Owner.Since.IsZero() {
		t.Errorf("got %+v", locked.Owner)
	}
	// What is not a holder's word is no holder.
	for _, text := range []string{"", "{", `{"pid": 1073741824}`} {
		if err := os.WriteFile(r.statePath(ownerName), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Lock(); !errors.As(err, &locked) || locked.Owner != nil {
			t.Errorf("%q: got %v, want a lock without a holder", text, err)
		}
	}
}

func TestCommandLine(t *testing.T) {
	cases := []struct {
		name string
		in   []string
		want string
	}{
		{"plain", []string{"/usr/sbin/netpol", "apply", "/etc/netpol"}, "netpol apply /etc/netpol"},
		{"values of variables", []string{"netpol", "apply", "--var", "key=secret", "--var=a=b", "x"}, "netpol apply --var ... --var ... x"},
		{"variable at the end", []string{"netpol", "--var"}, "netpol --var ..."},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := commandLine(c.in); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
