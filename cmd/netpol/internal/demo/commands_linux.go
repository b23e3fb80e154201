package demo

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"syscall"
)

// self is this program. The path survives that the lab hides directories.
const self = "/proc/self/exe"

// netpol shows a command and runs it on the router. It returns the exit code.
func (s *story) netpol(ctx context.Context, args ...string) (int, error) {
	s.command(append([]string{"netpol"}, args...)...)
	if s.color {
		return s.run(ctx, args, s.opts.Out, s.opts.Out) // the terminal itself, so that netpol uses colours
	}
	return s.run(ctx, args, s, s)
}

// output runs netpol on the router and returns what it prints.
func (s *story) output(ctx context.Context, args ...string) ([]byte, error) {
	var out, errs bytes.Buffer
	code, err := s.run(ctx, args, &out, &errs)
	if err == nil && code != 0 {
		err = fmt.Errorf("exit code %d: %s%s", code, &out, &errs)
	}
	if err != nil {
		return nil, fmt.Errorf("run netpol %s: %w", args[0], err)
	}
	return out.Bytes(), nil
}

func (s *story) run(ctx context.Context, args []string, out, errs io.Writer) (int, error) {
	if !s.color {
		args = append(args, "--no-color")
	}
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Stdout, cmd.Stderr = out, errs
	if err := s.start(cmd); err != nil {
		return 0, err
	}
	if err := cmd.Wait(); err != nil && cmd.ProcessState == nil {
		return 0, err
	}
	return cmd.ProcessState.ExitCode(), nil
}

// start begins a process in the router's namespace that ends with this one.
func (s *story) start(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return s.lab.Router.Do(cmd.Start)
}
