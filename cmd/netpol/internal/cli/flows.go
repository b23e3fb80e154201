package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/netpol/netpol/cmd/netpol/internal/view"
	"github.com/netpol/netpol/enforcer/control"
	"github.com/netpol/netpol/enforcer/telemetry"
	"github.com/netpol/netpol/policies"
)

type flowsArgs struct {
	criteria string
	limit    int
	sort     string
	policy   string
	follow   bool
}

const flowsLong = `List the connections that the running netpold tracks. Criteria are those of policies,
with applications of the applied catalogue; netpold decides them on all that it
knows, rates and bytes included. For groups of a policy set, name it with --policy.

With --follow new connections are printed as they come, and known ones again when
their name or the policies that match them change, until interrupted.

While somebody looks, netpold reads the kernel's counters every few seconds also where no
policy asks for them; before the first reading bytes are those of the first packets.

Exit codes: 0 listed, 1 error, or netpold does not run.`

func newFlowsCommand(t *tool) *cobra.Command {
	var a flowsArgs
	cmd := &cobra.Command{
		Use:   "flows [CRITERIA]",
		Short: "List the connections that netpold tracks",
		Long:  flowsLong,
		Example: `  netpol flows
  netpol flows "app == 'zoom' && local_ip in '10.0.0.0/8'" --sort bytes
  netpol flows --follow "category == 'file-sharing'"
  netpol flows --json "total_rate > '1Mbit/s'" | jq -r .hostname`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			a.criteria = strings.Join(args, "")
			return t.flows(cmd.Context(), a)
		},
		ValidArgsFunction: completeCriteria,
	}
	cmd.Flags().IntVar(&a.limit, "limit", 1000, "how many at most")
	cmd.Flags().StringVar(&a.sort, "sort", "rate", "what comes first: `rate, bytes, packets`, new, old or name")
	cmd.Flags().StringVar(&a.policy, "matching", "", "only those that the policy of this `name` matches")
	cmd.Flags().BoolVarP(&a.follow, "follow", "f", false, "go on with those that come")
	mustCompleteWith(cmd, "sort", func() []string { return flowOrders })
	mustCompleteWith(cmd, "matching", t.policyNames)
	t.addPolicyFlags(cmd)
	t.addPlaceFlags(cmd)
	t.addJSONFlag(cmd)
	return cmd
}

// flowOrders are the words of --sort.
var flowOrders = []string{"rate", "bytes", "packets", "new", "old", "name"}

func (t *tool) flows(ctx context.Context, a flowsArgs) error {
	if a.limit < 1 || a.limit > control.MaxFlows {
		return fmt.Errorf("--limit %d: from 1 to %d", a.limit, control.MaxFlows)
	}
	if !slices.Contains(flowOrders, a.sort) {
		return fmt.Errorf("--sort %q: write one of %s", a.sort, strings.Join(flowOrders, ", "))
	}
	where, err := t.flowFilter(a.criteria)
	if err != nil {
		return err
	}
	client, err := t.dial()
	if err != nil {
		return err
	}
	defer client.Close()
	query := flowQuery{where: where, policy: a.policy}
	flows, err := query.ask(client)
	if err != nil {
		return err
	}
	sortFlows(flows, a.sort)
	for i := range flows[:min(a.limit, len(flows))] {
		if err := t.showFlow(&flows[i]); err != nil {
			return err
		}
	}
	if a.follow {
		return t.followFlows(ctx, client, &query, flows)
	}
	if len(flows) == 0 && !t.json {
		return view.Remark(t.Err, "No such connections.")
	}
	if len(flows) > a.limit && !t.json {
		return view.Remark(t.Err, fmt.Sprintf("%d of %d connections; --limit shows more.", a.limit, len(flows)))
	}
	return nil
}

// followEvery is how often --follow looks: netpold waits for requests 10 seconds.
const followEvery = time.Second

// followFlows prints flows that were not seen, or whose account is another one, until
// ctx ends.
func (t *tool) followFlows(ctx context.Context, client *control.Client, q *flowQuery, seen []telemetry.Flow) error {
	known := map[string]told{}
	for i := range seen {
		known[flowKey(&seen[i])] = tellingOf(&seen[i])
	}
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		flows, err := q.ask(client)
		if err != nil {
			return err
		}
		sortFlows(flows, "old")
		next := make(map[string]told, len(flows))
		for i := range flows {
			key, now := flowKey(&flows[i]), tellingOf(&flows[i])
			next[key] = now
			if was, ok := known[key]; ok && was.same(now) {
				continue
			}
			if err := t.showFlow(&flows[i]); err != nil {
				return err
			}
		}
		known = next
	}
}

// flowKey names a flow among those of a moment.
func flowKey(f *telemetry.Flow) string {
	return fmt.Sprint(f.IPProtocol, f.SrcIP, f.SrcPort, f.DstIP, f.DstPort, f.VLANID, f.Interface, f.Input)
}

// told is what of a flow is told again when it changes.
type told struct {
	name  string
	began time.Time
}

func tellingOf(f *telemetry.Flow) told {
	return told{strings.Join([]string{f.Protocol, f.Application, f.Hostname, strings.Join(f.Policies, ","), strings.Join(f.Labels, ",")}, "\x00"), f.FirstSeen}
}

// clockSlack is by how much the wall clock's time of a flow's beginning may differ from
// one answer to the next: netpold keeps it on a clock that nobody sets.
const clockSlack = 2 * time.Second

func (t told) same(o told) bool { return t.name == o.name && t.began.Sub(o.began).Abs() < clockSlack }

func sortFlows(list []telemetry.Flow, by string) {
	slices.SortStableFunc(list, func(a, b telemetry.Flow) int {
		switch by {
		case "bytes":
			return cmp.Compare(b.Bytes, a.Bytes)
		case "packets":
			return cmp.Compare(b.Packets, a.Packets)
		case "new":
			return b.FirstSeen.Compare(a.FirstSeen)
		case "old":
			return a.FirstSeen.Compare(b.FirstSeen)
		case "name":
			return cmp.Or(cmp.Compare(a.Application, b.Application), cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.Hostname, b.Hostname))
		}
		return cmp.Or(cmp.Compare(b.Rate, a.Rate), cmp.Compare(b.Bytes, a.Bytes))
	})
}

func (t *tool) showFlow(f *telemetry.Flow) error {
	if t.json {
		return view.FlowJSON(t.Out, f)
	}
	return view.Flow(t.Out, f)
}

// completeCriteria offers criteria of one application, whose name is begun.
func completeCriteria(_ *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var out []string
	for _, tag := range applicationTags() {
		if c := "app == '" + tag + "'"; strings.HasPrefix(c, begun) {
			out = append(out, c)
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}

// mustCompleteWith completes a flag's value from a list made when it is asked
// for.
func mustCompleteWith(cmd *cobra.Command, flag string, list func() []string) {
	complete := func(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
		other := func(s string) bool { return !strings.HasPrefix(s, begun) }
		return slices.DeleteFunc(slices.Clone(list()), other), cobra.ShellCompDirectiveNoFileComp
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
