package cli

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/netpol/netpol/cmd/netpol/internal/release"
	"github.com/netpol/netpol/cmd/netpol/internal/view"
)

// defaultKeys is where a router's public keys are.
const defaultKeys = "/etc/netpol/release.pub"

type verifyArgs struct {
	file  string
	keys  string
	names []string
	after uint64
}

func newVerifyCommand(t *tool) *cobra.Command {
	var a verifyArgs
	cmd := &cobra.Command{
		Use:   "verify RELEASE",
		Short: "Check a signed release and show what it says",
		Long: `Check a release as netpol pull would: that one of the public keys signed it, that it
is whole and its bundle can be used here, and that it has not expired; with --name also
that it is for that router, with --after that it is newer. It changes nothing.

Exit codes: 0 the release is good, 1 error (no public key is one), 3 it is refused. With
--json the reason is one of malformed, too-large, newer-format, unsigned, unknown-key,
bad-signature, wrong-bundle, other-target, expired, made-in-the-future, older-serial and
same-serial-other-content.`,
		Example: `  netpol verify --key release.key.pub netpol.npr
  netpol verify --name branch-7 --json branch-7.npr`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			a.file = args[0]
			return t.verify(a)
		},
	}
	addKeysFlag(cmd, &a.keys)
	cmd.Flags().StringArrayVar(&a.names, "name", nil, "`name` of the router, or of a group it is in; may be repeated (default any)")
	cmd.Flags().Uint64Var(&a.after, "after", 0, "`serial` of the release in force")
	t.addJSONFlag(cmd)
	return cmd
}

func addKeysFlag(cmd *cobra.Command, into *string) {
	cmd.Flags().StringVar(into, "key", defaultKeys, "`file` of public keys, one a line")
	if err := cmd.MarkFlagFilename("key", "pub"); err != nil {
		panic(err) // the flag is one line above
	}
}

func (t *tool) verify(a verifyArgs) error {
	keys, err := release.ReadPublicKeys(a.keys)
	if err != nil {
		return err
	}
	data, err := readLimited(a.file, release.MaxBytes)
	if err != nil {
		return err
	}
	r, err := release.Open(data, keys)
	if err != nil {
		return err
	}
	trust := release.Trust{Names: a.names, Now: time.Now(), Serial: a.after}
	if len(a.names) == 0 {
		trust.Names = []string{r.Manifest.Target}
	}
	if err := trust.Check(r); err != nil {
		return err
	}
	if _, err := r.Bundle(); err != nil {
		return err
	}
	return view.Verified(t.Out, view.Release{File: a.file, Release: r}, t.json, t.style(t.Out))
}
