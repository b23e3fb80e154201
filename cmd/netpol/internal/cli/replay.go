package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/netpol/netpol/compiler"
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer"
	"github.com/netpol/netpol/enforcer/packet"
	"github.com/netpol/netpol/enforcer/telemetry"
	"github.com/netpol/netpol/enforcer/telemetry/sink"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/policies"
)

type replayArgs struct {
	files  []string
	format string // text, records, rows, none
	out    string // file instead of standard output
	unwrap []string
	speed  string
	local  []string // networks, besides the policies'
}

func newReplayCommand(t *tool) *cobra.Command {
	var a replayArgs
	cmd := &cobra.Command{
		Use:   "replay FILE...",
		Short: "Run captures through the enforcer's engine and print each flow",
		Long: `Run pcap and pcapng captures ("-" is standard input) through the engine that
netpold runs, and print one row for each flow: what it is, how it was recognised,
and with --policy which policies match. Without --policy flows are named only. IP fragments
are put together; tunnels are flows of their own, or with --unwrap what they carry is.

Captures are read one after the other by one thread, so that the rows are the same
each time; --speed 1x reads them as slowly as they were recorded.

They go to standard output or --out, a summary to standard error. --format records
prints instead what netpold tells a sink at the end of each flow (flow_end, see
docs/telemetry.md), and what the policies' aggregates add up. --format rows is a
flat line of JSON for each flow, for scripts: pcap, ip_protocol, src_ip, src_port,
dst_ip, dst_port, vlan_id, protocol, application, category, hostname, tls_version,
ja4, alpn, packets, bytes, detection_packets, inspected_packets, labels, policies,
and a few more; it was called jsonl before, and still is.

Exit codes: 0 every capture was read to its end, 1 error. The rows of what could
be read are printed all the same; --out is written unless no capture at all could
be read to its end.`,
		Example: `  netpol replay call.pcap
  netpol replay --policy /etc/netpol --format records *.pcap | jq 'select(.flow.policies != [])'
  tcpdump -w - -c 1000 | netpol replay -
  netpol replay --speed 1x evening.pcap`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: completeCaptures,
		RunE: func(cmd *cobra.Command, args []string) error {
			a.files = args
			return t.replay(cmd.Context(), a)
		},
	}
	cmd.Flags().StringVar(&a.format, "format", "text", "`what` is printed of each flow: text, records, rows or none")
	cmd.Flags().StringVar(&a.out, "out", "", "write the rows to this `file`")
	cmd.Flags().StringVar(&a.speed, "speed", "max", "read packets as far apart as they were recorded: `1x`, 2x, 0.5x; max is as fast as possible")
	cmd.Flags().StringSliceVar(&a.unwrap, "unwrap", nil, "take the connections out of these `tunnels`: all, "+strings.Join(packet.TunnelNames(), ", "))
	mustComplete(cmd, "unwrap", append([]string{"all"}, packet.TunnelNames()...)...)
	mustComplete(cmd, "format", replayFormats()...)
	cmd.Flags().StringSliceVar(&a.local, "local-network", nil, "`networks` that are local besides those of the policies, as an input's role finds them live")
	t.addPolicyFlags(cmd)
	return cmd
}

// localize is a bundle that knows the networks of --local-network.
func (a replayArgs) localize(b *artifact.Bundle) (*artifact.Bundle, error) {
	own := *b
	own.Settings.LocalNetworks = slices.Clone(b.Settings.LocalNetworks)
	for _, text := range a.local {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("--local-network %q: write a network, such as 2001:db8:1::/64", text)
		}
		own.Settings.LocalNetworks = append(own.Settings.LocalNetworks, p.Masked())
	}
	return &own, nil
}

func completeCaptures(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return []string{"pcap", "pcapng", "cap"}, cobra.ShellCompDirectiveFilterFileExt
}

// mustComplete completes a flag's value from a fixed list.
func mustComplete(cmd *cobra.Command, flag string, values ...string) {
	if err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // the flag does not exist: a mistake in this package
	}
}

func (t *tool) replay(ctx context.Context, a replayArgs) error {
	if !slices.Contains(replayFormats(), a.format) && a.format != "jsonl" {
		return fmt.Errorf("--format %q: write text, records, rows or none", a.format)
	}
	tunnels, err := packet.ParseTunnels(a.unwrap)
	if err != nil {
		return fmt.Errorf("--unwrap: %w", err)
	}
	speed, err := parseSpeed(a.speed)
	if err != nil {
		return err
	}
	enforcer.CollectLate(0)
	bundle, err := t.replayBundle()
	if err != nil {
		return err
	}
	if bundle, err = a.localize(bundle); err != nil {
		return err
	}
	out := t.Out
	var staged *outFile
	if a.out != "" && a.format != "none" {
		if staged, err = newOutFile(a.out); err != nil {
			return err
		}
		defer staged.discard()
		out = staged
	}
	run := captureRun{files: a.files, unwrap: tunnels, speed: speed}
	rows := run.print(a.format, out, bundle)
	whole, err := t.runCaptures(ctx, run, bundle, rows, nil)
	if staged != nil && whole > 0 {
		err = errors.Join(err, staged.commit())
	}
	return err
}

// replayFormats are what --format takes.
func replayFormats() []string { return []string{"text", "records", "rows", "none"} }

// print has flows written in a format, each as a row or, with records of a bundle, as the
// engine tells them.
func (run *captureRun) print(format string, out io.Writer, bundle *artifact.Bundle) *rowCounter {
	rows := &rowCounter{terminal: format != "none" && isTerminal(out)}
	switch format {
	case "none":
	case "records":
		sink.TellAll(bundle)
		run.records = sink.NewLines(out)
	case "text":
		rows.lines = telemetry.NewLines(out, telemetry.Text)
	default:
		rows.lines = telemetry.NewLines(out, telemetry.JSONL)
	}
	return rows
}

// replayBundle compiles --policy; without it, an empty policy set.
func (t *tool) replayBundle() (*artifact.Bundle, error) {
	if t.flags.policy != "" {
		set, err := t.mustCompile(t.flags.policy, foreign{})
		if err != nil {
			return nil, err
		}
		return set.bundle, nil
	}
	if len(t.flags.vars) > 0 {
		return nil, errors.New("--var needs --policy")
	}
	catalogue, err := policies.Catalogue()
	if err != nil {
		return nil, fmt.Errorf("read catalogue: %w", err)
	}
	empty, diags := lang.Parse(nil, lang.Options{})
	if diags.HasErrors() {
		return nil, diags
	}
	bundle, diags := compiler.Compile(empty, compiler.Options{Catalogue: catalogue})
	if diags.HasErrors() {
		return nil, diags
	}
	return bundle, nil
}
