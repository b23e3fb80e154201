package cli

import (
	"errors"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/netpol/netpol/cmd/netpol/internal/view"
	"github.com/netpol/netpol/enforcer/control"
)

func newHistoryCommand(t *tool) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "history",
		Short: "List what this router has run",
		Long: `List the revisions of this router, the newest first: when each was put in force, by
whom, why (the git commit of the policy files, or apply --message), and the digest
of its bundle. An asterisk marks the one in force. The last 50 are kept.

Exit codes: 0 listed (also when there are none), 1 error.`,
		Example: `  netpol history
  netpol history --json | jq -r .message`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return t.history() },
	}
	t.addStateFlag(cmd)
	t.addJSONFlag(cmd)
	return cmd
}

func (t *tool) history() error {
	r := t.router()
	list, err := r.History()
	if err != nil && len(list) == 0 {
		return err
	}
	if err != nil {
		if err := t.progress("%v", err); err != nil {
			return err
		}
	}
	pending, err := control.ReadPending(r.PendingPath())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		if err := t.progress("%v", err); err != nil {
			return err
		}
	}
	now, err := r.CurrentSerial()
	if err != nil {
		if err := t.progress("%v", err); err != nil {
			return err
		}
	}
	rows := make([]view.Revision, len(list))
	for i, rev := range list {
		rows[i] = view.Revision{Revision: rev, Current: rev.Serial == now, Waits: rev.Serial == pending.Serial}
		if rows[i].Waits {
			rows[i].Deadline = &pending.Deadline
		}
	}
	if t.json {
		return view.HistoryJSON(t.Out, rows)
	}
	return view.History(t.Out, rows, t.style(t.Out))
}
