package cli

import (
	"context"
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

	"github.com/spf13/cobra"

	"github.com/netpol/netpol/cmd/netpol/internal/router"
	"github.com/netpol/netpol/cmd/netpol/internal/view"
	"github.com/netpol/netpol/enforcer/control"
)

// confirmArgs say whether a change waits to be confirmed.
type confirmArgs struct {
	wait time.Duration // --confirm; 0 unless given
	none bool          // --no-confirm
}

const (
	// sshWait is how long a change over ssh waits to be confirmed.
	sshWait = 2 * time.Minute
	// minWait and maxWait bound --confirm: nobody types faster, or means to leave
	// a router undecided for longer.
	minWait = time.Second
	maxWait = 24 * time.Hour
)

func (a *confirmArgs) addFlags(cmd *cobra.Command) {
	cmd.Flags().DurationVar(&a.wait, "confirm", 0, "go back unless netpol confirm is called within this time, such as `2m`; over ssh the default")
	cmd.Flags().BoolVar(&a.none, "no-confirm", false, "do not wait to be confirmed")
	cmd.MarkFlagsMutuallyExclusive("confirm", "no-confirm")
}

// duration is how long the change waits; 0 does not wait.
func (a *confirmArgs) duration(cmd *cobra.Command) (time.Duration, error) {
	switch {
	case cmd.Flags().Changed("confirm") && (a.wait < minWait || a.wait > maxWait):
		return 0, fmt.Errorf("--confirm %s: give a time between %s and %s", a.wait, minWait, maxWait)
	case a.wait > 0:
		return a.wait, nil
	case !a.none && overSSH():
		return sshWait, nil
	}
	return 0, nil
}

// maxAncestors bounds the walk up the process tree.
const maxAncestors = 32

// overSSH reports whether this process was started from an ssh session. sudo takes
// SSH_CONNECTION out of the environment, so the processes above are asked too.
func overSSH() bool {
	if os.Getenv("SSH_CONNECTION") != "" {
		return true
	}
	pid := os.Getppid()
	for range maxAncestors {
		if pid <= 1 {
			return false
		}
		dir := filepath.Join("/proc", strconv.Itoa(pid))
		environ, _ := os.ReadFile(filepath.Join(dir, "environ")) // another user's: not for us to read
		if strings.Contains("\x00"+string(environ), "\x00SSH_CONNECTION=") {
			return true
		}
		var parent int
		name := ""
		status, err := os.ReadFile(filepath.Join(dir, "status"))
		if err != nil {
			return false
		}
		for line := range strings.Lines(string(status)) {
			key, value, _ := strings.Cut(strings.TrimSpace(line), ":\t")
			switch key {
			case "Name":
				name = value
			case "PPid":
				parent, _ = strconv.Atoi(value) // the kernel writes a number
			}
		}
		if strings.HasPrefix(name, "sshd") || name == "dropbear" {
			return true
		}
		pid = parent
	}
	return false
}

// guard starts the process that takes a change back when its time is over. It has
// a session of its own, so that it outlives this one.
func (t *tool) guard() error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("start who takes the change back: %w", err)
	}
	dirs := make([]string, 0, 3)
	for _, dir := range []string{t.flags.stateDir, t.flags.runDir, t.flags.etcDir} {
		full, err := filepath.Abs(dir)
		if err != nil {
			return fmt.Errorf("start who takes the change back: %w", err)
		}
		dirs = append(dirs, full)
	}
	cmd := exec.Command(self, "rollback", "--expired", "--wait", "--state-dir", dirs[0], "--run-dir", dirs[1], "--etc-dir", dirs[2])
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start who takes the change back: %w (nothing was changed; --no-confirm does without)", err)
	}
	return cmd.Process.Release()
}

func newConfirmCommand(t *tool) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "confirm",
		Short: "Keep the change that waits to be confirmed",
		Long: `Keep what apply --confirm changed. Without it the router goes back to what it ran
before when the time is over, also when the connection, netpol, netpold or the
machine was lost meanwhile.

Exit codes: 0 kept, or nothing waits; 1 error.`,
		Example: `  sudo netpol apply --confirm 2m && sudo netpol confirm`,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return t.confirm(cmd.Context()) },
	}
	t.addRouterFlags(cmd)
	t.addLockFlag(cmd)
	t.addJSONFlag(cmd)
	return cmd
}

func (t *tool) confirm(ctx context.Context) error {
	r := t.router()
	if _, err := os.Stat(r.PendingPath()); errors.Is(err, fs.ErrNotExist) {
		return t.confirmed(0) // nothing to lock for
	}
	unlock, err := t.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	p, err := control.ReadPending(r.PendingPath())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return t.confirmed(0)
	case err != nil:
		if err := t.progress("%v; it is removed", err); err != nil {
			return err
		}
	}
	if err := r.Confirm(); err != nil {
		return err
	}
	return t.confirmed(p.Serial)
}

// confirmed says which revision stays; 0: none was in question.
func (t *tool) confirmed(serial int) error {
	if t.json {
		return view.ConfirmedJSON(t.Out, serial)
	}
	return view.Confirmed(t.Out, serial, t.style(t.Out))
}

// announce tells what happens unless the change is confirmed.
func (t *tool) announce(r router.Router) error {
	p, err := control.ReadPending(r.PendingPath())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if t.json {
		return view.PendingJSON(t.Out, p)
	}
	return view.Pending(t.Out, p, t.style(t.Out))
}
