package opt

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/netpol/netpol/compiler/ir"
)

// maxCrossed bounds the prefixes in lists that two comparisons of one address
// make together, such as a long group without one address. Groups by
// themselves are shared by all policies; these are a list of their own each.
const maxCrossed = 1 << 17

// longList is from where on a list counts.
const longList = 64

// crossings counts such lists; what was crossed before costs nothing.
type crossings struct {
	known map[string]bool
	left  int
}

// take counts a policy's lists, unless they are too long.
func (x *crossings) take(any []ir.Conjunction) bool {
	for _, c := range any {
		key, size := crossed(c)
		if size == 0 || x.known[key] {
			continue
		}
		if x.left -= size; x.left < 0 {
			return false
		}
		x.known[key] = true
	}
	return true
}

// crossed names the lists of a conjunction that may be of one address, and says
// how long they are; 0 if there is nothing to cross.
func crossed(c ir.Conjunction) (key string, size int) {
	var lists [][]netip.Prefix
	var words []string
	bySide, byLocal := 0, 0
	seen := map[string]bool{}
	twice := false
	for _, l := range c {
		name := l.Test.Attr.Name
		switch name {
		case "src_ip", "dst_ip":
			bySide++
		case "local_ip", "other_ip":
			byLocal++
		default:
			continue
		}
		twice = twice || seen[name]
		seen[name] = true
		if list := l.Test.Prefixes; len(list) > 0 {
			lists = append(lists, list)
			words = append(words, fmt.Sprintf("%s %v %p %d", name, l.Not, &list[0], len(list)))
		}
	}
	if !twice && (bySide == 0 || byLocal == 0) { // of different addresses
		return "", 0
	}
	for _, list := range lists {
		if len(list) > longList {
			size += len(list)
		}
	}
	slices.Sort(words)
	return strings.Join(words, ", "), size
}
