package fixed

import "strings"

// maxLengthBytes bounds a length of BER in the long form. Windows writes four
// bytes whatever the length (X.690 section 8.1.3.5 allows more than are needed).
const maxLengthBytes = 4

// askElement reads an identifier and a length (X.690 sections 8.1.2, 8.1.3; no
// indefinite form, no tag numbers above 30). next is where the contents begin,
// or for opOver where they end.
func (t *test) askElement(i input) (a answer, next int) {
	b := i.bytes
	if len(b) == 0 {
		return i.short(), 0
	}
	if strings.IndexByte(t.text, b[0]) < 0 {
		return no, 0
	}
	if len(b) < 2 {
		return i.short(), 0
	}
	n, at := int(b[1]), 2
	if n >= 0x80 {
		at += n & 0x7f
		switch {
		case at == 2 || at > 2+maxLengthBytes:
			return no, 0
		case len(b) < at:
			return i.short(), 0
		}
		n = 0
		for _, c := range b[2:at] {
			n = n<<8 | int(c)
		}
	}
	switch {
	case n > maxMessage, t.op == opWhole && !i.stream && at+n != len(b):
		return no, 0
	case t.op != opOver:
		return yes, at
	case len(b) < at+n:
		return i.short(), 0
	}
	return yes, at + n
}
