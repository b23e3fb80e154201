package cli

import (
	"path/filepath"

	"github.com/netpol/netpol/cmd/netpol/internal/router"
	"github.com/netpol/netpol/compiler"
	"github.com/netpol/netpol/enforcer/kernel/files"
)

// foreign is what other owners hold of the router's conntrack labels; the
// zero value is a router without any.
type foreign struct {
	bits  map[int]string
	names map[string]int
	// router is what connections say of netpol's own; known to plan and apply.
	router compiler.Router
}

// foreignLabels reads the lines of the connlabel.conf files under a directory
// that are not netpol's. Without a directory there are none.
func foreignLabels(etcDir string) (foreign, error) {
	others := foreign{bits: map[int]string{}, names: map[string]int{}}
	if etcDir == "" {
		return others, nil
	}
	for _, name := range router.ConnlabelFiles() {
		c, err := files.ReadConnlabel(filepath.Join(etcDir, name))
		if err != nil {
			return foreign{}, err
		}
		for _, l := range c.Foreign {
			others.bits[l.Bit] = l.Name
			others.names[l.Name] = l.Bit
		}
	}
	return others, nil
}
