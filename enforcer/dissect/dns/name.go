package dns

import "github.com/netpol/netpol/enforcer/dissect"

const (
	// maxName bounds a name on the wire (RFC 1035 section 2.3.4).
	maxName = 255
	// maxPointers bounds the pointers of one name. Servers write one, rarely
	// two; a chain of thousands would only cost time.
	maxPointers = 16
)

// name is a domain name in wire form without compression, in lower case: names
// compare without regard to case (RFC 4343), and some resolvers mix it on
// purpose.
type name struct {
	b [maxName]byte
	n int
}

func (n *name) wire() []byte { return n.b[:n.n] }

func (n *name) equal(o *name) bool { return string(n.wire()) == string(o.wire()) }

// readName reads a name from c, which reads msg to its end, into n. A pointer
// (RFC 1035 section 4.1.4) must lead to before where the name, or the last
// pointer's target, began: so no chain of them can go round.
func (n *name) readName(msg []byte, c *dissect.Cursor) bool {
	n.n = 0
	limit, pointers := len(msg)-c.Len(), 0
	var elsewhere dissect.Cursor
	for {
		length := c.Uint8()
		switch {
		case !c.OK():
			return false
		case length == 0:
			return n.append(0, nil)
		case length>>6 == 0:
			if label := c.Bytes(int(length)); label == nil || !n.append(length, label) {
				return false
			}
		case length>>6 == 3:
			target := int(length&0x3f)<<8 | int(c.Uint8())
			if pointers++; !c.OK() || target >= limit || pointers > maxPointers {
				return false
			}
			limit = target
			elsewhere = dissect.NewCursor(msg[target:])
			c = &elsewhere
		default: // reserved (RFC 6891 section 5)
			return false
		}
	}
}

// append adds a label.
func (n *name) append(length byte, label []byte) bool {
	if n.n+1+len(label) > maxName {
		return false
	}
	n.b[n.n] = length
	n.n++
	for _, c := range label {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		n.b[n.n] = c
		n.n++
	}
	return true
}

// labels calls yield with each label.
func (n *name) labels(yield func(label []byte) bool) {
	for b := n.wire(); len(b) > 0 && b[0] > 0; b = b[1+b[0]:] {
		if !yield(b[1 : 1+b[0]]) {
			return
		}
	}
}

// maxText bounds a name in text: each byte may become \DDD.
const maxText = 4 * maxName

// appendText appends the name as text, without the last dot, with RFC 1035
// section 5.1's escapes for what is not printable.
func (n *name) appendText(dst []byte) []byte {
	first := true
	for label := range n.labels {
		if !first {
			dst = append(dst, '.')
		}
		first = false
		for _, c := range label {
			switch {
			case c == '.' || c == '\\':
				dst = append(dst, '\\', c)
			case c > 0x20 && c < 0x7f:
				dst = append(dst, c)
			default:
				dst = append(dst, '\\', '0'+c/100, '0'+c/10%10, '0'+c%10)
			}
		}
	}
	return dst
}

// isHost says whether the name is one of a host, of at least min labels:
// letters, digits, hyphens and underscores.
func (n *name) isHost(min int) bool {
	count := 0
	for label := range n.labels {
		count++
		for _, c := range label {
			if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
				return false
			}
		}
	}
	return count >= min
}
