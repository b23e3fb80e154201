package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	tea "charm.land/bubbletea/v2"

	"github.com/netpol/netpol/cmd/netpol/internal/top"
	"github.com/netpol/netpol/cmd/netpol/internal/view"
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/telemetry"
)

type topArgs struct {
	criteria string
	view     string
	every    time.Duration
	once     bool
}

const topLong = `Show what applications, hosts, connections and policies carry now, as netpold sees it.

  1 2 3 4, tab   applications, hosts, connections, policies
  up, down       choose a row; enter shows its connections, and of a connection why it
                 was recognised and which policies match; esc goes back
  s              sort by rate, bytes or number of connections
  /              criteria, as in policies; enter takes them
  q              quit

Rates are bits a second between the last two readings of the kernel's counters. --once
prints the rows and ends; --json as an object.

Exit codes: 0 shown, 1 error, or netpold does not run.`

func newTopCommand(t *tool) *cobra.Command {
	var a topArgs
	cmd := &cobra.Command{
		Use:   "top [CRITERIA]",
		Short: "Watch applications, hosts, connections and policies",
		Long:  topLong,
		Example: `  sudo netpol top
  sudo netpol top --view hosts "category == 'streaming-media'"
  sudo netpol top --once --json | jq '.rows[0]'`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			a.criteria = strings.Join(args, "")
			return t.top(cmd.Context(), a)
		},
		ValidArgsFunction: completeCriteria,
	}
	cmd.Flags().StringVar(&a.view, "view", top.Names()[0], "what rows are at first: `apps, hosts`, flows or policies")
	cmd.Flags().DurationVar(&a.every, "every", 2*time.Second, "how often to look")
	cmd.Flags().BoolVar(&a.once, "once", false, "print the rows and end")
	mustCompleteWith(cmd, "view", top.Names)
	t.addPolicyFlags(cmd)
	t.addPlaceFlags(cmd)
	t.addJSONFlag(cmd)
	return cmd
}

func (t *tool) top(ctx context.Context, a topArgs) error {
	v, ok := top.ViewOf(a.view)
	switch {
	case !ok:
		return fmt.Errorf("--view %q: write one of %s", a.view, strings.Join(top.Names(), ", "))
	case a.every < 500*time.Millisecond:
		return fmt.Errorf("--every %s: at least 500ms", a.every)
	}
	where, err := t.flowFilter(a.criteria)
	if err != nil {
		return err
	}
	source := &topSource{tool: t, query: flowQuery{where: where}}
	flows, err := source.Flows() // an error is told before the screen is taken
	if err != nil {
		return err
	}
	if a.once || t.json {
		rows := top.Rows(v, top.ByRate, flows)
		if t.json {
			return view.TopJSON(t.Out, a.view, rows)
		}
		_, err := fmt.Fprint(t.Out, top.Table(v, rows, t.columns()))
		return err
	}
	if !isTerminal(t.Out) || !isTerminal(t.In) {
		return errors.New("netpol top needs a terminal; --once prints the rows and ends")
	}
	return top.Run(ctx, top.New(source, v, a.criteria, a.every), tea.WithInput(t.In), tea.WithOutput(t.Out))
}

// columns is how wide lines may be.
func (t *tool) columns() int {
	if f, ok := t.Out.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil {
			return width
		}
	}
	return 100
}

// topSource asks netpold. Each question has a connection of its own: a netpold that is
// started anew meanwhile answers the next one.
type topSource struct {
	tool  *tool
	query flowQuery
}

// Flows lists connections that meet the criteria.
func (s *topSource) Flows() ([]telemetry.Flow, error) {
	client, err := s.tool.dial()
	if err != nil {
		return nil, err
	}
	defer client.Close()
	return s.query.ask(client)
}

// Use goes over to other criteria.
func (s *topSource) Use(criteria string) error {
	if strings.TrimSpace(criteria) == "" {
		where, err := s.tool.flowFilter("")
		s.query.where = where
		return err
	}
	where, diags, err := s.tool.compileFilter(criteria)
	if err != nil {
		return err
	}
	for _, d := range diags {
		if where == nil {
			return errors.New(strings.TrimSpace(d.Detail + " " + d.Hint))
		}
	}
	s.query.where = where
	return nil
}

// Why is the account of a connection.
func (s *topSource) Why(f *telemetry.Flow) (string, error) {
	t := flow.Tuple{Src: f.SrcIP, Dst: f.DstIP, SrcPort: uint16(f.SrcPort), DstPort: uint16(f.DstPort), Proto: uint8(f.IPProtocol)}
	why, found, err := s.tool.askWhy(t)
	if err == nil && !found {
		err = errors.New("the connection is over")
	}
	if err != nil {
		return "", err
	}
	var b strings.Builder
	err = view.Why(&b, why, view.Style{})
	return b.String(), err
}
