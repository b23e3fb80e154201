package lang

import (
	"fmt"

	"github.com/hashicorp/hcl/v2/hclsyntax"
)

func (d *decoder) decodeCategory(b *hclsyntax.Block) {
	c := &Category{Tag: Text{b.Labels[0], nameRange(b)}, Range: headerRange(b)}
	if !d.checkTag(c.Tag, "category") {
		return
	}
	c.Description = d.text(b, "description", `"Our own services"`).Value
	if d.define("category "+c.Tag.Value, fmt.Sprintf("category %q", c.Tag.Value), c.Range) {
		d.out.Categories = append(d.out.Categories, c)
	}
}
