// Package lintdocs holds the pages of netpol lint's rules, so that
// netpol lint --explain needs no network. Called by cmd/netpol; it imports the
// standard library only.
package lintdocs

import "embed"

//go:embed *.md
var pages embed.FS

// Pages are the pages by file name, "shadowed-policy.md".
func Pages() embed.FS { return pages }
