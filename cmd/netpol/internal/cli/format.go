package cli

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/netpol/netpol/cmd/netpol/internal/view"
)

// Formats that each verb words by itself.
const (
	formatText   = "text"
	formatJSON   = "json"
	formatGitHub = "github"
)

// addFormatFlag adds --format beside --json, which is the short form of one.
func (t *tool) addFormatFlag(cmd *cobra.Command, into *string) {
	names := append([]string{formatText, formatJSON}, view.FormatNames()...)
	cmd.Flags().StringVar(into, "format", "", "output `format`: "+strings.Join(names, ", ")+" (default text, or github when GITHUB_ACTIONS=true)")
	t.addJSONFlag(cmd)
	cmd.MarkFlagsMutuallyExclusive("format", "json")
	if err := cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(names, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // the flag is some lines above
	}
}

// pickFormat finds out which format is meant, and makes --format json what --json is.
func (t *tool) pickFormat(asked string) (string, error) {
	switch {
	case t.json:
		return formatJSON, nil
	case asked == "":
		return defaultFormat(), nil
	case asked == formatJSON:
		t.json = true
		return asked, nil
	case asked == formatText || slices.Contains(view.FormatNames(), asked):
		return asked, nil
	}
	return "", fmt.Errorf("--format %s: the formats are text, json, %s", asked, strings.Join(view.FormatNames(), ", "))
}

// defaultFormat shows findings beside the lines that they are about where GitHub
// runs netpol.
func defaultFormat() string {
	if os.Getenv("GITHUB_ACTIONS") == "true" {
		return formatGitHub
	}
	return formatText
}
