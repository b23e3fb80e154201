package fact

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// ABI is the hex sha256 of everything about the attribute table that compiled
// programs depend on: names, fields, types and their order. A program runs only
// in an enforcer with the same ABI, because bytecode holds field indices.
func ABI() string {
	h := sha256.New()
	for _, a := range Attributes {
		fmt.Fprintf(h, "%s\x00%s\x00%s\n", a.Name, a.Field, a.Type)
	}
	return hex.EncodeToString(h.Sum(nil))
}
