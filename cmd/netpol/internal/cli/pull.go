package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/netpol/netpol/cmd/netpol/internal/release"
	"github.com/netpol/netpol/cmd/netpol/internal/source"
)

type pullArgs struct {
	source   string
	keys     string
	names    []string
	opts     source.Options
	timeout  time.Duration
	unsigned bool

	dryRun           bool
	detailedExitCode bool
	again            bool
	confirmArgs
	waits time.Duration // as confirmArgs come out
}

const pullLong = `Fetch a signed release and make this router do what it says: verify, plan, change, as
netpol apply does, with its lock, its journal and its history. It does not ask, so
that a timer can call it (netpol-pull.timer).

SOURCE is one of
  https://host/path                 with ETag; http only to this machine
  git+https://host/policies.git     the file --path on the branch --ref; also git+ssh://
                                    and git+file:///; fetched by the git program
  /path                             a release, or a directory that holds --path

What no public key of --key has signed is refused, and so is a release that is for
another router, has expired, or is older than one that was in force here. Without a
key nothing is taken. Whatever goes wrong, the router goes on with what it runs; the
release it went over to last is kept in --state-dir.

Where there is nothing new, nothing happens and nothing is printed, except on a terminal. A
release that was taken back by hand, or because nobody confirmed it, is not applied
again until a newer one comes; --again does so.

--unsigned-policies takes a directory of policy files instead, in a repository or
on a path, and compiles it here. Whoever can write there then decides what this
router does.

Exit codes: 0 up to date, or applied; 1 error, and apply tells whether something was
changed; 3 the release is refused; 4 the source cannot be reached or has no release.
With --dry-run --detailed-exitcode: 2 there are changes.`

func newPullCommand(t *tool) *cobra.Command {
	var a pullArgs
	cmd := &cobra.Command{
		Use:   "pull SOURCE",
		Short: "Fetch a signed release and apply it",
		Long:  pullLong,
		Example: `  sudo netpol pull https://policy.example.org/branch-7.npr
  sudo netpol pull --dry-run git+ssh://git@git.example.org/policies.git
  sudo netpol pull --name branch-7 --name branches --ca-file /etc/netpol/ca.pem https://10.0.0.1/netpol.npr
  sudo netpol pull --unsigned-policies --path policies git+file:///srv/policies.git`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			a.source = args[0]
			var err error
			if a.waits, err = a.duration(cmd); err != nil {
				return err
			}
			return t.pull(cmd.Context(), a, cmd.Flags().Changed("key"))
		},
	}
	a.addSourceFlags(cmd)
	cmd.Flags().BoolVar(&a.dryRun, "dry-run", false, "show what would change, and change nothing")
	cmd.Flags().BoolVar(&a.detailedExitCode, "detailed-exitcode", false, "with --dry-run: exit with 2 when there are changes")
	cmd.Flags().BoolVar(&a.again, "again", false, "apply the release also if it was in force before")
	a.addFlags(cmd)
	t.addVarFlag(cmd)
	t.addRouterFlags(cmd)
	t.addLockFlag(cmd)
	t.addJSONFlag(cmd)
	return cmd
}

func (a *pullArgs) addSourceFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	addKeysFlag(cmd, &a.keys)
	f.StringArrayVar(&a.names, "name", nil, "`name` of this router, or of a group it is in; may be repeated (default the host name)")
	f.StringVar(&a.opts.Path, "path", "", "`path` in a directory or repository (default "+releaseName+"; with --unsigned-policies the top)")
	f.StringVar(&a.opts.Ref, "ref", "", "`branch` or tag of a repository (default its HEAD)")
	f.StringVar(&a.opts.CAFile, "ca-file", "", "`file` of certificates to trust instead of the system's")
	f.StringVar(&a.opts.TokenFile, "token-file", "", "`file` of a token for the HTTPS server (Authorization: Bearer)")
	f.DurationVar(&a.timeout, "timeout", 2*time.Minute, "how long fetching may take, such as `2m`")
	f.BoolVar(&a.unsigned, "unsigned-policies", false, "compile policy files that nobody signed")
	for _, flag := range []string{"ca-file", "token-file"} {
		if err := cmd.MarkFlagFilename(flag); err != nil {
			panic(err) // the flag is some lines above
		}
	}
}

var (
	errUnsignedKey = errors.New("--unsigned-policies verifies nothing: give it no --key")
	errCompiled    = errors.New("a release is compiled already: --var and --var-file are for netpol sign, or for --unsigned-policies")
)

func (t *tool) pull(ctx context.Context, a pullArgs, keyGiven bool) error {
	switch {
	case a.unsigned && keyGiven:
		return errUnsignedKey
	case !a.unsigned && len(t.flags.vars)+len(t.flags.varFiles) > 0:
		return errCompiled
	}
	a.opts.MaxBytes = release.MaxBytes
	if a.opts.Path == "" {
		a.opts.Path = releaseName
		if a.unsigned {
			a.opts.Path = "."
		}
	}
	src, err := source.Parse(a.source, a.opts)
	if err != nil {
		return err
	}
	fetching, stop := context.WithTimeout(ctx, a.timeout)
	defer stop()
	var in *incoming
	if a.unsigned {
		in, err = t.incomingPolicies(fetching, src, a)
	} else {
		in, err = t.incomingRelease(fetching, src, a)
	}
	switch {
	case errors.Is(err, source.ErrFetch):
		return fmt.Errorf("%w; nothing was changed", err)
	case err != nil:
		return err
	case a.dryRun:
		return t.showIncoming(in, a)
	}
	return t.takeIn(ctx, in, a)
}

// routerNames are the names that releases may call this router.
func (a *pullArgs) routerNames() ([]string, error) {
	names := a.names
	if len(names) == 0 {
		host, err := os.Hostname()
		if err != nil {
			return nil, fmt.Errorf("find out this router's name: %w; --name gives it one", err)
		}
		names = []string{host}
	}
	for _, name := range names {
		if err := release.CheckTarget(name); err != nil {
			return nil, fmt.Errorf("--name: %w", err)
		}
	}
	return names, nil
}
