package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/netpol/netpol/cmd/internal/buildinfo"
)

const rootLong = `netpol turns policy files into what a Linux router does with its traffic.

You write policies such as  app == 'zoom'  in *.netpol.hcl files. netpol
compiles them, shows what would change on this router (plan) and changes it in
one step (apply). netpold, the enforcer, names the application of each new flow
and writes the verdict into the kernel; from then on the kernel acts alone.`

const rootExample = `  netpol demo                    a whole router in namespaces, no root needed
  netpol validate                check the policies of this directory
  netpol plan                    what would change on this router
  sudo netpol apply              change it
  netpol replay call.pcap        which application each flow of a capture is
  netpol why --pcap call.pcap    and why

Exit codes: 0 success, 1 error; some verbs have more, which their help tells.`

// Run executes one command line (without the program's name) and returns the
// exit code of the process.
func Run(ctx context.Context, args []string, streams Streams) int {
	t := &tool{Streams: streams}
	root := newRootCommand(t)
	root.SetArgs(args)
	if len(args) > 0 && strings.HasPrefix(args[0], cobra.ShellCompRequestCmd) {
		plainUsage(root)
	}
	return t.finish(root.ExecuteContext(ctx))
}

// plainUsage takes out of flags' texts the quotes by which help finds the name of
// their values: shells show these texts as they are.
func plainUsage(cmd *cobra.Command) {
	plain := func(f *pflag.Flag) { f.Usage = strings.ReplaceAll(f.Usage, "`", "") }
	cmd.Flags().VisitAll(plain)
	cmd.PersistentFlags().VisitAll(plain)
	for _, verb := range cmd.Commands() {
		plainUsage(verb)
	}
}

func newRootCommand(t *tool) *cobra.Command {
	root := &cobra.Command{
		Use:           "netpol",
		Short:         "Application-aware traffic policy for Linux routers",
		Long:          rootLong,
		Example:       rootExample,
		Version:       buildinfo.Version(),
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(t.In)
	root.SetOut(t.Out)
	root.SetErr(t.Err)
	root.SetVersionTemplate("netpol {{.Version}}\n")
	root.PersistentFlags().BoolVar(&t.noColor, "no-color", false, "no colours (the NO_COLOR environment variable does the same)")
	root.SetFlagErrorFunc(usageError)
	root.AddGroup(
		&cobra.Group{ID: groupStart, Title: "Start here:"},
		&cobra.Group{ID: groupPolicies, Title: "Work on policies:"},
		&cobra.Group{ID: groupReleases, Title: "Bring policies to routers:"},
		&cobra.Group{ID: groupRouter, Title: "Work on a router:"},
		&cobra.Group{ID: groupTraffic, Title: "Look at traffic:"},
	)
	addGroup(root, groupStart, newDemoCommand(t), newInitCommand(t))
	addGroup(root, groupPolicies, newValidateCommand(t), newFmtCommand(t), newCompileCommand(t), newDisasmCommand(t), newImportCommand(t))
	addGroup(root, groupPolicies, newLintCommand(t))
	addGroup(root, groupPolicies, newTestCommand(t), newDiffCommand(t), newGraphCommand(t), newConsoleCommand(t))
	addGroup(root, groupPolicies, newCatalogCommand(t))
	addGroup(root, groupReleases, newKeygenCommand(t), newSignCommand(t), newVerifyCommand(t), newPullCommand(t))
	addGroup(root, groupRouter, newPlanCommand(t), newApplyCommand(t), newDestroyCommand(t), newStatusCommand(t), newShowCommand(t), newUsageCommand(t))
	addGroup(root, groupRouter, newConfirmCommand(t), newHistoryCommand(t), newRollbackCommand(t), newRestoreCommand(t), newDoctorCommand(t), newSinkCommand(t))
	addGroup(root, groupTraffic, newTopCommand(t), newFlowsCommand(t), newWhyCommand(t), newReplayCommand(t), newSelftestCommand(t))
	root.AddCommand(newVersionCommand(t))
	return root
}

// Groups of verbs in the help text.
const (
	groupStart    = "start"
	groupPolicies = "policies"
	groupReleases = "releases"
	groupRouter   = "router"
	groupTraffic  = "traffic"
)

func addGroup(root *cobra.Command, id string, cmds ...*cobra.Command) {
	for _, cmd := range cmds {
		cmd.GroupID = id
		root.AddCommand(cmd)
	}
}

// usageError points at the help of the verb whose flags were wrong.
func usageError(cmd *cobra.Command, err error) error {
	if strings.Contains(err.Error(), "missing unit in duration") { // time.ParseDuration has no type for it
		err = fmt.Errorf("%w; a time is written with its unit, such as 30s or 2m", err)
	}
	return fmt.Errorf("%w\nSee %s --help", err, cmd.CommandPath())
}
