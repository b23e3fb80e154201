package router

import (
	"fmt"

	"github.com/netpol/netpol/compiler/artifact"
	"github.com/netpol/netpol/enforcer/kernel/nft"
)

// Check asks this host's kernel whether it would take the bundle's table, and
// changes nothing. It needs CAP_NET_ADMIN in the network namespace.
func Check(b *artifact.Bundle) error {
	if err := nft.Check(&b.Ruleset); err != nil {
		return fmt.Errorf("have the kernel check the table %s %s: %w", family, table, err)
	}
	return nil
}
