// Package citemplates holds the pipelines of docs/ci.md, so that netpol init can
// write them. Called by cmd/netpol; it imports the standard library only.
package citemplates

import "embed"

//go:embed github.yml gitlab.yml pre-commit-config.yaml
var templates embed.FS

// Templates are the pipelines by file name, "github.yml".
func Templates() embed.FS { return templates }
