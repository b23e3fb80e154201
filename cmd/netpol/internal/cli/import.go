package cli

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/files"
	"github.com/netpol/netpol/lang/importer"
	"github.com/netpol/netpol/lang/importer/netify"
	"github.com/netpol/netpol/lang/importer/opengfw"
	"github.com/netpol/netpol/lang/importer/qosify"
	"github.com/netpol/netpol/policies"
)

type importArgs struct {
	file       string
	out        string
	force      bool
	json       bool
	connlabel  string
	interfaces []string
}

// importFormat is one format that can be imported.
type importFormat struct {
	verb, short, long string
	convert           func(importer.Input) *importer.Result
}

const importLong = `Convert another program's policies into policy files.

The policies go to stdout, or with --out into a directory; the report goes to
stderr. What cannot be said exactly becomes a policy that is switched off, with
the original in a comment: an import never makes a policy reach further than it
did. docs/import.md explains what is reported.

Exit codes: 0 imported (there may be warnings), 1 the input has mistakes. What
could be converted is written all the same, unless the input cannot be read.`

var importFormats = []importFormat{
	{"netify", "Import Netify's flow actions", "Convert netify-flow-actions.json of Netify's agent 4, or\nnetify-proc-flow-actions.json of version 5.", netify.Import},
	{"opengfw", "Import OpenGFW's rules", "Convert a YAML file of OpenGFW rules.", opengfw.Import},
	{"qosify", "Import a qosify map", "Convert a map file of OpenWrt's qosify.", qosify.Import},
}

func newImportCommand(t *tool) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import",
		Short: "Convert other programs' policies",
		Long:  importLong,
		Example: `  netpol import netify /etc/netify.d/netify-flow-actions.json --out policies
  netpol import opengfw rules.yaml > policies/opengfw.netpol.hcl
  netpol import qosify - < /etc/qosify/00-defaults.conf`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	for _, f := range importFormats {
		cmd.AddCommand(newImportFormat(t, f))
	}
	return cmd
}

func newImportFormat(t *tool, f importFormat) *cobra.Command {
	var a importArgs
	cmd := &cobra.Command{
		Use:   f.verb + " FILE",
		Short: f.short,
		Long:  f.long + " The file - is stdin.\n\n" + strings.SplitN(importLong, "\n\n", 2)[1],
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			a.file = args[0]
			return t.importFile(a, f.convert)
		},
	}
	cmd.Flags().StringVar(&a.out, "out", "", "`directory` to write to; made if it does not exist (default stdout)")
	markDir(cmd, "out")
	cmd.Flags().BoolVar(&a.force, "force", false, "replace files in --out that say something else")
	cmd.Flags().BoolVar(&a.json, "json", false, "print the report as JSON")
	if f.verb == "netify" {
		cmd.Flags().StringVar(&a.connlabel, "connlabel", "", "`file` with the names of label bits, such as /etc/xtables/connlabel.conf")
		cmd.Flags().StringArrayVar(&a.interfaces, "interface", nil, "the interface of a role, as `role=name` (lan=br-lan); may be repeated")
	}
	return cmd
}

// importFile converts a file and writes what came of it.
func (t *tool) importFile(a importArgs, convert func(importer.Input) *importer.Result) error {
	catalogue, err := policies.Catalogue()
	if err != nil {
		return fmt.Errorf("read catalogue: %w", err)
	}
	in, err := t.importInput(a, catalogue)
	if err != nil {
		return err
	}
	result := convert(in)
	if err := t.checkImport(result, catalogue); err != nil {
		return err
	}
	return t.writeImport(a, in, result)
}

// importInput reads the file to import and the options.
func (t *tool) importInput(a importArgs, catalogue *artifact.Catalogue) (importer.Input, error) {
	in := importer.Input{Name: a.file, Names: importNames(catalogue)}
	var err error
	if in.Source, err = t.importSource(a.file); err != nil {
		return in, err
	}
	if a.connlabel != "" {
		c, err := files.ReadConnlabel(a.connlabel)
		if err != nil {
			return in, err
		}
		if !c.Exists {
			return in, fmt.Errorf("read %s: %w", a.connlabel, os.ErrNotExist)
		}
		in.Labels = map[int]string{}
		for _, l := range append(c.Own, c.Foreign...) {
			in.Labels[l.Bit] = l.Name
		}
	}
	for _, text := range a.interfaces {
		role, name, ok := strings.Cut(text, "=")
		if !ok || role == "" || name == "" {
			return in, fmt.Errorf("--interface %q: write it as role=name", text)
		}
		if in.Interfaces == nil {
			in.Interfaces = map[string]string{}
		}
		in.Interfaces[role] = name
	}
	return in, nil
}

// importSource reads the input, one byte past the limit so that the importer
// can say that it is too large.
func (t *tool) importSource(name string) ([]byte, error) {
	var from io.Reader = t.In
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("read input: %w", err)
		}
		defer f.Close()
		from = f
	}
	data, err := io.ReadAll(io.LimitReader(from, importer.MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read input: %w", err)
	}
	return data, nil
}

// importNames are the names of the catalogue.
func importNames(c *artifact.Catalogue) importer.Vocabulary {
	var v importer.Vocabulary
	for _, a := range c.Applications {
		v.Applications = append(v.Applications, importer.Name{Tag: a.Tag, Title: a.Name})
	}
	for _, p := range c.Protocols {
		v.Protocols = append(v.Protocols, importer.Name{Tag: p.Tag, Title: p.Name})
	}
	for _, k := range c.Categories {
		v.Categories = append(v.Categories, importer.Name{Tag: k.Tag})
	}
	return v
}
