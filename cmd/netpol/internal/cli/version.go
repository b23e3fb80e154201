package cli

import (
	"runtime"

	"github.com/spf13/cobra"

	"github.com/netpol/netpol/cmd/internal/buildinfo"
	"github.com/netpol/netpol/cmd/netpol/internal/view"
	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/lang/fact"
)

func newVersionCommand(t *tool) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version of netpol and of the bundles it makes",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			v := view.Version{
				Version:      buildinfo.Version(),
				Go:           runtime.Version(),
				Platform:     runtime.GOOS + "/" + runtime.GOARCH,
				BundleFormat: artifact.FormatVersion,
				ABI:          fact.ABI(),
			}
			if t.json {
				return v.JSON(t.Out)
			}
			return v.Text(t.Out)
		},
	}
	t.addJSONFlag(cmd)
	return cmd
}
