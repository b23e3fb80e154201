package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/netpol/netpol/cmd/netpol/internal/router"
	"github.com/netpol/netpol/cmd/netpol/internal/view"
)

func newShowCommand(t *tool) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show",
		Short: "Show what this router runs, with counters",
		Long: `Show the applied bundle with its labels and policies, the rules in the kernel with
their counters, and how netpold is. show flows lists the connections that netpold
tracks.

Exit codes: 0 shown (also when nothing is applied), 1 error.`,
		Example: `  sudo netpol show
  sudo netpol show --json | jq .rules
  netpol show flows --application zoom`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return t.show() },
	}
	t.addRouterFlags(cmd)
	t.addJSONFlag(cmd)
	cmd.AddCommand(newShowFlowsCommand(t))
	return cmd
}

// show prints the router's state.
func (t *tool) show() error {
	live, liveErr := t.router().Read()
	enforcer, err := t.enforcerState()
	if err = errors.Join(liveErr, err); err != nil {
		return err
	}
	state := view.Router{Rules: liveRules(live), Enforcer: enforcer}
	if live.Bundle != nil {
		state.Bundle = view.NewBundle(live.Bundle)
	}
	if t.json {
		return state.JSON(t.Out)
	}
	return state.Text(t.Out, t.style(t.Out))
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
