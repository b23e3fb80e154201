package cli

import (
	"github.com/spf13/cobra"

	"github.com/netpol/netpol/cmd/netpol/internal/view"
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/control"
)

const (
	exitDegraded exitCode = 2 // status: it works, and something is not as it should be
	exitStopped  exitCode = 3 // status: policies are not enforced
)

const statusLong = `Show on one screen how this router is: which policies are in force and since when, what
is not as it should be and the way out, what netpold sees and loses, and sinks.
show has every rule and counter.

A netpold that does not answer within five seconds counts as one that does not run.

Exit codes: 0 healthy, 1 error, 2 degraded, 3 policies are not enforced: none is applied, or
netpold does not run although they need it.`

func newStatusCommand(t *tool) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show how this router is, on one screen",
		Long:  statusLong,
		Example: `  sudo netpol status
  sudo netpol status --json | jq -r '.degraded[].code'`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return t.status() },
	}
	t.addRouterFlags(cmd)
	t.addJSONFlag(cmd)
	return cmd
}

func (t *tool) status() error {
	live, err := t.router().Read()
	if err != nil {
		return err
	}
	enforcer, err := t.enforcerState()
	if err != nil {
		return err
	}
	s := view.Status{Health: view.Healthy, Degraded: t.degraded(live, enforcer), Socket: enforcer.Socket, Hangs: enforcer.Hangs, Hanging: enforcer.Hangs > 0}
	if status, ok := enforcer.Status.(control.Status); ok {
		s.Enforcer = &status
	}
	if b := live.Bundle; b != nil {
		s.Digest, s.Policies, s.Labels = b.Digest(), len(b.Policies), len(b.Labels)
		s.NeedsEnforcer = artifact.NeedEnforcer(b.Policies, b.Sinks)
		if list, err := t.router().History(); err == nil && len(list) > 0 {
			r := list[0]
			s.Revision = &view.AppliedAs{Serial: r.Serial, Time: r.Time, Operation: string(r.Operation), Author: r.Author, Message: r.Message, Commit: r.Commit}
		}
	}
	code := exitOK
	switch {
	case live.Bundle == nil || s.NeedsEnforcer && (s.Enforcer == nil || s.Enforcer.Waiting):
		s.Health, code = view.Stopped, exitStopped
	case len(s.Degraded) > 0 || s.Hanging || s.Enforcer != nil && s.Enforcer.Digest != s.Digest:
		s.Health, code = view.Degraded, exitDegraded
	}
	show := s.Text
	if t.json {
		show = func(w view.Writer, _ view.Style) error { return s.JSON(w) }
	}
	if err := show(t.Out, t.style(t.Out)); err != nil {
		return err
	}
	if code != exitOK {
		return code
	}
	return nil
}
