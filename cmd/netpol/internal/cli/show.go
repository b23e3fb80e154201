package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/netpol/netpol/cmd/netpol/internal/doctor"
	"github.com/netpol/netpol/cmd/netpol/internal/router"
	"github.com/netpol/netpol/cmd/netpol/internal/view"
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/control"
)

func newShowCommand(t *tool) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Show what this router runs, with counters",
		Long: `Show the applied bundle with its labels and policies, the rules in the kernel with
their counters, how netpold is, and first of all what is not as it should be, with
the way out. status has the most important on one screen, and flows lists the
connections that netpold tracks.

Exit codes: 0 shown (also when nothing is applied), 1 error.`,
		Example: `  sudo netpol show
  sudo netpol show --json | jq .rules
  sudo netpol show | less`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return t.show() },
	}
	t.addRouterFlags(cmd)
	t.addJSONFlag(cmd)
	return cmd
}

// show prints the router's state.
func (t *tool) show() error {
	live, liveErr := t.router().Read()
	enforcer, err := t.enforcerState()
	if err = errors.Join(liveErr, err); err != nil {
		return err
	}
	state := view.Router{Rules: liveRules(live), Enforcer: enforcer, Degraded: t.degraded(live, enforcer)}
	if live.Bundle != nil {
		state.Bundle = view.NewBundle(live.Bundle)
	}
	if t.json {
		return state.JSON(t.Out)
	}
	return state.Text(t.Out, t.style(t.Out))
}

// degraded is what netpold tells, and what is wrong with the router's files.
func (t *tool) degraded(live *router.Live, enforcer view.Enforcer) []control.Reason {
	var list []control.Reason
	status, _ := enforcer.Status.(control.Status) // the zero Status where it does not run
	for _, r := range status.Degraded {
		if r.Code != "state" { // looked at here
			list = append(list, r)
		}
	}
	if live.Damaged() != nil {
		list = append(list, control.Reason{
			Code: "bundle-damaged", About: t.router().BundlePath(), Detail: live.Damaged().Error(),
			WayOut: artifact.WayOut(live.Damaged()),
		})
	}
	if _, err := t.router().History(); err != nil {
		list = append(list, control.Reason{
			Code: "history-damaged", Detail: err.Error(), WayOut: "remove the record and its bundle; other revisions can be gone back to",
		})
	}
	for _, f := range doctor.StateDir(doctor.Machine{StateDir: t.flags.stateDir}) {
		if f.Status != doctor.OK {
			list = append(list, control.Reason{Code: "state", About: t.flags.stateDir, Detail: f.Detail, WayOut: f.Fix})
		}
	}
	return list
}

// liveRules are the rules of the table as show prints them.
func liveRules(live *router.Live) []view.Rule {
	var rules []view.Rule
	for _, c := range live.Table.Chains {
		for _, r := range c.Rules {
			rules = append(rules, view.Rule{
				Chain: c.Name, Text: r.Summary, Comment: r.Comment,
				Packets: r.Packets, Bytes: r.Bytes, Counted: r.Counted,
			})
		}
	}
	return rules
}
