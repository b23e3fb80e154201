package view

import (
	"fmt"
	"io"
	"strings"

	"github.com/netpol/netpol/compiler/artifact"
)

// Valid is what validate says of a policy set without errors; kernel says that
// the kernel has checked the table as well.
func Valid(w io.Writer, b *artifact.Bundle, kernel bool, st Style) error {
	authored := 0
	for _, l := range b.Labels {
		if !l.Auto {
			authored++
		}
	}
	var taken string
	if kernel {
		taken = " This kernel takes the nftables table."
	}
	_, err := fmt.Fprintf(w, "%s %s, %s.%s\n", st.in("The policies are valid:", bold, green),
		countPolicies(len(b.Policies)), count(authored, "label"), taken)
	return err
}

// Compilation is what compile says of its work.
type Compilation struct {
	Dir      string   `json:"out"`
	Digest   string   `json:"bundle_digest"`
	Policies int      `json:"policies"`
	Pinned   []string `json:"pinned_labels"`
}

// Compiled writes it, as JSON if asked to.
func Compiled(w io.Writer, c Compilation, asJSON bool) error {
	if asJSON {
		if c.Pinned == nil {
			c.Pinned = []string{}
		}
		return writeJSON(w, struct {
			FormatVersion string `json:"format_version"`
			Compilation
		}{FormatVersion, c})
	}
	text := fmt.Sprintf("Compiled %s to %s, bundle %s.\n", countPolicies(c.Policies), cleanLine(c.Dir), ShortDigest(c.Digest))
	if len(c.Pinned) > 0 {
		text += fmt.Sprintf("Pinned in netpol.lock.hcl: %s.\n", strings.Join(c.Pinned, ", "))
	}
	_, err := io.WriteString(w, text)
	return err
}

func countPolicies(n int) string {
	if n == 1 {
		return "1 policy"
	}
	return fmt.Sprintf("%d policies", n)
}

// ShortDigest is enough of a digest for people to tell two apart.
func ShortDigest(d string) string {
	if len(d) > 12 {
		return d[:12]
	}
	return d
}
