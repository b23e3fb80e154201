package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/netpol/netpol/cmd/netpol/internal/view"
	"github.com/netpol/netpol/compiler"
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/policies"
	"github.com/netpol/netpol/policies/source"
)

var errVarsNeedPolicy = errors.New("--var and --var-file need --policy")

func newCatalogDiffCommand(t *tool) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "diff [BEFORE]",
		Short: "Show what differs between two catalogues",
		Long: `Show which applications differ, and in what, between BEFORE and the catalogue as
--policy sees it. BEFORE is a policy directory, a directory of the catalogue's tables or a
bundle file; without it, the catalogue of this netpol, so that the difference is what the
policy directory's own blocks make.

Exit codes: 0 shown, 1 error.`,
		Example: `  netpol catalog diff --policy /etc/netpol
  netpol catalog diff /var/lib/netpol/bundle.npb`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			after, err := t.catalogue()
			if err != nil {
				return err
			}
			before, err := builtIn()
			if len(args) == 1 {
				before, err = t.readCatalogue(args[0])
			}
			if err != nil {
				return err
			}
			changes := policies.Diff(before, after)
			if t.json {
				return view.CatalogDiffJSON(t.Out, before.Digest, after.Digest, changes)
			}
			return view.CatalogDiff(t.Out, changes, t.style(t.Out))
		},
	}
	t.addPolicyFlags(cmd)
	t.addJSONFlag(cmd)
	return cmd
}

func newCatalogVerifyCommand(t *tool) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Check the catalogue, and that it is the one the lock file pins",
		Long: `Read the catalogue by its strict rules and print its digest. With --policy, compare the
digest of the catalogue as that directory sees it with the one that its netpol.lock.hcl
pins. Another one means that names may hold for other connections than when the lock was
written.

Exit codes: 0 the catalogue is sound and the pinned one, 1 it is not.`,
		Example: `  netpol catalog verify
  netpol catalog verify --policy /etc/netpol`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(*cobra.Command, []string) error { return t.verifyCatalogue() },
	}
	t.addPolicyFlags(cmd)
	t.addJSONFlag(cmd)
	return cmd
}

func (t *tool) verifyCatalogue() error {
	own, err := builtIn()
	if err != nil {
		return err
	}
	cat, state := own, view.CatalogState{BuiltIn: own.Digest}
	if t.flags.policy != "" {
		set, err := t.mustCompile(t.flags.policy, foreign{})
		if err != nil {
			return err
		}
		cat, state.LockFile, state.Pinned = &set.bundle.Catalogue, lockPath(set.dir), set.policy.Lock.Catalogue
	}
	state.Digest = cat.Digest
	state.Applications, state.Protocols, state.Categories = len(cat.Applications), len(cat.Protocols), len(cat.Categories)
	for _, a := range cat.Applications {
		state.Domains, state.Networks, state.Ports = state.Domains+len(a.Domains), state.Networks+len(a.Networks), state.Ports+len(a.Ports)
	}
	if t.json {
		err = state.JSON(t.Out)
	} else {
		err = state.Text(t.Out, t.style(t.Out))
	}
	if err == nil && !state.Holds() {
		return exitError
	}
	return err
}

type catalogUpdateArgs struct {
	path         string
	format       string
	application  string
	category     string
	file         string
	take, dryRun bool
}

func newCatalogUpdateCommand(t *tool) *cobra.Command {
	var a catalogUpdateArgs
	cmd := &cobra.Command{
		Use:   "update SOURCE",
		Short: "Add a list of domains or networks to a policy directory's catalogue",
		Long: `Read a file or directory of domains or networks and write what the catalogue does not
know as application blocks, into a file of the policy directory. The file is replaced
whole or not at all, its difference is shown, and the next update of the same list
replaces it again.

Formats, found out unless --format says:
  domains   a domain a line, a hosts file, or Adblock's ||domain^
  networks  a network or address a line
  netify    netify-apps.conf: many applications
  v2fly     a list of domain-list-community with what it includes, or its data directory
  tables    a directory of the catalogue's own tables, of another version of netpol

Exit codes: 0 written, or nothing to write, 1 error.`,
		Example: `  netpol catalog update --policy policies --application our-shop --category shopping shop.txt
  netpol catalog update --policy policies --dry-run /etc/netify.d/netify-apps.conf
  netpol catalog update --policy policies --application netflix domain-list-community/data/netflix`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			a.path = args[0]
			return t.updateCatalogue(a)
		},
	}
	cmd.Flags().StringVar(&a.format, "format", string(source.Auto), "`form` of the source: "+strings.Join(source.Formats(), ", "))
	cmd.Flags().StringVar(&a.application, "application", "", "`tag` of the application, where the source names none; its file name otherwise")
	cmd.Flags().StringVar(&a.category, "category", "", "`category` of applications that the catalogue does not have")
	cmd.Flags().StringVar(&a.file, "file", "", "`name` of the file in the policy directory (default catalog-SOURCE.netpol.hcl)")
	cmd.Flags().BoolVar(&a.take, "take", false, "take domains and networks from the applications that have them")
	cmd.Flags().BoolVar(&a.dryRun, "dry-run", false, "show the difference and write nothing")
	mustComplete(cmd, "format", source.Formats()...)
	mustCompleteFunc(cmd, "category", t.completeCategories)
	mustCompleteFunc(cmd, "application", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return t.completeKinds(kindApplication), cobra.ShellCompDirectiveNoFileComp
	})
	t.addPolicyFlags(cmd)
	t.addJSONFlag(cmd)
	return cmd
}

// policySuffix ends the names of policy files.
const policySuffix = ".netpol.hcl"

func (t *tool) updateCatalogue(a catalogUpdateArgs) error {
	dir, err := t.policyDir(nil)
	if err != nil {
		return err
	}
	list, err := source.Read(a.path, source.Options{Format: source.Format(a.format), Application: a.application})
	if err != nil {
		return err
	}
	if a.file == "" {
		a.file = "catalog-" + source.Tag(strings.TrimSuffix(filepath.Base(a.path), filepath.Ext(a.path))) + policySuffix
	}
	if a.file != filepath.Base(a.file) || !strings.HasSuffix(a.file, policySuffix) {
		return fmt.Errorf("--file %q: write a name in the policy directory that ends in %s", a.file, policySuffix)
	}
	before, err := os.ReadFile(filepath.Join(dir, a.file))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read %s: %w", a.file, err)
	}
	cat, err := t.catalogueWithout(dir, a.file)
	if err != nil {
		return err
	}
	more := source.Add(cat, list, a.take)
	after := before
	if len(more.Applications) > 0 || before != nil {
		if after, err = a.render(cat, more); err != nil {
			return err
		}
	}
	u := view.CatalogUpdate{
		Source: a.path, File: filepath.Join(dir, a.file), Format: list.Format, Known: more.Known, Others: more.Others, Skipped: list.Skipped,
		Before: string(before), After: string(after), Changed: !bytes.Equal(before, after),
	}
	if u.Changed && !a.dryRun {
		if err := writeFile(u.File, after); err != nil {
			return fmt.Errorf("update catalogue: %w", err)
		}
		u.Wrote = true
	}
	if t.json {
		return u.JSON(t.Out)
	}
	return u.Text(t.Out, t.style(t.Out))
}

// render writes the file of an update; nothing new is an empty file, if one is
// needed at all.
func (a catalogUpdateArgs) render(cat *artifact.Catalogue, more source.Addition) ([]byte, error) {
	known := make(map[string]bool, len(cat.Applications))
	for _, app := range cat.Applications {
		known[app.Tag] = true
	}
	for _, app := range more.Applications {
		if !known[app.Tag] && app.Category == "" && a.category == "" {
			return nil, fmt.Errorf("the catalogue has no application %q: say its --category, or the tag of one it has with --application", app.Tag)
		}
	}
	comment := "Written by netpol catalog update from " + strings.ToValidUTF8(filepath.Base(a.path), "?") + "; the next one replaces it."
	comment = strings.Map(func(r rune) rune {
		if r < ' ' {
			return '?'
		}
		return r
	}, comment)
	text := source.HCL(more.Applications, func(tag string) bool { return known[tag] }, a.category, comment)
	text, diags := lang.Format(a.file, text)
	if diags.HasErrors() {
		return nil, diags
	}
	if len(text) > lang.MaxFileBytes {
		return nil, fmt.Errorf("the list makes %d KiB of policy files, at most %d KiB fit: split it", len(text)>>10, lang.MaxFileBytes>>10)
	}
	return text, nil
}

// catalogueWithout is the catalogue as a policy directory sees it without one
// of its files: what that file says is about to be replaced.
func (t *tool) catalogueWithout(dir, file string) (*artifact.Catalogue, error) {
	opts, err := t.variables()
	if err != nil {
		return nil, err
	}
	base, err := builtIn()
	if err != nil {
		return nil, err
	}
	set, diags := lang.ParseDir(dir, opts)
	if diags.HasErrors() {
		return nil, t.report(diags, set.Source)
	}
	own := &lang.Policy{Categories: set.Categories}
	for _, app := range set.Applications {
		if app.Range.Filename != file {
			own.Applications = append(own.Applications, app)
		}
	}
	bundle, diags := compiler.Compile(own, compiler.Options{Catalogue: base})
	if diags.HasErrors() {
		return nil, t.report(diags, set.Source)
	}
	return &bundle.Catalogue, nil
}
