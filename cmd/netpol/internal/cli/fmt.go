package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/netpol/netpol/cmd/netpol/internal/view"
	"github.com/netpol/netpol/lang"
)

type fmtArgs struct {
	paths     []string
	check     bool
	diff      bool
	recursive bool
}

func newFmtCommand(t *tool) *cobra.Command {
	var a fmtArgs
	cmd := &cobra.Command{
		Use:   "fmt [FILE | DIR]...",
		Short: "Rewrite policy files in the canonical layout",
		Long: `Rewrite *.netpol.hcl and *.nptest.hcl files in the canonical layout and print
the names of the files that changed. Without arguments: the working directory.

Exit codes: 0 done, 1 error; with --check 1 also when a file is not in the
canonical layout.`,
		Example: `  netpol fmt
  netpol fmt --check --diff --recursive policies`,
		RunE: func(_ *cobra.Command, args []string) error {
			a.paths = args
			return t.format(a)
		},
	}
	cmd.Flags().BoolVar(&a.check, "check", false, "write nothing; exit with 1 if a file would change")
	cmd.Flags().BoolVar(&a.diff, "diff", false, "print what changes")
	cmd.Flags().BoolVar(&a.recursive, "recursive", false, "go into subdirectories too")
	return cmd
}

func (t *tool) format(a fmtArgs) error {
	files, err := formatFiles(a)
	if err != nil {
		return err
	}
	changed, failed := false, false
	for _, name := range files {
		was, now, err := t.formatted(name)
		switch {
		case err != nil && !errors.Is(err, exitError):
			return err
		case err != nil:
			failed = true
			continue
		case bytes.Equal(was, now):
			continue
		}
		changed = true
		if err := t.showFormatted(a, name, was, now); err != nil {
			return err
		}
	}
	if failed || changed && a.check {
		return exitError
	}
	return nil
}

// formatted reads one file and formats it. A file that does not parse is
// reported and left alone.
func (t *tool) formatted(name string) (was, now []byte, err error) {
	was, err = os.ReadFile(name)
	if err != nil {
		return nil, nil, fmt.Errorf("format: %w", err)
	}
	now, diags := lang.Format(name, was)
	return was, now, t.report(diags, func(string) []byte { return was })
}

func (t *tool) showFormatted(a fmtArgs, name string, was, now []byte) error {
	if a.diff {
		if err := view.FileDiff(t.Out, name, string(was), string(now), t.style(t.Out)); err != nil {
			return err
		}
	} else if _, err := fmt.Fprintln(t.Out, name); err != nil {
		return err
	}
	if a.check {
		return nil
	}
	return writeFile(name, now)
}

// formatFiles lists the files to format: those named, and the policy files of
// the directories named.
func formatFiles(a fmtArgs) ([]string, error) {
	if len(a.paths) == 0 {
		a.paths = []string{"."}
	}
	var files []string
	for _, root := range a.paths {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case path == root && !d.IsDir() && !d.Type().IsRegular():
				return fmt.Errorf("%s is not a regular file", path)
			case d.IsDir() && path != root && (!a.recursive || strings.HasPrefix(d.Name(), ".")):
				return fs.SkipDir
			case d.Type().IsRegular() && (path == root || isPolicyFile(d.Name())):
				files = append(files, path)
			}
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("format: %w", err)
		}
	}
	slices.Sort(files)
	return slices.Compact(files), nil
}

func isPolicyFile(name string) bool {
	return strings.HasSuffix(name, ".netpol.hcl") || strings.HasSuffix(name, ".nptest.hcl")
}
