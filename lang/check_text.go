package lang

import (
	"fmt"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2"

	"github.com/netpol/netpol/lang/diag"
)

// checkText reports the first place where src is no text that a person can
// read: control characters, bytes that are no UTF-8, and the invisible
// characters that show a line in another order than it is read in
// (CVE-2021-42574). It returns true when there is none.
func checkText(name string, src []byte, diags *diag.List) bool {
	line, begin := 1, 0
	for i := 0; i < len(src); {
		r, size := utf8.DecodeRune(src[i:])
		if why := unreadable(r, size); why != "" {
			at := hcl.Pos{Line: line, Column: utf8.RuneCount(src[begin:i]) + 1, Byte: i}
			end := hcl.Pos{Line: line, Column: at.Column + 1, Byte: i + size}
			diags.Add(diag.New(diag.BadSyntax, toRange(hcl.Range{Filename: name, Start: at, End: end}),
				fmt.Sprintf("Here stands %s. Policy files are UTF-8 text without control characters.", why)))
			return false
		}
		i += size
		if r == '\n' {
			line, begin = line+1, i
		}
	}
	return true
}

// unreadable says what is wrong with a character of size bytes, if anything.
func unreadable(r rune, size int) string {
	switch {
	case r == utf8.RuneError && size == 1:
		return "a byte that is not UTF-8"
	case r == '\n' || r == '\r' || r == '\t':
		return ""
	case r < ' ' || r == 0x7f:
		return fmt.Sprintf("the control character %U", r)
	case 0x202a <= r && r <= 0x202e || 0x2066 <= r && r <= 0x2069:
		return fmt.Sprintf("the invisible character %U, which reorders the text around it", r)
	}
	return ""
}
