package cli

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/spf13/cobra"

	"github.com/netpol/netpol/cmd/netpol/internal/view"
	"github.com/netpol/netpol/enforcer/flow"
	"github.com/netpol/netpol/enforcer/telemetry"
)

type whyArgs struct {
	captures []string
	tuple    *flow.Tuple // nil: every flow of the captures
}

const whyLong = `Print the evidence for a connection's name, and for each policy the terms of its
criteria with the values they met. The connection is written

  PROTO SRC:PORT DST:PORT     tcp 192.168.1.117:50100 170.114.52.2:443

or pasted from conntrack -L; either direction will do.

Without --pcap the running netpold is asked, on the socket under --run-dir. With
--pcap the flows of a capture are explained, under the policies of --policy, all
of them if no connection is named.

Exit codes: 0 explained, 1 error, or no such connection.`

func newWhyCommand(t *tool) *cobra.Command {
	var a whyArgs
	cmd := &cobra.Command{
		Use:   "why CONNECTION | why --pcap FILE [CONNECTION]",
		Short: "Say how a connection was recognised and which policies match on what",
		Long:  whyLong,
		Example: `  netpol why tcp 192.168.1.117:50100 170.114.52.2:443
  netpol why --pcap call.pcap --policy /etc/netpol
  netpol why "$(conntrack -L -p udp --dport 8801 2>/dev/null | head -1)"`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				tuple, err := parseTuple(args)
				if err != nil {
					return err
				}
				a.tuple = &tuple
			}
			if len(a.captures) > 0 {
				return t.whyCapture(cmd.Context(), a)
			}
			return t.whyLive(a)
		},
	}
	cmd.Flags().StringArrayVar(&a.captures, "pcap", nil, "explain flows of this capture `file`; may be repeated")
	if err := cmd.MarkFlagFilename("pcap", "pcap", "pcapng", "cap"); err != nil {
		panic(err) // the flag is one line above
	}
	t.addPolicyFlags(cmd)
	t.addPlaceFlags(cmd)
	t.addJSONFlag(cmd)
	return cmd
}

// whyLive asks netpold.
func (t *tool) whyLive(a whyArgs) error {
	if a.tuple == nil {
		return fmt.Errorf("which connection? %w", errTuple)
	}
	if t.flags.policy != "" {
		return errors.New("--policy needs --pcap: netpold explains the policies that are applied")
	}
	why, found, err := t.askWhy(*a.tuple)
	if err != nil {
		return err
	}
	if !found {
		return errors.New("netpold does not know this connection: it ended long ago, never passed this router, began before netpold did, is untracked (notrack = true), or no policy asks more of it than headers, which the kernel decides alone (inspect = \"all\" in the netpol block shows netpold every connection)")
	}
	return t.showWhy(why)
}

// whyCapture explains the flows of captures.
func (t *tool) whyCapture(ctx context.Context, a whyArgs) error {
	bundle, err := t.replayBundle()
	if err != nil {
		return err
	}
	found := 0
	var printErr error
	_, err = t.runCaptures(ctx, captureRun{files: a.captures}, bundle, &rowCounter{terminal: isTerminal(t.Out)}, func(w telemetry.Why) {
		if a.tuple == nil || isFlow(&w.Flow, *a.tuple) {
			found++
			printErr = errors.Join(printErr, t.showWhy(w))
		}
	})
	if err = errors.Join(err, printErr); err != nil {
		return err
	}
	if found == 0 && a.tuple != nil {
		return errors.New("no such connection in the capture")
	}
	return nil
}

func (t *tool) showWhy(w telemetry.Why) error {
	if t.json {
		return view.WhyJSON(t.Out, w)
	}
	return view.Why(t.Out, w, t.style(t.Out))
}

// isFlow reports whether a record is of the connection, in either direction.
func isFlow(f *telemetry.Flow, t flow.Tuple) bool {
	if f.IPProtocol != int(t.Proto) {
		return false
	}
	src, dst := netip.AddrPortFrom(f.SrcIP.Unmap(), uint16(f.SrcPort)), netip.AddrPortFrom(f.DstIP.Unmap(), uint16(f.DstPort))
	a, b := netip.AddrPortFrom(t.Src, t.SrcPort), netip.AddrPortFrom(t.Dst, t.DstPort)
	return src == a && dst == b || src == b && dst == a
}
