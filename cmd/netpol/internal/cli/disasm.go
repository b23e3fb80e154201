package cli

import (
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/program"
)

func newDisasmCommand(t *tool) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "disasm [BUNDLE | POLICIES]",
		Short: "Print the decision program in readable form",
		Long: `Print the program that netpold runs once for each flow: of a bundle file, or of
a policy directory (default: the working directory), which is compiled first.
Nothing is written.

Exit codes: 0 printed, 1 error.`,
		Example: `  netpol disasm
  netpol disasm /var/lib/netpol/bundle.npb`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			b, err := t.bundleOf(args)
			if err != nil {
				return err
			}
			_, err = io.WriteString(t.Out, program.Disassemble(b))
			return err
		},
	}
	t.addPolicyFlags(cmd)
	return cmd
}

// bundleOf is the bundle in the file, or of the policy directory, that the
// arguments name.
func (t *tool) bundleOf(args []string) (*artifact.Bundle, error) {
	name, err := t.policyDir(args)
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
		return readBundle(name)
	}
	set, err := t.mustCompile(name, foreign{})
	if err != nil {
		return nil, err
	}
	return set.bundle, nil
}

// readBundle loads a bundle file. A file that is larger than a bundle may be
// is refused before it fills the memory.
func readBundle(name string) (*artifact.Bundle, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read bundle: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, artifact.MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read bundle: %w", err)
	}
	b, err := artifact.Decode(data)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return b, nil
}
