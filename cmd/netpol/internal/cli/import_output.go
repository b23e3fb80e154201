package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/netpol/netpol/cmd/netpol/internal/view"
	"github.com/netpol/netpol/compiler"
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/lang/importer"
)

// checkImport compiles what an import made, so that nothing is written that
// netpol validate would refuse: too many labels for 128 bits, for one.
func (t *tool) checkImport(result *importer.Result, catalogue *artifact.Catalogue) error {
	if len(result.Files) == 0 {
		return nil
	}
	sources := map[string][]byte{}
	for _, f := range result.Files {
		sources[f.Name] = f.Data
	}
	set, diags := lang.Parse(sources, lang.Options{})
	if !diags.HasErrors() {
		_, diags = compiler.Compile(set, compiler.Options{Catalogue: catalogue})
	}
	if !diags.HasErrors() {
		return nil // warnings are those of the input, and in the report
	}
	diags.Sort()
	if err := view.Diagnostics(t.Err, diags, set.Source, t.style(t.Err)); err != nil {
		return err
	}
	return errors.New("the converted policies do not compile, so nothing was written")
}

// writeImport writes the policies and the report.
func (t *tool) writeImport(a importArgs, in importer.Input, result *importer.Result) error {
	report := view.Import{Source: in.Name, Report: result.Report}
	if a.out != "" {
		var err error
		if report.Files, err = writeImported(a, result.Files); err != nil {
			return err
		}
	} else {
		for i, f := range result.Files {
			if i > 0 {
				f.Data = append([]byte("\n"), f.Data...)
			}
			if _, err := t.Out.Write(f.Data); err != nil {
				return fmt.Errorf("write output: %w", err)
			}
		}
	}
	show := func() error {
		return view.Imported(t.Err, report, in.Source, t.style(t.Err))
	}
	if a.json {
		show = func() error { return view.ImportedJSON(t.Err, report) }
	}
	if err := show(); err != nil {
		return fmt.Errorf("write output: %w", err)
	}
	if result.Report.Findings.HasErrors() {
		return exitError
	}
	return nil
}

// writeImported writes the policy files, each whole or not at all, and returns
// their paths. It checks first that none would replace another's work.
func writeImported(a importArgs, list []importer.File) ([]string, error) {
	var paths []string
	for _, f := range list {
		path := filepath.Join(a.out, f.Name)
		was, err := os.ReadFile(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			return nil, fmt.Errorf("write output: %w", err)
		case !a.force && !bytes.Equal(was, f.Data):
			return nil, fmt.Errorf("%s exists and says something else; --force replaces it", path)
		}
		paths = append(paths, path)
	}
	if len(list) == 0 {
		return nil, nil
	}
	if err := os.MkdirAll(a.out, 0o755); err != nil {
		return nil, fmt.Errorf("make output directory: %w", err)
	}
	for i, f := range list {
		if err := writeFile(paths[i], f.Data); err != nil {
			return nil, err
		}
	}
	return paths, nil
}
