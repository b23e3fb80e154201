package lang

import (
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"

	"github.com/netpol/netpol/lang/diag"
)

// Format lays a policy file out in the canonical way. A file that does not
// parse comes back unchanged, with the reasons.
func Format(name string, src []byte) ([]byte, diag.List) {
	d := &decoder{out: &Policy{}}
	if d.parseBody(name, src) == nil || d.diags.HasErrors() {
		return src, d.diags
	}
	out := hclwrite.Format(src)
	if _, hclDiags := hclsyntax.ParseConfig(out, name, startPos); hclDiags.HasErrors() {
		return src, nil
	}
	return out, nil
}
