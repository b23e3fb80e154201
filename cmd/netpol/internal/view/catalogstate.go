package view

import (
	"fmt"
	"io"
	"strings"

	"github.com/netpol/netpol/policies/source"
)

// CatalogState is what netpol catalog verify found.
type CatalogState struct {
	Digest       string `json:"catalogue"`        // of the catalogue in use
	BuiltIn      string `json:"built_in"`         // of the catalogue of this netpol
	Pinned       string `json:"pinned,omitempty"` // by the policy set's lock file
	LockFile     string `json:"lock_file,omitempty"`
	Applications int    `json:"applications"`
	Protocols    int    `json:"protocols"`
	Categories   int    `json:"categories"`
	Domains      int    `json:"domains"`
	Networks     int    `json:"networks"`
	Ports        int    `json:"ports"`
}

// Holds says that the catalogue is the one that the lock file pins, or that
// none is pinned.
func (s CatalogState) Holds() bool { return s.Pinned == "" || s.Pinned == s.Digest }

// Text writes the state for people.
func (s CatalogState) Text(w io.Writer, st Style) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s, %s\n", plural(s.Applications, "application", "applications"), plural(s.Protocols, "protocol", "protocols"), plural(s.Categories, "category", "categories"))
	fmt.Fprintf(&b, "%s, %s, %s\n", plural(s.Domains, "domain", "domains"), plural(s.Networks, "network", "networks"), plural(s.Ports, "port range", "port ranges"))
	fmt.Fprintf(&b, "digest %s\n", cleanLine(s.Digest))
	switch {
	case s.LockFile == "":
	case s.Pinned == "":
		fmt.Fprintf(&b, "%s pins no catalogue; netpol compile or apply writes it.\n", cleanLine(s.LockFile))
	case s.Holds():
		b.WriteString(st.in("It is the one that "+cleanLine(s.LockFile)+" pins.", green) + "\n")
	default:
		b.WriteString(st.in(cleanLine(s.LockFile)+" pins another one: "+cleanLine(s.Pinned), red) + "\n")
		b.WriteString("netpol or the set's application blocks have changed since. See netpol diff for what policies\n" +
			"do differently; netpol compile or apply pins the new one.\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// JSON writes the state for machines.
func (s CatalogState) JSON(w io.Writer) error {
	return writeJSON(w, struct {
		FormatVersion string `json:"format_version"`
		Type          string `json:"type"`
		Holds         bool   `json:"holds"`
		CatalogState
	}{FormatVersion, "catalog_verify", s.Holds(), s})
}

// CatalogUpdate is what netpol catalog update made of a list.
type CatalogUpdate struct {
	Source, File   string
	Format         source.Format
	Before, After  string // text of File
	Changed, Wrote bool
	Known          int
	Others         []source.Other
	Skipped        []source.Skip
}

// shownRows bounds the rows listed that were left out.
const shownRows = 10

// Text writes what changes, then what was left out.
func (u CatalogUpdate) Text(w io.Writer, st Style) error {
	var b strings.Builder
	if u.Changed {
		if err := FileDiff(&b, u.File, u.Before, u.After, st); err != nil {
			return err
		}
	}
	if u.Known > 0 {
		fmt.Fprintf(&b, "%s known already\n", plural(u.Known, "row is", "rows are"))
	}
	if len(u.Others) > 0 {
		fmt.Fprintf(&b, "%s with another application; --take moves them:\n", plural(len(u.Others), "row stays", "rows stay"))
		for _, o := range u.Others[:min(len(u.Others), shownRows)] {
			fmt.Fprintf(&b, "  %s is %s's, not %s's\n", cleanLine(o.Row), cleanLine(o.Catalogue), cleanLine(o.List))
		}
	}
	if len(u.Skipped) > 0 {
		fmt.Fprintf(&b, "%s:\n", plural(len(u.Skipped), "row was skipped", "rows were skipped"))
		for _, s := range u.Skipped[:min(len(u.Skipped), shownRows)] {
			fmt.Fprintf(&b, "  %s:%d: %s: %s\n", cleanLine(s.File), s.Line, cleanLine(shorten(s.Text, maxText)), cleanLine(s.Why))
		}
	}
	switch {
	case !u.Changed:
		fmt.Fprintf(&b, "%s needs no change.\n", cleanLine(u.File))
	case u.Wrote:
		fmt.Fprintf(&b, "%s is written.\n", cleanLine(u.File))
	default:
		fmt.Fprintf(&b, "%s is not written: --dry-run.\n", cleanLine(u.File))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// JSON writes the same for machines.
func (u CatalogUpdate) JSON(w io.Writer) error {
	type other struct {
		Row       string `json:"row"`
		List      string `json:"list"`
		Catalogue string `json:"catalogue"`
	}
	type skip struct {
		File string `json:"file"`
		Line int    `json:"line"`
		Text string `json:"text"`
		Why  string `json:"why"`
	}
	others, skipped := make([]other, 0, len(u.Others)), make([]skip, 0, len(u.Skipped))
	for _, o := range u.Others {
		others = append(others, other(o))
	}
	for _, s := range u.Skipped {
		skipped = append(skipped, skip(s))
	}
	return writeJSON(w, struct {
		FormatVersion string  `json:"format_version"`
		Type          string  `json:"type"`
		Source        string  `json:"source"`
		Format        string  `json:"format"`
		File          string  `json:"file"`
		Changed       bool    `json:"changed"`
		Written       bool    `json:"written"`
		Known         int     `json:"known"`
		Others        []other `json:"others"`
		Skipped       []skip  `json:"skipped"`
	}{FormatVersion, "catalog_update", u.Source, string(u.Format), u.File, u.Changed, u.Wrote, u.Known, others, skipped})
}
