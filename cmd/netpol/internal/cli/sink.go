package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/netpol/netpol/cmd/netpol/internal/view"
	"github.com/netpol/netpol/enforcer/telemetry"
)

func newSinkCommand(t *tool) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "sink",
		Short:   "Try whether the sinks of the applied policies work",
		Long:    "Sinks are where netpold sends records of what it sees. netpol show lists them and how they are.",
		Example: "  sudo netpol sink test",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newSinkTestCommand(t))
	return cmd
}

func newSinkTestCommand(t *tool) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "test [NAME...]",
		Short: "Send a record now and say what becomes of it",
		Long: `Have netpold give the sinks of the applied policies, or those that are named, an
agent_status record now, behind what waits there already, and say what becomes of it. A place that
was left alone because it failed is tried again at once.

  taken     the place has it
  sent      it went out, and nobody says whether it arrived (datagrams, TCP without
            acknowledgements, MQTT with qos 0)
  unheard   nobody is connected to the socket
  nothing   the sink tells of flows alone; its place is open
  refused   the place does not want it
  waits     for the place, in memory, or on disk if the sink has a spool
  no room   too much waits already

Exit codes: 0 all work as far as can be seen; 1 error, or a record was refused or waits.`,
		Example: `  sudo netpol sink test
  sudo netpol sink test uplink --json | jq '.trials[0].fault'`,
		RunE: func(_ *cobra.Command, names []string) error { return t.sinkTest(names) },
	}
	t.addRouterFlags(cmd)
	t.addJSONFlag(cmd)
	return cmd
}

func (t *tool) sinkTest(names []string) error {
	client, err := t.dial()
	if err != nil {
		return err
	}
	defer client.Close()
	status, err := client.Status()
	if err != nil {
		return err
	}
	if status.Waiting {
		return errors.New("no policies are applied on this router")
	}
	var known []string
	for _, s := range status.Sinks {
		known = append(known, s.Name)
	}
	for i, name := range names {
		if names[i] = strings.ToLower(name); !slices.Contains(known, names[i]) {
			return fmt.Errorf("no sink of the applied policies is named %q; there are: %s", name, strings.Join(append(known, ""), " "))
		}
	}
	trials, err := client.TrySinks(names)
	if err != nil {
		return err
	}
	out := view.SinkTrials{Trials: trials}
	if t.json {
		err = out.JSON(t.Out)
	} else {
		err = out.Text(t.Out)
	}
	if err == nil && slices.ContainsFunc(trials, func(one telemetry.SinkTrial) bool { return !one.Outcome.Good() }) {
		return exitError
	}
	return err
}
