package cli

import (
	"cmp"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/netpol/netpol/cmd/netpol/internal/view"
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang"
	"github.com/netpol/netpol/policies"
)

const catalogLong = `The catalogue says what applications, protocols and categories there are, and by which
host names, networks and ports they are known. It is part of netpol; the application
and category blocks of a policy directory add to it. With --policy the verbs below speak of
the catalogue as that directory sees it.`

func newCatalogCommand(t *tool) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "catalog",
		Aliases: []string{"catalogue"},
		Short:   "Look at the applications that policies can name, and add to them",
		Long:    catalogLong,
		Example: `  netpol catalog list --category voip-conferencing
  netpol catalog search zoom
  netpol catalog explain us04web.zoom.us
  netpol catalog update --policy policies --application our-shop --category shopping shop-domains.txt`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newCatalogListCommand(t), newCatalogSearchCommand(t), newCatalogExplainCommand(t))
	cmd.AddCommand(newCatalogDiffCommand(t), newCatalogNetworksCommand(t), newCatalogUpdateCommand(t), newCatalogVerifyCommand(t))
	return cmd
}

// catalogue is the catalogue as the policy directory of --policy sees it, or
// netpol's own.
func (t *tool) catalogue() (*artifact.Catalogue, error) {
	if t.flags.policy != "" {
		set, err := t.mustCompile(t.flags.policy, foreign{})
		if err != nil {
			return nil, err
		}
		return &set.bundle.Catalogue, nil
	}
	if len(t.flags.vars)+len(t.flags.varFiles) > 0 {
		return nil, errVarsNeedPolicy
	}
	return builtIn()
}

func builtIn() (*artifact.Catalogue, error) {
	cat, err := policies.Catalogue()
	if err != nil {
		return nil, fmt.Errorf("read catalogue: %w", err)
	}
	return cat, nil
}

type catalogListArgs struct {
	category, brand, kind string
}

func newCatalogListCommand(t *tool) *cobra.Command {
	var a catalogListArgs
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List applications, protocols and categories",
		Long: `List the tags that policies can name: applications, and with --kind protocols,
categories or all.

Exit codes: 0 listed, 1 error.`,
		Example: `  netpol catalog list
  netpol catalog list --category games
  netpol catalog list --brand google
  netpol catalog list --kind all --json | jq -r '.entries[].tag'`,
		Args:              cobra.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(*cobra.Command, []string) error {
			cat, err := t.catalogue()
			if err != nil {
				return err
			}
			entries, err := a.entries(cat)
			if err != nil {
				return err
			}
			return t.showEntries(cat, entries)
		},
	}
	cmd.Flags().StringVar(&a.category, "category", "", "only those of this `category`")
	cmd.Flags().StringVar(&a.brand, "brand", "", "only this application and those that are part of it, by its `tag`")
	cmd.Flags().StringVar(&a.kind, "kind", kindApplication, "what to list: application, protocol, category or all")
	mustComplete(cmd, "kind", kindApplication, kindProtocol, kindCategory, kindAll)
	mustCompleteFunc(cmd, "category", t.completeCategories)
	mustCompleteFunc(cmd, "brand", t.completeBrands)
	t.addPolicyFlags(cmd)
	t.addJSONFlag(cmd)
	return cmd
}

// Kinds of catalogue entries.
const (
	kindApplication = "application"
	kindProtocol    = "protocol"
	kindCategory    = "category"
	kindAll         = "all"
)

func (a catalogListArgs) entries(cat *artifact.Catalogue) ([]view.CatalogEntry, error) {
	switch a.kind {
	case kindApplication, kindProtocol, kindCategory, kindAll:
	default:
		return nil, fmt.Errorf("--kind %q: write %s, %s, %s or %s", a.kind, kindApplication, kindProtocol, kindCategory, kindAll)
	}
	known := slices.ContainsFunc(cat.Categories, func(c artifact.Category) bool { return c.Tag == a.category })
	if a.category != "" && !known {
		return nil, fmt.Errorf("--category %q: no category has this tag; netpol catalog list --kind category lists them", a.category)
	}
	isBrand := slices.ContainsFunc(cat.Applications, func(x artifact.Application) bool { return x.BrandTag() == a.brand })
	if a.brand != "" && !isBrand {
		return nil, fmt.Errorf("--brand %q: no brand has this tag; netpol catalog explain says which brand an application is part of", a.brand)
	}
	return slices.DeleteFunc(catalogEntries(cat), func(e view.CatalogEntry) bool {
		return a.kind != kindAll && e.Kind != a.kind || a.category != "" && e.Category != a.category ||
			a.brand != "" && (e.Kind != kindApplication || e.Brand != a.brand && (e.Tag != a.brand || e.Brand != ""))
	}), nil
}

// catalogEntries lists all tags, sorted by tag, then kind.
func catalogEntries(cat *artifact.Catalogue) []view.CatalogEntry {
	var out []view.CatalogEntry
	for _, a := range cat.Applications {
		out = append(out, view.CatalogEntry{Kind: kindApplication, Tag: a.Tag, Name: a.Name, Category: a.Category, Brand: a.Brand, Domains: len(a.Domains), Networks: len(a.Networks), Ports: len(a.Ports)})
	}
	for _, p := range cat.Protocols {
		out = append(out, view.CatalogEntry{Kind: kindProtocol, Tag: p.Tag, Name: p.Name, Category: p.Category, Ports: len(p.Ports)})
	}
	for _, c := range cat.Categories {
		out = append(out, view.CatalogEntry{Kind: kindCategory, Tag: c.Tag, Name: c.Description})
	}
	slices.SortFunc(out, func(a, b view.CatalogEntry) int {
		return cmp.Or(cmp.Compare(a.Tag, b.Tag), cmp.Compare(a.Kind, b.Kind))
	})
	return out
}

func (t *tool) showEntries(cat *artifact.Catalogue, entries []view.CatalogEntry) error {
	if t.json {
		return view.CatalogListJSON(t.Out, cat.Digest, entries)
	}
	return view.CatalogList(t.Out, entries, t.style(t.Out))
}

func newCatalogSearchCommand(t *tool) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "search TEXT...",
		Short: "Find applications, protocols and categories by a part of their name or domains",
		Long: `Find the entries whose tag, name, category, brand, domains or signatures contain every
TEXT, without regard to case. The row that was hit stands in the last column.

Exit codes: 0 something was found, 1 nothing was, or error.`,
		Example: `  netpol catalog search microsoft update
  netpol catalog search windowsupdate.com`,
		Args:              cobra.MinimumNArgs(1),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(_ *cobra.Command, args []string) error {
			cat, err := t.catalogue()
			if err != nil {
				return err
			}
			entries := catalogSearch(cat, args)
			if err := t.showEntries(cat, entries); err != nil {
				return err
			}
			if len(entries) == 0 {
				return exitError
			}
			return nil
		},
	}
	t.addPolicyFlags(cmd)
	t.addJSONFlag(cmd)
	return cmd
}

// catalogSearch lists the entries that contain every word.
func catalogSearch(cat *artifact.Catalogue, words []string) []view.CatalogEntry {
	rows := make(map[string][]string, len(cat.Applications))
	for _, a := range cat.Applications {
		rows[a.Tag] = slices.Clone(a.Domains)
		for _, s := range a.Signatures {
			rows[a.Tag] = append(rows[a.Tag], s.String())
		}
	}
	var out []view.CatalogEntry
	for _, e := range catalogEntries(cat) {
		text := strings.ToLower(e.Tag + " " + e.Name + " " + e.Category + " " + e.Brand)
		all := true
		for _, w := range words {
			w = strings.ToLower(w)
			if strings.Contains(text, w) {
				continue
			}
			at := -1
			if e.Kind == kindApplication {
				at = slices.IndexFunc(rows[e.Tag], func(row string) bool { return strings.Contains(strings.ToLower(row), w) })
			}
			if all = all && at >= 0; !all {
				break
			}
			e.Found = rows[e.Tag][at]
		}
		if all {
			out = append(out, e)
		}
	}
	return out
}

// readCatalogue reads a catalogue from where a person may have one: a policy
// directory, a directory of tables, or a bundle file.
func (t *tool) readCatalogue(path string) (*artifact.Catalogue, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read catalogue: %w", err)
	}
	if !info.IsDir() {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, fmt.Errorf("read catalogue: %w", err)
		}
		b, err := artifact.Decode(data)
		if err != nil {
			return nil, fmt.Errorf("read catalogue of %s: %w", path, err)
		}
		return &b.Catalogue, nil
	}
	if _, err := os.Stat(filepath.Join(path, "applications.txt")); err == nil {
		cat, err := policies.Read(os.DirFS(path))
		if err != nil {
			return nil, fmt.Errorf("read catalogue of %s: %w", path, err)
		}
		return cat, nil
	}
	set, err := t.mustCompile(path, foreign{})
	if err != nil {
		return nil, err
	}
	return &set.bundle.Catalogue, nil
}

// completeCategories completes the tags of categories.
func (t *tool) completeCategories(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return t.completeKinds(kindCategory), cobra.ShellCompDirectiveNoFileComp
}

// completeBrands completes the tags of applications that others are part of.
func (t *tool) completeBrands(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	cat, err := builtIn()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var out []string
	for _, a := range cat.Applications {
		if a.Brand != "" {
			out = append(out, a.Brand)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), cobra.ShellCompDirectiveNoFileComp
}

// completeKinds are the tags of entries of the given kinds, with their names,
// for the shell; none while the catalogue cannot be read.
func (t *tool) completeKinds(kinds ...string) []string {
	cat, err := builtIn()
	if err != nil {
		return nil
	}
	var out []string
	for _, e := range catalogEntries(cat) {
		if slices.Contains(kinds, e.Kind) {
			out = append(out, e.Tag+"\t"+e.Name)
		}
	}
	return out
}

func mustCompleteFunc(cmd *cobra.Command, flag string, complete cobra.CompletionFunc) {
	if err := cmd.RegisterFlagCompletionFunc(flag, complete); err != nil {
		panic(err) // the flag does not exist: a mistake in this package
	}
}

// lockPath is where a policy directory pins its catalogue.
func lockPath(dir string) string { return filepath.Join(dir, lang.LockName) }

// parseAddress reads an address or a network.
func parseAddress(s string) (netip.Prefix, bool) {
	if a, err := netip.ParseAddr(s); err == nil {
		return netip.PrefixFrom(a.Unmap().WithZone(""), a.Unmap().BitLen()), true
	}
	p, err := netip.ParsePrefix(s)
	return p.Masked(), err == nil
}
