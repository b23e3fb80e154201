package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/netpol/netpol/cmd/netpol/internal/view"
	"github.com/netpol/netpol/compiler"
	"github.com/netpol/netpol/enforcer/program"
	"github.com/netpol/netpol/policies"
)

type compileArgs struct {
	dir string
	out string
	etc string // empty: no connlabel.conf to respect
	// dump is a stage to print instead; empty for none.
	dump string
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

--dump STAGE prints what the set looks like after a stage of the compiler and
writes nothing: resolve, typecheck, normalise, fold, packet, share, split, label,
nft or program.

Exit codes: 0 compiled, 1 error, and nothing is written.`

func newCompileCommand(t *tool) *cobra.Command {
	var a compileArgs
	cmd := &cobra.Command{
		Use:   "compile {--out DIR | --dump STAGE} [POLICIES]",
		Short: "Compile policies to a bundle and its readable parts",
		Long:  compileLong,
		Example: `  netpol compile --out build policies
  nft -c -f build/ruleset.nft
  netpol compile --dump split policies`,
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
	cmd.Flags().StringVar(&a.dump, "dump", "", "print the set after a `stage`: "+strings.Join(compiler.Stages(), ", "))
	if err := cmd.RegisterFlagCompletionFunc("dump", cobra.FixedCompletions(compiler.Stages(), cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // the flag is in the line above
	}
	cmd.MarkFlagsOneRequired("out", "dump")
	cmd.MarkFlagsMutuallyExclusive("out", "dump")
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
	if a.dump != "" {
		return t.dumpStage(a, others)
	}
	set, err := t.mustCompile(a.dir, others)
	if err != nil {
		return err
	}
	parts, err := compiler.Parts(set.bundle, program.Disassemble(set.bundle))
	if err != nil {
		return err
	}
	pins, err := set.lockUpdate(compiler.Router{})
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

// dumpStage prints the set after a stage.
func (t *tool) dumpStage(a compileArgs, others foreign) error {
	if !slices.Contains(compiler.Stages(), a.dump) {
		return fmt.Errorf("no stage is named %q; there are %s", a.dump, strings.Join(compiler.Stages(), ", "))
	}
	set, err := t.mustCompile(a.dir, others)
	if err != nil {
		return err
	}
	catalogue, err := policies.Catalogue()
	if err != nil {
		return fmt.Errorf("read catalogue: %w", err)
	}
	text, diags := compiler.Dump(set.policy, compiler.Options{
		Catalogue: catalogue, ReservedBits: others.bits, ReservedNames: others.names,
	}, a.dump, program.Disassemble)
	if diags.HasErrors() {
		return fmt.Errorf("dump: %s", diags.Error()) // mustCompile has found none
	}
	_, err = io.WriteString(t.Out, text)
	return err
}
