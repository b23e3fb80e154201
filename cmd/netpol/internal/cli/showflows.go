package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/netpol/netpol/cmd/netpol/internal/view"
	"github.com/netpol/netpol/enforcer/control"
	"github.com/netpol/netpol/enforcer/telemetry"
	"github.com/netpol/netpol/policies"
)

type showFlowsArgs struct {
	max         int
	application string
	policy      string
}

func newShowFlowsCommand(t *tool) *cobra.Command {
	var a showFlowsArgs
	cmd := &cobra.Command{
		Use:   "flows",
		Short: "List the connections that netpold tracks",
		Long: `List the connections that the running netpold tracks, those in inspection first.

Exit codes: 0 listed, 1 error, or netpold does not run.`,
		Example: `  netpol show flows --max 20
  netpol show flows --application zoom
  netpol show flows --json | jq -r .hostname | sort | uniq -c`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return t.showFlows(a) },
	}
	cmd.Flags().IntVar(&a.max, "max", 1000, "how many at most")
	cmd.Flags().StringVar(&a.application, "application", "", "only those of this application, by its catalogue `tag`")
	cmd.Flags().StringVar(&a.policy, "matching", "", "only those that the policy of this `name` matches")
	mustCompleteWith(cmd, "application", applicationTags)
	mustCompleteWith(cmd, "matching", t.policyNames)
	t.addPlaceFlags(cmd)
	t.addJSONFlag(cmd)
	return cmd
}

func (t *tool) showFlows(a showFlowsArgs) error {
	if a.max < 1 || a.max > control.MaxFlows {
		return fmt.Errorf("--max %d: from 1 to %d", a.max, control.MaxFlows)
	}
	client, err := t.dial()
	if err != nil {
		return err
	}
	defer client.Close()
	limit := a.max
	if a.application != "" || a.policy != "" {
		limit = control.MaxFlows // the choice is made here
	}
	flows, err := client.Flows(limit)
	if err != nil {
		return err
	}
	flows = slices.DeleteFunc(flows, func(f telemetry.Flow) bool { return !a.wants(&f) })
	for i := range flows[:min(a.max, len(flows))] {
		if err := t.showFlow(&flows[i]); err != nil {
			return err
		}
	}
	if len(flows) == 0 && !t.json {
		return view.Remark(t.Err, "No such connections.")
	}
	return nil
}

func (a showFlowsArgs) wants(f *telemetry.Flow) bool {
	return (a.application == "" || f.Application == a.application) &&
		(a.policy == "" || slices.Contains(f.Policies, a.policy))
}

func (t *tool) showFlow(f *telemetry.Flow) error {
	if t.json {
		return view.FlowJSON(t.Out, f)
	}
	return view.Flow(t.Out, f)
}

// mustCompleteWith completes a flag's value from a list made when it is asked
// for.
func mustCompleteWith(cmd *cobra.Command, flag string, list func() []string) {
	complete := func(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
		other := func(s string) bool { return !strings.HasPrefix(s, begun) }
		return slices.DeleteFunc(list(), other), cobra.ShellCompDirectiveNoFileComp
	}
	if err := cmd.RegisterFlagCompletionFunc(flag, complete); err != nil {
		panic(err) // the flag does not exist: a mistake in this package
	}
}

// applicationTags are the catalogue's applications, for completion.
func applicationTags() []string {
	catalogue, err := policies.Catalogue()
	if err != nil {
		return nil
	}
	tags := make([]string, len(catalogue.Applications))
	for i, a := range catalogue.Applications {
		tags[i] = a.Tag
	}
	return tags
}

// policyNames are the applied policies, for completion.
func (t *tool) policyNames() []string {
	b, err := readBundle(t.router().BundlePath())
	if err != nil {
		return nil
	}
	names := make([]string, len(b.Policies))
	for i, p := range b.Policies {
		names[i] = p.Name
	}
	return names
}
