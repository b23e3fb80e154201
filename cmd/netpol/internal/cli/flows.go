package cli

import (
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
	text     string
	follow   bool
}

const flowsLong = `List the connections that the running netpold tracks. Criteria are those of policies,
with applications of the applied catalogue; netpold decides them on all that it
knows, rates and bytes included. For groups of a policy set, name it with --policy.

UP is what the local side sends, DOWN what it gets, in bits a second between the last
two readings of the kernel's counters; RTT the time from end to end and back, and RETR the
segments of TCP that were sent again, of packets that netpold has seen. A terminal
gets a heading and lines of its width, anything else whole lines; --json prints an
object for each connection, with figures in bytes and times in microseconds.

With --follow new connections are printed as they come, and known ones again when
their name or the policies that match them change, until interrupted. It outlives a
netpold that is started anew.

While somebody looks, netpold reads the kernel's counters every few seconds also where no
policy asks for them; before the first reading bytes are those of the first packets.

Exit codes: 0 listed, also if there are none, 1 error, or netpold does not run.`

func newFlowsCommand(t *tool) *cobra.Command {
	var a flowsArgs
	cmd := &cobra.Command{
		Use:   "flows [CRITERIA]",
		Short: "List the connections that netpold tracks",
		Long:  flowsLong,
		Example: `  netpol flows
  netpol flows "app == 'zoom' && local_ip in '10.0.0.0/8'" --sort bytes
  netpol flows --follow "category == 'file-sharing'"
  netpol flows --sort retrans --limit 20
  netpol flows --json "total_rate > '1Mbit/s'" | jq -r .hostname`,
		Args: oneCriteria,
		RunE: func(cmd *cobra.Command, args []string) error {
			a.criteria = strings.Join(args, "")
			return t.flows(cmd.Context(), a)
		},
		ValidArgsFunction: completeCriteria,
	}
	cmd.Flags().IntVar(&a.limit, "limit", 1000, "how many at most")
	cmd.Flags().StringVar(&a.sort, "sort", "rate", "what comes first: `rate, up, down, bytes`, packets, rtt, retrans, new, old or name")
	cmd.Flags().StringVar(&a.policy, "matching", "", "only those that the policy of this `name` matches")
	cmd.Flags().StringVar(&a.text, "search", "", "only those with this `text` in a name or an address")
	cmd.Flags().BoolVarP(&a.follow, "follow", "f", false, "go on with those that come")
	mustCompleteWith(cmd, "sort", flowOrders)
	mustCompleteWith(cmd, "matching", t.policyNames)
	t.addPolicyFlags(cmd)
	t.addPlaceFlags(cmd)
	t.addJSONFlag(cmd)
	return cmd
}

// oneCriteria says what is wrong where a shell has taken criteria apart.
func oneCriteria(_ *cobra.Command, args []string) error {
	if len(args) > 1 {
		return fmt.Errorf("%d arguments instead of criteria: write them in quotes, such as \"app == 'zoom'\"", len(args))
	}
	return nil
}

// flowOrders are the words of --sort.
func flowOrders() []string {
	var words []string
	for _, o := range telemetry.Orders() {
		if o != telemetry.OrderFlows {
			words = append(words, string(o))
		}
	}
	return words
}

func (t *tool) flows(ctx context.Context, a flowsArgs) error {
	if a.limit < 1 || a.limit > control.MaxFlows {
		return fmt.Errorf("--limit %d: from 1 to %d", a.limit, control.MaxFlows)
	}
	if !slices.Contains(flowOrders(), a.sort) {
		return fmt.Errorf("--sort %q: write one of %s", a.sort, strings.Join(flowOrders(), ", "))
	}
	where, err := t.flowFilter(a.criteria)
	if err != nil {
		return err
	}
	query := flowQuery{where, telemetry.Question{Order: telemetry.Order(a.sort), Flows: a.limit, Text: a.text}}
	if a.policy != "" {
		query.question.Within = []telemetry.Part{{By: telemetry.ByPolicy, Name: a.policy}}
	}
	if a.follow {
		query.question.Flows = control.MaxFlows
	}
	seen, err := t.askFlows(&query)
	if err != nil {
		return err
	}
	show := t.flowRows()
	for i := range seen.Flows[:min(a.limit, len(seen.Flows))] {
		if err := show(&seen.Flows[i]); err != nil {
			return err
		}
	}
	if a.follow {
		return t.followFlows(ctx, &query, seen.Flows, show)
	}
	return t.flowsRemark(&seen)
}

// flowRows prints connections as they are asked for.
func (t *tool) flowRows() func(*telemetry.Flow) error {
	if t.json {
		return func(f *telemetry.Flow) error { return view.FlowJSON(t.Out, f) }
	}
	table := view.FlowTable{}
	return func(f *telemetry.Flow) error {
		table.Width, table.Now = t.terminalWidth(), time.Now()
		return table.Row(t.Out, f)
	}
}

// flowsRemark says what a list does not show.
func (t *tool) flowsRemark(seen *telemetry.Overview) error {
	total, shown := seen.Total.Flows, len(seen.Flows)
	switch {
	case t.json:
		return nil
	case total == 0:
		return view.Remark(t.Err, "No such connections.")
	case shown < total && shown == control.MaxFlows:
		return view.Remark(t.Err, fmt.Sprintf("%s of %s connections; criteria choose others.", view.Thousands(shown), view.Thousands(total)))
	case shown < total:
		return view.Remark(t.Err, fmt.Sprintf("%s of %s connections; --limit shows more.", view.Thousands(shown), view.Thousands(total)))
	case seen.RatesIn > 0 && isTerminal(t.Out):
		return view.Remark(t.Err, fmt.Sprintf("netpold has begun to read counters: rates are known in %d s.", (seen.RatesIn+999)/1000))
	}
	return nil
}

// followEvery is how often --follow looks: netpold waits for requests 10 seconds.
const followEvery = time.Second

// followFlows prints flows that were not seen, or whose account is another one, until
// ctx ends. A netpold that does not answer is waited for.
func (t *tool) followFlows(ctx context.Context, q *flowQuery, seen []telemetry.Flow, show func(*telemetry.Flow) error) error {
	q.question.Order = telemetry.OrderNew // if they are too many, those that begin are shown
	known := map[string]told{}
	for i := range seen {
		known[flowKey(&seen[i])] = tellingOf(&seen[i])
	}
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	away := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		now, err := t.askFlows(q)
		if gone := err != nil; gone != away {
			away = gone
			if err := t.presence(err); err != nil {
				return err
			}
		}
		if away {
			continue
		}
		next := make(map[string]told, len(now.Flows))
		for _, f := range slices.Backward(now.Flows) {
			key, telling := flowKey(&f), tellingOf(&f)
			next[key] = telling
			if was, ok := known[key]; ok && was.same(telling) {
				continue
			}
			if err := show(&f); err != nil {
				return err
			}
		}
		known = next
	}
}

// presence tells that netpold is gone, or with a nil error that it is back.
func (t *tool) presence(gone error) error {
	text := "netpold answers again."
	if gone != nil {
		text = fmt.Sprintf("netpold does not answer (%v): waiting for it.", gone)
	}
	return view.Remark(t.Err, text)
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
