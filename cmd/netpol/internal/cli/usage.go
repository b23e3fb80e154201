package cli

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/netpol/netpol/cmd/netpol/internal/view"
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/nft"
)

func newUsageCommand(t *tool) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "usage",
		Short: "Show what counters and quotas of policies have seen",
		Long: `Show what the policies with count or quota have seen: as a whole, or of each local
host. The kernel keeps these accounts; they outlive netpol apply as long as the policy
keeps its name and its quota.

Exit codes: 0 shown, 1 error.`,
		Example: `  sudo netpol usage
  sudo netpol usage --json | jq '.accounts[] | select(.policy == "zero-rated")'`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return t.usage() },
	}
	t.addRouterFlags(cmd)
	t.addJSONFlag(cmd)
	return cmd
}

func (t *tool) usage() error {
	live, err := t.router().Read()
	if err != nil {
		return err
	}
	if live.Bundle == nil {
		return errors.New("no policies are applied on this router")
	}
	accounts, err := nft.Accounts(&live.Bundle.Ruleset)
	if err != nil {
		return err
	}
	policies := accountPolicies(&live.Bundle.Ruleset)
	var out view.Usage
	for _, a := range accounts {
		out.Accounts = append(out.Accounts, view.Account{
			Policy: policies[a.Name], Kind: string(a.Kind), Host: a.Host, Packets: a.Packets, Bytes: a.Bytes, Quota: a.Quota,
		})
	}
	slices.SortStableFunc(out.Accounts, func(a, b view.Account) int {
		return cmp.Or(cmp.Compare(a.Policy, b.Policy), cmp.Compare(a.Kind, b.Kind), a.Host.Compare(b.Host))
	})
	if t.json {
		return out.JSON(t.Out)
	}
	return out.Text(t.Out, t.style(t.Out))
}

// accountPolicies names the policy of each object and set that keeps accounts,
// out of the rules that fill them: "home.netpol.hcl:12 zero-rated".
func accountPolicies(rs *artifact.Ruleset) map[string]string {
	out := map[string]string{}
	for _, c := range rs.Chains {
		for _, r := range c.Rules {
			for _, do := range r.Do {
				switch do.Kind {
				case artifact.DoCountIn, artifact.DoOverQuota, artifact.DoUpdate:
					_, out[do.Name], _ = strings.Cut(r.Comment, " ")
				default:
				}
			}
		}
	}
	return out
}
