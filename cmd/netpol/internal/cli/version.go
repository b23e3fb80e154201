package cli

import (
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

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
				Version:      version(),
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

// version is the module's version where go install set one, the commit where
// the build saw a checkout.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	revision, modified := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision" && len(s.Value) >= 12:
			revision = s.Value[:12]
		case s.Key == "vcs.modified" && s.Value == "true":
			modified = "+changes"
		}
	}
	if revision == "" {
		return "devel"
	}
	return "devel-" + revision + modified
}
