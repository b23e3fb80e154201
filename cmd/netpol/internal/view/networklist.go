package view

import (
	"net/netip"
	"strings"
)

// NetworkList writes networks as the file of an address group takes them,
// below a comment.
func NetworkList(comment string, list []netip.Prefix) []byte {
	b := []byte("# " + strings.ReplaceAll(cleanLine(comment), "#", "") + "\n")
	for _, p := range list {
		b = append(p.AppendTo(b), '\n')
	}
	return b
}
