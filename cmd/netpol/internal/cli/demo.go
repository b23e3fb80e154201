package cli

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/spf13/cobra"

	"github.com/netpol/netpol/cmd/netpol/internal/demo"
	"github.com/netpol/netpol/cmd/netpol/internal/lab"
	"github.com/netpol/netpol/cmd/netpold/daemon"
)

type demoArgs struct {
	capture string
	client  string
	record  string
}

const demoLong = `Build a router in network namespaces, give it a policy, play a Zoom call among
other traffic through it, and show what the kernel makes of it: which
connections carry the label, and the code point on the wire.

Nothing outside the namespaces is touched, and no root is needed where the
kernel lets users create namespaces. The exit code is 0 only if exactly the
right connections were labelled.`

func newDemoCommand(t *tool) *cobra.Command {
	var a demoArgs
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "A whole router in namespaces: policy, plan, apply, a Zoom call",
		Long:  demoLong,
		Example: `  netpol demo
  netpol demo --capture call.pcap
  netpol demo --capture call.pcap --client 192.168.1.117`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := a.validate()
			if err != nil {
				return err
			}
			if !lab.Entered() {
				return t.enterLab(cmd, a)
			}
			return demo.Run(cmd.Context(), demo.Options{
				Out: t.Out, Color: t.style(t.Out).Color, Capture: a.capture, Client: client, Record: a.record,
				Enforcer: []string{"/proc/self/exe", cmd.Name(), enforcerName},
			})
		},
	}
	cmd.Flags().StringVar(&a.capture, "capture", "", "play this pcap or pcapng `file` instead of the generated call")
	cmd.Flags().StringVar(&a.client, "client", "", "`address` of the capture's LAN side (default: found in the capture)")
	cmd.Flags().StringVar(&a.record, "record", "", "write what crosses the router's LAN side to this pcap `file`")
	cmd.AddCommand(newDemoEnforcerCommand())
	return cmd
}

// enforcerName is the verb under demo that runs netpold.
const enforcerName = "netpold"

// newDemoEnforcerCommand is netpold inside netpol, so that the demo needs one
// program only.
func newDemoEnforcerCommand() *cobra.Command {
	return &cobra.Command{
		Use:                enforcerName,
		Hidden:             true,
		DisableFlagParsing: true,
		RunE:               func(cmd *cobra.Command, args []string) error { return daemon.Main(cmd.Context(), args) },
	}
}

func (a demoArgs) validate() (netip.Addr, error) {
	if a.client == "" {
		return netip.Addr{}, nil
	}
	if a.capture == "" {
		return netip.Addr{}, errors.New("--client says whose side of a capture is the LAN: it needs --capture")
	}
	client, err := netip.ParseAddr(a.client)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("--client %q: write an IPv4 or IPv6 address", a.client)
	}
	return client.Unmap(), nil
}

// enterLab runs this command again inside namespaces.
func (t *tool) enterLab(cmd *cobra.Command, a demoArgs) error {
	var args []string
	if a.capture != "" {
		args = append(args, "--capture", a.capture)
	}
	if a.client != "" {
		args = append(args, "--client", a.client)
	}
	if a.record != "" {
		args = append(args, "--record", a.record)
	}
	return t.enter(cmd, args)
}

// enter runs a command again inside namespaces, with its arguments.
func (t *tool) enter(cmd *cobra.Command, args []string) error {
	args = append([]string{cmd.Name()}, args...)
	if t.noColor {
		args = append(args, "--no-color")
	}
	code, err := lab.Enter(cmd.Context(), args)
	var restricted *lab.RestrictedError
	if errors.As(err, &restricted) {
		return fmt.Errorf("netpol %s needs network namespaces: %w\n%s", cmd.Name(), restricted, restricted.Way)
	}
	if err != nil {
		return err
	}
	if code != 0 {
		return exitCode(code)
	}
	return nil
}
