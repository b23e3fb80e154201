package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	tea "charm.land/bubbletea/v2"

	"github.com/netpol/netpol/cmd/netpol/internal/top"
	"github.com/netpol/netpol/cmd/netpol/internal/view"
	"github.com/netpol/netpol/enforcer/control"
	"github.com/netpol/netpol/enforcer/telemetry"
)

type topArgs struct {
	criteria string
	view     string
	sort     string
	every    time.Duration
	once     bool
	batch    bool
	count    int
	limit    int
}

const topLong = `Show what applications, hosts, connections and policies carry now, as netpold adds it up.

  1 2 3 ... 0, tab   views: applications, hosts, connections, policies, address groups of --policy,
                     hardware addresses, categories, protocols, remote addresses, host names,
                     brands, interfaces
  up, down           choose a row; enter goes into it: an application's hosts, a host's
                     applications, then connections, and of a connection why it was
                     recognised and which policies match; esc goes back
  s, <, >            sort by another column
  /                  criteria, as in policies, or a word to look for
  p                  hold the screen still
  ?                  all keys and columns
  q                  quit

Rates are bits a second between the last two readings of the kernel's counters. --once waits
until there are some, prints rows and ends; --batch goes on, --count times or until
interrupted. With --json each look is one object, with rates in bytes a second.

Exit codes: 0 shown, 1 error, or netpold does not run.`

func newTopCommand(t *tool) *cobra.Command {
	var a topArgs
	cmd := &cobra.Command{
		Use:   "top [CRITERIA]",
		Short: "Watch applications, hosts, connections and policies",
		Long:  topLong,
		Example: `  sudo netpol top
  sudo netpol top --view hosts "category == 'streaming-media'"
  sudo netpol top --view groups --policy /etc/netpol
  sudo netpol top --once --json | jq '.rows[0]'
  sudo netpol top --batch --count 12 --every 5s --limit 10 >> load.txt`,
		Args: oneCriteria,
		RunE: func(cmd *cobra.Command, args []string) error {
			a.criteria = strings.Join(args, "")
			return t.top(cmd.Context(), a)
		},
		ValidArgsFunction: completeCriteria,
	}
	cmd.Flags().StringVar(&a.view, "view", top.Names()[0], "what rows are at first: `apps, hosts`, flows, policies, groups, stations, categories, protocols, remotes, names, brands or interfaces")
	cmd.Flags().StringVar(&a.sort, "sort", "rate", "what comes first: `rate, up, down, bytes`, packets, flows, rtt, retrans, new or name")
	cmd.Flags().DurationVar(&a.every, "every", 2*time.Second, "how often to look")
	cmd.Flags().BoolVar(&a.once, "once", false, "print the rows and end")
	cmd.Flags().BoolVar(&a.batch, "batch", false, "print the rows at each look, without a screen")
	cmd.Flags().IntVar(&a.count, "count", 0, "end after so many looks of --batch; 0 is never")
	cmd.Flags().IntVar(&a.limit, "limit", 1000, "how many rows are printed at most")
	cmd.MarkFlagsMutuallyExclusive("once", "batch")
	mustCompleteWith(cmd, "view", top.Names)
	mustCompleteWith(cmd, "sort", topOrders)
	t.addPolicyFlags(cmd)
	t.addPlaceFlags(cmd)
	t.addJSONFlag(cmd)
	return cmd
}

// topOrders are the words of --sort.
func topOrders() []string {
	var words []string
	for _, o := range telemetry.Orders() {
		if o != telemetry.OrderOld {
			words = append(words, string(o))
		}
	}
	return words
}

func (a *topArgs) check() error {
	switch {
	case !top.View(a.view).Valid():
		return fmt.Errorf("--view %q: write one of %s", a.view, strings.Join(top.Names(), ", "))
	case !slices.Contains(topOrders(), a.sort):
		return fmt.Errorf("--sort %q: write one of %s", a.sort, strings.Join(topOrders(), ", "))
	case a.every < 500*time.Millisecond:
		return fmt.Errorf("--every %s: at least 500ms", a.every)
	case a.limit < 1 || a.limit > control.MaxFlows:
		return fmt.Errorf("--limit %d: from 1 to %d", a.limit, control.MaxFlows)
	case a.count < 0:
		return fmt.Errorf("--count %d: 1 or more, or 0 for no end", a.count)
	}
	return nil
}

func (t *tool) top(ctx context.Context, a topArgs) error {
	if err := a.check(); err != nil {
		return err
	}
	if !isWord(strings.TrimSpace(a.criteria)) { // with what is wrong underlined, before the screen is taken
		if _, err := t.flowFilter(a.criteria); err != nil {
			return err
		}
	}
	source := &topSource{tool: t}
	if a.once || a.batch || t.json {
		return t.topRows(ctx, source, a)
	}
	switch {
	case !isTerminal(t.Out) || !isTerminal(t.In):
		return errors.New("netpol top needs a terminal; --once prints the rows and ends, --batch goes on")
	case os.Getenv("TERM") == "dumb" || os.Getenv("TERM") == "":
		return fmt.Errorf("netpol top needs a terminal that can move its cursor, and TERM is %q; --once prints the rows and ends, --batch goes on", os.Getenv("TERM"))
	}
	if _, err := source.Look(a.criteria, telemetry.Question{}); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGHUP) // so that a terminal that stays is left as it was
	defer stop()
	screen := top.New(source, top.Options{
		View: top.View(a.view), Order: telemetry.Order(a.sort), Criteria: a.criteria, Every: a.every, UTF8: utf8Locale(),
	})
	return top.Run(ctx, screen, tea.WithInput(t.In), tea.WithOutput(t.Out))
}

// topRows prints rows, once or at each look.
func (t *tool) topRows(ctx context.Context, source *topSource, a topArgs) error {
	q := telemetry.Question{Order: telemetry.Order(a.sort)}
	if v := top.View(a.view); v == top.Flows {
		q.Flows = a.limit
	} else {
		q.By, q.Rows = telemetry.Dimension(v), a.limit
	}
	seen, err := source.Look(a.criteria, q)
	for n := 1; err == nil; n++ {
		if wait := time.Duration(seen.RatesIn) * time.Millisecond; n == 1 && wait > 0 {
			if !pause(ctx, wait) {
				return nil
			}
			if seen, err = source.Look(a.criteria, q); err != nil {
				return err
			}
		}
		if err := t.printTop(a, &seen); err != nil {
			return err
		}
		if !a.batch || n == a.count || !pause(ctx, a.every) {
			return nil
		}
		seen, err = source.Look(a.criteria, q)
	}
	return err
}

// pause waits; it says false when ctx ends first.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

func (t *tool) printTop(a topArgs, seen *telemetry.Overview) error {
	v := top.View(a.view)
	rows := top.Rows(v, seen)
	if t.json {
		return view.TopJSON(t.Out, a.view, seen.Total, rows)
	}
	text := top.Table(v, telemetry.Order(a.sort), rows, t.terminalWidth(), time.Now())
	if a.batch {
		text = time.Now().Format(time.DateTime) + "   " + top.Total(seen) + "\n" + text + "\n"
	}
	_, err := fmt.Fprint(t.Out, text)
	return err
}

// terminalWidth is how wide lines may be; 0 is no bound.
func (t *tool) terminalWidth() int {
	if f, ok := t.Out.(*os.File); ok {
		if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
			return width
		}
	}
	return 0
}

// utf8Locale says that the terminal is one of UTF-8, as the C library finds it out (locale(7)).
func utf8Locale() bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if value := strings.ToLower(os.Getenv(name)); value != "" {
			return strings.Contains(value, "utf-8") || strings.Contains(value, "utf8")
		}
	}
	return false
}
