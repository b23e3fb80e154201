package cli

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/netpol/netpol/cmd/netpol/internal/view"
	"github.com/netpol/netpol/compiler"
	"github.com/netpol/netpol/enforcer/program"
)

type compileArgs struct {
	dir string
	out string
	etc string // empty: no connlabel.conf to respect
}

const compileLong = `Compile a policy directory (default: the working directory) and write into --out:

  bundle.npb      what netpold loads
  manifest.json   its digest, labels, policies and settings
  connlabel.conf  the conntrack labels
  ruleset.nft     the nftables table, for nft -c -f and for reading
  program.disasm  the decision program

The same policies give the same bytes on every host. New labels are pinned in
netpol.lock.hcl beside the policies: commit that file. When the bundle is meant
for this host, --etc-dir /etc keeps new labels off the bits that others use in
its connlabel.conf; plan and apply always do that.

Exit codes: 0 compiled, 1 error, and nothing is written.`

func newCompileCommand(t *tool) *cobra.Command {
	var a compileArgs
	cmd := &cobra.Command{
		Use:   "compile --out DIR [POLICIES]",
		Short: "Compile policies to a bundle and its readable parts",
		Long:  compileLong,
		Example: `  netpol compile --out build policies
  nft -c -f build/ruleset.nft`,
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: completeDirs,
		RunE: func(_ *cobra.Command, args []string) error {
			var err error
			if a.dir, err = t.policyDir(args); err != nil {
				return err
			}
			return t.compile(a)
		},
	}
	cmd.Flags().StringVar(&a.out, "out", "", "`directory` to write to; made if it does not exist")
	markDir(cmd, "out")
	if err := cmd.MarkFlagRequired("out"); err != nil {
		panic(err) // the flag is two lines above
	}
	t.addPolicyFlags(cmd)
	// Not the shared flag: its default is /etc, which would make the outcome
	// depend on the host.
	cmd.Flags().StringVar(&a.etc, "etc-dir", "", "`directory` whose connlabel.conf files to respect (default none)")
	markDir(cmd, "etc-dir")
	t.addJSONFlag(cmd)
	return cmd
}

func (t *tool) compile(a compileArgs) error {
	others, err := foreignLabels(a.etc)
	if err != nil {
		return err
	}
	set, err := t.mustCompile(a.dir, others)
	if err != nil {
		return err
	}
	parts, err := compiler.Parts(set.bundle, program.Disassemble(set.bundle))
	if err != nil {
		return err
	}
	pins, err := set.lockUpdate()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(a.out, 0o755); err != nil {
		return fmt.Errorf("make output directory: %w", err)
	}
	for _, p := range parts {
		if err := writeFile(filepath.Join(a.out, p.Name), p.Data); err != nil {
			return err
		}
	}
	if err := pins.write(); err != nil {
		return err
	}
	return view.Compiled(t.Out, view.Compilation{
		Dir: a.out, Digest: set.bundle.Digest(), Policies: len(set.bundle.Policies), Pinned: pins.pinned,
	}, t.json)
}
