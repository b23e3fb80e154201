package lang

import (
	"fmt"

	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// decodeApplicationGroup reads a named list of applications. That the catalogue
// has them is for compiler/resolve to check.
func (d *decoder) decodeApplicationGroup(b *hclsyntax.Block) {
	g := &ApplicationGroup{Name: d.qualify(b.Labels[0]), Module: d.module, Range: headerRange(b)}
	if !d.checkGroupName(b, "an application group") {
		return
	}
	g.Description = d.text(b, "description", `"Video calls"`).Value
	if d.require(b, "applications", `applications = ["zoom", "webex"]`) != nil {
		g.Applications = d.texts(b, "applications", `"zoom"`)
	}
	if d.define("application_group "+b.Labels[0], fmt.Sprintf("application group %q", b.Labels[0]), g.Range) {
		d.out.AppGroups = append(d.out.AppGroups, g)
	}
}
