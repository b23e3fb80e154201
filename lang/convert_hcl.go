package lang

import (
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/netpol/netpol/lang/diag"
)

// toRange converts HCL's range, which also counts lines and columns from 1 and
// bytes from 0.
func toRange(r hcl.Range) diag.Range {
	out := diag.Range{Filename: r.Filename, Start: toPos(r.Start), End: toPos(r.End)}
	if out.End.Byte < out.Start.Byte { // some of HCL's own diagnostics at the end of a file
		out.End = out.Start
	}
	return out
}

func toPos(p hcl.Pos) diag.Pos {
	return diag.Pos{Line: p.Line, Column: p.Column, Byte: p.Byte}
}

// maxSame bounds the mistakes that are told of one expression: a for expression
// makes the same one for each element.
const maxSame = 10

// addHCL appends HCL's own diagnostics under one of our codes. HCL's summary
// goes into the detail, since ours is fixed for the code. src is the file, for
// hints; nil for none.
func addHCL(list *diag.List, code string, src []byte, in hcl.Diagnostics) {
	for i, d := range in {
		if code == diag.InvalidExpression && i >= maxSame {
			return
		}
		if d.Severity != hcl.DiagError {
			continue
		}
		var r diag.Range
		if d.Subject != nil {
			r = toRange(*d.Subject)
		}
		detail := strings.TrimSpace(d.Summary)
		if d.Detail != "" {
			detail = strings.TrimSuffix(detail, ".") + ". " + strings.TrimSpace(d.Detail)
		}
		list.Add(diag.New(code, r, detail).WithHint(hclHint(d.Summary, src, r.Start.Byte)))
	}
}

// hclHint is the way out of the slips that criteria invite: they are text inside
// of text, and often hold patterns.
func hclHint(summary string, src []byte, at int) string {
	switch {
	case summary == "Invalid escape sequence":
		return `a backslash is written \\; in a pattern '[.]' is a dot without one`
	case summary == "Missing newline after argument" && 0 < at && at < len(src) && src[at-1] == '"':
		return `text inside criteria stands in single quotes: "app == 'zoom'"`
	}
	return ""
}
