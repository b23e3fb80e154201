package lab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// envOutside carries the namespaces of the program outside, so that the one
// inside can prove to itself that it has left them.
const envOutside = "NETPOL_LAB_OUTSIDE"

// errOutside guards the host: see Private.
var errOutside = errors.New("not inside namespaces of its own")

// RestrictedError is a kernel that refuses the namespaces the lab needs. Way
// says what its owner can do about it.
type RestrictedError struct {
	Err error
	Why string
	Way string
}

// Error names the refusal; Why and Way are for the person.
func (e *RestrictedError) Error() string {
	return fmt.Sprintf("create namespaces: %v (%s)", e.Err, e.Why)
}

// Unwrap gives the kernel's error.
func (e *RestrictedError) Unwrap() error { return e.Err }

// Entered reports whether this process was started by Enter.
func Entered() bool { return os.Getenv(envOutside) != "" }

// Enter runs this program again with the given arguments inside new network
// and mount namespaces, and a new user namespace unless it is root, waits for
// it, and returns its exit code. Interrupts are left to the program inside.
func Enter(ctx context.Context, args []string) (int, error) {
	outside, err := identity()
	if err != nil {
		return 0, err
	}
	var first error
	for _, user := range userNamespaces() {
		cmd := exec.CommandContext(ctx, "/proc/self/exe", args...)
		cmd.Env = append(os.Environ(), envOutside+"="+outside)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
		cmd.SysProcAttr = attributes(user)
		code, err := wait(cmd)
		if err == nil {
			return code, nil
		}
		if first == nil {
			first = err
		}
	}
	if errors.Is(first, fs.ErrPermission) || errors.Is(first, unix.ENOSPC) || errors.Is(first, unix.EINVAL) {
		return 0, restricted(first)
	}
	return 0, fmt.Errorf("enter namespaces: %w", first)
}

// userNamespaces is whether to try with a user namespace: root does well
// without one, but a container's root may need it.
func userNamespaces() []bool {
	if os.Geteuid() == 0 {
		return []bool{false, true}
	}
	return []bool{true}
}

func attributes(user bool) *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{
		Cloneflags: unix.CLONE_NEWNET | unix.CLONE_NEWNS,
		Pdeathsig:  syscall.SIGKILL,
	}
	if user {
		a.Cloneflags |= unix.CLONE_NEWUSER
		a.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Geteuid(), Size: 1}}
		a.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getegid(), Size: 1}}
	}
	return a
}

// wait runs cmd; the error is only about starting it. The thread is locked
// because the kernel sends Pdeathsig when the starting thread ends.
func wait(cmd *exec.Cmd) (int, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	signal.Ignore(os.Interrupt)
	defer signal.Reset(os.Interrupt)
	if err := cmd.Wait(); err != nil && cmd.ProcessState == nil {
		return 0, err
	}
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal()), nil
	}
	return cmd.ProcessState.ExitCode(), nil
}

// identity names the network and mount namespaces of this process.
func identity() (string, error) {
	var names []string
	for _, kind := range []string{"net", "mnt"} {
		name, err := os.Readlink("/proc/self/ns/" + kind)
		if err != nil {
			return "", fmt.Errorf("read namespace: %w", err)
		}
		names = append(names, name)
	}
	return strings.Join(names, " "), nil
}

// restricted finds which of the known switches forbids user namespaces.
func restricted(err error) error {
	e := &RestrictedError{
		Err: err,
		Why: "this kernel or container does not let this user create namespaces",
		Way: "Run it as root, or outside the container (docker run --privileged).",
	}
	switch {
	case setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1":
		e.Why = "AppArmor restricts unprivileged user namespaces, as Ubuntu 24.04 sets it"
		e.Way = "Run it as root, or allow them: sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0"
	case setting("/proc/sys/kernel/unprivileged_userns_clone") == "0":
		e.Why = "kernel.unprivileged_userns_clone is 0"
		e.Way = "Run it as root, or allow them: sudo sysctl kernel.unprivileged_userns_clone=1"
	case setting("/proc/sys/user/max_user_namespaces") == "0":
		e.Why = "user.max_user_namespaces is 0"
		e.Way = "Run it as root, or allow them: sudo sysctl user.max_user_namespaces=10000"
	}
	return e
}

// setting reads a kernel setting, empty where the kernel does not have it.
func setting(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(b))
}

// privateDirs is where netpol and its peers write: label files and policies,
// sockets, the applied bundle.
var privateDirs = []string{"/etc", "/run", "/var/lib"}

// Private hides the machine's /etc, /run and /var/lib behind empty ones, for
// this process and what it starts, so that every command can use the paths it
// uses on a real router. It refuses to act unless the process really is in a
// mount namespace of its own.
func Private() error {
	if err := leftOutside(); err != nil {
		return err
	}
	// Without this a mount would spread back to the machine where / is shared,
	// as systemd makes it.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return mountError("make mounts private", err)
	}
	for _, dir := range privateDirs {
		if err := unix.Mount("netpol-lab", dir, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0755,size=16m"); err != nil {
			return mountError("mount private "+dir, err)
		}
	}
	return nil
}

// leftOutside proves that none of the namespaces that Enter was to leave is
// still ours.
func leftOutside() error {
	here, err := identity()
	if err != nil {
		return err
	}
	outside := strings.Fields(os.Getenv(envOutside))
	if len(outside) != 2 {
		return errOutside
	}
	for i, name := range strings.Fields(here) {
		if name == outside[i] {
			return errOutside
		}
	}
	return nil
}

// mountError: AppArmor lets an unprivileged user namespace begin and then
// refuses every privilege in it.
func mountError(what string, err error) error {
	err = fmt.Errorf("%s: %w", what, err)
	if errors.Is(err, fs.ErrPermission) {
		return restricted(err)
	}
	return err
}
