package cli

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/netpol/netpol/cmd/netpol/internal/view"
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang/suggest"
	"github.com/netpol/netpol/policies"
)

func newCatalogExplainCommand(t *tool) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "explain TAG|HOST|ADDRESS|PORT",
		Short: "Say what the catalogue knows of a tag, a host name, an address or a port",
		Long: `Say what the catalogue knows of a tag (of an application, protocol or category), or
what it would make of a host name, an address, a network or a port such as udp/8801.

Of the rows that hold for a host name or an address the longest decides. What a
connection is called rests on more than one of them; netpol why tells of a connection.

Exit codes: 0 something is known, 1 nothing is, or error.`,
		Example: `  netpol catalog explain zoom
  netpol catalog explain us04web.zoom.us
  netpol catalog explain 170.114.1.1
  netpol catalog explain udp/8801`,
		Args: cobra.ExactArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return t.completeKinds(kindApplication, kindProtocol, kindCategory), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			cat, err := t.catalogue()
			if err != nil {
				return err
			}
			return t.explainCatalogue(cat, args[0])
		},
	}
	t.addPolicyFlags(cmd)
	t.addJSONFlag(cmd)
	return cmd
}

func (t *tool) explainCatalogue(cat *artifact.Catalogue, query string) error {
	answers := explainEntry(cat, strings.ToLower(query))
	if t.json {
		if err := view.CatalogExplainJSON(t.Out, query, answers); err != nil {
			return err
		}
	} else if err := view.CatalogExplain(t.Out, answers, t.style(t.Out)); err != nil {
		return err
	}
	if len(answers) > 0 {
		return nil
	}
	if t.json {
		return exitError
	}
	var tags []string
	for _, e := range catalogEntries(cat) {
		tags = append(tags, e.Tag)
	}
	hint := suggest.Hint(query, tags)
	if hint == "" {
		hint = "netpol catalog search looks for a part of a name."
	}
	return fmt.Errorf("the catalogue knows nothing of %q\n%s", query, hint)
}

// explainEntry answers for a tag, and else for what the query looks like.
func explainEntry(cat *artifact.Catalogue, query string) []view.CatalogAnswer {
	if out := explainTag(cat, query); len(out) > 0 {
		return out
	}
	if p, ok := parseAddress(query); ok {
		return explainAddress(cat, query, p)
	}
	if transport, port, ok := strings.Cut(query, "/"); ok {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			return nil
		}
		return explainPort(cat, query, transport, uint16(n))
	}
	return explainHost(cat, strings.TrimSuffix(query, "."))
}

func explainTag(cat *artifact.Catalogue, tag string) []view.CatalogAnswer {
	var out []view.CatalogAnswer
	for _, e := range catalogEntries(cat) {
		if e.Tag != tag {
			continue
		}
		a := view.CatalogAnswer{CatalogEntry: e}
		switch e.Kind {
		case kindApplication:
			i := slices.IndexFunc(cat.Applications, func(x artifact.Application) bool { return x.Tag == tag })
			a.Rows = policies.Rows(&cat.Applications[i])
			if a.Brand != "" {
				a.Rows = a.Rows[1:] // the answer says it first
			}
			a.Parts = partsOf(cat, tag)
			a.Note = protocolsOf(cat, tag)
		case kindProtocol:
			i := slices.IndexFunc(cat.Protocols, func(x artifact.Protocol) bool { return x.Tag == tag })
			a.Application = cat.Protocols[i].Application
			for _, r := range cat.Protocols[i].Ports {
				a.Rows = append(a.Rows, policies.PortText(r))
			}
		case kindCategory:
			a.Rows = members(cat, tag)
		}
		out = append(out, a)
	}
	return out
}

// partsOf are the applications that are part of a brand.
func partsOf(cat *artifact.Catalogue, brand string) []string {
	var out []string
	for _, a := range cat.Applications {
		if a.Brand == brand {
			out = append(out, a.Tag)
		}
	}
	return out
}

// protocolsOf says which protocols prove an application.
func protocolsOf(cat *artifact.Catalogue, tag string) string {
	var list []string
	for _, p := range cat.Protocols {
		if p.Application == tag {
			list = append(list, p.Tag)
		}
	}
	if len(list) == 0 {
		return ""
	}
	return "also known by the bytes of " + strings.Join(list, ", ")
}

// members are the applications and protocols of a category.
func members(cat *artifact.Catalogue, category string) []string {
	var out []string
	for _, a := range cat.Applications {
		if a.Category == category {
			out = append(out, kindApplication+" "+a.Tag)
		}
	}
	for _, p := range cat.Protocols {
		if p.Category == category {
			out = append(out, kindProtocol+" "+p.Tag)
		}
	}
	return out
}

func explainHost(cat *artifact.Catalogue, host string) []view.CatalogAnswer {
	var steps []view.CatalogStep
	for _, a := range cat.Applications {
		for _, d := range a.Domains {
			if host == d || strings.HasSuffix(host, "."+d) {
				steps = append(steps, view.CatalogStep{Row: d, Application: a.Tag, Category: a.Category})
			}
		}
	}
	slices.SortFunc(steps, func(a, b view.CatalogStep) int { return cmp.Compare(len(b.Row), len(a.Row)) })
	return explained("host", host, steps)
}

func explainAddress(cat *artifact.Catalogue, query string, p netip.Prefix) []view.CatalogAnswer {
	var steps []view.CatalogStep
	var found []netip.Prefix
	for _, a := range cat.Applications {
		for _, n := range a.Networks {
			if n.Bits() <= p.Bits() && n.Contains(p.Addr()) {
				at, _ := slices.BinarySearchFunc(found, n, func(x, y netip.Prefix) int { return cmp.Compare(y.Bits(), x.Bits()) })
				found = slices.Insert(found, at, n)
				steps = slices.Insert(steps, at, view.CatalogStep{Row: n.String(), Application: a.Tag, Category: a.Category})
			}
		}
	}
	out := explained("address", query, steps)
	for i := range out {
		out[i].Note = "An address alone is a guess: a name or the bytes of a connection count more."
		if c := steps[0].Category; c == "cloud" || c == "cdn" {
			out[i].Note = "It says who hosts, not what: it names a connection only when nothing else does."
		}
	}
	return out
}

func explained(kind, query string, steps []view.CatalogStep) []view.CatalogAnswer {
	if len(steps) == 0 {
		return nil
	}
	return []view.CatalogAnswer{{CatalogEntry: view.CatalogEntry{Kind: kind, Tag: query}, Steps: steps}}
}

func explainPort(cat *artifact.Catalogue, query, transport string, port uint16) []view.CatalogAnswer {
	holds := func(r artifact.PortRange) bool { return r.Transport == transport && r.Low <= port && port <= r.High }
	a := view.CatalogAnswer{CatalogEntry: view.CatalogEntry{Kind: "port", Tag: query}, Note: "A port alone is a guess, made when nothing else names a connection."}
	for _, p := range cat.Protocols {
		for _, r := range p.Ports {
			if holds(r) {
				a.Rows = append(a.Rows, kindProtocol+" "+p.Tag+": "+policies.PortText(r))
			}
		}
	}
	for _, app := range cat.Applications {
		for _, r := range app.Ports {
			if holds(r) {
				a.Rows = append(a.Rows, kindApplication+" "+app.Tag+": "+policies.PortText(r))
			}
		}
	}
	if len(a.Rows) == 0 {
		return nil
	}
	return []view.CatalogAnswer{a}
}
