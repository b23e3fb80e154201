package policies

import (
	"fmt"
	"maps"
	"slices"

	"github.com/netpol/netpol/compiler/artifact"
)

// Change is what differs in one application between two catalogues. Rows are
// as the tables write them: a domain, a network, a port range.
type Change struct {
	Tag            string
	Kind           ChangeKind
	Before, After  string // categories, where they differ
	Added, Removed []string
}

// ChangeKind says what became of an application.
type ChangeKind string

// Kinds of change.
const (
	Added   ChangeKind = "added"
	Removed ChangeKind = "removed"
	Changed ChangeKind = "changed"
)

// Diff lists the applications that differ, sorted by tag. Names and
// descriptions do not count: they name no flow.
func Diff(before, after *artifact.Catalogue) []Change {
	old, now := byTag(before), byTag(after)
	tags := maps.Clone(old)
	maps.Copy(tags, now)
	var out []Change
	for _, tag := range slices.Sorted(maps.Keys(tags)) {
		a, had := old[tag]
		b, has := now[tag]
		c := Change{Tag: tag, Kind: Changed}
		switch {
		case !had:
			c.Kind = Added
		case !has:
			c.Kind = Removed
		}
		if a.Category != b.Category {
			c.Before, c.After = a.Category, b.Category
		}
		was, is := Rows(&a), Rows(&b)
		c.Removed, c.Added = missing(was, is), missing(is, was)
		if c.Kind != Changed || c.Before != c.After || len(c.Added)+len(c.Removed) > 0 {
			out = append(out, c)
		}
	}
	return out
}

func byTag(cat *artifact.Catalogue) map[string]artifact.Application {
	m := make(map[string]artifact.Application, len(cat.Applications))
	for _, a := range cat.Applications {
		m[a.Tag] = a
	}
	return m
}

// missing lists what of a is not in b.
func missing(a, b []string) []string {
	in := make(map[string]bool, len(b))
	for _, s := range b {
		in[s] = true
	}
	return slices.DeleteFunc(slices.Clone(a), func(s string) bool { return in[s] })
}

// Rows are the facts of an application, one a row.
func Rows(a *artifact.Application) []string {
	var out []string
	if a.Brand != "" {
		out = append(out, "part of "+a.Brand)
	}
	out = append(out, a.Domains...)
	for _, p := range a.Networks {
		out = append(out, p.String())
	}
	for _, r := range a.Ports {
		out = append(out, PortText(r))
	}
	for _, s := range a.Signatures {
		out = append(out, s.String())
	}
	return out
}

// PortText writes a port range as the tables do.
func PortText(r artifact.PortRange) string {
	text := fmt.Sprintf("%s/%d", r.Transport, r.Low)
	if r.High != r.Low {
		text += fmt.Sprintf("-%d", r.High)
	}
	if r.NeedsBrand {
		text += " of its brand"
	}
	if r.NeedsNetwork {
		text += " in its networks"
	}
	return text
}
