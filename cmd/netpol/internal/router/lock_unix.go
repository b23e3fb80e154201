//go:build unix

package router

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ErrLocked is returned while another netpol changes the same router.
var ErrLocked = errors.New("another netpol is changing this router")

// ownerName is the file under StateDir in which the holder of the lock says who
// it is. It is a word for people: what locks is flock(2) on the directory, which
// the kernel gives back when its holder dies.
const ownerName = "lock.json"

// lockPoll is how often a lock that is waited for is tried.
const lockPoll = 50 * time.Millisecond

// Owner is who holds the lock.
type Owner struct {
	PID     int       `json:"pid"`
	Command string    `json:"command"`
	User    string    `json:"user"`
	Since   time.Time `json:"since"`
}

// String words the owner for people.
func (o Owner) String() string {
	return fmt.Sprintf("process %d, %q, by %s, since %s", o.PID, o.Command, o.User, o.Since.Local().Format("15:04:05"))
}

// LockedError is ErrLocked with the one who holds the lock.
type LockedError struct {
	Dir   string
	Owner *Owner // nil: not known
}

// Error names the holder and the way out.
func (e *LockedError) Error() string {
	if e.Owner == nil {
		return fmt.Sprintf("lock %s: %v; try again when it is done, or wait for it with --lock-timeout", e.Dir, ErrLocked)
	}
	return fmt.Sprintf("lock %s: %v: %s; try again when it is done, or wait for it with --lock-timeout", e.Dir, ErrLocked, e.Owner)
}

// Is makes errors.Is(err, ErrLocked) hold.
func (e *LockedError) Is(target error) bool { return target == ErrLocked }

// Lock is LockWithin that does not wait.
func (r Router) Lock() (unlock func(), err error) { return r.LockWithin(context.Background(), 0) }

// LockWithin keeps other netpol processes from changing the router until the
// returned function is called, and waits up to timeout for one that does so now.
// It makes the state directory; unlock removes it again if nothing has come into
// it.
func (r Router) LockWithin(ctx context.Context, timeout time.Duration) (unlock func(), err error) {
	deadline := time.Now().Add(timeout)
	for {
		unlock, err = r.tryLock()
		if !errors.Is(err, ErrLocked) || !time.Now().Before(deadline) {
			return unlock, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(lockPoll):
		}
	}
}

func (r Router) tryLock() (unlock func(), err error) {
	_, statErr := os.Stat(r.StateDir)
	if err := os.MkdirAll(r.StateDir, 0o755); err != nil {
		return nil, fmt.Errorf("lock router: %w", err)
	}
	// The directory itself is locked, so that no lock file can be left locked.
	dir, err := os.Open(filepath.Clean(r.StateDir))
	if err != nil {
		return nil, fmt.Errorf("lock router: %w", err)
	}
	if err := syscall.Flock(int(dir.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		dir.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, &LockedError{Dir: r.StateDir, Owner: r.waitOwner()}
		}
		return nil, fmt.Errorf("lock %s: %w", r.StateDir, err)
	}
	if !stillThere(dir) {
		// The holder before us removed the directory between our two steps.
		dir.Close()
		return nil, &LockedError{Dir: r.StateDir}
	}
	r.writeOwner()
	return func() {
		_ = os.Remove(r.statePath(ownerName))
		if errors.Is(statErr, fs.ErrNotExist) {
			_ = os.Remove(r.StateDir) // refused when it holds the bundle
		}
		dir.Close()
	}, nil
}

// stillThere reports whether the open directory is the one at its path.
func stillThere(dir *os.File) bool {
	held, err := dir.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(dir.Name())
	return err == nil && os.SameFile(held, named)
}

// writeOwner says who holds the lock. A state directory that is full or
// read-only is found out by those who have more to write.
func (r Router) writeOwner() {
	data, err := json.Marshal(Owner{PID: os.Getpid(), Command: commandLine(os.Args), User: Author(), Since: time.Now().UTC()})
	if err == nil {
		_ = os.WriteFile(r.statePath(ownerName), data, 0o644)
	}
}

// commandLine is a command in one line, without what may be secret: values of
// variables.
func commandLine(args []string) string {
	const longest = 200 // bytes
	words := []string{filepath.Base(args[0])}
	for i := 1; i < len(args); i++ {
		name, _, joined := strings.Cut(args[i], "=")
		if name != "--var" {
			words = append(words, args[i])
			continue
		}
		words = append(words, "--var ...")
		if !joined {
			i++
		}
	}
	line := strings.Join(words, " ")
	return strings.ToValidUTF8(line[:min(len(line), longest)], "")
}

// ownerWait is how long the holder of the lock is given to say who it is: it
// writes that as the first thing.
const ownerWait = 250 * time.Millisecond

// waitOwner is owner, for a holder that got the lock only now.
func (r Router) waitOwner() *Owner {
	for deadline := time.Now().Add(ownerWait); ; time.Sleep(ownerWait / 50) {
		if o := r.owner(); o != nil || time.Now().After(deadline) {
			return o
		}
	}
}

// owner reads what the holder of the lock says of itself.
func (r Router) owner() *Owner {
	data, err := os.ReadFile(r.statePath(ownerName))
	var o Owner
	if err != nil || json.Unmarshal(data, &o) != nil || syscall.Kill(o.PID, 0) == syscall.ESRCH {
		return nil
	}
	return &o
}

// Author is the user for whom this process works: behind sudo the one who
// called it.
func Author() string {
	if name := os.Getenv("SUDO_USER"); name != "" {
		return name
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "uid " + strconv.Itoa(os.Getuid())
}
