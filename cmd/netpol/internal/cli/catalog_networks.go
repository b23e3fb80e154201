package cli

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/netpol/netpol/cmd/netpol/internal/view"
	"github.com/netpol/netpol/policies/geo"
)

type catalogNetworksArgs struct {
	countries []string
	systems   []string
	out       string
}

func newCatalogNetworksCommand(t *tool) *cobra.Command {
	var a catalogNetworksArgs
	cmd := &cobra.Command{
		Use:   "networks FILE",
		Short: "List the networks of countries or autonomous systems, for an address group",
		Long: `Read a file in the MaxMind DB format (GeoLite2, DB-IP, IPinfo: country or ASN) and list the
networks of the countries and autonomous systems that are asked for, joined where they
are neighbours, one a line: what file = "..." of an address_group takes. The file itself
stays where it is; no router needs it.

Exit codes: 0 listed, 1 error, or no network was found.`,
		Example: `  netpol catalog networks --country DE --country AT --out policies/dach.txt GeoLite2-Country.mmdb
  netpol catalog networks --asn 15169 GeoLite2-ASN.mmdb`,
		Args: cobra.ExactArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"mmdb"}, cobra.ShellCompDirectiveFilterFileExt
		},
		RunE: func(_ *cobra.Command, args []string) error { return t.listNetworks(args[0], a) },
	}
	cmd.Flags().StringSliceVar(&a.countries, "country", nil, "two-letter `code` of a country (ISO 3166-1); may be repeated")
	cmd.Flags().StringSliceVar(&a.systems, "asn", nil, "`number` of an autonomous system; may be repeated")
	cmd.Flags().StringVar(&a.out, "out", "", "write to this `file` instead of standard output")
	mustCompleteFunc(cmd, "country", cobra.NoFileCompletions)
	mustCompleteFunc(cmd, "asn", cobra.NoFileCompletions)
	return cmd
}

func (t *tool) listNetworks(path string, a catalogNetworksArgs) error {
	keep, err := a.keep()
	if err != nil {
		return err
	}
	db, err := geo.Open(path)
	if err != nil {
		return err
	}
	list := db.Networks(keep)
	if len(list) == 0 {
		return fmt.Errorf("%s (%s) has no network of %s", path, strconv.Quote(db.Kind()), a)
	}
	text := view.NetworkList(fmt.Sprintf("Networks of %s, by %s (%s).", a, filepath.Base(path), db.Kind()), list)
	if a.out != "" {
		return writeFile(a.out, text)
	}
	if _, err := t.Out.Write(text); err != nil {
		return fmt.Errorf("write output: %w", err)
	}
	return nil
}

// keep is the test of the flags.
func (a catalogNetworksArgs) keep() (func(geo.Record) bool, error) {
	if len(a.countries)+len(a.systems) == 0 {
		return nil, errors.New("say which networks: --country or --asn")
	}
	var systems []uint32
	for _, s := range a.systems {
		n, err := strconv.ParseUint(strings.TrimPrefix(strings.ToUpper(s), "AS"), 10, 32)
		if err != nil || n == 0 {
			return nil, fmt.Errorf("--asn %q: write a number such as 15169", s)
		}
		systems = append(systems, uint32(n))
	}
	for _, c := range a.countries {
		if len(c) != 2 {
			return nil, fmt.Errorf("--country %q: write two letters such as DE", c)
		}
	}
	return func(r geo.Record) bool {
		return r.ASN != 0 && slices.Contains(systems, r.ASN) ||
			r.Country != "" && slices.ContainsFunc(a.countries, func(c string) bool { return strings.EqualFold(c, r.Country) })
	}, nil
}

// String is what was asked for, for messages.
func (a catalogNetworksArgs) String() string {
	var list []string
	for _, c := range a.countries {
		list = append(list, strings.ToUpper(c))
	}
	for _, s := range a.systems {
		list = append(list, "AS"+strings.TrimPrefix(strings.ToUpper(s), "AS"))
	}
	return strings.Join(list, ", ")
}
