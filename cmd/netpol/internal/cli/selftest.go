package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/netpol/netpol/cmd/netpol/internal/evasion"
	"github.com/netpol/netpol/cmd/netpol/internal/lab"
	"github.com/netpol/netpol/cmd/netpol/internal/view"
	"github.com/netpol/netpol/policies"
)

type selftestArgs struct {
	json  bool
	live  bool   // through a router
	write string // directory for the captures
}

func newSelftestCommand(t *tool) *cobra.Command {
	var a selftestArgs
	cmd := &cobra.Command{
		Use:   "selftest",
		Short: "Run the engine over connections that hide what they are, and print the outcomes",
		Long: `Make connections that hide the name ` + evasion.Hidden + `, each in a way that has been used or
published: hellos in pieces, out of order or twice, decoys, fragments, tunnels, QUIC, names
written otherwise. Run them through the engine that netpold runs and print what it says of
each: the name, "evasive" where a flow contradicts itself (a policy can ask for it), or a
limit that has no way around it.

It needs no root, no network and no files. --write leaves the connections as captures, one
a file, for other programs to try.

--live plays them through a router in network namespaces: the kernel puts fragments
together, tracks connections and shows their first packets by netpol's rules, and labels
are read back from it. Where that ends otherwise than in a capture, the table says so and
why. Nothing outside the namespaces is touched, and no root is needed where the kernel
lets users create namespaces; it takes 12 seconds.

Exit codes: 0 every outcome is as the table states, 1 one is not, or error.`,
		Example: `  netpol selftest
  netpol selftest --live
  netpol selftest --write /tmp/evasions`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if a.live && !lab.Entered() {
				args := []string{"--live"}
				if a.json {
					args = append(args, "--json")
				}
				return t.enter(cmd, args)
			}
			return t.selftest(cmd.Context(), a)
		},
	}
	cmd.Flags().BoolVar(&a.json, "json", false, "print the table as JSON")
	cmd.Flags().BoolVar(&a.live, "live", false, "play the connections through a router in network namespaces")
	cmd.Flags().StringVar(&a.write, "write", "", "write the captures into this `directory`")
	cmd.MarkFlagsMutuallyExclusive("live", "write")
	return cmd
}

func (t *tool) selftest(ctx context.Context, a selftestArgs) error {
	rows := evasion.Rows()
	if a.write != "" {
		return writeEvasions(a.write, rows)
	}
	catalogue, err := policies.Catalogue()
	if err != nil {
		return fmt.Errorf("read catalogue: %w", err)
	}
	run := evasion.Run
	if a.live {
		run = evasion.RunLive
	}
	results, err := run(ctx, catalogue, rows)
	if err != nil {
		return err
	}
	if a.json {
		err = view.SelftestJSON(t.Out, results)
	} else {
		err = view.Selftest(t.Out, results, t.style(t.Out))
	}
	if err != nil {
		return fmt.Errorf("write output: %w", err)
	}
	for _, r := range results {
		if !r.OK() {
			return exitError
		}
	}
	return nil
}

// writeEvasions writes each connection as a capture: 06-1.pcap is the first
// variant of row 6.
func writeEvasions(dir string, rows []evasion.Row) error {
	for _, r := range rows {
		for i := range r.Variants() {
			if err := writeEvasion(filepath.Join(dir, fmt.Sprintf("%02d-%d.pcap", r.Number, i+1)), r, i); err != nil {
				return err
			}
		}
	}
	return nil
}

func writeEvasion(path string, r evasion.Row, variant int) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return fmt.Errorf("write capture: %w", err)
	}
	defer func() {
		if closed := f.Close(); err == nil && closed != nil {
			err = fmt.Errorf("write capture: %w", closed)
		}
	}()
	return r.WriteCapture(f, variant)
}
